/* lib/base/rng.c: streams that never change, that do not share draws, and what they are made into. */

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

#include "base/auto.h"
#include "test.h"

/* By the definition, in another language: a recorded run is drawn again from these. */
START_TEST(test_known_streams)
{
	static const struct {
		uint64_t seed;
		const char *purpose;
		uint64_t number, attempt, draws[3];
	} streams[] = {
		{ 42, "select", 1, 0, { 0x972715d992fc3129, 0xcb3436dd28e796ee, 0xb69aeaf96c3caa72 } },
		{ 42, "select", 1, 1, { 0x1126d05cd6277e37, 0xdff46a0d24cec399, 0x8ff32f5abc081c74 } },
		{ 42, "select", 2, 0, { 0x1d7712adddc89fd6, 0x0b873067408af576, 0xf4f3b43cb9d5e2a8 } },
		{ 43, "select", 1, 0, { 0x4e1211499e9d26f7, 0x5a897366b354b303, 0x46371a60d7eabd81 } },
		{ 42, "island", 1, 0, { 0xb4e79091f5989138, 0x71bc9495cd9f3878, 0x20906232903c9514 } },
		{ 0, "", 0, 0, { 0x90ddda3780776d90, 0xefdb612f71e41c17, 0xd936ed0450a2ed55 } },
	};

	for (size_t i = 0; i < OE__COUNT(streams); i++) {
		struct oe__rng rng;
		oe__rng_init(&rng, streams[i].seed, streams[i].purpose, streams[i].number,
					 streams[i].attempt);
		for (size_t draw = 0; draw < 3; draw++)
			ck_assert_uint_eq(oe__rng_next(&rng), streams[i].draws[draw]);
	}
}
END_TEST

/* The generator by itself, with the seed and the draws that implementations of it are compared by. */
START_TEST(test_splitmix)
{
	static const uint64_t draws[] = { 6457827717110365317u, 3203168211198807973u,
									  9817491932198370423u, 4593380528125082431u,
									  16408922859458223821u };
	struct oe__rng rng = { 1234567 };

	for (size_t i = 0; i < OE__COUNT(draws); i++)
		ck_assert_uint_eq(oe__rng_next(&rng), draws[i]);
}
END_TEST

static int by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Neighbouring keys, in each of the four parts: no draw of one stream is in another, as it would be
   if the streams were stretches of one sequence that lie near each other. */
START_TEST(test_keys_are_independent)
{
	static const char *const purposes[] = { "a", "b", "ab", "ba" };
	enum { NUMBERS = 64, DRAWS = 64 };
	static uint64_t all[4 * 2 * NUMBERS * 2 * DRAWS];
	size_t used = 0;

	for (size_t purpose = 0; purpose < OE__COUNT(purposes); purpose++)
		for (uint64_t seed = 0; seed < 2; seed++)
			for (uint64_t number = 0; number < NUMBERS; number++)
				for (uint64_t attempt = 0; attempt < 2; attempt++) {
					struct oe__rng rng;
					oe__rng_init(&rng, seed, purposes[purpose], number, attempt);
					for (int draw = 0; draw < DRAWS; draw++)
						all[used++] = oe__rng_next(&rng);
				}
	ck_assert_uint_eq(used, OE__COUNT(all));
	qsort(all, used, sizeof(all[0]), by_value);
	for (size_t i = 1; i < used; i++)
		if (all[i - 1] == all[i])
			ck_abort_msg("%llx is drawn twice", (unsigned long long)all[i]);
}
END_TEST

/* The first draws of consecutive iterations are as good as draws of one stream: each bit is set in
   half of them, and each agrees with its predecessor in half of them. */
START_TEST(test_first_draws_are_uniform)
{
	enum { STREAMS = 20000 };
	int set[64] = { 0 }, agreed[64] = { 0 };
	uint64_t before = 0;

	for (uint64_t number = 0; number < STREAMS; number++) {
		struct oe__rng rng;
		oe__rng_init(&rng, 42, "select", number, 0);
		uint64_t draw = oe__rng_next(&rng);
		for (int bit = 0; bit < 64; bit++) {
			set[bit] += (int)(draw >> bit & 1);
			agreed[bit] += !((draw ^ before) >> bit & 1);
		}
		before = draw;
	}
	/* Six standard deviations of a fair coin: 6 * sqrt(20000) / 2. */
	for (int bit = 0; bit < 64; bit++) {
		ck_assert_int_lt(abs(set[bit] - STREAMS / 2), 425);
		ck_assert_int_lt(abs(agreed[bit] - STREAMS / 2), 425);
	}
}
END_TEST

