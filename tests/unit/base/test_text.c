/* lib/base/text.c: UTF-8, lines and names; its numbers are in test_number.c. */

#include "base/text.h"

#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "test.h"

/* Bytes of the sequence that begins here, by table 3-7 of the Unicode standard, or 0. */
static size_t well_formed(const unsigned char *s, size_t size)
{
	static const struct {
		unsigned char lead[2], second[2], size;
	} rows[] = {
		{ { 0x00, 0x7f }, { 0x80, 0xbf }, 1 }, { { 0xc2, 0xdf }, { 0x80, 0xbf }, 2 },
		{ { 0xe0, 0xe0 }, { 0xa0, 0xbf }, 3 }, { { 0xe1, 0xec }, { 0x80, 0xbf }, 3 },
		{ { 0xed, 0xed }, { 0x80, 0x9f }, 3 }, { { 0xee, 0xef }, { 0x80, 0xbf }, 3 },
		{ { 0xf0, 0xf0 }, { 0x90, 0xbf }, 4 }, { { 0xf1, 0xf3 }, { 0x80, 0xbf }, 4 },
		{ { 0xf4, 0xf4 }, { 0x80, 0x8f }, 4 },
	};

	for (size_t row = 0; row < OE__COUNT(rows); row++) {
		if (s[0] < rows[row].lead[0] || s[0] > rows[row].lead[1] || rows[row].size > size)
			continue;
		for (size_t i = 1; i < rows[row].size; i++)
			if (s[i] < (i == 1 ? rows[row].second[0] : 0x80) ||
				s[i] > (i == 1 ? rows[row].second[1] : 0xbf))
				return 0;
		return rows[row].size;
	}
	return 0;
}

/* Every two bytes, and behind them the edges of the ranges. */
START_TEST(test_valid_by_the_standard)
{
	static const unsigned char edges[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
										   0xa0, 0xbf, 0xc0, 0xe0, 0xf0, 0xff };

	for (uint32_t bytes = 0; bytes < 65536 * OE__COUNT(edges) * OE__COUNT(edges); bytes++) {
		unsigned char s[4] = { (unsigned char)(bytes >> 8), (unsigned char)bytes,
							   edges[(bytes >> 16) % OE__COUNT(edges)],
							   edges[(bytes >> 16) / OE__COUNT(edges)] };
		size_t size = bytes >> 16 ? 4 : 1 + bytes % 4, at = 0, length;
		while (at < size && (length = well_formed(s + at, size - at)) > 0)
			at += length;
		if (oe__utf8_valid((char *)s, size) != (at == size))
			ck_abort_msg("%02x %02x %02x %02x, %zu bytes", s[0], s[1], s[2], s[3], size);
	}
}
END_TEST

START_TEST(test_every_code_point)
{
	for (uint32_t code = 0; code <= 0x110000; code++) {
		char bytes[4];
		size_t size = oe__utf8_encode(code, bytes), left = size;
		const char *at = bytes;
		bool exists = code <= 0x10ffff && (code < 0xd800 || code >= 0xe000);

		/* A check for each would take a minute. */
		if (well_formed((unsigned char *)bytes, size) != size ||
			oe__utf8_next(&at, &left) != (exists ? code : 0xfffd) || left != 0)
			ck_abort_msg("U+%04x", code);
	}
	char bytes[4];
	ck_assert_uint_eq(oe__utf8_encode(UINT32_MAX, bytes), 3);
	ck_assert_mem_eq(bytes, "\xef\xbf\xbd", 3);
}
END_TEST

/* Random bytes, many of them plain, at every alignment: what the fast paths make of them is what one
   step after the other makes. */
