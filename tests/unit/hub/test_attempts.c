/* lib/hub/attempts.c */

#include "base/limits.h"
#include "hub/attempts.h"
#include "test.h"

static void add(struct oe__attempt_pool *pool, struct oe__attempt_list *list, int64_t number)
{
	OE__AUTO(attempt) struct oe__attempt *attempt = NULL;

	ck_assert_int_eq(oe__attempt_new(number, OE_OUTCOME_NO_EDIT, NULL, "", &attempt), 0);
	ck_assert_int_eq(oe__attempts_add(pool, list, attempt), 0);
}

START_TEST(test_newest_first)
{
	struct oe__attempt_pool pool = { .per_list = 3 };
	struct oe__attempt_list list = { NULL, NULL, 0 }, other = { NULL, NULL, 0 };
	struct oe__attempt *attempts[10];

	ck_assert_uint_eq(oe__attempts_get(&list, attempts, 10), 0);
	for (int64_t i = 1; i <= 5; i++)
		add(&pool, &list, i);
	add(&pool, &other, 9);
	ck_assert_uint_eq(oe__attempts_get(&list, attempts, 10), 3);
	for (int64_t i = 0; i < 3; i++)
		ck_assert_int_eq(attempts[i]->number, 5 - i);
	ck_assert_uint_eq(oe__attempts_get(&list, attempts, 2), 2);
	ck_assert_uint_eq(pool.count, 4);
	oe__attempts_clear(&pool, &list);
	ck_assert_uint_eq(pool.count, 1);
	oe__attempts_clear(&pool, &other);
	ck_assert_ptr_null(pool.oldest);
}
END_TEST

START_TEST(test_all_lists_together_have_a_limit)
{
	enum { LISTS = 2000 };
	static struct oe__attempt_list lists[LISTS];
	struct oe__attempt_pool pool = { .per_list = 3 };

	for (int64_t i = 0; i < 3 * LISTS; i++)
		add(&pool, &lists[i % LISTS], i);
	ck_assert_uint_eq(pool.count, OE__ATTEMPTS_MAX);
	/* most of the first round has gone */
	struct oe__attempt *attempts[3];
	ck_assert_uint_eq(oe__attempts_get(&lists[0], attempts, 3), 2);
	ck_assert_int_eq(attempts[1]->number, LISTS);
	ck_assert_uint_eq(oe__attempts_get(&lists[LISTS - 1], attempts, 3), 3);
	ck_assert_int_eq(attempts[0]->number, 3 * LISTS - 1);
	for (size_t i = 0; i < LISTS; i++)
		oe__attempts_clear(&pool, &lists[i]);
	ck_assert_uint_eq(pool.count, 0);
}
END_TEST

START_TEST(test_none_are_kept)
{
	struct oe__attempt_pool pool = { .per_list = 0 };
	struct oe__attempt_list list = { NULL, NULL, 0 };

	add(&pool, &list, 1);
	ck_assert_uint_eq(list.count, 0);
}
END_TEST

TEST_MAIN("attempts", test_newest_first, test_all_lists_together_have_a_limit, test_none_are_kept)
