#ifndef OE__CONTROLLER_INBOX_H
#define OE__CONTROLLER_INBOX_H

/*
 * What the owner waits for: tasks that other threads post, and the time. One descriptor is readable
 * while there is something to do. Posting and waking are for any thread; everything else is the
 * owner's.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/thread.h"
#include "scheduler/task.h"

struct oe__inbox {
	int fd;       /* epoll over the two below: what oe_controller_fd() gives */
	int timer_fd;
	int64_t due_ns; /* what the timer is set to; INT64_MAX: not set */
	struct oe__signal signal;
	pthread_mutex_t mutex;
	struct oe__task_list posted; /* guarded by mutex                                 */
	bool raised;                 /* guarded by mutex: the descriptor is readable     */
};

int oe__inbox_init(struct oe__inbox *inbox, oe_error *err);
void oe__inbox_done(struct oe__inbox *inbox);

void oe__inbox_post(struct oe__inbox *inbox, struct oe__task *task);

/* Make the descriptor readable without a task. Any thread, also a signal handler. */
void oe__inbox_wake(struct oe__inbox *inbox);

/* Run what was posted. */
void oe__inbox_run(struct oe__inbox *inbox);

/* There is something to look at: the owner is about to return with more to do, or what an event waits
   for has come. Any thread. */
void oe__inbox_raise(struct oe__inbox *inbox);

/* Become readable at `due_ns` of oe__clock_ns(); INT64_MAX: never. */
void oe__inbox_set_alarm(struct oe__inbox *inbox, int64_t due_ns);

/* Wait until the descriptor is readable: `timeout_ms` as in poll(). */
void oe__inbox_wait(struct oe__inbox *inbox, int64_t timeout_ms);

#endif /* OE__CONTROLLER_INBOX_H */
