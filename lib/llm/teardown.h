#ifndef OE__LLM_TEARDOWN_H
#define OE__LLM_TEARDOWN_H

/*
 * The end of an object that lives on the reactor thread, begun wherever its last reference was
 * dropped. On another thread that waits; on the reactor thread it happens later, because the object
 * may be at work further up the stack.
 */

#include "scheduler/reactor.h"

/* Embedded in the object. */
struct oe__teardown {
	struct oe__task task;
	void (*close)(struct oe__teardown *teardown);   /* reactor thread: watches, timers and such */
	void (*release)(struct oe__teardown *teardown); /* then, on the thread that began: the rest */
	struct oe__teardown_waiter *waiter;             /* its own */
};

/* `close` and `release` are set. After this the object is gone, or as good as gone. */
void oe__teardown_begin(struct oe__teardown *teardown, struct oe__reactor *reactor);

#endif /* OE__LLM_TEARDOWN_H */