/* Chi-squared over `limit` values; its mean is limit - 1, its deviation sqrt(2 (limit - 1)). */
static void check_below(uint64_t limit, uint64_t draws)
{
	uint64_t counts[100] = { 0 };
	struct oe__rng rng;
	double expected = (double)draws / (double)limit, sum = 0;

	oe__rng_init(&rng, 3, "below", limit, 0);
	for (uint64_t i = 0; i < draws; i++) {
		uint64_t value = oe__rng_below(&rng, limit);
		if (value >= limit)
			ck_abort_msg("%llu of %llu", (unsigned long long)value, (unsigned long long)limit);
		counts[value]++;
	}
	for (uint64_t i = 0; i < limit; i++)
		sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
	double freedom = (double)limit - 1;
	ck_assert_double_lt(sum, freedom + 6 * sqrt(2 * freedom) + 1e-9);
}

START_TEST(test_below)
{
	for (uint64_t limit = 1; limit <= 100; limit += limit < 8 ? 1 : 23)
		check_below(limit, 20000);
	/* Three quarters of all words: without rejection the lower half would come twice as often. */
	struct oe__rng rng;
	uint64_t limit = 0xc000000000000000u, low = 0;
	oe__rng_init(&rng, 4, "below", 0, 0);
	for (int i = 0; i < 30000; i++) {
		uint64_t value = oe__rng_below(&rng, limit);
		low += value < limit / 3;
	}
	ck_assert_uint_gt(low, 10000 - 500);
	ck_assert_uint_lt(low, 10000 + 500);
	ck_assert_uint_lt(oe__rng_below(&rng, UINT64_MAX), UINT64_MAX);
}
END_TEST

START_TEST(test_real)
{
	enum { DRAWS = 100000 };
	struct oe__rng rng;
	double sum = 0, squares = 0, lowest = 1, highest = 0;

	oe__rng_init(&rng, 5, "real", 0, 0);
	for (int i = 0; i < DRAWS; i++) {
		double value = oe__rng_real(&rng);
		if (!(value >= 0 && value < 1) || value * 0x1p53 != floor(value * 0x1p53))
			ck_abort_msg("%a", value);
		sum += value;
		squares += value * value;
		lowest = fmin(lowest, value);
		highest = fmax(highest, value);
	}
	ck_assert_double_eq_tol(sum / DRAWS, 0.5, 0.006);
	ck_assert_double_eq_tol(squares / DRAWS, 1.0 / 3, 0.006);
	ck_assert_double_lt(lowest, 0.001);
	ck_assert_double_gt(highest, 0.999);
	/* The largest word is still below 1. */
	ck_assert_double_lt((double)(UINT64_MAX >> 11) * 0x1p-53, 1);
}
END_TEST

START_TEST(test_normal)
{
	enum { DRAWS = 100000 };
	struct oe__rng rng;
	double sum = 0, squares = 0, cubes = 0, fourths = 0;
	int within = 0;

	oe__rng_init(&rng, 6, "normal", 0, 0);
	for (int i = 0; i < DRAWS; i++) {
		double value = oe__rng_normal(&rng);
		if (!isfinite(value))
			ck_abort_msg("draw %d is %f", i, value);
		sum += value;
		squares += value * value;
		cubes += value * value * value;
		fourths += value * value * value * value;
		within += fabs(value) < 1;
	}
	ck_assert_double_eq_tol(sum / DRAWS, 0, 0.02);
	ck_assert_double_eq_tol(squares / DRAWS, 1, 0.03);
	ck_assert_double_eq_tol(cubes / DRAWS, 0, 0.08);
	ck_assert_double_eq_tol(fourths / DRAWS, 3, 0.2);
	ck_assert_double_eq_tol((double)within / DRAWS, 0.6827, 0.01);
}
END_TEST

TEST_MAIN("rng", test_known_streams, test_splitmix, test_keys_are_independent,
		  test_first_draws_are_uniform, test_below, test_real, test_normal)
