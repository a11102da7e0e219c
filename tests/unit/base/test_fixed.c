/*
 * oe__append_fixed() against printf, which rounds the exact binary value: numbers at, beside and
 * far from the middle between two decimals.
 */

#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"

static void compare(double value, int decimals)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	char wanted[400];

	(void)snprintf(wanted, sizeof(wanted), "%.*f", decimals, value);
	ck_assert_int_eq(oe__append_fixed(&out, value, decimals), 0);
	ck_assert_str_eq(oe__buffer_string(&out), wanted);
}

START_TEST(test_chosen)
{
	static const double values[] = {
		0.0,     -0.0,    5e-5,         1.5e-4,          2.00005,     -4e-5,
		0.99995, 0.5,     0.25,         0.125,           0.0625,      1e15,
		1e22,    1e300,   5e-324,       9999.99995,      -9999.99995, 109951162.7776,
		1e-9,    0.00005, 123456.78905, 109951162.77755, 1.00005,     0.3
	};

	for (size_t i = 0; i < OE__COUNT(values); i++)
		for (int decimals = 0; decimals <= 12; decimals++)
			compare(values[i], decimals);
}
END_TEST

START_TEST(test_not_finite)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	oe__append_fixed(&out, (double)NAN, 4);
	oe__buffer_char(&out, ' ');
	oe__append_fixed(&out, -(double)INFINITY, 4);
	oe__buffer_char(&out, ' ');
	oe__append_fixed(&out, (double)INFINITY, 4);
	ck_assert_str_eq(oe__buffer_string(&out), "nan -inf inf");
}
END_TEST

START_TEST(test_random)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "fixed", 0, 0);
	for (int i = 0; i < 20000; i++) {
		int decimals = (int)oe__rng_below(&rng, 7);
		double value = oe__rng_normal(&rng) * pow(10, (double)oe__rng_below(&rng, 12) - 4);
		compare(value, decimals);
		/* Beside the middle of two decimals. */
		double unit = pow(10, -decimals);
		double middle = (round(value / unit) + 0.5) * unit;
		compare(middle, decimals);
		compare(nextafter(middle, 0), decimals);
	}
}
END_TEST

TEST_MAIN("fixed", test_chosen, test_not_finite, test_random)
