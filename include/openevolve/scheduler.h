#ifndef OPENEVOLVE_SCHEDULER_H
#define OPENEVOLVE_SCHEDULER_H

/**
 * @file
 * The scheduler: threads that compute, and one that waits.
 *
 * It owns a compute pool for short work (rendering, parsing, applying edits) and a reactor, one
 * thread that waits for every socket, pipe, child and timer. It knows nothing of evolution.
 * Several controllers may share one; each keeps its own limits.
 */

#include "openevolve/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A compute pool and a reactor. Reference-counted. */
typedef struct oe_scheduler oe_scheduler;

/**
 * Start the threads, with all signals blocked.
 *
 * @param threads of the compute pool; 0 for a good default (the CPUs this process may use,
 *                at most 4: the work per iteration is some 100 us).
 */
OE_API OE_NODISCARD int oe_scheduler_new(int32_t threads, oe_scheduler **out, oe_error *err);

/** Any thread. */
OE_API oe_scheduler *oe_scheduler_ref(oe_scheduler *scheduler);

/** Drop a reference; the last one finishes what is queued and joins the threads. If a plugin or a
 *  late answer holds the last one, on a thread of the scheduler, the threads end by themselves soon
 *  after. Accepts NULL. Any thread. */
OE_API void oe_scheduler_unref(oe_scheduler *scheduler);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_SCHEDULER_H */
