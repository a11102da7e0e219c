/* YAML beyond what recorded vectors say: places, limits, what libyaml and PyYAML read differently.
 */

#include <stdio.h>

#include "../../test.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "config/yaml.h"

static struct oe__value load(const char *text)
{
	struct oe__value value = { 0 };
	oe_error err = { 0 };

	ck_assert_msg(oe__yaml_load(text, strlen(text), "t", &value, &err) == 0, "%d:%d: %s", err.line,
				  err.column, err.message);
	return value;
}

static void expect_error(const char *text, int status, int line, int column)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err = { 0 };

	ck_assert_int_eq(oe__yaml_load(text, strlen(text), "t", &value, &err), status);
	ck_assert_msg(err.line == line && err.column == column, "%d:%d: %s", err.line, err.column,
				  err.message);
	ck_assert_str_eq(err.where, "t");
	ck_assert_int_eq(value.type, OE__VALUE_NULL);
}

static const struct oe__value *item(const struct oe__value *map, const char *key)
{
	const struct oe__value *value = oe__value_get(map, key);
	ck_assert_msg(value != NULL, "no '%s'", key);
	return value;
}

START_TEST(test_places)
{
	OE__AUTO(value) struct oe__value tree = load("a: 1\nb:\n  - x\n  - {c: [y]}\n\n# d\né: é\n");
	const struct oe__value *list = item(&tree, "b");

	ck_assert_int_eq(tree.line * 100 + tree.column, 101);
	ck_assert_int_eq(item(&tree, "a")->column, 4);
	ck_assert_int_eq(list->line * 100 + list->column, 303);
	ck_assert_int_eq(list->items[1].keys[0].line * 100 + list->items[1].keys[0].column, 406);
	ck_assert_int_eq(list->items[1].items[0].items[0].column, 10);
	ck_assert_int_eq(item(&tree, "é")->line * 100 + item(&tree, "é")->column, 704);
}
END_TEST

START_TEST(test_places_behind_surrogates)
{
	OE__AUTO(value)
	struct oe__value tree =
		load("[\"\\ud83d\\ude80 \\uD83D\\uDE80\", b, \"\\ud83dx\",\n \"\\ud83d\\ude80\", c]");

	ck_assert_str_eq(tree.items[0].string, "🚀 🚀");
	ck_assert_int_eq(tree.items[1].column, 31);
	ck_assert_str_eq(tree.items[2].string, "\xef\xbf\xbdx");
	ck_assert_int_eq(tree.items[2].column, 34);
	ck_assert_int_eq(tree.items[4].line * 100 + tree.items[4].column, 218);
	expect_error("{\"a\": \"\\ud83d\\ude80\", b: !x 1}", OE_ERR_CONFIG, 1, 26);
}
END_TEST

START_TEST(test_what_only_pyyaml_reads)
{
	OE__AUTO(value)
	struct oe__value tree =
		load("%FUTURE 1\n---\nm: {a:, b: [x:], c:}\nt: |\n  \ttab\n  more\nk: 'a\xef\xbb\xbf"
			 "b'\n");

	ck_assert_int_eq(item(item(&tree, "m"), "c")->type, OE__VALUE_NULL);
	ck_assert_int_eq(item(item(&tree, "m"), "b")->items[0].type, OE__VALUE_MAP);
	ck_assert_str_eq(item(&tree, "t")->string, "\ttab\nmore\n");
	ck_assert_str_eq(item(&tree, "k")->string, "a\xef\xbb\xbf"
											   "b");
}
END_TEST

START_TEST(test_tabs)
{
	OE__AUTO(value)
	struct oe__value tree =
		load("a: 'x\ty' #\tc\nb: \"x\ty\"\nc: |\n  x\ty\n\n  \tz\n# \t\nd: >\n  x\ty\n");

	ck_assert_str_eq(item(&tree, "a")->string, "x\ty");
	ck_assert_str_eq(item(&tree, "c")->string, "x\ty\n\n\tz\n");
	expect_error("a: 'x\ty'\t\n", OE_ERR_CONFIG, 1, 9);
	expect_error("a: b\tc\n", OE_ERR_CONFIG, 1, 5);
	expect_error("é: 'é\t'\nb:\t1\n", OE_ERR_CONFIG, 2, 3);
	expect_error("a: |\t\n  x\n", OE_ERR_CONFIG, 1, 5);
	expect_error("a: |\n\tx\n", OE_ERR_CONFIG, 2, 1);
}
END_TEST

START_TEST(test_characters)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err;

	expect_error("a: 1\nb: \x01\n", OE_ERR_CONFIG, 2, 4);
	expect_error("a: 1\nb: é\xff\n", OE_ERR_CONFIG, 2, 5);
	expect_error("a: \xef\xbb", OE_ERR_CONFIG, 1, 4);
	expect_error("a: \xed\xa0\x80", OE_ERR_CONFIG, 1, 4);
	ck_assert_int_eq(oe__yaml_load("a: \0", 4, "t", &value, &err), OE_ERR_CONFIG);
	ck_assert_int_eq(err.column, 4);
}
END_TEST

