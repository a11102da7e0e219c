/* lib/base/pack.c: what was written comes back to the bit; whatever else is read ends in time. */

#include "base/pack.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "test.h"

static const uint64_t numbers[] = { 0, 1, 0x7f, 0x80, 0x3fff, 0x4000, UINT32_MAX, (uint64_t)INT64_MAX,
									(uint64_t)INT64_MAX + 1, UINT64_MAX };
static const double reals[] = { 0, -0.0, 1, -1.5, DBL_MIN, DBL_MAX, 4.9e-324, INFINITY, -INFINITY };

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

START_TEST(test_round_trip)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	size_t size;

	for (size_t i = 0; i < OE__COUNT(numbers); i++) {
		oe__pack_uint(&out, numbers[i]);
		oe__pack_int(&out, (int64_t)numbers[i]);
	}
	for (size_t i = 0; i < OE__COUNT(reals); i++)
		oe__pack_real(&out, reals[i]);
	oe__pack_real(&out, NAN);
	oe__pack_text(&out, "text");
	oe__pack_text(&out, "");
	oe__pack_text(&out, NULL);
	oe__pack_sized(&out, "a\0b", 3);
	ck_assert_int_eq(out.status, 0);

	struct oe__unpack in = oe__unpack_begin(out.data, out.size);
	for (size_t i = 0; i < OE__COUNT(numbers); i++) {
		ck_assert_uint_eq(oe__unpack_uint(&in), numbers[i]);
		ck_assert_int_eq(oe__unpack_int(&in), (int64_t)numbers[i]);
	}
	for (size_t i = 0; i < OE__COUNT(reals); i++)
		ck_assert(same_bits(oe__unpack_real(&in), reals[i]));
	ck_assert(isnan(oe__unpack_real(&in)));
	ck_assert_str_eq(oe__unpack_text(&in), "text");
	ck_assert_str_eq(oe__unpack_text(&in), "");
	ck_assert_ptr_null(oe__unpack_text(&in));
	const void *bytes = oe__unpack_sized(&in, &size);
	ck_assert_uint_eq(size, 3);
	ck_assert_int_eq(memcmp(bytes, "a\0b", 3), 0);
	ck_assert_uint_eq(oe__unpack_left(&in), 0);
	ck_assert(!in.broken);
}
END_TEST

START_TEST(test_small)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);

	for (int64_t i = -64; i < 64; i++)
		oe__pack_int(&out, i);
	ck_assert_uint_eq(out.size, 128);
}
END_TEST

/* Behind the end there is nothing, of any kind, and it stays so. */
START_TEST(test_end)
{
	struct oe__unpack in = oe__unpack_begin("\x05", 1);
	size_t size = 9;

	ck_assert_uint_eq(oe__unpack_uint(&in), 5);
	ck_assert(!in.broken);
	ck_assert_uint_eq(oe__unpack_uint(&in), 0);
	ck_assert(in.broken);
	ck_assert_int_eq(oe__unpack_int(&in), 0);
	ck_assert(same_bits(oe__unpack_real(&in), 0));
	ck_assert_ptr_null(oe__unpack_text(&in));
	ck_assert_ptr_null(oe__unpack_sized(&in, &size));
	ck_assert_uint_eq(size, 0);
	ck_assert_ptr_null(oe__unpack_raw(&in, 0));
	ck_assert_uint_eq(oe__unpack_count(&in), 0);
	ck_assert(!oe__unpack_bool(&in));
	ck_assert_int_eq(oe__unpack_between(&in, 3, 4), 3);
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *bytes;
		size_t size;
	} endless[] = { { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },
					{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11 },
					{ "\x80", 1 } };

	for (size_t i = 0; i < OE__COUNT(endless); i++) {
		struct oe__unpack in = oe__unpack_begin(endless[i].bytes, endless[i].size);
		ck_assert_uint_eq(oe__unpack_uint(&in), 0);
		ck_assert(in.broken);
	}
	struct oe__unpack count = oe__unpack_begin("\x04" "abc", 4); /* four of three */
	ck_assert_uint_eq(oe__unpack_count(&count), 0);
	ck_assert(count.broken);
	struct oe__unpack open = oe__unpack_begin("\x03" "abc", 4); /* a text without its end */
	ck_assert_ptr_null(oe__unpack_text(&open));
	ck_assert(open.broken);
	struct oe__unpack within = oe__unpack_begin("\x03" "a\0", 4);
	ck_assert_ptr_null(oe__unpack_text(&within));
	ck_assert(within.broken);
	struct oe__unpack flag = oe__unpack_begin("\x04", 1);
	ck_assert(!oe__unpack_bool(&flag));
	ck_assert(flag.broken);
}
END_TEST

/* Random bytes, read as random things: the end comes, and nothing is given that is not within. */
START_TEST(test_random)
{
	unsigned char bytes[64];
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "pack", 0, 0);
	for (int round = 0; round < 20000; round++) {
		size_t length = (size_t)oe__rng_below(&rng, sizeof(bytes)), size = 0;
		for (size_t i = 0; i < length; i++)
			bytes[i] = (unsigned char)(oe__rng_next(&rng) >> oe__rng_below(&rng, 8));
		struct oe__unpack in = oe__unpack_begin(bytes, length);
		int steps = 0;
		while (!in.broken && oe__unpack_left(&in) > 0) {
			const char *text = NULL;
			switch (oe__rng_below(&rng, 5)) {
			case 0:
				(void)oe__unpack_int(&in);
				break;
			case 1:
				(void)oe__unpack_real(&in);
				break;
			case 2:
				text = oe__unpack_text(&in);
				size = text ? strlen(text) + 1 : 0;
				break;
			case 3:
				text = oe__unpack_sized(&in, &size);
				break;
			default:
				ck_assert_uint_le(oe__unpack_count(&in), length);
				break;
			}
			if (text)
				ck_assert(text >= (const char *)bytes &&
						  text + size <= (const char *)bytes + length);
			ck_assert_int_lt(steps++, 64);
		}
	}
}
END_TEST

TEST_MAIN("pack", test_round_trip, test_small, test_end, test_refused, test_random)
