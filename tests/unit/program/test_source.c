/* lib/program/source.c and base64.c */

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "program/base64.h"
#include "program/source.h"
#include "test.h"

static struct oe__source *source(const char *text)
{
	struct oe__source *made = NULL;

	ck_assert_int_eq(oe__source_new(text, strlen(text), &made), 0);
	return made;
}

START_TEST(test_derived)
{
	OE__AUTO(source) struct oe__source *plain = source("a = 1\nb = a\n");
	ck_assert_uint_eq(plain->size, 12);
	ck_assert_uint_eq(plain->length, 12);
	ck_assert_uint_eq(plain->newlines, 2);
	ck_assert_uint_eq(plain->other_count, 0);

	OE__AUTO(source) struct oe__source *wide = source("\xc3\xa9\xf0\x9f\xa7\xac\xc3\xa9x");
	ck_assert_uint_eq(wide->length, 4);
	ck_assert_uint_eq(wide->other_count, 2);
	ck_assert_uint_eq(wide->others[0], 0xe9);
	ck_assert_uint_eq(wide->others[1], 0x1f9ec);
}
END_TEST

START_TEST(test_content_hash)
{
	OE__AUTO(source) struct oe__source *empty = source("");
	OE__AUTO(source) struct oe__source *abc = source("abc");

	ck_assert_str_eq(empty->hash_hex,
					 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	ck_assert_str_eq(abc->hash_hex,
					 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(test_copy)
{
	OE__AUTO(source) struct oe__source *wide = source("\xc3\xa9 = '\xf0\x9f\xa7\xac'\n");
	struct oe__source *copy = NULL;

	ck_assert_int_eq(oe__source_copy(wide, &copy), 0);
	ck_assert_ptr_ne(copy, wide);
	ck_assert_ptr_ne(copy->others, wide->others);
	ck_assert_uint_eq(copy->length, wide->length);
	ck_assert_uint_eq(copy->newlines, 1);
	ck_assert_str_eq(copy->hash_hex, wide->hash_hex);
	ck_assert_str_eq(copy->text, wide->text);
	ck_assert_double_eq(oe__source_distance(copy, wide), 0);
	oe__source_unref(copy);
	ck_assert_uint_eq(wide->other_count, 2);
}
END_TEST

START_TEST(test_refused)
{
	struct oe__source *made = NULL;

	ck_assert_int_eq(oe__source_new("\xff", 1, &made), OE_ERR_INVALID);
	ck_assert_int_eq(oe__source_new("\xed\xa0\x80", 3, &made), OE_ERR_INVALID);
	ck_assert_int_eq(oe__source_new("", OE__CODE_MAX + 1, &made), OE_ERR_LIMIT);
	ck_assert_ptr_null(made);
}
END_TEST

START_TEST(test_distance)
{
	OE__AUTO(source) struct oe__source *empty = source("");
	OE__AUTO(source) struct oe__source *line = source("a = 1\n");
	OE__AUTO(source) struct oe__source *same = source("a = 1\n");
	OE__AUTO(source) struct oe__source *helix = source("\xf0\x9f\xa7\xac\xf0\x9f\xa7\xac\n");

	ck_assert_double_eq(oe__source_distance(line, same), 0);
	/* 6 characters, 1 line, 5 distinct characters */
	ck_assert_double_eq(oe__source_distance(empty, line), 0.6000000000000001 + 10 + 2.5);
	ck_assert_double_eq(oe__source_distance(line, empty), oe__source_distance(empty, line));
	ck_assert_double_eq(oe__source_distance(empty, helix), 0.30000000000000004 + 10 + 1);
}
END_TEST

START_TEST(test_base64)
{
	static const struct {
		const char *plain, *text;
	} cases[] = { { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
				  { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xfe\xfd", "//79" } };

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), plain = OE__BUFFER_INIT(0);

		ck_assert_int_eq(oe__base64_append(&text, cases[i].plain, strlen(cases[i].plain)), 0);
		ck_assert_str_eq(oe__buffer_string(&text), cases[i].text);
		ck_assert_int_eq(oe__base64_decode(&plain, cases[i].text, strlen(cases[i].text)), 0);
		ck_assert_str_eq(oe__buffer_string(&plain), cases[i].plain);
	}
	OE__AUTO(buffer) struct oe__buffer none = OE__BUFFER_INIT(0);
	ck_assert_int_eq(oe__base64_decode(&none, "Zg=", 3), OE_ERR_FORMAT);
	ck_assert_int_eq(oe__base64_decode(&none, "Z===", 4), OE_ERR_FORMAT);
	ck_assert_int_eq(oe__base64_decode(&none, "Zg==Zg==", 8), OE_ERR_FORMAT);
	ck_assert_int_eq(oe__base64_decode(&none, "Z.==", 4), OE_ERR_FORMAT);
}
END_TEST

TEST_MAIN("source", test_derived, test_content_hash, test_copy, test_refused, test_distance, test_base64)