START_TEST(test_random_bytes)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "utf8", 0, 0);
	for (int round = 0; round < 20000; round++) {
		char text[100];
		size_t size = oe__rng_below(&rng, sizeof(text)), count = 0, whole = 0;
		uint64_t rarity = oe__rng_below(&rng, 40) + 1;
		OE__AUTO(buffer) struct oe__buffer lossy = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer wanted = OE__BUFFER_INIT(0);

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(oe__rng_below(&rng, rarity) ? 'a' : oe__rng_next(&rng));
		for (size_t at = 0; at < size; count++) {
			size_t length = well_formed((unsigned char *)text + at, size - at);
			whole += length > 0 ? length : 0;
			oe__buffer_append(&wanted, length > 0 ? text + at : "\xef\xbf\xbd",
							  length > 0 ? length : 3);
			at += length > 0 ? length : 1;
			if (oe__utf8_prefix(text, size, count + 1) != at)
				ck_abort_msg("round %d: a prefix of %zu", round, count + 1);
		}
		ck_assert_int_eq(oe__utf8_valid(text, size), whole == size);
		ck_assert_uint_eq(oe__utf8_length(text, size), count);
		if (whole == size) /* of a text: the longest beginning that is one */
			for (size_t max = 0; max <= size + 1; max++) {
				size_t beginning = oe__utf8_beginning(text, size, max);
				size_t next = beginning < size ? well_formed((unsigned char *)text + beginning,
															 size - beginning)
											   : 1;
				if (beginning > max || !oe__utf8_valid(text, beginning) ||
					(beginning < size && beginning + next <= max))
					ck_abort_msg("round %d: %zu of at most %zu bytes", round, beginning, max);
			}
		ck_assert_uint_eq(oe__utf8_prefix(text, size, count + 5), size);
		ck_assert_int_eq(oe__utf8_append_lossy(&lossy, text, size), 0);
		ck_assert_uint_eq(lossy.size, wanted.size);
		ck_assert_mem_eq(oe__buffer_string(&lossy), oe__buffer_string(&wanted), wanted.size);
	}
}
END_TEST

START_TEST(test_lossy_respects_the_cap)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(4);

	ck_assert_int_eq(oe__utf8_append_lossy(&out, "a\xff", 2), 0);
	ck_assert_int_eq(oe__utf8_append_lossy(&out, "b", 1), OE_ERR_LIMIT);
}
END_TEST

