/* The scheduler's life: references may be dropped on any thread, its own included. */

#include "scheduler/scheduler.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "scratch.h"
#include "threads.h"

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
	wait_for_threads(0);
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

/* From the pool to the reactor and back, holding nothing. */
struct pingpong {
	struct oe__task task;
	oe_scheduler *scheduler;
	int left;
	atomic_int *count;
};

static void pass_on(struct oe__task *task)
{
	struct pingpong *ball = OE__CONTAINER(task, struct pingpong, task);

	if (--ball->left == 0)
		atomic_fetch_add(ball->count, 1);
	else if (ball->left % 2)
		oe__reactor_post(oe__scheduler_reactor(ball->scheduler), task);
	else
		oe__scheduler_compute(ball->scheduler, task);
}

/* No task outlives the scheduler, and none is forgotten, whoever gives it to whom while it ends. */
START_TEST(test_work_that_makes_work_is_done)
{
	enum { BALLS = 40, ROUNDS = 100 };
	static struct pingpong balls[BALLS];

	for (int round = 0; round < ROUNDS; round++) {
		oe_scheduler *scheduler = NULL;
		atomic_int count = 0;
		ck_assert_int_eq(oe_scheduler_new(2, &scheduler, NULL), 0);
		for (int i = 0; i < BALLS; i++) {
			balls[i] = (struct pingpong){ { .run = pass_on }, scheduler, i + 1, &count };
			if (i % 2)
				oe__scheduler_compute(scheduler, &balls[i].task);
			else
				oe__reactor_post(oe__scheduler_reactor(scheduler), &balls[i].task);
		}
		oe_scheduler_unref(scheduler);
		ck_assert_int_eq(atomic_load(&count), BALLS);
	}
	wait_for_threads(0);
}
END_TEST

/* ---- the compute pool ---- */

#define POSTERS 3
#define TASKS   4000

static oe_scheduler *shared;
static atomic_int ran, outside;
static sem_t answered;

static void start_over(void)
{
	atomic_store(&ran, 0);
	atomic_store(&outside, 0);
	sem_init(&answered, 0, 0);
}

static void run_anywhere(struct oe__task *task)
{
	char name[16] = "";

	pthread_getname_np(pthread_self(), name, sizeof(name));
	if (strcmp(name, "oe-compute") != 0)
		atomic_fetch_add(&outside, 1);
	atomic_fetch_add(&ran, 1);
	oe__free(task); /* it is not touched any more */
}

static void *compute_many(void *argument)
{
	for (int i = 0; i < TASKS; i++) {
		struct oe__task *task = oe__calloc(1, sizeof(*task));
		if (!task)
			return NULL;
		task->run = run_anywhere;
		oe__scheduler_compute(shared, task);
	}
	return argument;
}

START_TEST(test_tasks_of_many_threads)
{
	pthread_t threads_of[POSTERS];

	start_over();
	ck_assert_int_eq(oe_scheduler_new(3, &shared, NULL), 0);
	for (int i = 0; i < POSTERS; i++)
		ck_assert_int_eq(oe__thread_start(&threads_of[i], "poster", compute_many, &ran, NULL), 0);
	for (int i = 0; i < POSTERS; i++) {
		void *posted = NULL;
		pthread_join(threads_of[i], &posted);
		ck_assert_ptr_nonnull(posted);
	}
	oe_scheduler_unref(shared);
	ck_assert_int_eq(atomic_load(&ran), POSTERS * TASKS);
	ck_assert_int_eq(atomic_load(&outside), 0);
}
END_TEST

/* One task at a time, with every worker asleep or about to be: none is forgotten. */
static void answer(struct oe__task *task)
{
	(void)task;
	atomic_fetch_add(&ran, 1);
	sem_post(&answered);
}

START_TEST(test_sleepers_are_woken)
{
	struct oe__task task = { .run = answer };

	start_over();
	ck_assert_int_eq(oe_scheduler_new(4, &shared, NULL), 0);
	for (int i = 0; i < 5000; i++) {
		oe__scheduler_compute(shared, &task);
		sem_wait(&answered);
	}
	oe_scheduler_unref(shared);
	ck_assert_int_eq(atomic_load(&ran), 5000);
}
END_TEST

/* A tree of tasks that make tasks, on every worker, back and forth with the reactor. */
#define TREE_DEPTH 12

struct splitting {
	struct oe__task task;
	int depth;
};

static void split(struct oe__task *task)
{
	struct splitting *parent = OE__CONTAINER(task, struct splitting, task);

	for (int i = 0; parent->depth > 0 && i < 2; i++) {
		struct splitting *child = oe__calloc(1, sizeof(*child));
		if (!child)
			continue;
		*child = (struct splitting){ .task.run = split, .depth = parent->depth - 1 };
		/* Each task holds what it uses. */
		(void)oe_scheduler_ref(shared);
		if (child->depth % 3 == 0)
			oe__reactor_post(oe__scheduler_reactor(shared), &child->task);
		else
			oe__scheduler_compute(shared, &child->task);
	}
	oe__free(parent);
	oe_scheduler_unref(shared);
	if (atomic_fetch_add(&ran, 1) + 1 == (2 << TREE_DEPTH) - 1)
		sem_post(&answered);
}

