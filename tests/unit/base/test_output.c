/* lib/base/output.c: the beginning and the end of what was printed, and how much is missing. */

#include "base/output.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "base/text.h"
#include "nomem.h"

START_TEST(test_nothing_is_missing)
{
	OE__AUTO(output) struct oe__output output = { 0 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__output_init(&output, 11), 0);
	ck_assert_int_eq(oe__output_text(&output, &text), 0);
	ck_assert_str_eq(oe__buffer_string(&text), "");
	oe__output_add(&output, "hello ", 6);
	oe__output_add(&output, "", 0);
	oe__output_add(&output, "world", 5);
	ck_assert_int_eq(oe__output_text(&output, &text), 0);
	ck_assert_str_eq(text.data, "hello world");
}
END_TEST

START_TEST(test_caps)
{
	static const char *const kept[] = { "\n... (6 bytes left out) ...\n",
										"a\n... (5 bytes left out) ...\n",
										"a\n... (4 bytes left out) ...\nf",
										"ab\n... (3 bytes left out) ...\nf" };

	for (size_t max = 0; max < OE__COUNT(kept); max++) {
		OE__AUTO(output) struct oe__output output = { 0 };
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		ck_assert_int_eq(oe__output_init(&output, max), 0);
		oe__output_add(&output, "abcdef", 6);
		ck_assert_int_eq(oe__output_text(&output, &text), 0);
		ck_assert_str_eq(text.data, kept[max]);
	}
}
END_TEST

/* In whatever pieces it comes: the same as cutting the whole. */
START_TEST(test_random_pieces)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "output", 0, 0);
	for (int round = 0; round < 3000; round++) {
		OE__AUTO(output) struct oe__output output = { 0 };
		OE__AUTO(buffer) struct oe__buffer all = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer wanted = OE__BUFFER_INIT(0);
		size_t max = oe__rng_below(&rng, 60), head = max - max / 2, tail = max / 2;

		ck_assert_int_eq(oe__output_init(&output, max), 0);
		for (uint64_t pieces = oe__rng_below(&rng, 8); pieces > 0; pieces--) {
			char piece[80];
			size_t size = oe__rng_below(&rng, sizeof(piece));
			for (size_t i = 0; i < size; i++)
				piece[i] = (char)('a' + oe__rng_below(&rng, 26));
			oe__buffer_append(&all, piece, size);
			oe__output_add(&output, piece, size);
		}
		const char *data = oe__buffer_string(&all);
		if (all.size <= max) {
			oe__buffer_append(&wanted, data, all.size);
		} else {
			oe__buffer_append(&wanted, data, head);
			oe__buffer_printf(&wanted, "\n... (%zu bytes left out) ...\n", all.size - max);
			oe__buffer_append(&wanted, data + all.size - tail, tail);
		}
		ck_assert_int_eq(oe__output_text(&output, &text), 0);
		ck_assert_str_eq(oe__buffer_string(&text), oe__buffer_string(&wanted));
		ck_assert_uint_eq(output.total, all.size);
	}
}
END_TEST

/* Bytes that are no text, and characters that the cut went through. */
START_TEST(test_always_text)
{
	OE__AUTO(output) struct oe__output output = { 0 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__output_init(&output, 15), 0);
	for (int i = 0; i < 100; i++)
		oe__output_add(&output, "\xe6\x97\xa5\xff\0", 5);
	ck_assert_int_eq(oe__output_text(&output, &text), 0);
	ck_assert(oe__utf8_valid(text.data, text.size));
	ck_assert_ptr_nonnull(oe__find(text.data, text.size, "(485 bytes left out)", 20));
}
END_TEST

/* Without memory less is kept, and what is missing is still counted right. */
START_TEST(test_no_memory)
{
	OE__AUTO(output) struct oe__output output = { 0 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	nomem_arm(1, false);
	ck_assert_int_eq(oe__output_init(&output, 10), OE_ERR_NOMEM);
	nomem_arm(0, false);
	ck_assert_int_eq(oe__output_init(&output, 10), 0);
	nomem_arm(1, true);
	oe__output_add(&output, "abcdefghijkl", 12);
	nomem_arm(0, false);
	ck_assert_int_eq(oe__output_text(&output, &text), 0);
	ck_assert_str_eq(text.data, "\n... (7 bytes left out) ...\nhijkl");
}
END_TEST

NOMEM_MAIN("output", test_nothing_is_missing, test_caps, test_random_pieces, test_always_text,
		   test_no_memory)
