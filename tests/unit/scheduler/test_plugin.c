/* lib/scheduler/plugin.c: how many at once, in which order, and who is left behind. */

#include "scheduler/plugin.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "nomem.h"
#include "scratch.h"

/* Threads of this process with that name. */
static int threads_named(const char *wanted)
{
	DIR *stream = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(stream))) {
		char path[300], name[32] = "";
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		FILE *file = fopen(path, "r");
		if (file && fgets(name, sizeof(name), file))
			count += strcspn(name, "\n") == strlen(wanted) &&
					 strncmp(name, wanted, strlen(wanted)) == 0;
		if (file)
			fclose(file);
	}
	closedir(stream);
	return count;
}

static struct oe__plugin_pool *make_pool(int32_t threads_max)
{
	struct oe__plugin_pool *pool = NULL;

	ck_assert_int_eq(oe__plugin_pool_new("plugin-test", threads_max, &pool, NULL), 0);
	return pool;
}

/* ---- tasks that say what they see ---- */

struct job {
	struct oe__task task;
	int number;
	sem_t *hold; /* waits for it, if there is one */
};

static atomic_int running, running_max, done, out_of_order;
static sem_t begun;

static void work(struct oe__task *task)
{
	struct job *job = OE__CONTAINER(task, struct job, task);
	int now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&running_max);

	while (now > seen && !atomic_compare_exchange_weak(&running_max, &seen, now))
		continue;
	sem_post(&begun);
	if (job->hold)
		sem_wait(job->hold);
	else
		(void)sched_yield();
	atomic_fetch_sub(&running, 1);
	if (atomic_fetch_add(&done, 1) != job->number)
		atomic_fetch_add(&out_of_order, 1);
}

static void reset(void)
{
	atomic_store(&running_max, 0);
	atomic_store(&done, 0);
	atomic_store(&out_of_order, 0);
	sem_init(&begun, 0, 0);
}

/* One at a time, in order: what a plugin that says "serial" relies on. */
START_TEST(test_serial)
{
	static struct job jobs[500];
	struct oe__plugin_pool *pool = make_pool(1);

	reset();
	for (int i = 0; i < 500; i++) {
		jobs[i] = (struct job){ .task.run = work, .number = i };
		ck_assert_int_eq(oe__plugin_pool_run(pool, &jobs[i].task), 0);
	}
	ck_assert_int_eq(oe__plugin_pool_free(pool, TEST_PATIENCE_MS), 0);
	ck_assert_int_eq(atomic_load(&done), 500);
	ck_assert_int_eq(atomic_load(&out_of_order), 0);
	ck_assert_int_eq(atomic_load(&running_max), 1);
}
END_TEST

/* As many as the bound says are under way at once, though all of them wait, and not one more. */
START_TEST(test_bound)
{
	static struct job jobs[20];
	struct oe__plugin_pool *pool = make_pool(5);
	sem_t hold;

	reset();
	sem_init(&hold, 0, 0);
	for (int i = 0; i < 20; i++) {
		jobs[i] = (struct job){ .task.run = work, .number = i, .hold = &hold };
		ck_assert_int_eq(oe__plugin_pool_run(pool, &jobs[i].task), 0);
	}
	for (int i = 0; i < 5; i++)
		sem_wait(&begun);
	ck_assert_int_eq(threads_named("plugin-test"), 5);
	ck_assert_int_ne(sem_trywait(&begun), 0);
	for (int i = 0; i < 20; i++)
		sem_post(&hold);
	ck_assert_int_eq(oe__plugin_pool_free(pool, TEST_PATIENCE_MS), 0);
	ck_assert_int_eq(atomic_load(&done), 20); /* what was queued was finished */
	ck_assert_int_eq(atomic_load(&running_max), 5);
}
END_TEST

/* A thread that waits is used again: there is no second one as long as the first is idle. */
START_TEST(test_threads_are_used_again)
{
	static struct job jobs[200];
	struct oe__plugin_pool *pool = make_pool(8);

	reset();
	for (int i = 0; i < 200; i++) {
		jobs[i] = (struct job){ .task.run = work, .number = i };
		ck_assert_int_eq(oe__plugin_pool_run(pool, &jobs[i].task), 0);
		sem_wait(&begun);
		while (atomic_load(&done) <= i)
			(void)sched_yield();
	}
	/* Between the end of a task and the next wait there is a moment in which one more may start. */
	ck_assert_int_lt(threads_named("plugin-test"), 8);
	ck_assert_int_eq(oe__plugin_pool_free(pool, TEST_PATIENCE_MS), 0);
}
END_TEST

