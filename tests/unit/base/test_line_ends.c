/* lib/base/line_ends.c */

#include <string.h>

#include "base/line_ends.h"
#include "base/rng.h"
#include "test.h"

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

START_TEST(test_is_crlf)
{
	ck_assert(oe__is_crlf(bytes("a\r\n")));
	ck_assert(oe__is_crlf(bytes("a\r\n\r\nb")));
	ck_assert(!oe__is_crlf(bytes("")));
	ck_assert(!oe__is_crlf((oe_bytes){ NULL, 0 }));
	ck_assert(!oe__is_crlf(bytes("a")));
	ck_assert(!oe__is_crlf(bytes("a\r")));
	ck_assert(!oe__is_crlf(bytes("\n")));
	ck_assert(!oe__is_crlf(bytes("a\r\nb\n")));
}
END_TEST

/* There and back again, whatever the text, if all of its ends were the same. */
START_TEST(test_round_trip)
{
	static const char *const pieces[] = { "a", " ", "\r", "\n", "\xc3\xa9", "\n\n" };
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 5000; round++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), lf = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer crlf = OE__BUFFER_INIT(0), back = OE__BUFFER_INIT(0);
		size_t count = oe__rng_below(&rng, 12), lines = 0;

		for (size_t i = 0; i < count; i++)
			oe__buffer_text(&text, pieces[oe__rng_below(&rng, 6)]);
		ck_assert_int_eq(oe__append_lf(&lf, bytes(oe__buffer_string(&text))), 0);
		ck_assert_int_eq(oe__append_crlf(&crlf, bytes(oe__buffer_string(&lf))), 0);
		ck_assert_int_eq(oe__append_lf(&back, bytes(oe__buffer_string(&crlf))), 0);
		for (size_t i = 0; i < lf.size; i++)
			lines += lf.data[i] == '\n';
		/* A CR that stood before a CRLF belongs to the line. */
		if (!strstr(oe__buffer_string(&text), "\r\n"))
			ck_assert_str_eq(oe__buffer_string(&lf), oe__buffer_string(&text));
		ck_assert(oe__is_crlf(bytes(oe__buffer_string(&crlf))) == (lines > 0));
		if (!strstr(oe__buffer_string(&lf), "\r\n"))
			ck_assert_str_eq(oe__buffer_string(&back), oe__buffer_string(&lf));
	}
}
END_TEST

TEST_MAIN("line_ends", test_is_crlf, test_round_trip)
