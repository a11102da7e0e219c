/*
 * The compute pool: a few threads and one queue of tasks. Work per iteration is some 100 us in
 * pieces of 10 to 50, so what counts is that handing over is cheap: one lock, intrusive lists,
 * a worker takes several tasks at a time, and it is woken only when one sleeps.
 */

#include "scheduler/scheduler.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/thread.h"

#define THREADS_DEFAULT_MAX 4 /* more only fight for the queue: the reactor is the limit by then */
#define BATCH_MAX           8 /* tasks a worker takes at once; small, so that work spreads       */

struct oe_scheduler {
	atomic_int refs;
	struct oe__reactor *reactor;
	pid_t process; /* a fork of the host may not join threads that it does not have */
	struct oe__task leaving;

	pthread_mutex_t mutex;
	pthread_cond_t filled;      /* signalled when a task comes and somebody sleeps */
	struct oe__task_list ready; /* guarded by mutex, from here to the end          */
	int32_t sleeping;
	bool closed;

	int32_t thread_count;
	pthread_t threads[OE__THREADS_MAX];
};

static size_t take(struct oe_scheduler *scheduler, struct oe__task_list *batch)
{
	OE__LOCKED(&scheduler->mutex);
	while (scheduler->ready.count == 0 && !scheduler->closed) {
		scheduler->sleeping++;
		pthread_cond_wait(&scheduler->filled, &scheduler->mutex);
		scheduler->sleeping--;
	}

	size_t share = scheduler->ready.count / (size_t)scheduler->thread_count + 1;
	if (share > BATCH_MAX)
		share = BATCH_MAX;
	while (batch->count < share && scheduler->ready.count > 0)
		oe__task_push(batch, oe__task_pop(&scheduler->ready));
	return batch->count;
}

static void *work(void *argument)
{
	struct oe_scheduler *scheduler = argument;
	struct oe__task_list batch = { 0 };

	while (take(scheduler, &batch) > 0) {
		struct oe__task *task;
		while ((task = oe__task_pop(&batch)) != NULL)
			task->run(task); /* may free the task: not touched any more */
	}
	return NULL;
}

void oe__scheduler_compute(oe_scheduler *scheduler, struct oe__task *task)
{
	OE__LOCKED(&scheduler->mutex);
	oe__task_push(&scheduler->ready, task);
	if (scheduler->sleeping > 0)
		pthread_cond_signal(&scheduler->filled);
}

int32_t oe__scheduler_threads(const oe_scheduler *scheduler)
{
	return scheduler->thread_count;
}

struct oe__reactor *oe__scheduler_reactor(oe_scheduler *scheduler)
{
	return scheduler->reactor;
}

static void stop_workers(struct oe_scheduler *scheduler)
{
	pthread_mutex_lock(&scheduler->mutex);
	scheduler->closed = true;
	pthread_cond_broadcast(&scheduler->filled);
	pthread_mutex_unlock(&scheduler->mutex);
	for (int32_t i = 0; i < scheduler->thread_count; i++)
		pthread_join(scheduler->threads[i], NULL);
}

/* What was made ready when no worker was left. @return false if that was nothing. */
static bool run_ready(struct oe_scheduler *scheduler)
{
	pthread_mutex_lock(&scheduler->mutex);
	struct oe__task_list batch = scheduler->ready;
	scheduler->ready = (struct oe__task_list){ 0 };
	pthread_mutex_unlock(&scheduler->mutex);

	bool any = batch.count > 0;
	struct oe__task *task;
	while ((task = oe__task_pop(&batch)) != NULL)
		task->run(task);
	return any;
}

/* Workers and the reactor give each other work, so neither goes first: both stop, then what they had
   left for each other is done here, to the end. */
static void scheduler_free(void *owner)
{
	struct oe_scheduler *scheduler = owner;
	struct oe__reactor *reactor = scheduler->reactor;

	stop_workers(scheduler);
	if (reactor) {
		oe__reactor_stop(reactor);
		while (run_ready(scheduler) || oe__reactor_run(reactor))
			continue;
	}
	oe__reactor_free(reactor);
	pthread_cond_destroy(&scheduler->filled);
	pthread_mutex_destroy(&scheduler->mutex);
	oe__free(scheduler);
}

static void leave(struct oe__task *task)
{
	struct oe_scheduler *scheduler = OE__CONTAINER(task, struct oe_scheduler, leaving);

	oe__reactor_leave(scheduler->reactor, scheduler_free, scheduler);
}

static bool is_worker(const struct oe_scheduler *scheduler)
{
	for (int32_t i = 0; i < scheduler->thread_count; i++)
		if (pthread_equal(scheduler->threads[i], pthread_self()))
			return true;
	return false;
}

static int start_workers(struct oe_scheduler *scheduler, int32_t threads, oe_error *err)
{
	/* `take` divides by the count, and the first worker runs before the last is started. */
	scheduler->thread_count = threads;
	for (int32_t i = 0; i < threads; i++) {
		int status = oe__thread_start(&scheduler->threads[i], "oe-compute", work, scheduler, err);
		if (status < 0) {
			pthread_mutex_lock(&scheduler->mutex);
			scheduler->thread_count = i > 0 ? i : 1;
			pthread_mutex_unlock(&scheduler->mutex);
			/* Fewer workers are a slower pool, not a failure; none is one. */
			if (i > 0)
				return 0;
			scheduler->thread_count = 0;
			return status;
		}
	}
	return 0;
}

int oe_scheduler_new(int32_t threads, oe_scheduler **out, oe_error *err)
{
	if (!out || threads < 0 || threads > OE__THREADS_MAX)
		return oe__error(err, OE_ERR_INVALID, "a scheduler has 0 to %d threads, not %d",
		                 OE__THREADS_MAX, threads);
	if (threads == 0) {
		threads = oe__cpu_count();
		if (threads > THREADS_DEFAULT_MAX)
			threads = THREADS_DEFAULT_MAX;
	}

	struct oe_scheduler *scheduler = oe__calloc(1, sizeof(*scheduler));
	if (!scheduler)
		return oe__error_nomem(err);
	atomic_init(&scheduler->refs, 1);
	scheduler->process = getpid();
	pthread_mutex_init(&scheduler->mutex, NULL);
	pthread_cond_init(&scheduler->filled, NULL);

	int status = oe__reactor_new(&scheduler->reactor, err);
	if (status == 0)
		status = start_workers(scheduler, threads, err);
	if (status < 0) {
		scheduler_free(scheduler);
		return status;
	}
	*out = scheduler;
	return 0;
}

oe_scheduler *oe_scheduler_ref(oe_scheduler *scheduler)
{
	atomic_fetch_add_explicit(&scheduler->refs, 1, memory_order_relaxed);
	return scheduler;
}

void oe_scheduler_unref(oe_scheduler *scheduler)
{
	if (!scheduler)
		return;
	if (atomic_fetch_sub_explicit(&scheduler->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (scheduler->process != getpid())
		return; /* a fork's copy: its threads and locks are the parent's */
	/* A thread cannot join itself: then the reactor is the last to go, when its round is over. */
	if (oe__reactor_is_current(scheduler->reactor) || is_worker(scheduler)) {
		scheduler->leaving.run = leave;
		oe__reactor_post(scheduler->reactor, &scheduler->leaving);
		return;
	}
	scheduler_free(scheduler);
}
