#ifndef OE__SCHEDULER_REACTOR_H
#define OE__SCHEDULER_REACTOR_H

/*
 * The reactor: one thread that waits for sockets, pipes, children (pidfds) and timers, over libuv.
 * It runs callbacks and posted tasks; nothing in them may block. Watches and timers belong to the
 * reactor thread: only oe__reactor_post() and oe__reactor_is_current() may be called elsewhere.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openevolve/common.h"
#include "scheduler/task.h"

struct oe__reactor;

/* Run a task on the reactor thread, in order of posting. Any thread. One wake-up per batch. */
void oe__reactor_post(struct oe__reactor *reactor, struct oe__task *task);

bool oe__reactor_is_current(const struct oe__reactor *reactor);

/* ---- reactor thread only ---- */

enum { OE__READABLE = 1, OE__WRITABLE = 2, OE__HANGUP = 4 };

struct oe__watch;
typedef void oe__watch_function(void *owner, int fd, int events);

/* Watch a descriptor, level-triggered, until closed. The descriptor stays the caller's and must be
   closed only after oe__watch_close(). */
int oe__watch_open(struct oe__reactor *reactor, int fd, int events, oe__watch_function *call,
                   void *owner, struct oe__watch **out);
int oe__watch_change(struct oe__watch *watch, int events); /* 0: none for now */
void oe__watch_close(struct oe__watch *watch); /* no callback after this; accepts NULL */

/* A timer embedded in its owner: no allocation, O(log n). Zero-initialise it. */
struct oe__timer {
	struct oe__reactor *reactor; /* set while armed */
	int64_t due_ns;              /* oe__clock_ns()  */
	size_t slot;                 /* in the heap     */
	void (*call)(struct oe__timer *timer);
};

/* Arm or move; `due_ns` on the clock of oe__clock_ns(). Fires once, never early. */
int oe__timer_arm(struct oe__reactor *reactor, struct oe__timer *timer, int64_t due_ns,
                  void (*call)(struct oe__timer *timer));
void oe__timer_cancel(struct oe__timer *timer); /* accepts one that is not armed */

/* Called after each round of events, before waiting again: where curl's finished transfers are
   collected. */
struct oe__round {
	struct oe__round *next;
	void (*call)(struct oe__round *round);
};
void oe__round_add(struct oe__reactor *reactor, struct oe__round *round);
void oe__round_remove(struct oe__reactor *reactor, struct oe__round *round);

/* ---- owner ---- */

int oe__reactor_new(struct oe__reactor **out, oe_error *err); /* starts the thread */

/* The loop turns no more; from now on the caller's thread is the reactor's. */
void oe__reactor_stop(struct oe__reactor *reactor);

/* Once it is stopped: run what was posted until now. @return false if that was nothing. */
bool oe__reactor_run(struct oe__reactor *reactor);

/* Stops it if need be, and runs what was posted, and what that posts. Accepts NULL. */
void oe__reactor_free(struct oe__reactor *reactor);

/* On the reactor thread, where the reactor cannot be freed: when this round is over it is stopped and
   `ended` is called, the last thing that its thread does; that has to free it. */
void oe__reactor_leave(struct oe__reactor *reactor, void (*ended)(void *owner), void *owner);

#endif /* OE__SCHEDULER_REACTOR_H */
