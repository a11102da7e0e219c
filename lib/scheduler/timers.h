#ifndef OE__SCHEDULER_TIMERS_H
#define OE__SCHEDULER_TIMERS_H

/*
 * A binary heap of timers that live in their owners. The reactor keeps one and drives it with a
 * single timer of libuv. One thread.
 */

#include "scheduler/reactor.h"

struct oe__timers {
	struct oe__timer **heap; /* smallest due_ns first */
	size_t count, capacity;
};

int oe__timers_add(struct oe__timers *timers, struct oe__timer *timer);
void oe__timers_remove(struct oe__timers *timers, struct oe__timer *timer);
struct oe__timer *oe__timers_first(const struct oe__timers *timers); /* NULL when empty */
void oe__timers_done(struct oe__timers *timers);

#endif /* OE__SCHEDULER_TIMERS_H */
