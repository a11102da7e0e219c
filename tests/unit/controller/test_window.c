/* How much is begun ahead of the evaluations. */

#include "controller/window.h"

#include "test.h"

#define MS    ((int64_t)1000000)
#define LATER (INT64_MAX / 2)

static struct oe__window window_of(int64_t llm_max, int64_t evaluations_max)
{
	struct oe__window window;

	oe__window_init(&window, llm_max, evaluations_max);
	for (int64_t i = 0, now_ns = MS; i < llm_max; i++, now_ns += 2000 * MS)
		oe__window_issued(&window, now_ns); /* the ramp is over */
	return window;
}

/* As in a run that has gone on for long; of ten answers, so many come to nothing. */
static void settle(struct oe__window *window, int64_t making_ms, int64_t evaluating_ms, int failures)
{
	for (int i = 0; i < 500; i++) {
		oe__window_made(window, making_ms * MS, i % 10 >= failures);
		oe__window_evaluated(window, evaluating_ms * MS);
	}
}

START_TEST(test_unknown)
{
	struct oe__window window = window_of(16, 2);

	ck_assert_int_eq(oe__window_ahead_max(&window), 16);
	ck_assert(oe__window_admits(&window, 0, 15, LATER));
	ck_assert(!oe__window_admits(&window, 0, 16, LATER));
	oe__window_evaluated(&window, 5 * MS);
	ck_assert_int_eq(oe__window_ahead_max(&window), 16);
}
END_TEST

/* A model that answers at once, and slow evaluations: a few to spare, however many calls are allowed. */
START_TEST(test_evaluations_are_scarce)
{
	for (int64_t llm_max = 8; llm_max <= 4096; llm_max *= 8) {
		struct oe__window window = window_of(llm_max, 2);
		settle(&window, 0, 100, 0);
		ck_assert_int_eq(oe__window_ahead_max(&window), 4);
		ck_assert(oe__window_admits(&window, 0, 3, LATER));
		ck_assert(!oe__window_admits(&window, 0, 4, LATER));
	}
}
END_TEST

/* In between: what is used up while one is made. */
START_TEST(test_in_between)
{
	struct oe__window window = window_of(64, 4), poor = window_of(64, 4);

	settle(&window, 1000, 500, 0);
	ck_assert_int_eq(oe__window_ahead_max(&window), 12 + 8);
	/* If half of the answers come to nothing, it takes twice as many. */
	settle(&poor, 1000, 500, 5);
	ck_assert_int_ge(oe__window_ahead_max(&poor), 18 + 8);
	ck_assert_int_le(oe__window_ahead_max(&poor), 34 + 8);
}
END_TEST

/* Slow models and quick evaluations: all calls are used, and answers that come together may wait. */
START_TEST(test_calls_are_scarce)
{
	struct oe__window window = window_of(64, 2), quick = window_of(64, 2);

	settle(&window, 1000, 5, 0);
	ck_assert(oe__window_admits(&window, 63, 63 + 60, LATER));
	ck_assert(!oe__window_admits(&window, 64, 64, LATER));
	settle(&quick, 0, 0, 10); /* nothing is divided by what takes no time */
	ck_assert_int_ge(oe__window_ahead_max(&quick), 4);
}
END_TEST

/* It follows when things change. */
START_TEST(test_change)
{
	struct oe__window window = window_of(64, 2);

	settle(&window, 1000, 5, 0);
	settle(&window, 10, 5000, 0);
	ck_assert_int_le(oe__window_ahead_max(&window), 6);
	settle(&window, 1000, 5, 0);
	ck_assert_int_ge(oe__window_ahead_max(&window), 64);
}
END_TEST

TEST_MAIN("window", test_unknown, test_evaluations_are_scarce, test_in_between, test_calls_are_scarce,
		  test_change)
