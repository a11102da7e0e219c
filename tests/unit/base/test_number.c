/* The numbers of lib/base/text.c; oe__append_fixed() is in test_fixed.c, locales in test_locale.c. */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "nomem.h"

static bool parse_int(const char *text, int64_t *out)
{
	return oe__parse_int(text, strlen(text), out);
}

static bool parse_real(const char *text, double *out)
{
	return oe__parse_real(text, strlen(text), out);
}

START_TEST(test_integers)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{ "0", 0 },       { "-0", 0 },      { "+7", 7 },
		{ "0042", 42 },   { "-12", -12 },   { "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
		{ "-00000000000000000000000009", -9 },
	};
	static const char *const bad[] = { "",    "-",   "+",  " 1", "1 ",  "1.0",
									   "0x1", "--1", "1_0", "a", "\xd9\xa3",
									   "9223372036854775808", "-9223372036854775809",
									   "+9223372036854775808", "99999999999999999999999" };

	for (size_t i = 0; i < OE__COUNT(good); i++) {
		int64_t value = -1;
		ck_assert_msg(parse_int(good[i].text, &value), "%s", good[i].text);
		ck_assert_int_eq(value, good[i].value);
	}
	for (size_t i = 0; i < OE__COUNT(bad); i++) {
		int64_t value = 77;
		ck_assert_msg(!parse_int(bad[i], &value), "%s", bad[i]);
		ck_assert_int_eq(value, 77);
	}
	int64_t value;
	ck_assert(oe__parse_int("123", 2, &value));
	ck_assert_int_eq(value, 12);
	ck_assert(!oe__parse_int("1\0", 2, &value));
}
END_TEST

START_TEST(test_random_integers)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "int", 0, 0);
	for (int round = 0; round < 20000; round++) {
		int64_t wanted = (int64_t)oe__rng_next(&rng) >> oe__rng_below(&rng, 64), value = 0;
		char text[32];
		(void)snprintf(text, sizeof(text), "%" PRId64, wanted);
		if (!parse_int(text, &value) || value != wanted)
			ck_abort_msg("%s", text);
	}
}
END_TEST

START_TEST(test_reals)
{
	static const struct {
		const char *text;
		double value;
	} good[] = {
		{ "0", 0 },        { "1.", 1 },         { ".5", 0.5 },
		{ "-1e3", -1000 }, { "+1E+2", 100 },    { "inf", (double)INFINITY },
		{ "-Infinity", -(double)INFINITY },     { "1e999", (double)INFINITY },
		{ "1e-999", 0 },   { "9007199254740993", 9007199254740992.0 },
		{ "5e-324", 5e-324 },
	};
	static const char *const bad[] = { "",     " 1",  "1 ",   "1e",  "0x10", "0X1p3", "nan(1)", "-",
									   "infi", "1,5", "--1", "1_0", "1.5.2", "e5",   "\n1",    "1f" };
	double value;

	for (size_t i = 0; i < OE__COUNT(good); i++) {
		ck_assert_msg(parse_real(good[i].text, &value), "%s", good[i].text);
		ck_assert_double_eq(value, good[i].value);
	}
	for (size_t i = 0; i < OE__COUNT(bad); i++) {
		value = 77;
		ck_assert_msg(!parse_real(bad[i], &value), "%s", bad[i]);
		ck_assert_double_eq(value, 77);
	}
	ck_assert(parse_real("NaN", &value) && isnan(value));
	ck_assert(oe__parse_real("2.59", 3, &value));
	ck_assert_double_eq(value, 2.5);
	ck_assert(!oe__parse_real("1\0", 2, &value));
}
END_TEST

START_TEST(test_long_reals)
{
	char text[5000];
	double value = 0;

	memset(text, '0', sizeof(text));
	memcpy(text, "0.", 2);
	text[sizeof(text) - 1] = '7';
	ck_assert(oe__parse_real(text, sizeof(text), &value));
	ck_assert_double_eq(value, 0);
	text[2] = '5';
	ck_assert(oe__parse_real(text, sizeof(text), &value));
	ck_assert_double_eq(value, 0.5);
	nomem_arm(1, false);
	value = 77;
	ck_assert(!oe__parse_real(text, sizeof(text), &value)); /* no memory for so long a one */
	ck_assert(oe__parse_real(text, 60, &value));            /* but short ones take none    */
	ck_assert_double_eq(value, 0.5);
	nomem_arm(0, false);
}
END_TEST

/* What repr() of Python says. */
START_TEST(test_format_as_python)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1, "1.0" },
		{ -1.5, "-1.5" },
		{ 0.1, "0.1" },
		{ 100, "100.0" },
		{ 123456789.125, "123456789.125" },
		{ 1e15, "1000000000000000.0" },
		{ 9999999999999998.0, "9999999999999998.0" },
		{ 1e16, "1e+16" },
		{ 1.2345e22, "1.2345e+22" },
		{ 0.0001, "0.0001" },
		{ 0.00012345, "0.00012345" },
		{ 0.00001, "1e-05" },
		{ 1.5e-7, "1.5e-07" },
		{ 1e100, "1e+100" },
		{ 1e-300, "1e-300" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 5e-324, "5e-324" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
		{ 2.225073858507201e-308, "2.225073858507201e-308" },
		{ 0.30000000000000004, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 9007199254740993.0, "9007199254740992.0" },
		{ 5e-320, "5e-320" },
		{ (double)INFINITY, "inf" },
		{ -(double)INFINITY, "-inf" },
		{ (double)NAN, "nan" },
		{ -(double)NAN, "nan" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		char text[OE__REAL_TEXT_MAX];
		ck_assert_uint_eq(oe__format_real(cases[i].value, text), strlen(cases[i].text));
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

/* Digits of a text, without zeros at either end. */
static size_t digits(const char *text)
{
	size_t count = 0, zeros = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text < '0' || *text > '9')
			continue;
		if (*text != '0') {
			count += zeros + 1;
			zeros = 0;
		} else if (count > 0) {
			zeros++;
		}
	}
	return count;
}

/* Random bits: every one reads back as it was, and fewer digits would not do. */
START_TEST(test_format_is_shortest)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "real", 0, 0);
	for (int round = 0; round < 50000; round++) {
		uint64_t bits = oe__rng_next(&rng);
		double value, back;
		char text[OE__REAL_TEXT_MAX], shorter[40];

		if (round % 2) /* short ones, as people write them */
			value = (double)((int64_t)bits >> 44) / pow(10, (double)(bits & 7));
		else
			memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		size_t size = oe__format_real(value, text), count = digits(text);
		if (size != strlen(text) || size >= OE__REAL_TEXT_MAX || count > 17 ||
			!oe__parse_real(text, size, &back) || memcmp(&back, &value, sizeof(value)) != 0)
			ck_abort_msg("%a is not %s", value, text);
		if (count > 1) {
			(void)snprintf(shorter, sizeof(shorter), "%.*e", (int)count - 2, value);
			if (!parse_real(shorter, &back) || back == value)
				ck_abort_msg("%s is longer than %s", text, shorter);
		}
	}
}
END_TEST

NOMEM_MAIN("number", test_integers, test_random_integers, test_reals, test_long_reals,
		   test_format_as_python, test_format_is_shortest)