START_TEST(test_bigger_than_64_bits)
{
	OE__AUTO(value)
	struct oe__value tree =
		load("[0xFFFFFFFFFFFFFFFFFFFF, -9223372036854775808, -9223372036854775809,\n"
			 " 9223372036854775807, 1_000_000_000_000_000_000_000, 1000000000000000000000:00]");

	ck_assert_str_eq(tree.items[0].string, "1208925819614629174706175");
	ck_assert_str_eq(tree.items[0].tag, "bigint");
	ck_assert_double_eq(tree.items[0].real, 1208925819614629174706175.0);
	ck_assert_int_eq(tree.items[1].type, OE__VALUE_INT);
	ck_assert_int_eq(tree.items[1].integer, INT64_MIN);
	ck_assert_str_eq(tree.items[2].string, "-9223372036854775809");
	ck_assert_int_eq(tree.items[3].integer, INT64_MAX);
	ck_assert_str_eq(tree.items[4].string, "1000000000000000000000");
	ck_assert_str_eq(tree.items[5].string, "60000000000000000000000");
}
END_TEST

START_TEST(test_integers_have_an_end)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err;

	for (int i = 0; i < 5000; i++)
		oe__buffer_char(&text, '9');
	ck_assert_int_eq(oe__yaml_load(text.data, text.size, "t", &value, &err), OE_ERR_CONFIG);
	ck_assert_int_eq(err.line, 1);
}
END_TEST

START_TEST(test_binary)
{
	OE__AUTO(value) struct oe__value tree = load("[!!binary 'AP 9\n B', !!binary '']");

	ck_assert_str_eq(tree.items[0].tag, "binary");
	ck_assert_uint_eq(tree.items[0].size, 3);
	ck_assert_mem_eq(tree.items[0].string, "\x00\xff\x41", 3);
	ck_assert_uint_eq(tree.items[1].size, 0);
	expect_error("a: !!binary AB", OE_ERR_CONFIG, 1, 4);
}
END_TEST

START_TEST(test_aliases_are_copies)
{
	OE__AUTO(value) struct oe__value tree = load("a: &x {n: [1]}\nb: *x\nc: {<<: *x, m: 2}\n");

	ck_assert_ptr_ne(item(&tree, "a")->items, item(&tree, "b")->items);
	ck_assert_int_eq(item(item(&tree, "b"), "n")->items[0].integer, 1);
	ck_assert_uint_eq(item(&tree, "c")->size, 2);
	expect_error("a: &x [*x]", OE_ERR_CONFIG, 1, 8);
	expect_error("a: &x {<<: *x}", OE_ERR_CONFIG, 1, 12);
}
END_TEST

/* Nine anchors, each nine times the one before: a billion values that must not be made. */
START_TEST(test_alias_bomb)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err;

	oe__buffer_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		oe__buffer_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 9; k++)
			oe__buffer_printf(&text, "%s*a%d", k ? ", " : "", i - 1);
		oe__buffer_text(&text, "]\n");
	}
	ck_assert_int_eq(oe__yaml_load(text.data, text.size, "t", &value, &err), OE_ERR_LIMIT);
	ck_assert_int_gt(err.line, 4);
}
END_TEST

START_TEST(test_depth)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err;

	for (int i = 0; i < 900; i++)
		oe__buffer_char(&text, '[');
	for (int i = 0; i < 900; i++)
		oe__buffer_char(&text, ']');
	ck_assert_int_eq(oe__yaml_load(text.data, text.size, "t", &value, &err), 0);
	oe__value_done(&value);
	oe__buffer_clear(&text);
	for (int i = 0; i < 1100; i++)
		oe__buffer_text(&text, "- ");
	int status = oe__yaml_load(text.data, text.size, "t", &value, &err);
	ck_assert(status == OE_ERR_LIMIT || status == OE_ERR_CONFIG);
	ck_assert_int_eq(err.line, 1);
}
END_TEST

START_TEST(test_size)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_error err;

	for (size_t i = 0; i <= OE__CONFIG_MAX; i++)
		oe__buffer_char(&text, '#');
	ck_assert_int_eq(oe__yaml_load(text.data, text.size, "t", &value, &err), OE_ERR_LIMIT);
	ck_assert_int_eq(oe__yaml_load(text.data, text.size - 1, "t", &value, &err), 0);
	ck_assert_int_eq(value.type, OE__VALUE_NULL);
}
END_TEST

/* Syntax goes before meaning, as it does where composing comes first. */
START_TEST(test_order_of_errors)
{
	expect_error("a: !!int x\nb: [\n", OE_ERR_CONFIG, 3, 1);
	expect_error("a: !!int x\nb: !y z\n", OE_ERR_CONFIG, 1, 4);
	expect_error("a: !!int x\n---\nb\n", OE_ERR_CONFIG, 2, 1);
}
END_TEST

TEST_MAIN("yaml", test_places, test_places_behind_surrogates, test_what_only_pyyaml_reads,
		  test_tabs, test_characters, test_bigger_than_64_bits, test_integers_have_an_end,
		  test_binary, test_aliases_are_copies, test_alias_bomb, test_depth, test_size,
		  test_order_of_errors)
