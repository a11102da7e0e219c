/* lib/controller/prices.c: what models charge. */

#include "controller/prices.h"

#include <string.h>

#include "base/file.h"
#include "scratch.h"
#include "test.h"

static struct oe__prices *load(const char *text)
{
	struct oe__prices *prices = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe__file_write(scratch("prices.yaml"), text, strlen(text), &err), 0);
	ck_assert_msg(oe__prices_load(scratch("prices.yaml"), &prices, &err) == 0, "%s", err.message);
	return prices;
}

START_TEST(test_cost)
{
	scratch_enter();
	OE__AUTO(prices) struct oe__prices *prices =
		load("gpt*: {input: 1, output: 1}\ngpt-4o: {input: 2.5, output: 10}\n"
			 "gpt-4o*: {input: 3, output: 0.0001}\nfree: {input: 0, output: 0}\n");

	ck_assert_int_eq(oe__prices_cost(prices, "gpt-4o", 1000, 10), 2500000 + 100000);
	ck_assert_int_eq(oe__prices_cost(prices, "gpt-4o-mini", 1, 0), 3000); /* the longest pattern */
	ck_assert_int_eq(oe__prices_cost(prices, "gpt-3", 1, 1), 2000);
	ck_assert_int_eq(oe__prices_cost(prices, "gpt-4o-mini", 0, 1), 1); /* never rounded to nothing */
	ck_assert_int_eq(oe__prices_cost(prices, "free", 1000, 1000), 0);
	ck_assert_int_eq(oe__prices_cost(prices, "other", 1, 1), -1);
	ck_assert_int_eq(oe__prices_cost(prices, "fre", 1, 1), -1);
	ck_assert_int_eq(oe__prices_cost(NULL, "free", 1, 1), -1);
	ck_assert_int_gt(oe__prices_cost(prices, "gpt-4o", INT64_MAX, INT64_MAX), 0);
	scratch_leave();
}
END_TEST

START_TEST(test_no_prices)
{
	static const char *const texts[] = { "", "x", "a: 1", "a: {input: 1}", "a: {output: 1}",
										 "a: {input: -1, output: 1}", "a: {input: x, output: 1}",
										 "a: {input: 1, output: .nan}", "1: {input: 1, output: 1}",
										 "'': {input: 1, output: 1}", "a: {input: 1, output: 1, b: 1}",
										 "a: {input: 1e9, output: 1}", "{" };

	scratch_enter();
	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		struct oe__prices *prices = NULL;
		oe_error err = { 0 };
		ck_assert_int_eq(oe__file_write(scratch("p"), texts[i], strlen(texts[i]), &err), 0);
		ck_assert_msg(oe__prices_load(scratch("p"), &prices, &err) == OE_ERR_CONFIG, "%s", texts[i]);
		ck_assert_ptr_null(prices);
	}
	scratch_leave();
}
END_TEST

TEST_MAIN("prices", test_cost, test_no_prices)
