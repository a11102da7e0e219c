#include "scheduler/timers.h"

#include <assert.h>

#include "base/alloc.h"

static void put(struct oe__timers *timers, size_t slot, struct oe__timer *timer)
{
	timers->heap[slot] = timer;
	timer->slot = slot;
}

static void rise(struct oe__timers *timers, size_t slot, struct oe__timer *timer)
{
	while (slot > 0) {
		size_t above = (slot - 1) / 2;
		if (timers->heap[above]->due_ns <= timer->due_ns)
			break;
		put(timers, slot, timers->heap[above]);
		slot = above;
	}
	put(timers, slot, timer);
}

static void sink(struct oe__timers *timers, size_t slot, struct oe__timer *timer)
{
	for (;;) {
		size_t below = 2 * slot + 1;
		if (below >= timers->count)
			break;
		if (below + 1 < timers->count &&
		    timers->heap[below + 1]->due_ns < timers->heap[below]->due_ns)
			below++;
		if (timer->due_ns <= timers->heap[below]->due_ns)
			break;
		put(timers, slot, timers->heap[below]);
		slot = below;
	}
	put(timers, slot, timer);
}

int oe__timers_add(struct oe__timers *timers, struct oe__timer *timer)
{
	void *heap = timers->heap;
	int status = oe__grow(&heap, &timers->capacity, timers->count + 1, sizeof(struct oe__timer *));
	timers->heap = heap;
	if (status < 0)
		return status;
	timers->count++;
	rise(timers, timers->count - 1, timer);
	return 0;
}

void oe__timers_remove(struct oe__timers *timers, struct oe__timer *timer)
{
	size_t slot = timer->slot;
	assert(slot < timers->count && timers->heap[slot] == timer);

	struct oe__timer *last = timers->heap[--timers->count];
	if (last == timer)
		return;
	if (slot > 0 && last->due_ns < timers->heap[(slot - 1) / 2]->due_ns)
		rise(timers, slot, last);
	else
		sink(timers, slot, last);
}

struct oe__timer *oe__timers_first(const struct oe__timers *timers)
{
	return timers->count > 0 ? timers->heap[0] : NULL;
}

void oe__timers_done(struct oe__timers *timers)
{
	oe__free(timers->heap);
	*timers = (struct oe__timers){ 0 };
}
