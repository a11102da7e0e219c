/* lib/scheduler/reactor.c: posted tasks, timers and rounds; descriptors are in test_watch.c. */

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/thread.h"
#include "reactor_world.h"
#include "threads.h"

/* ---- tasks ---- */

#define POSTERS 4
#define POSTS   5000

static struct oe__reactor *reactor;

struct numbered {
	struct oe__task task;
	int poster, number;
};

static int expected[POSTERS]; /* reactor thread */
static atomic_int wrong;

static void note(struct oe__task *task)
{
	struct numbered *numbered = OE__CONTAINER(task, struct numbered, task);

	if (!oe__reactor_is_current(reactor) || expected[numbered->poster]++ != numbered->number)
		atomic_fetch_add(&wrong, 1);
	oe__free(numbered);
}

static void *post_many(void *argument)
{
	int poster = *(const int *)argument;

	for (int i = 0; i < POSTS; i++) {
		struct numbered *numbered = oe__calloc(1, sizeof(*numbered));
		if (!numbered)
			return NULL;
		*numbered = (struct numbered){ .task.run = note, .poster = poster, .number = i };
		oe__reactor_post(reactor, &numbered->task);
	}
	return argument;
}

/* From many threads: each one's in its order, all on the reactor thread, none lost at the end. */
START_TEST(test_posting_from_many_threads)
{
	int numbers[POSTERS];
	pthread_t threads[POSTERS];

	reactor = world_reactor();
	ck_assert(!oe__reactor_is_current(reactor));
	for (int i = 0; i < POSTERS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(oe__thread_start(&threads[i], "poster", post_many, &numbers[i], NULL), 0);
	}
	for (int i = 0; i < POSTERS; i++) {
		void *posted = NULL;
		pthread_join(threads[i], &posted);
		ck_assert_ptr_nonnull(posted);
	}
	oe__reactor_free(reactor);
	ck_assert_int_eq(atomic_load(&wrong), 0);
	for (int i = 0; i < POSTERS; i++)
		ck_assert_int_eq(expected[i], POSTS);
}
END_TEST

struct chain {
	struct oe__task task;
	int left;
};

static void post_the_next(struct oe__task *task)
{
	struct chain *chain = OE__CONTAINER(task, struct chain, task);

	if (--chain->left > 0)
		oe__reactor_post(reactor, &chain->task);
}

/* What was posted is run before the end, and what that posts in its turn. */
START_TEST(test_chains_are_finished)
{
	struct chain chain = { .task.run = post_the_next, .left = 100 };

	reactor = world_reactor();
	oe__reactor_post(reactor, &chain.task);
	oe__reactor_free(reactor);
	ck_assert_int_eq(chain.left, 0);
	oe__reactor_free(NULL);
}
END_TEST

/* ---- timers ---- */

#define TIMERS 300

struct alarm {
	struct oe__timer timer;
	int64_t due_ns, fired_ns;
	int order;
};

static struct alarm alarms[TIMERS];
static int fired;
static sem_t all_fired;

static void ring(struct oe__timer *timer)
{
	struct alarm *alarm = OE__CONTAINER(timer, struct alarm, timer);

	alarm->fired_ns = oe__clock_ns();
	alarm->order = fired++;
	if (timer->reactor)
		atomic_fetch_add(&wrong, 1); /* it is not armed while it rings */
	if (fired == TIMERS)
		sem_post(&all_fired);
}

static void arm_all(void *argument)
{
	int64_t now_ns = oe__clock_ns();
	struct oe__rng rng;

	(void)argument;
	oe__rng_init(&rng, 1, "alarms", 0, 0);
	for (int i = 0; i < TIMERS; i++) {
		/* Armed once for another time, then moved; some are due already. */
		alarms[i].due_ns = now_ns + (int64_t)oe__rng_below(&rng, 30000000) - 5000000;
		if (oe__timer_arm(reactor, &alarms[i].timer, now_ns + 3600 * (int64_t)1000000000, ring) < 0 ||
			oe__timer_arm(reactor, &alarms[i].timer, alarms[i].due_ns, ring) < 0)
			atomic_fetch_add(&wrong, 1);
	}
}

START_TEST(test_timers_ring_in_order)
{
	reactor = world_reactor();
	sem_init(&all_fired, 0, 0);
	world_on_reactor(reactor, arm_all, NULL);
	sem_wait(&all_fired);
	oe__reactor_free(reactor);
	ck_assert_int_eq(atomic_load(&wrong), 0);
	for (int i = 0; i < TIMERS; i++) {
		ck_assert_int_ge(alarms[i].fired_ns, alarms[i].due_ns); /* never early */
		for (int j = 0; j < i; j++)
			if ((alarms[i].due_ns < alarms[j].due_ns && alarms[i].order > alarms[j].order) ||
				(alarms[j].due_ns < alarms[i].due_ns && alarms[j].order > alarms[i].order))
				ck_abort_msg("alarms %d and %d", i, j);
	}
}
END_TEST

/* One callback cancels, moves and arms the others and itself. */
static struct oe__timer first, cancelled, moved, again;
static int rounds_left, moved_rang, cancelled_rang;
static sem_t quiet;

static void ring_cancelled(struct oe__timer *timer)
{
	(void)timer;
	cancelled_rang++;
}

static void ring_moved(struct oe__timer *timer)
{
	(void)timer;
	moved_rang++;
}

