#ifndef OE_TEST_SCHEDULER_REACTOR_WORLD_H
#define OE_TEST_SCHEDULER_REACTOR_WORLD_H

/* Reactors for the tests of lib/scheduler: what belongs to its thread is called there. */

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "scheduler/reactor.h"
#include "test.h"

static inline struct oe__reactor *world_reactor(void)
{
	struct oe__reactor *reactor = NULL;
	oe_error err = { .message = "" };

	ck_assert_msg(oe__reactor_new(&reactor, &err) == 0, "%s", err.message);
	return reactor;
}

struct world_call {
	struct oe__task task;
	void (*call)(void *argument);
	void *argument;
	sem_t done;
};

static inline void world_run(struct oe__task *task)
{
	struct world_call *call = OE__CONTAINER(task, struct world_call, task);

	call->call(call->argument);
	sem_post(&call->done);
}

/* On the reactor thread, and wait for it. */
static inline void world_on_reactor(struct oe__reactor *reactor, void (*call)(void *argument),
									void *argument)
{
	struct world_call posted = { .task.run = world_run, .call = call, .argument = argument };

	sem_init(&posted.done, 0, 0);
	oe__reactor_post(reactor, &posted.task);
	sem_wait(&posted.done);
	sem_destroy(&posted.done);
}

static inline void world_nothing(void *argument)
{
	(void)argument;
}

/* Let it look at all its descriptors a few times. */
static inline void world_turns(struct oe__reactor *reactor)
{
	for (int i = 0; i < 10; i++)
		world_on_reactor(reactor, world_nothing, NULL);
}

static inline int world_descriptors(void)
{
	DIR *stream = opendir("/proc/self/fd");
	int count = 0;

	ck_assert_ptr_nonnull(stream);
	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

#endif /* OE_TEST_SCHEDULER_REACTOR_WORLD_H */
