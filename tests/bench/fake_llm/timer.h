/* Things to do later: a heap, so that thousands may wait. Embed a struct timer in what waits. */
#ifndef FAKE_LLM_TIMER_H
#define FAKE_LLM_TIMER_H

#include <stddef.h>
#include <stdint.h>

struct timer {
	uint64_t due_us;
	size_t slot; /* place in the heap + 1; 0: not set */
};

struct timers {
	struct timer **heap; /* soonest first */
	size_t count, room;
};

/* Sets the timer, or moves it. */
void timer_set(struct timers *timers, struct timer *timer, uint64_t due_us);
void timer_clear(struct timers *timers, struct timer *timer);
/* The time of the soonest one; UINT64_MAX if there is none. */
uint64_t timers_next(const struct timers *timers);
/* Takes out the soonest timer if it is due at `now_us`; else NULL. */
struct timer *timers_pop(struct timers *timers, uint64_t now_us);

#endif
