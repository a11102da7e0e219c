#ifndef OE__SCHEDULER_PLUGIN_H
#define OE__SCHEDULER_PLUGIN_H

/*
 * Threads for plugins that block: made on demand up to a limit, gone after idling. They are not the
 * compute pool, so a plugin that hangs for ever costs one thread and nothing else. Any thread.
 */

#include <stdint.h>

#include "openevolve/common.h"
#include "scheduler/task.h"

struct oe__plugin_pool;

/* `threads_max` 1 makes calls serial. */
int oe__plugin_pool_new(const char *name, int32_t threads_max, struct oe__plugin_pool **out,
                        oe_error *err);

/* Fails, and leaves the task alone, only if there is no thread at all and none can be made. */
int oe__plugin_pool_run(struct oe__plugin_pool *pool, struct oe__task *task);

/* Finish what is queued and join; after `grace_ms` detach from threads that do not come back (they
   keep the pool's memory alive). @return the number of threads left behind. */
int oe__plugin_pool_free(struct oe__plugin_pool *pool, int64_t grace_ms);

#endif /* OE__SCHEDULER_PLUGIN_H */
