#ifndef OE__CONTROLLER_EVENTS_H
#define OE__CONTROLLER_EVENTS_H

/*
 * The queue of events that step() hands out. Bounded by its user: when it is `full`, the controller
 * issues nothing more, so that nothing ever needs to be dropped. An event that tells of a call of the
 * hub waits, and all behind it, until that call is durable: what the caller was told is not lost by
 * a crash. Owner thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "openevolve/controller.h"

struct oe__event {
	struct oe__event *next;
	int64_t call; /* number in the log of what it tells of; 0: of nothing that could be lost */
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
void oe__events_push_call(struct oe__events *events, const oe_event *event, int64_t call);

/* Next one, borrowed until the next call; NULL when there is none, or it waits for a call later than
   `durable`. */
const oe_event *oe__events_next(struct oe__events *events, int64_t durable);
bool oe__events_ready(const struct oe__events *events, int64_t durable);

/* The log has ended at `durable`: drop what tells of later calls, which did not happen. */
void oe__events_forget(struct oe__events *events, int64_t durable);

static inline bool oe__events_full(const struct oe__events *events)
{
	return events->count >= OE__EVENTS_MAX;
}

#endif /* OE__CONTROLLER_EVENTS_H */
