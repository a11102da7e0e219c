/* lib/controller/inbox.c: what the owner waits for. */

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/auto.h"
#include "base/clock.h"
#include "controller/inbox.h"
#include "test.h"

static struct oe__inbox inbox;

static bool readable(void)
{
	struct pollfd ready = { .fd = inbox.fd, .events = POLLIN };

	return poll(&ready, 1, 0) == 1;
}

struct note {
	struct oe__task task;
	int number;
	int posts; /* more of them, as it runs */
};

static int ran[1000];
static size_t ran_count;
static struct note more[4];

static void run(struct oe__task *task)
{
	struct note *note = OE__CONTAINER(task, struct note, task);

	ran[ran_count++] = note->number;
	for (int i = 0; i < note->posts; i++) {
		more[i] = (struct note){ .task.run = run, .number = 100 + i };
		oe__inbox_post(&inbox, &more[i].task);
	}
}

static void begin(void)
{
	oe_error err;

	ck_assert_int_eq(oe__inbox_init(&inbox, &err), 0);
	ran_count = 0;
}

START_TEST(test_posted)
{
	struct note notes[5];

	begin();
	ck_assert(!readable());
	for (int i = 0; i < 5; i++) {
		notes[i] = (struct note){ .task.run = run, .number = i };
		oe__inbox_post(&inbox, &notes[i].task);
		ck_assert(readable());
	}
	oe__inbox_run(&inbox);
	ck_assert_uint_eq(ran_count, 5);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(ran[i], i);
	ck_assert(!readable());
	oe__inbox_run(&inbox); /* nothing */
	ck_assert_uint_eq(ran_count, 5);
	oe__inbox_done(&inbox);
}
END_TEST

/* What a task posts is for the next round, and the descriptor says so. */
START_TEST(test_posted_by_a_task)
{
	struct note note = { .task.run = run, .number = 1, .posts = 3 };

	begin();
	oe__inbox_post(&inbox, &note.task);
	oe__inbox_run(&inbox);
	ck_assert_uint_eq(ran_count, 1);
	ck_assert(readable());
	oe__inbox_run(&inbox);
	ck_assert_uint_eq(ran_count, 4);
	ck_assert_int_eq(ran[3], 102);
	ck_assert(!readable());
	oe__inbox_done(&inbox);
}
END_TEST

START_TEST(test_woken)
{
	begin();
	oe__inbox_wake(&inbox);
	oe__inbox_wake(&inbox);
	ck_assert(readable());
	oe__inbox_run(&inbox);
	ck_assert(!readable());
	oe__inbox_raise(&inbox);
	ck_assert(readable());
	oe__inbox_run(&inbox);
	ck_assert(!readable());
	/* After that, posting wakes again. */
	struct note note = { .task.run = run };
	oe__inbox_post(&inbox, &note.task);
	ck_assert(readable());
	oe__inbox_run(&inbox);
	oe__inbox_done(&inbox);
}
END_TEST

START_TEST(test_alarm)
{
	begin();
	oe__inbox_set_alarm(&inbox, oe__clock_ns() + 1000000000000);
	ck_assert(!readable());
	int64_t due = oe__clock_ns() + 30000000;
	oe__inbox_set_alarm(&inbox, due);
	oe__inbox_set_alarm(&inbox, due);
	oe__inbox_wait(&inbox, TEST_PATIENCE_MS);
	ck_assert(readable());
	ck_assert_int_ge(oe__clock_ns(), due);
	oe__inbox_run(&inbox); /* that is for what was posted: the alarm stays until it is set anew */
	ck_assert(readable());
	oe__inbox_set_alarm(&inbox, INT64_MAX);
	ck_assert(!readable());
	/* In the past, and at no time at all: at once. */
	oe__inbox_set_alarm(&inbox, 1);
	oe__inbox_wait(&inbox, TEST_PATIENCE_MS);
	ck_assert(readable());
	oe__inbox_set_alarm(&inbox, -5);
	oe__inbox_wait(&inbox, TEST_PATIENCE_MS);
	ck_assert(readable());
	/* The same time again after it rang: it rings again. */
	oe__inbox_set_alarm(&inbox, -5);
	oe__inbox_wait(&inbox, TEST_PATIENCE_MS);
	ck_assert(readable());
	/* Moved, before it rang. */
	oe__inbox_set_alarm(&inbox, oe__clock_ns() + 1000000000000);
	ck_assert(!readable());
	oe__inbox_set_alarm(&inbox, INT64_MAX);
	ck_assert(!readable());
	oe__inbox_done(&inbox);
}
END_TEST

START_TEST(test_wait)
{
	begin();
	int64_t began = oe__clock_ns();
	oe__inbox_wait(&inbox, 0);
	oe__inbox_wait(&inbox, 20);
	ck_assert_int_ge(oe__clock_ns() - began, 20000000);
	oe__inbox_wake(&inbox);
	oe__inbox_wait(&inbox, -1); /* returns, as there is something */
	oe__inbox_done(&inbox);
}
END_TEST

static void wake_in_handler(int number)
{
	(void)number;
	oe__inbox_wake(&inbox);
}

/* A handler may interrupt whoever holds the lock. */
START_TEST(test_signal_handler)
{
	struct sigaction action = { .sa_handler = wake_in_handler };
	struct note note = { .task.run = run };

	begin();
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	for (int i = 0; i < 500; i++) {
		ck_assert_int_eq(raise(SIGUSR1), 0);
		ck_assert(readable());
		oe__inbox_post(&inbox, &note.task);
		oe__inbox_run(&inbox);
		ran_count = 0;
	}
	oe__inbox_done(&inbox);
}
END_TEST

struct many {
	struct note notes[2000];
};

static atomic_int seen;

static void count(struct oe__task *task)
{
	(void)task;
	atomic_fetch_add(&seen, 1);
}

static void *post_many(void *argument)
{
	struct many *many = argument;

	for (int i = 0; i < 2000; i++) {
		many->notes[i].task.run = count;
		oe__inbox_post(&inbox, &many->notes[i].task);
	}
	return NULL;
}

/* From several threads while the owner waits: nothing is lost, nobody sleeps on something. */
START_TEST(test_threads)
{
	static struct many many[4];
	pthread_t threads[4];
	int64_t deadline = oe__clock_ns() + TEST_PATIENCE_S * (int64_t)1000000000;

	begin();
	atomic_store(&seen, 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &many[i]), 0);
	while (atomic_load(&seen) < 8000 && oe__clock_ns() < deadline) {
		oe__inbox_wait(&inbox, 10000);
		oe__inbox_run(&inbox);
	}
	ck_assert_int_eq(atomic_load(&seen), 8000);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	oe__inbox_done(&inbox);
}
END_TEST

TEST_MAIN("inbox", test_posted, test_posted_by_a_task, test_woken, test_alarm, test_wait,
		  test_signal_handler, test_threads)