START_TEST(test_idle_threads_end)
{
	struct job job = { .task.run = work }, next = { .task.run = work, .number = 1 };
	struct oe__plugin_pool *pool = make_pool(2);
	int64_t deadline_ns = oe__clock_ns() + TEST_PATIENCE_S * (int64_t)1000000000;

	reset();
	ck_assert_int_eq(oe__plugin_pool_run(pool, &job.task), 0);
	sem_wait(&begun);
	/* No event tells of the end of a detached thread: look, now and then. */
	while (threads_named("plugin-test") > 0 && oe__clock_ns() < deadline_ns)
		poll(NULL, 0, 20);
	ck_assert_int_eq(threads_named("plugin-test"), 0);
	ck_assert_int_eq(oe__plugin_pool_run(pool, &next.task), 0); /* and one is made anew */
	ck_assert_int_eq(oe__plugin_pool_free(pool, TEST_PATIENCE_MS), 0);
	ck_assert_int_eq(atomic_load(&done), 2);
}
END_TEST

/* One that does not come back is left behind with the pool's memory, and takes it along later. */
START_TEST(test_left_behind)
{
	static struct job stuck, queued;
	long before = atomic_load(&nomem_live);
	struct oe__plugin_pool *pool = make_pool(1);
	sem_t hold;

	reset();
	sem_init(&hold, 0, 0);
	stuck = (struct job){ .task.run = work, .hold = &hold };
	queued = (struct job){ .task.run = work, .number = 1 };
	ck_assert_int_eq(oe__plugin_pool_run(pool, &stuck.task), 0);
	ck_assert_int_eq(oe__plugin_pool_run(pool, &queued.task), 0);
	sem_wait(&begun);
	int64_t start_ns = oe__clock_ns();
	ck_assert_int_eq(oe__plugin_pool_free(pool, 30), 1);
	ck_assert_int_ge(oe__clock_ns() - start_ns, 30 * 1000000);
	ck_assert_int_eq(atomic_load(&done), 0);
	sem_post(&hold);
	sem_wait(&begun);
	int64_t deadline_ns = oe__clock_ns() + TEST_PATIENCE_S * (int64_t)1000000000;
	while (atomic_load(&nomem_live) > before && oe__clock_ns() < deadline_ns)
		(void)sched_yield();
	ck_assert_int_eq(atomic_load(&nomem_live), before);
	ck_assert_int_eq(atomic_load(&done), 2);
}
END_TEST

START_TEST(test_nothing_to_free)
{
	struct oe__plugin_pool *pool = make_pool(0); /* taken as 1 */

	ck_assert_int_eq(oe__plugin_pool_free(NULL, 0), 0);
	ck_assert_int_eq(oe__plugin_pool_free(pool, 0), 0);
}
END_TEST

/* ---- no more threads ---- */

static int run_without_threads(void *argument)
{
	const struct rlimit none = { 0, 0 };
	struct oe__plugin_pool *pool = NULL;
	struct job job = { .task.run = work };

	(void)argument;
	sem_init(&begun, 0, 0);
	if (setrlimit(RLIMIT_NPROC, &none) < 0 || oe__plugin_pool_new("plugin-test", 2, &pool, NULL) < 0)
		return 1;
	if (oe__plugin_pool_run(pool, &job.task) != OE_ERR_IO)
		return 2;
	if (oe__plugin_pool_free(pool, 0) != 0)
		return 3;
	return atomic_load(&done) == 0 ? 0 : 4; /* the task was left alone */
}

START_TEST(test_no_threads)
{
	atomic_store(&done, 0);
	ck_assert_int_eq(as_nobody(run_without_threads, NULL), 0);
}
END_TEST

/* With one thread and no second one to be had, tasks wait for the first. */
static int run_with_one_thread(void *argument)
{
	const struct rlimit none = { 0, 0 };
	static struct job jobs[3];
	struct oe__plugin_pool *pool = NULL;
	sem_t hold;

	(void)argument;
	reset();
	sem_init(&hold, 0, 3);
	if (oe__plugin_pool_new("plugin-test", 3, &pool, NULL) < 0)
		return 1;
	for (int i = 0; i < 3; i++) {
		jobs[i] = (struct job){ .task.run = work, .number = i, .hold = &hold };
		if (oe__plugin_pool_run(pool, &jobs[i].task) < 0)
			return 2;
		if (i == 0 && geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			return 3;
		if (setrlimit(RLIMIT_NPROC, &none) < 0)
			return 3;
	}
	if (oe__plugin_pool_free(pool, TEST_PATIENCE_MS) != 0)
		return 4;
	return atomic_load(&done) == 3 && atomic_load(&running_max) == 1 ? 0 : 5;
}

START_TEST(test_one_thread)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		_exit(run_with_one_thread(NULL));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

NOMEM_MAIN("plugin", test_serial, test_bound, test_threads_are_used_again, test_idle_threads_end,
		   test_left_behind, test_nothing_to_free, test_no_threads, test_one_thread)
