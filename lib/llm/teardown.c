#include "llm/teardown.h"

#include <pthread.h>

#include "base/auto.h"
#include "base/thread.h"

struct oe__teardown_waiter {
	pthread_mutex_t mutex;
	pthread_cond_t closed;
	bool is_closed; /* guarded by mutex */
};

static void run(struct oe__task *task)
{
	struct oe__teardown *teardown = OE__CONTAINER(task, struct oe__teardown, task);
	struct oe__teardown_waiter *waiter = teardown->waiter;

	teardown->close(teardown);
	if (!waiter) {
		teardown->release(teardown);
		return;
	}
	OE__LOCKED(&waiter->mutex);
	waiter->is_closed = true;
	pthread_cond_signal(&waiter->closed);
}

void oe__teardown_begin(struct oe__teardown *teardown, struct oe__reactor *reactor)
{
	struct oe__teardown_waiter waiter = { .is_closed = false };

	teardown->task.run = run;
	if (oe__reactor_is_current(reactor)) {
		oe__reactor_post(reactor, &teardown->task);
		return;
	}
	pthread_mutex_init(&waiter.mutex, NULL);
	oe__cond_init(&waiter.closed);
	teardown->waiter = &waiter;
	oe__reactor_post(reactor, &teardown->task);
	pthread_mutex_lock(&waiter.mutex);
	while (!waiter.is_closed)
		oe__cond_wait_until(&waiter.closed, &waiter.mutex, -1);
	pthread_mutex_unlock(&waiter.mutex);
	pthread_cond_destroy(&waiter.closed);
	pthread_mutex_destroy(&waiter.mutex);
	teardown->release(teardown);
}
