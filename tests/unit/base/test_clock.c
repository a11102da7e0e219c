/* lib/base/clock.c */

#include "base/clock.h"

#include <math.h>
#include <time.h>

#include "base/auto.h"
#include "test.h"

START_TEST(test_monotonic)
{
	int64_t before = oe__clock_ns();

	ck_assert_int_gt(before, 0);
	for (int i = 0; i < 100000; i++) {
		int64_t now = oe__clock_ns();
		if (now < before)
			ck_abort_msg("back by %lld ns", (long long)(before - now));
		before = now;
	}
	int64_t first = oe__clock_ns() / 1000000, between = oe__clock_ms();
	ck_assert_int_ge(between, first);
	ck_assert_int_le(between, oe__clock_ns() / 1000000);
}
END_TEST

START_TEST(test_wall)
{
	time_t before = time(NULL);
	double now = oe__clock_wall();

	ck_assert_double_ge(now, (double)before - 1);
	ck_assert_double_le(now, (double)time(NULL) + 1);
}
END_TEST

START_TEST(test_text)
{
	static const struct {
		double wall;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1.482, "1970-01-01T00:00:01.482Z" },
		{ 0.9999, "1970-01-01T00:00:00.999Z" },
		{ 951782400, "2000-02-29T00:00:00.000Z" },
		{ 1795442531.5, "2026-11-23T14:02:11.500Z" },
		{ -0.5, "1969-12-31T23:59:59.500Z" },
		{ -86400, "1969-12-31T00:00:00.000Z" },
		{ -1.0005, "1969-12-31T23:59:58.999Z" },
		{ 253402300799.999, "9999-12-31T23:59:59.999Z" },
		{ -62167219200.0, "0000-01-01T00:00:00.000Z" },
		/* A timestamp may come from a foreign checkpoint. */
		{ 253402300800.0, "?" },
		{ -62167219201.0, "?" },
		{ 1e300, "?" },
		{ -1e300, "?" },
		{ (double)INFINITY, "?" },
		{ -(double)INFINITY, "?" },
		{ (double)NAN, "?" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		char text[OE__CLOCK_TEXT_SIZE];
		oe__clock_text(cases[i].wall, text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

TEST_MAIN("clock", test_monotonic, test_wall, test_text)
