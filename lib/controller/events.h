#ifndef OE__CONTROLLER_EVENTS_H
#define OE__CONTROLLER_EVENTS_H

/*
 * The queue of events that step() hands out. Bounded by its user: when it is `full`, the controller
 * issues nothing more, so that nothing ever needs to be dropped. Owner thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "openevolve/controller.h"

struct oe__event {
	struct oe__event *next;
	oe_event public; /* its text and model point into this block; programs are referenced */
};

struct oe__events {
	struct oe__event *head, *tail;
	size_t count;
	uint32_t mask;
	struct oe__event *current; /* what step() returned last */
	int status;                /* a push failed for lack of memory */
};

#define OE__EVENTS_MAX 4096 /* beyond it nothing is issued until the caller catches up */

void oe__events_done(struct oe__events *events);

/* Copy: texts are copied, programs referenced. Types that the mask hides are not queued. */
void oe__events_push(struct oe__events *events, const oe_event *event);

/* Next one, borrowed until the next call; NULL when empty. */
const oe_event *oe__events_next(struct oe__events *events);

static inline bool oe__events_full(const struct oe__events *events)
{
	return events->count >= OE__EVENTS_MAX;
}

#endif /* OE__CONTROLLER_EVENTS_H */