static void ring_again(struct oe__timer *timer)
{
	if (--rounds_left > 0) {
		if (oe__timer_arm(reactor, timer, oe__clock_ns() + 1000000, ring_again) < 0)
			atomic_fetch_add(&wrong, 1);
		return;
	}
	oe__timer_cancel(timer); /* not armed: nothing happens */
	sem_post(&quiet);
}

static void ring_first(struct oe__timer *timer)
{
	oe__timer_cancel(timer);
	oe__timer_cancel(&cancelled); /* due at the same moment */
	oe__timer_cancel(&cancelled);
	if (oe__timer_arm(reactor, &moved, 0, ring_moved) < 0 || /* from an hour ahead to long ago */
		oe__timer_arm(reactor, &again, oe__clock_ns(), ring_again) < 0)
		atomic_fetch_add(&wrong, 1);
}

static void arm_four(void *argument)
{
	int64_t due_ns = oe__clock_ns() + 1000000;

	(void)argument;
	if (oe__timer_arm(reactor, &first, due_ns, ring_first) < 0 ||
		oe__timer_arm(reactor, &cancelled, due_ns, ring_cancelled) < 0 ||
		oe__timer_arm(reactor, &moved, due_ns + 3600 * (int64_t)1000000000, ring_moved) < 0)
		atomic_fetch_add(&wrong, 1);
}

START_TEST(test_changes_in_a_callback)
{
	reactor = world_reactor();
	rounds_left = 5;
	sem_init(&quiet, 0, 0);
	world_on_reactor(reactor, arm_four, NULL);
	sem_wait(&quiet);
	world_turns(reactor);
	oe__reactor_free(reactor);
	ck_assert_int_eq(atomic_load(&wrong), 0);
	ck_assert_int_eq(cancelled_rang, 0);
	ck_assert_int_eq(moved_rang, 1);
	ck_assert_int_eq(rounds_left, 0);
}
END_TEST

/* What is armed when the reactor ends does not ring, and keeps nothing alive. */
static void arm_far(void *argument)
{
	if (oe__timer_arm(reactor, argument, oe__clock_ns() + 3600 * (int64_t)1000000000, ring_moved) < 0)
		atomic_fetch_add(&wrong, 1);
}

START_TEST(test_armed_at_the_end)
{
	struct oe__timer far = { 0 };

	reactor = world_reactor();
	moved_rang = 0;
	world_on_reactor(reactor, arm_far, &far);
	oe__reactor_free(reactor);
	ck_assert_int_eq(atomic_load(&wrong), 0);
	ck_assert_int_eq(moved_rang, 0);
}
END_TEST

/* ---- rounds ---- */

struct counted_round {
	struct oe__round round;
	int calls, leaves_at;
};

static void count_round(struct oe__round *round)
{
	struct counted_round *counted = OE__CONTAINER(round, struct counted_round, round);

	if (++counted->calls == counted->leaves_at)
		oe__round_remove(reactor, round);
}

static void add_round(void *argument)
{
	struct counted_round *counted = argument;

	oe__round_add(reactor, &counted->round);
}

static void remove_round(void *argument)
{
	struct counted_round *counted = argument;

	oe__round_remove(reactor, &counted->round);
	oe__round_remove(reactor, &counted->round); /* once is enough */
}

START_TEST(test_rounds)
{
	struct counted_round stays = { .round.call = count_round };
	struct counted_round leaves = { .round.call = count_round, .leaves_at = 2 };

	reactor = world_reactor();
	world_on_reactor(reactor, add_round, &leaves);
	world_on_reactor(reactor, add_round, &stays);
	world_turns(reactor);
	world_on_reactor(reactor, remove_round, &stays);
	int calls = stays.calls; /* the reactor thread does not touch it any more */
	world_turns(reactor);
	oe__reactor_free(reactor);
	ck_assert_int_ge(calls, 10);
	ck_assert_int_eq(stays.calls, calls);
	ck_assert_int_eq(leaves.calls, 2);
}
END_TEST

/* ---- ending from inside ---- */

static struct chain last;
static int left_when_ended;
static sem_t ended;

static void note_end(void *owner)
{
	oe__reactor_free(reactor);
	left_when_ended = ((struct chain *)owner)->left;
	sem_post(&ended);
}

static void leave(struct oe__task *task)
{
	(void)task;
	oe__reactor_post(reactor, &last.task);
	oe__reactor_leave(reactor, note_end, &last);
}

START_TEST(test_leaving)
{
	struct oe__task task = { .run = leave };

	oe__reactor_free(world_reactor()); /* what libraries keep is there now */
	int descriptors = world_descriptors();
	reactor = world_reactor();
	last = (struct chain){ .task.run = post_the_next, .left = 10 };
	sem_init(&ended, 0, 0);
	oe__reactor_post(reactor, &task);
	sem_wait(&ended);
	ck_assert_int_eq(left_when_ended, 0); /* everything else was over by then */
	ck_assert_int_eq(world_descriptors(), descriptors);
}
END_TEST

START_TEST(test_nothing_is_left)
{
	int descriptors;

	oe__reactor_free(world_reactor()); /* what libraries keep is there now */
	descriptors = world_descriptors();
	for (int i = 0; i < 20; i++)
		oe__reactor_free(world_reactor());
	ck_assert_int_eq(world_descriptors(), descriptors);
	wait_for_threads(0);
}
END_TEST

TEST_MAIN("reactor", test_posting_from_many_threads, test_chains_are_finished,
		  test_timers_ring_in_order, test_changes_in_a_callback, test_armed_at_the_end, test_rounds,
		  test_leaving, test_nothing_is_left)
