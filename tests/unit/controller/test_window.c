/* How much is begun ahead of the evaluations, and how fast. */

#include "controller/window.h"

#include "base/auto.h"
#include "base/rng.h"
#include "test.h"

#define MS    ((int64_t)1000000)
#define S     (1000 * MS)
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

/* Nobody may ask. */
START_TEST(test_no_calls)
{
	struct oe__window window;

	oe__window_init(&window, 0, 2);
	ck_assert(!oe__window_admits(&window, 0, 0, S));
	oe__window_issued(&window, S);
	ck_assert_int_eq(oe__window_next(&window, 0, 0), INT64_MAX);
}
END_TEST

/* Issue whatever the window lets go, waking up `step` apart; until all are out or `end`. */
static int64_t issue_all(struct oe__window *window, int64_t now, int64_t step, int64_t end,
                         int64_t *asking, int64_t *at)
{
	for (; now < end; now += step)
		while (oe__window_admits(window, *asking, *asking, now)) {
			at[(*asking)++] = now;
			oe__window_issued(window, now);
		}
	return now;
}

/* The first ones begin evenly over a second, however often the owner looks. */
START_TEST(test_ramp)
{
	struct oe__window window;
	static const int64_t steps[] = { MS / 10, MS, 7 * MS, 100 * MS };

	for (size_t i = 0; i < OE__COUNT(steps); i++) {
		int64_t at[100], asking = 0;
		oe__window_init(&window, 100, 4);
		(void)issue_all(&window, 10 * S, steps[i], 12 * S, &asking, at);
		ck_assert_int_eq(asking, 100);
		for (int64_t k = 0; k < 100; k++) {
			int64_t wanted = 10 * S + k * S / 100;
			ck_assert_msg(at[k] >= wanted && at[k] <= wanted + steps[i], "%lld of step %lld: %lld",
						  (long long)k, (long long)steps[i], (long long)(at[k] - wanted));
		}
	}
}
END_TEST

/* As soon as the latency is known, over that. */
START_TEST(test_latency)
{
	struct oe__window window;
	int64_t at[100], asking = 0;

	oe__window_init(&window, 100, 4);
	int64_t now = issue_all(&window, 10 * S, MS, 10 * S + 105 * MS, &asking, at);
	ck_assert_int_eq(asking, 11);
	oe__window_answered(&window, 100 * MS);
	oe__window_answered(&window, 5 * S); /* only the first one counts */
	asking--;
	int64_t left = asking;
	(void)issue_all(&window, now, MS, now + 200 * MS, &asking, at);
	ck_assert_int_eq(asking, 100);
	ck_assert_int_le(at[99] - now, (100 - left) * MS + 2 * MS);
	ck_assert_int_ge(at[99] - now, 80 * MS);
	/* Faster than anything that could be spread over. */
	oe__window_init(&window, 100, 4);
	oe__window_answered(&window, 0);
	asking = 0;
	(void)issue_all(&window, 10 * S, MS, 10 * S + 2 * MS, &asking, at);
	ck_assert_int_eq(asking, 100);
	/* Slower than the ramp: that is long enough. */
	oe__window_init(&window, 10, 4);
	oe__window_answered(&window, 60 * S);
	asking = 0;
	(void)issue_all(&window, 10 * S, MS, 11 * S, &asking, at);
	ck_assert_int_eq(asking, 10);
}
END_TEST

/* A wake-up that is late is made up for; after an idle time nobody gets a burst. */
START_TEST(test_late)
{
	struct oe__window window;
	int64_t at[100], asking = 0;

	oe__window_init(&window, 100, 4);
	oe__window_issued(&window, 10 * S);
	asking = 1;
	(void)issue_all(&window, 10 * S + 300 * MS, S, 10 * S + 301 * MS, &asking, at);
	ck_assert_int_eq(asking, 31);
	oe__window_init(&window, 100, 4);
	oe__window_issued(&window, 10 * S);
	asking = 1;
	(void)issue_all(&window, 100 * S, S, 100 * S + 1, &asking, at);
	ck_assert_int_eq(asking, 2);
}
END_TEST

START_TEST(test_restart)
{
	struct oe__window window;
	int64_t at[200], asking = 0;

	oe__window_init(&window, 100, 4);
	(void)issue_all(&window, 10 * S, MS, 12 * S, &asking, at);
	ck_assert_int_eq(oe__window_next(&window, 50, 0), INT64_MAX); /* over */
	oe__window_restart(&window);
	asking = 0;
	(void)issue_all(&window, 50 * S, MS, 50 * S + 500 * MS, &asking, at);
	ck_assert_int_ge(asking, 49);
	ck_assert_int_le(asking, 52);
}
END_TEST

/* The time that it names is the time from which it admits. */
START_TEST(test_next)
{
	struct oe__window window;
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 2000; round++) {
		int64_t llm_max = 1 + (int64_t)oe__rng_below(&rng, 50), now = S, asking = 0, waiting = 0;
		oe__window_init(&window, llm_max, 1 + (int64_t)oe__rng_below(&rng, 5));
		for (int step = 0; step < 60; step++) {
			now += (int64_t)oe__rng_below(&rng, 60) * MS;
			waiting = (int64_t)oe__rng_below(&rng, (uint64_t)oe__window_ahead_max(&window) + 2);
			int64_t next = oe__window_next(&window, asking, waiting);
			bool full = asking >= llm_max || waiting >= oe__window_ahead_max(&window);
			bool admits = oe__window_admits(&window, asking, waiting, now);
			if (full)
				ck_assert(!admits && next == INT64_MAX);
			else if (next == INT64_MAX)
				ck_assert(admits);
			else
				ck_assert(admits == (now >= next));
			if (admits) {
				oe__window_issued(&window, now);
				asking++;
			} else if (asking > 0 && oe__rng_below(&rng, 3) == 0) {
				asking--;
				oe__window_answered(&window, (int64_t)oe__rng_below(&rng, 3000) * MS);
			}
			if (oe__rng_below(&rng, 40) == 0)
				oe__window_restart(&window);
		}
	}
}
END_TEST

TEST_MAIN("window", test_unknown, test_evaluations_are_scarce, test_in_between, test_calls_are_scarce,
          test_change,
          test_no_calls, test_ramp, test_latency, test_late, test_restart, test_next)