START_TEST(test_lines)
{
	static const struct {
		const char *text, *pieces;
	} cases[] = {
		{ "", "" },
		{ "a", "[a]0" },
		{ "a\n", "[a]1" },
		{ "a\nb", "[a]1[b]0" },
		{ "\n\n", "[]1[]1" },
		{ "a\r\n\r\nb\r", "[a]2[]2[b\r]0" },
		{ "a\r\r\n", "[a\r]2" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer pieces = OE__BUFFER_INIT(0);
		const char *cursor = cases[i].text, *end = cursor + strlen(cursor);
		struct oe__line line;

		while (oe__line_next(&cursor, end, &line))
			oe__buffer_printf(&pieces, "[%.*s]%zu", (int)line.size, line.text, line.end_size);
		ck_assert_str_eq(oe__buffer_string(&pieces), cases[i].pieces);
		ck_assert(!oe__line_next(&cursor, end, &line));
	}
}
END_TEST

START_TEST(test_comparing)
{
	ck_assert(oe__has_prefix("abc", "ab") && oe__has_prefix("abc", "") && oe__has_prefix("", ""));
	ck_assert(!oe__has_prefix("abc", "abd") && !oe__has_prefix("a", "ab"));
	ck_assert(oe__has_suffix("abc", "bc") && oe__has_suffix("abc", "abc") && oe__has_suffix("a", ""));
	ck_assert(!oe__has_suffix("abc", "ab") && !oe__has_suffix("c", "bc"));
	ck_assert(oe__equal_nocase("Content-TYPE", "content-type") && oe__equal_nocase("", ""));
	ck_assert(!oe__equal_nocase("a", "ab") && !oe__equal_nocase("ab", "a"));
	ck_assert(!oe__equal_nocase("[", "{") && !oe__equal_nocase("@", "`")); /* beside the letters */
	ck_assert(!oe__equal_nocase("\xc3\x84", "\xc3\xa4"));
	for (int c = 0; c < 256; c++)
		ck_assert_int_eq(oe__is_space((char)c), c != 0 && strchr(" \t\n\v\f\r", c) != NULL);
}
END_TEST

START_TEST(test_find)
{
	const char text[] = "ab\0abc";

	ck_assert_ptr_eq(oe__find(text, 6, "abc", 3), text + 3);
	ck_assert_ptr_eq(oe__find(text, 6, "\0", 1), text + 2);
	ck_assert_ptr_eq(oe__find(text, 6, "", 0), text);
	ck_assert_ptr_eq(oe__find(text, 0, "", 0), text);
	ck_assert_ptr_null(oe__find(text, 5, "abc", 3));
	ck_assert_ptr_null(oe__find(text, 0, "a", 1));
}
END_TEST

/* Levenshtein's recursion as he wrote it. */
static size_t slow_distance(const char *a, const char *b)
{
	if (!*a || !*b)
		return strlen(a) + strlen(b);
	if (*a == *b)
		return slow_distance(a + 1, b + 1);
	size_t best = slow_distance(a + 1, b), other = slow_distance(a, b + 1);
	best = other < best ? other : best;
	other = slow_distance(a + 1, b + 1);
	return 1 + (other < best ? other : best);
}

START_TEST(test_name_distance)
{
	char a[130], b[8];
	struct oe__rng rng;

	ck_assert_uint_eq(oe__name_distance("temperature", "temprature"), 1);
	ck_assert_uint_eq(oe__name_distance("kitten", "sitting"), 3);
	ck_assert_uint_eq(oe__name_distance("", "abc"), 3);
	ck_assert_uint_eq(oe__name_distance("", ""), 0);
	oe__rng_init(&rng, 1, "distance", 0, 0);
	for (int round = 0; round < 2000; round++) {
		size_t a_size = oe__rng_below(&rng, 7), b_size = oe__rng_below(&rng, 7);
		for (size_t i = 0; i < 7; i++) {
			a[i] = (char)('a' + oe__rng_below(&rng, 3));
			b[i] = (char)('a' + oe__rng_below(&rng, 3));
		}
		a[a_size] = b[b_size] = '\0';
		ck_assert_uint_eq(oe__name_distance(a, b), slow_distance(a, b));
		ck_assert_uint_eq(oe__name_distance(b, a), oe__name_distance(a, b));
	}
	memset(a, 'x', sizeof(a));
	a[128] = '\0';
	ck_assert_uint_eq(oe__name_distance(a, ""), 128);
	ck_assert_uint_eq(oe__name_distance(a, a), 0);
	a[128] = 'x', a[129] = '\0';
	ck_assert_uint_eq(oe__name_distance(a, ""), SIZE_MAX);
	ck_assert_uint_eq(oe__name_distance("", a), SIZE_MAX);
}
END_TEST

/* Cut to any size, between code points; bytes that are none lose no more than a character would. */
START_TEST(test_beginning)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9d" "b";
	static const char bytes[] = "\x80\x81\x82\x83\x84\x85\x86\x87\x88";
	size_t size = sizeof(text) - 1;

	for (size_t max = 0; max <= size + 1; max++) {
		size_t found = oe__utf8_beginning(text, size, max), wanted = max < size ? max : size;
		while (!oe__utf8_valid(text, wanted))
			wanted--;
		ck_assert_uint_eq(found, wanted);
	}
	for (size_t max = 0; max < sizeof(bytes); max++) {
		size_t found = oe__utf8_beginning(bytes, sizeof(bytes) - 1, max);
		ck_assert(found <= max && max - found <= 3);
	}
}
END_TEST

TEST_MAIN("text", test_beginning, test_valid_by_the_standard, test_every_code_point, test_random_bytes,
		  test_lossy_respects_the_cap, test_lines, test_comparing, test_find, test_name_distance)
