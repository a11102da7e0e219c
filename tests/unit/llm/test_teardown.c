/* The end of what lives on the reactor thread, begun there and elsewhere. */

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/auto.h"
#include "llm/teardown.h"
#include "scheduler/scheduler.h"
#include "tests/test.h"

struct object {
	struct oe__teardown teardown;
	struct oe__reactor *reactor;
	struct oe__task task;
	sem_t released;
	bool busy; /* its own code is further up the stack */
	bool closed_on_reactor, closed_while_busy, released_on_reactor, closed_first;
	atomic_int closed;
};

static void close_object(struct oe__teardown *teardown)
{
	struct object *object = OE__CONTAINER(teardown, struct object, teardown);

	object->closed_on_reactor = oe__reactor_is_current(object->reactor);
	object->closed_while_busy = object->busy;
	atomic_fetch_add(&object->closed, 1);
}

static void release_object(struct oe__teardown *teardown)
{
	struct object *object = OE__CONTAINER(teardown, struct object, teardown);

	object->released_on_reactor = oe__reactor_is_current(object->reactor);
	object->closed_first = atomic_load(&object->closed) == 1;
	sem_post(&object->released);
}

static void begin(struct object *object, oe_scheduler *scheduler)
{
	*object = (struct object){ .reactor = oe__scheduler_reactor(scheduler) };
	object->teardown.close = close_object;
	object->teardown.release = release_object;
	sem_init(&object->released, 0, 0);
}

START_TEST(test_elsewhere)
{
	OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
	struct object object;

	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
	begin(&object, scheduler);
	oe__teardown_begin(&object.teardown, object.reactor);
	/* All of it is over when that returns. */
	ck_assert_int_eq(sem_trywait(&object.released), 0);
	ck_assert(object.closed_on_reactor && object.closed_first && !object.released_on_reactor);
}
END_TEST

static void end_oneself(struct oe__task *task)
{
	struct object *object = OE__CONTAINER(task, struct object, task);

	object->busy = true;
	oe__teardown_begin(&object->teardown, object->reactor);
	object->busy = atomic_load(&object->closed) > 0;
}

START_TEST(test_on_the_reactor)
{
	OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
	struct object object;

	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
	begin(&object, scheduler);
	object.task.run = end_oneself;
	oe__reactor_post(object.reactor, &object.task);
	sem_wait(&object.released);
	ck_assert(object.closed_on_reactor && object.closed_first && object.released_on_reactor);
	ck_assert(!object.closed_while_busy);
}
END_TEST

static void *end_one(void *argument)
{
	struct object *object = argument;

	oe__teardown_begin(&object->teardown, object->reactor);
	return NULL;
}

START_TEST(test_many)
{
	OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
	struct object objects[16];
	pthread_t threads[16];

	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 16; i++) {
			begin(&objects[i], scheduler);
			ck_assert_int_eq(pthread_create(&threads[i], NULL, end_one, &objects[i]), 0);
		}
		for (int i = 0; i < 16; i++) {
			pthread_join(threads[i], NULL);
			ck_assert(objects[i].closed_on_reactor && objects[i].closed_first);
			ck_assert_int_eq(atomic_load(&objects[i].closed), 1);
			ck_assert_int_eq(sem_trywait(&objects[i].released), 0);
		}
	}
}
END_TEST

TEST_MAIN("teardown", test_elsewhere, test_on_the_reactor, test_many)
