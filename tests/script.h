#ifndef OE_TESTS_SCRIPT_H
#define OE_TESTS_SCRIPT_H

/*
 * What backends that follow a script have in common, whether models or evaluators: whoever asks for the
 * n-th time gets the n-th step, and the last one over and over; some are held until the test lets them go,
 * or somebody cancels them. Any thread.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/thread.h"
#include "test.h"

#define SCRIPT_HELD_MAX 64

struct script {
	size_t step_count;
	pthread_mutex_t mutex; /* guards what follows */
	size_t asked, cancelled, held_count;
	void *held[SCRIPT_HELD_MAX];
	atomic_bool freed;
};

static inline void script_init(struct script *script, size_t step_count)
{
	*script = (struct script){ .step_count = step_count };
	pthread_mutex_init(&script->mutex, NULL);
}

/* Which step is to be taken now. The caller holds the mutex. */
static inline size_t script_next(struct script *script)
{
	size_t at = script->asked++;

	return at < script->step_count ? at : script->step_count - 1;
}

/* The caller holds the mutex. */
static inline void script_hold(struct script *script, void *asked)
{
	ck_assert_uint_lt(script->held_count, SCRIPT_HELD_MAX);
	script->held[script->held_count++] = asked;
}

/* One that was held (NULL: any), or NULL when it is none (any more). */
static inline void *script_take(struct script *script, const void *asked)
{
	OE__LOCKED(&script->mutex);
	for (size_t i = 0; i < script->held_count; i++) {
		if (asked && script->held[i] != asked)
			continue;
		void *taken = script->held[i];
		script->held[i] = script->held[--script->held_count];
		return taken;
	}
	return NULL;
}

static inline void script_count_cancelled(struct script *script)
{
	OE__LOCKED(&script->mutex);
	script->cancelled++;
}

static inline size_t script_asked(struct script *script)
{
	OE__LOCKED(&script->mutex);
	return script->asked;
}

static inline void script_wait_asked(struct script *script, size_t count)
{
	while (script_asked(script) < count)
		sched_yield();
}

/* What still holds the backend lets go of it on its own thread. */
static inline void script_wait_freed(struct script *script)
{
	while (!atomic_load(&script->freed))
		sched_yield();
}

#endif /* OE_TESTS_SCRIPT_H */
