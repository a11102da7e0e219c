/* The scheduler's life: references may be dropped on any thread, its own included. */

#include "scheduler/scheduler.h"

#include <dirent.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "test.h"

struct holder {
	struct oe__task task;
	oe_scheduler *scheduler;
	sem_t go;
};

static void drop(struct oe__task *task)
{
	struct holder *holder = OE__CONTAINER(task, struct holder, task);

	sem_wait(&holder->go);
	oe_scheduler_unref(holder->scheduler);
	sem_post(&holder->go);
}

/* Threads of this process that are a scheduler's. */
static int threads(void)
{
	DIR *stream = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream))) {
		char path[300], name[32] = "";
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		FILE *file = fopen(path, "r");
		if (file && fgets(name, sizeof(name), file))
			count += strncmp(name, "oe-", 3) == 0;
		if (file)
			fclose(file);
	}
	closedir(stream);
	return count;
}

static void wait_for_threads(int wanted)
{
	int64_t deadline_ns = oe__clock_ns() + 20 * (int64_t)1000000000;

	while (threads() != wanted && oe__clock_ns() < deadline_ns)
		(void)sched_yield();
	ck_assert_int_eq(threads(), wanted);
}

static void drop_on_own_thread(bool on_reactor)
{
	struct holder holder = { .task.run = drop };

	ck_assert_int_eq(oe_scheduler_new(3, &holder.scheduler, NULL), 0);
	wait_for_threads(4);
	sem_init(&holder.go, 0, 0);
	(void)oe_scheduler_ref(holder.scheduler);
	if (on_reactor)
		oe__reactor_post(oe__scheduler_reactor(holder.scheduler), &holder.task);
	else
		oe__scheduler_compute(holder.scheduler, &holder.task);
	oe_scheduler_unref(holder.scheduler);
	sem_post(&holder.go);
	wait_for_threads(0);
	sem_wait(&holder.go); /* it came back from dropping */
	sem_destroy(&holder.go);
}

START_TEST(test_last_reference_on_the_reactor)
{
	drop_on_own_thread(true);
}
END_TEST

START_TEST(test_last_reference_on_a_worker)
{
	drop_on_own_thread(false);
}
END_TEST

START_TEST(test_last_reference_elsewhere_joins)
{
	oe_scheduler *scheduler = NULL;

	ck_assert_int_eq(oe_scheduler_new(2, &scheduler, NULL), 0);
	wait_for_threads(3);
	oe_scheduler_unref(scheduler);
	ck_assert_int_eq(threads(), 0);
	oe_scheduler_unref(NULL);
}
END_TEST

struct counting {
	struct oe__task task;
	atomic_int *count;
};

static void count_one(struct oe__task *task)
{
	struct counting *counting = OE__CONTAINER(task, struct counting, task);

	atomic_fetch_add(counting->count, 1);
	oe__free(counting);
}

/* What is queued when the last reference goes is done, not forgotten. */
START_TEST(test_queued_work_is_done)
{
	oe_scheduler *scheduler = NULL;
	atomic_int count = 0;

	ck_assert_int_eq(oe_scheduler_new(2, &scheduler, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		struct counting *counting = oe__calloc(1, sizeof(*counting));
		ck_assert_ptr_nonnull(counting);
		counting->task.run = count_one;
		counting->count = &count;
		if (i % 2)
			oe__scheduler_compute(scheduler, &counting->task);
		else
			oe__reactor_post(oe__scheduler_reactor(scheduler), &counting->task);
	}
	oe_scheduler_unref(scheduler);
	ck_assert_int_eq(atomic_load(&count), 1000);
}
END_TEST

START_TEST(test_wrong_thread_counts)
{
	oe_scheduler *scheduler = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_scheduler_new(-1, &scheduler, &err), OE_ERR_INVALID);
	ck_assert_str_ne(err.message, "");
	ck_assert_int_eq(oe_scheduler_new(100000, &scheduler, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_scheduler_new(1, NULL, &err), OE_ERR_INVALID);
	ck_assert_ptr_null(scheduler);
}
END_TEST

TEST_MAIN("scheduler", test_last_reference_on_the_reactor, test_last_reference_on_a_worker,
          test_last_reference_elsewhere_joins, test_queued_work_is_done, test_wrong_thread_counts)