START_TEST(test_tasks_make_tasks)
{
	struct splitting *root = oe__calloc(1, sizeof(*root));

	start_over();
	ck_assert_int_eq(oe_scheduler_new(2, &shared, NULL), 0);
	*root = (struct splitting){ .task.run = split, .depth = TREE_DEPTH };
	(void)oe_scheduler_ref(shared);
	oe__scheduler_compute(shared, &root->task);
	sem_wait(&answered);
	oe_scheduler_unref(shared);
	wait_for_threads(0);
	ck_assert_int_eq(atomic_load(&ran), (2 << TREE_DEPTH) - 1);
}
END_TEST

START_TEST(test_default_threads)
{
	int cpus = oe__cpu_count();

	ck_assert_int_eq(oe_scheduler_new(0, &shared, NULL), 0);
	wait_for_threads(1 + (cpus < 4 ? cpus : 4));
	oe_scheduler_unref(shared);
}
END_TEST

/* A fork of the host has the memory but not the threads: it may not wait for them. */
START_TEST(test_fork)
{
	int status = -1;

	ck_assert_int_eq(oe_scheduler_new(2, &shared, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		alarm(TEST_PATIENCE_S);
		oe_scheduler_unref(shared);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	oe_scheduler_unref(shared);
	wait_for_threads(0);
}
END_TEST

/* ---- without threads and descriptors ---- */

static int count_descriptors(void)
{
	DIR *stream = opendir("/proc/self/fd");
	int count = 0;

	while (stream && readdir(stream))
		count++;
	if (stream)
		closedir(stream);
	return count;
}

/* Under ever wider limits, until it succeeds: each failure is told and leaves nothing behind. */
static int try_limits(int resource)
{
	int before = count_descriptors(), failures = 0, kept = 0;
	struct rlimit plenty, limits;

	if (getrlimit(resource, &plenty) < 0)
		return 1;
	limits = plenty;
	limits.rlim_cur = 0;
	for (; limits.rlim_cur < plenty.rlim_cur; limits.rlim_cur++) {
		oe_error err = { .message = "" };
		if (setrlimit(resource, &limits) < 0)
			return 2;
		int status = oe_scheduler_new(4, &shared, &err);
		if (setrlimit(resource, &plenty) < 0)
			return 2;
		if (status == 0)
			break;
		if (status != OE_ERR_IO || err.message[0] == '\0')
			return 3;
		/* libuv keeps a pipe from its first loop on. */
		int more = count_descriptors() - before;
		kept = kept == 0 && more == 2 ? 2 : kept;
		if (more != kept || !threads_become(0))
			return 4;
		failures++;
	}
	/* With however few workers: they do everything. */
	struct oe__task tasks[20];
	start_over();
	for (int i = 0; i < 20; i++) {
		tasks[i] = (struct oe__task){ .run = answer };
		oe__scheduler_compute(shared, &tasks[i]);
	}
	oe_scheduler_unref(shared);
	return atomic_load(&ran) == 20 && failures > 0 && threads_become(0) ? 0 : 5;
}

static int without_threads(void *argument)
{
	(void)argument;
	return try_limits(RLIMIT_NPROC);
}

static int without_descriptors(void *argument)
{
	(void)argument;
	return try_limits(RLIMIT_NOFILE);
}

START_TEST(test_no_threads)
{
	ck_assert_int_eq(as_nobody(without_threads, NULL), 0);
}
END_TEST

START_TEST(test_no_descriptors)
{
	ck_assert_int_eq(as_nobody(without_descriptors, NULL), 0);
}
END_TEST

/* A host without standard descriptors: whatever gets their numbers must be closed like all others. */
START_TEST(test_closed_standard_descriptors)
{
	int kept[STDERR_FILENO + 1];

	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		ck_assert_int_ge(kept[fd], 0);
	}
	for (int open = 0; open < 8; open++) { /* each combination */
		oe_scheduler *scheduler = NULL;
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			(void)((open >> fd & 1) ? dup2(kept[fd], fd) : close(fd));
		int status = oe_scheduler_new(1, &scheduler, NULL);
		oe_scheduler_unref(scheduler);
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			(void)dup2(kept[fd], fd);
		ck_assert_int_eq(status, 0);
	}
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		(void)close(kept[fd]);
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
          test_last_reference_elsewhere_joins, test_queued_work_is_done,
          test_work_that_makes_work_is_done, test_tasks_of_many_threads, test_tasks_make_tasks,
          test_sleepers_are_woken, test_default_threads, test_fork,
          test_no_threads, test_no_descriptors, test_closed_standard_descriptors, test_wrong_thread_counts)
