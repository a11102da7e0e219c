/* A binary heap of timers; see timer.h. */
#include "timer.h"

#include <stdlib.h>

static void place(struct timers *timers, size_t slot, struct timer *timer)
{
	timers->heap[slot] = timer;
	timer->slot = slot + 1;
}

/* Moves `timer` from the hole at `slot` to where it belongs. */
static void settle(struct timers *timers, size_t slot, struct timer *timer)
{
	struct timer **heap = timers->heap;

	for (; slot && heap[(slot - 1) / 2]->due_us > timer->due_us; slot = (slot - 1) / 2)
		place(timers, slot, heap[(slot - 1) / 2]);
	for (size_t child; (child = 2 * slot + 1) < timers->count; slot = child) {
		if (child + 1 < timers->count && heap[child + 1]->due_us < heap[child]->due_us)
			child++;
		if (heap[child]->due_us >= timer->due_us)
			break;
		place(timers, slot, heap[child]);
	}
	place(timers, slot, timer);
}

void timer_clear(struct timers *timers, struct timer *timer)
{
	size_t slot = timer->slot;

	if (!slot)
		return;
	timer->slot = 0;
	struct timer *last = timers->heap[--timers->count];
	if (last != timer)
		settle(timers, slot - 1, last);
}

void timer_set(struct timers *timers, struct timer *timer, uint64_t due_us)
{
	timer_clear(timers, timer);
	if (timers->count == timers->room) {
		timers->room = timers->room ? 2 * timers->room : 64;
		timers->heap = realloc(timers->heap, timers->room * sizeof(*timers->heap));
		if (!timers->heap)
			abort();
	}
	timer->due_us = due_us;
	settle(timers, timers->count++, timer);
}

uint64_t timers_next(const struct timers *timers)
{
	return timers->count ? timers->heap[0]->due_us : UINT64_MAX;
}

struct timer *timers_pop(struct timers *timers, uint64_t now_us)
{
	struct timer *timer = timers->count ? timers->heap[0] : NULL;

	if (!timer || timer->due_us > now_us)
		return NULL;
	timer_clear(timers, timer);
	return timer;
}
