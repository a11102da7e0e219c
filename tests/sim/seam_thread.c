/*
 * base/thread.h: threads are coroutines. One runs until it waits on a condition, or for the disk;
 * it goes on when the world says so after it was signalled, or its time has come. Locks need nobody,
 * as nothing is left while one is held, but for a wait, which gives it back as always.
 */

#include "base/thread.h"

#include <ucontext.h>

#include "base/alloc.h"
#include "world.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define LEAVE_FOR(saved, stack, size) __sanitizer_start_switch_fiber(saved, stack, size)
#define ARRIVE(saved, stack, size)    __sanitizer_finish_switch_fiber(saved, stack, size)
#else
#define LEAVE_FOR(saved, stack, size) ((void)0)
#define ARRIVE(saved, stack, size)    ((void)0)
#endif

#define STACK_SIZE ((size_t)512 * 1024)

struct coroutine {
	struct coroutine *next;
	ucontext_t inside, outside;
	void *(*run)(void *argument);
	void *argument;
	pthread_cond_t *waits; /* NULL: for the time alone */
	int64_t due_ns;
	bool signalled, ended;
	const void *outer_stack; /* for sanitizers: the main one */
	size_t outer_size;
	void *outer_fake, *inner_fake;
	char stack[STACK_SIZE];
};

static struct coroutine *current; /* NULL: the main thread's turn */
static struct coroutine *spare;   /* the stack of one that ended: most worlds need one at a time */

/* ---- switching ---- */

static void enter(struct coroutine *coroutine)
{
	current = coroutine;
	coroutine->signalled = false;
	coroutine->due_ns = INT64_MAX;
	LEAVE_FOR(&coroutine->outer_fake, coroutine->stack, STACK_SIZE);
	swapcontext(&coroutine->outside, &coroutine->inside);
	ARRIVE(coroutine->outer_fake, NULL, NULL);
	current = NULL;
}

static void leave(struct coroutine *coroutine)
{
	LEAVE_FOR(coroutine->ended ? NULL : &coroutine->inner_fake, coroutine->outer_stack,
	          coroutine->outer_size);
	swapcontext(&coroutine->inside, &coroutine->outside);
	ARRIVE(coroutine->inner_fake, &coroutine->outer_stack, &coroutine->outer_size);
}

static void begin(void)
{
	struct coroutine *coroutine = current;

	ARRIVE(NULL, &coroutine->outer_stack, &coroutine->outer_size);
	(void)coroutine->run(coroutine->argument);
	coroutine->ended = true;
	leave(coroutine);
}

int oe__thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *argument,
                     oe_error *err)
{
	struct coroutine *coroutine = spare ? spare : oe__malloc(sizeof(*coroutine));

	(void)name;
	if (!coroutine)
		return oe__error_nomem(err);
	spare = NULL;
	coroutine->run = run;
	coroutine->argument = argument;
	coroutine->waits = NULL;
	coroutine->ended = false;
	coroutine->signalled = true;
	coroutine->due_ns = INT64_MAX;
	getcontext(&coroutine->inside);
	coroutine->inside.uc_stack.ss_sp = coroutine->stack;
	coroutine->inside.uc_stack.ss_size = STACK_SIZE;
	coroutine->inside.uc_link = NULL;
	makecontext(&coroutine->inside, begin, 0);
	coroutine->next = world.coroutines;
	world.coroutines = coroutine;
	*out = (pthread_t)(uintptr_t)coroutine;
	return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result);
int __wrap_pthread_join(pthread_t thread, void **result)
{
	struct coroutine *coroutine = (struct coroutine *)(uintptr_t)thread;

	(void)result;
	while (!coroutine->ended)
		if (!world_step())
			violated("a thread that is joined does not end");
	for (struct coroutine **at = &world.coroutines; *at; at = &(*at)->next) {
		if (*at == coroutine) {
			*at = coroutine->next;
			break;
		}
	}
	if (spare)
		oe__free(coroutine);
	else
		spare = coroutine;
	return 0;
}

/* ---- their turn ---- */

static bool is_ready(const struct coroutine *coroutine)
{
	return !coroutine->ended && (coroutine->signalled || coroutine->due_ns <= world.now_ns);
}

bool threads_ready(void)
{
	for (struct coroutine *at = world.coroutines; at; at = at->next)
		if (is_ready(at))
			return true;
	return false;
}

int64_t threads_due(void)
{
	int64_t due_ns = INT64_MAX;

	for (struct coroutine *at = world.coroutines; at; at = at->next)
		if (!at->ended && at->due_ns < due_ns)
			due_ns = at->due_ns;
	return due_ns;
}

void threads_step(void)
{
	struct coroutine *chosen = NULL;
	uint64_t ready = 0;

	for (struct coroutine *at = world.coroutines; at; at = at->next)
		if (is_ready(at) && world_below(++ready) == 0)
			chosen = at;
	if (chosen)
		enter(chosen);
}

void threads_overtake(void)
{
	if (!current && !world.dead && threads_ready() && world_below(8) == 0)
		threads_step();
}

bool thread_is_inside(void)
{
	return current != NULL;
}

void thread_sleep(int64_t ns)
{
	current->waits = NULL;
	current->due_ns = world.now_ns + ns;
	leave(current);
}

/* ---- conditions ---- */

int oe__cond_init(pthread_cond_t *cond)
{
	return pthread_cond_init(cond, NULL) == 0 ? 0 : OE_ERR_NOMEM;
}

bool oe__cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ns)
{
	struct coroutine *coroutine = current;

	pthread_mutex_unlock(mutex);
	if (!coroutine) { /* the owner waits: whoever wakes it is one of the others */
		if (!world_step())
			violated("somebody waits for ever");
	} else {
		coroutine->waits = cond;
		coroutine->due_ns = deadline_ns < 0 ? INT64_MAX : deadline_ns;
		leave(coroutine);
	}
	pthread_mutex_lock(mutex);
	return deadline_ns < 0 || world.now_ns < deadline_ns;
}

static void wake(const pthread_cond_t *cond)
{
	for (struct coroutine *at = world.coroutines; at; at = at->next)
		if (at->waits == cond && !at->ended)
			at->signalled = true;
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
	wake(cond);
	return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
	wake(cond);
	return 0;
}

/* ---- the rest ---- */

int oe__cpu_count(void)
{
	return 2;
}

int oe__signal_init(struct oe__signal *signal, oe_error *err)
{
	(void)err;
	signal->fd = -1;
	return 0;
}

void oe__signal_set(struct oe__signal *signal)
{
	(void)signal;
}

void oe__signal_clear(struct oe__signal *signal)
{
	(void)signal;
}

void oe__signal_done(struct oe__signal *signal)
{
	(void)signal;
}
