/* lib/scheduler/timers.c: the heap against a plain table. */

#include "scheduler/timers.h"

#include "base/auto.h"
#include "base/rng.h"
#include "nomem.h"

enum { TIMERS = 200 };

static struct oe__timer pool[TIMERS];
static bool present[TIMERS];

static void check(const struct oe__timers *timers, size_t count)
{
	const struct oe__timer *first = oe__timers_first(timers);

	ck_assert_uint_eq(timers->count, count);
	ck_assert_int_eq(first != NULL, count > 0);
	for (size_t i = 0; i < TIMERS; i++) {
		if (!present[i])
			continue;
		if (pool[i].due_ns < first->due_ns || timers->heap[pool[i].slot] != &pool[i])
			ck_abort_msg("timer %zu", i);
	}
}

START_TEST(test_random_changes)
{
	struct oe__timers timers = { 0 };
	struct oe__rng rng;
	size_t count = 0;

	oe__rng_init(&rng, 1, "timers", 0, 0);
	ck_assert_ptr_null(oe__timers_first(&timers));
	for (int step = 0; step < 30000; step++) {
		size_t at = oe__rng_below(&rng, TIMERS);
		if (present[at]) {
			oe__timers_remove(&timers, &pool[at]);
			count--;
		} else {
			pool[at].due_ns = (int64_t)oe__rng_below(&rng, 50) - 25; /* many are equal */
			ck_assert_int_eq(oe__timers_add(&timers, &pool[at]), 0);
			count++;
		}
		present[at] = !present[at];
		if (step % 16 == 0)
			check(&timers, count);
	}
	/* What is left comes in order. */
	for (int64_t before = INT64_MIN; count > 0; count--) {
		struct oe__timer *first = oe__timers_first(&timers);
		ck_assert_int_ge(first->due_ns, before);
		before = first->due_ns;
		oe__timers_remove(&timers, first);
	}
	ck_assert_ptr_null(oe__timers_first(&timers));
	oe__timers_done(&timers);
	ck_assert_ptr_null(timers.heap);
}
END_TEST

START_TEST(test_extremes)
{
	struct oe__timers timers = { 0 };
	struct oe__timer late = { .due_ns = INT64_MAX }, early = { .due_ns = INT64_MIN };

	ck_assert_int_eq(oe__timers_add(&timers, &late), 0);
	ck_assert_int_eq(oe__timers_add(&timers, &early), 0);
	ck_assert_ptr_eq(oe__timers_first(&timers), &early);
	oe__timers_remove(&timers, &early);
	ck_assert_ptr_eq(oe__timers_first(&timers), &late);
	oe__timers_done(&timers);
}
END_TEST

START_TEST(test_no_memory)
{
	struct oe__timers timers = { 0 };
	size_t added = 0;

	nomem_arm(2, true);
	while (oe__timers_add(&timers, &pool[added]) == 0)
		added++;
	nomem_arm(0, false);
	ck_assert_uint_gt(added, 0);
	ck_assert_uint_eq(timers.count, added);
	for (size_t i = 0; i < added; i++)
		oe__timers_remove(&timers, &pool[i]);
	ck_assert_int_eq(oe__timers_add(&timers, &pool[added]), 0);
	oe__timers_done(&timers);
}
END_TEST

NOMEM_MAIN("timers", test_random_changes, test_extremes, test_no_memory)
