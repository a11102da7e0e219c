#ifndef OE__SCHEDULER_SCHEDULER_H
#define OE__SCHEDULER_SCHEDULER_H

/*
 * The compute pool and the reactor under one handle. Any thread.
 */

#include "base/auto.h"
#include "openevolve/scheduler.h"
#include "scheduler/reactor.h"
#include "scheduler/task.h"

/* Run a task on the compute pool: short, never waiting. A sleeping worker is woken only if needed. */
void oe__scheduler_compute(oe_scheduler *scheduler, struct oe__task *task);

int32_t oe__scheduler_threads(const oe_scheduler *scheduler); /* of the compute pool */

struct oe__reactor *oe__scheduler_reactor(oe_scheduler *scheduler);

OE__AUTO_POINTER(scheduler, oe_scheduler *, oe_scheduler_unref)

#endif /* OE__SCHEDULER_SCHEDULER_H */
