#include "scheduler/plugin.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

#define IDLE_NS (5 * (int64_t)1000000000) /* a thread that had nothing to do for so long ends */

struct oe__plugin_pool {
	pthread_mutex_t mutex;
	pthread_cond_t filled;      /* a task came, or closed was set        */
	pthread_cond_t left;        /* the last thread is about to end       */
	struct oe__task_list ready; /* guarded by mutex, from here to the end */
	int32_t threads, threads_max, idle;
	bool closed;
	bool abandoned; /* the owner is gone: the last thread frees the pool */
	char name[16];
};

static void pool_destroy(struct oe__plugin_pool *pool)
{
	pthread_cond_destroy(&pool->left);
	pthread_cond_destroy(&pool->filled);
	pthread_mutex_destroy(&pool->mutex);
	oe__free(pool);
}

/* NULL: this thread ends. */
static struct oe__task *next_task_locked(struct oe__plugin_pool *pool)
{
	int64_t deadline_ns = oe__clock_ns() + IDLE_NS;

	while (pool->ready.count == 0 && !pool->closed) {
		pool->idle++;
		bool in_time = oe__cond_wait_until(&pool->filled, &pool->mutex, deadline_ns);
		pool->idle--;
		if (!in_time)
			break;
	}
	return oe__task_pop(&pool->ready);
}

static void *run_plugins(void *argument)
{
	struct oe__plugin_pool *pool = argument;
	struct oe__task *task;

	pthread_mutex_lock(&pool->mutex);
	while ((task = next_task_locked(pool)) != NULL) {
		pthread_mutex_unlock(&pool->mutex);
		task->run(task);
		pthread_mutex_lock(&pool->mutex);
	}
	bool last = --pool->threads == 0;
	bool destroy = last && pool->abandoned;
	if (last)
		pthread_cond_signal(&pool->left);
	pthread_mutex_unlock(&pool->mutex);
	if (destroy)
		pool_destroy(pool);
	return NULL;
}

int oe__plugin_pool_new(const char *name, int32_t threads_max, struct oe__plugin_pool **out,
                        oe_error *err)
{
	struct oe__plugin_pool *pool = oe__calloc(1, sizeof(*pool));
	if (!pool)
		return oe__error_nomem(err);
	pthread_mutex_init(&pool->mutex, NULL);
	oe__cond_init(&pool->filled);
	oe__cond_init(&pool->left);
	pool->threads_max = threads_max > 0 ? threads_max : 1;
	for (size_t i = 0; name[i] && i + 1 < sizeof(pool->name); i++)
		pool->name[i] = name[i];
	*out = pool;
	return 0;
}

static int add_thread_locked(struct oe__plugin_pool *pool)
{
	pthread_t thread;

	/* Count first: the new thread may end before we come back. */
	pool->threads++;
	int status = oe__thread_start(&thread, pool->name, run_plugins, pool, NULL);
	if (status < 0)
		pool->threads--;
	else
		pthread_detach(thread);
	return status;
}

int oe__plugin_pool_run(struct oe__plugin_pool *pool, struct oe__task *task)
{
	OE__LOCKED(&pool->mutex);
	if (pool->ready.count >= (size_t)pool->idle && pool->threads < pool->threads_max) {
		int status = add_thread_locked(pool);
		if (status < 0 && pool->threads == 0)
			return status;
		/* Otherwise another thread will get to it, only later. */
	}
	oe__task_push(&pool->ready, task);
	pthread_cond_signal(&pool->filled);
	return 0;
}

int oe__plugin_pool_free(struct oe__plugin_pool *pool, int64_t grace_ms)
{
	if (!pool)
		return 0;
	int64_t deadline_ns = oe__clock_ns() + grace_ms * 1000000;

	pthread_mutex_lock(&pool->mutex);
	pool->closed = true;
	pthread_cond_broadcast(&pool->filled);
	while (pool->threads > 0)
		if (!oe__cond_wait_until(&pool->left, &pool->mutex, deadline_ns))
			break;
	int left = pool->threads;
	pool->abandoned = true;
	pthread_mutex_unlock(&pool->mutex);
	if (left == 0)
		pool_destroy(pool);
	return left;
}
