/* The reader of lib/base/json.c: what it takes, what it refuses and where, trees and tokens. */

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nomem.h"

static int parse(const char *text, struct oe__value *out, oe_error *err)
{
	return oe__json_parse(text, strlen(text), out, err);
}

/* A tree in one line, the types to be seen. */
static void show(const struct oe__value *value, struct oe__buffer *out)
{
	switch (value->type) {
	case OE__VALUE_NULL:
		oe__buffer_text(out, "null");
		break;
	case OE__VALUE_BOOL:
		oe__buffer_text(out, value->boolean ? "true" : "false");
		break;
	case OE__VALUE_INT:
		oe__buffer_printf(out, "%lldi", (long long)value->integer);
		ck_assert_double_eq(value->real, (double)value->integer);
		break;
	case OE__VALUE_REAL:
		oe__buffer_printf(out, "%.17gr", value->real);
		break;
	case OE__VALUE_STRING:
		oe__buffer_char(out, '\'');
		for (size_t i = 0; i < value->size; i++)
			if (value->string[i])
				oe__buffer_char(out, value->string[i]);
			else
				oe__buffer_text(out, "<nul>");
		oe__buffer_char(out, '\'');
		break;
	default:
		oe__buffer_char(out, value->type == OE__VALUE_LIST ? '[' : '{');
		for (size_t i = 0; i < value->size; i++) {
			if (value->type == OE__VALUE_MAP) {
				show(&value->keys[i], out);
				oe__buffer_char(out, ':');
			}
			show(&value->items[i], out);
			oe__buffer_char(out, ';');
		}
		oe__buffer_char(out, value->type == OE__VALUE_LIST ? ']' : '}');
		break;
	}
}

START_TEST(test_documents)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "null", "null" },
		{ " \t\r\n true ", "true" },
		{ "\xef\xbb\xbf" "false", "false" },
		{ "[]", "[]" },
		{ "{ }", "{}" },
		{ "[1, -2.5 ,\"x\"]", "[1i;-2.5r;'x';]" },
		{ "{\"a\":{\"b\":[{}]},\"c\":null}", "{'a':{'b':[{};];};'c':null;}" },
		/* numbers */
		{ "-0", "0i" },
		{ "0.0", "0r" },
		{ "1E3", "1000r" },
		{ "1e+2", "100r" },
		{ "9223372036854775807", "9223372036854775807i" },
		{ "-9223372036854775808", "-9223372036854775808i" },
		{ "9223372036854775808", "9.2233720368547758e+18r" },
		{ "-123456789012345678901234567890", "-1.2345678901234568e+29r" },
		{ "1e999", "infr" },
		/* what Python writes although JSON has no word for it */
		{ "[NaN,Infinity,-Infinity]", "[nanr;infr;-infr;]" },
		/* strings */
		{ "\"\"", "''" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "'\"\\/\b\f\n\r\t'" },
		{ "\"\\u0041\\u00e9\\u65e5\"", "'A\xc3\xa9\xe6\x97\xa5'" },
		{ "\"\\uD83D\\uDE80\"", "'\xf0\x9f\x9a\x80'" },
		{ "\"a\\u0000b\"", "'a<nul>b'" },
		{ "\"\x7f\"", "'\x7f'" },
		/* lone surrogates, in every order */
		{ "\"\\ud83d\"", "'\xef\xbf\xbd'" },
		{ "\"\\ude80\\ud83d\"", "'\xef\xbf\xbd\xef\xbf\xbd'" },
		{ "\"\\ud83d\\ud83d\\ude80\"", "'\xef\xbf\xbd\xf0\x9f\x9a\x80'" },
		{ "\"\\ud83dx\\ude80\"", "'\xef\xbf\xbdx\xef\xbf\xbd'" },
		{ "\"\\ud83d\\n\"", "'\xef\xbf\xbd\n'" },
		/* bytes that are no UTF-8 */
		{ "\"a\xff\xc3\"", "'a\xef\xbf\xbd\xef\xbf\xbd'" },
		{ "\"\xed\xa0\xbd\"", "'\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd'" },
		/* the last value of a repeated key wins, at the place of the first */
		{ "{\"a\":1,\"b\":2,\"\\u0061\":[3]}", "{'a':[3i;];'b':2i;}" },
		{ "{\"\":1,\"\":2}", "{'':2i;}" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(value) struct oe__value value = { 0 };
		OE__AUTO(buffer) struct oe__buffer shown = OE__BUFFER_INIT(0);
		oe_error err = { .message = "" };

		ck_assert_msg(parse(cases[i].text, &value, &err) == 0, "%s: %s", cases[i].text, err.message);
		show(&value, &shown);
		ck_assert_str_eq(oe__buffer_string(&shown), cases[i].shown);
	}
}
END_TEST

START_TEST(test_malformed)
{
	static const struct {
		const char *text;
		int line, column;
		const char *message;
	} cases[] = {
		{ "", 1, 1, "unexpected end" },
		{ "  ", 1, 3, "unexpected end" },
		{ "[1,\n 2", 2, 3, "unexpected end" },
		{ "{\"a\":", 1, 6, "unexpected end" },
		{ "[1 2]", 1, 4, "expected ',' or the end" },
		{ "[1}", 1, 3, "expected ',' or the end" },
		{ "{\"a\":1]", 1, 7, "expected ',' or the end" },
		{ "{\"a\":1,}", 1, 8, "expected a key" },
		{ "{a:1}", 1, 2, "expected a key" },
		{ "{\"a\" 1}", 1, 6, "expected ':'" },
		{ "[1,]", 1, 4, "malformed number" },
		{ "1 2", 1, 3, "unexpected text after the document" },
		{ "01", 1, 2, "unexpected text after the document" },
		{ "nullx", 1, 5, "unexpected text after the document" },
		{ "tru", 1, 1, "unknown word" },
		{ "None", 1, 1, "unknown word" },
		{ "-", 1, 1, "malformed number" },
		{ "+1", 1, 1, "malformed number" },
		{ "1.", 1, 1, "malformed number" },
		{ ".5", 1, 1, "malformed number" },
		{ "1e", 1, 1, "malformed number" },
		{ "1e+", 1, 1, "malformed number" },
		{ "-NaN", 1, 1, "malformed number" },
		{ "'a'", 1, 1, "malformed number" },
		{ "\"a", 1, 2, "unterminated string, or a control character in it" },
		{ "\"a\\", 1, 2, "unterminated string, or a control character in it" },
		{ "\"a\n\"", 1, 2, "unterminated string, or a control character in it" },
		{ "{\"a\\\":1}", 1, 3, "unterminated string, or a control character in it" },
		{ "\"\\x\"", 1, 5, "malformed escape" },
		{ "\"\\u12g4\"", 1, 9, "malformed escape" },
		{ "\"\\u12\"", 1, 7, "malformed escape" },
		{ "{\"\\x\":1}", 1, 7, "malformed escape" },
		{ "\xef\xbb\xbf[\xc3\xb6", 1, 2, "malformed number" },
		{ "\"\xc3\xb6\" x", 1, 5, "unexpected text after the document" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(value) struct oe__value value = { 0 };
		OE__AUTO(buffer) struct oe__buffer wanted = OE__BUFFER_INIT(0);
		oe_error err = { .message = "" };

		ck_assert_msg(parse(cases[i].text, &value, &err) == OE_ERR_FORMAT, "%s", cases[i].text);
		oe__buffer_printf(&wanted, "not JSON: %s", cases[i].message);
		ck_assert_str_eq(err.message, wanted.data);
		ck_assert_msg(err.line == cases[i].line && err.column == cases[i].column, "%s: %d:%d",
					  cases[i].text, err.line, err.column);
		ck_assert_int_eq(value.type, OE__VALUE_NULL); /* written only on success */
	}
}
END_TEST

/* Every beginning of a document is either malformed or a document of its own. */
START_TEST(test_every_prefix)
{
	static const char text[] = "{\"a\":[1.5e3,-Infinity,\"\\u00e9\\ud83d\\ude80\"],\"b\":{\"c\":true}}";

	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		OE__AUTO(string) char *piece = oe__strndup(text, size); /* so that a sanitizer sees the end */
		OE__AUTO(value) struct oe__value value = { 0 };
		ck_assert_int_eq(oe__json_parse(piece, size, &value, NULL), OE_ERR_FORMAT);
	}
	OE__AUTO(value) struct oe__value value = { 0 };
	ck_assert_int_eq(oe__json_parse(text, sizeof(text) - 1, &value, NULL), 0);
	ck_assert_int_eq(oe__json_parse(NULL, 0, &value, NULL), OE_ERR_FORMAT);
	ck_assert_int_eq(oe__json_parse("1\0", 2, &(struct oe__value){ 0 }, NULL), OE_ERR_FORMAT);
}
END_TEST

static int parse_nested(size_t depth, const char *open, const char *middle, const char *close,
						oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };

	for (size_t i = 0; i < depth; i++)
		oe__buffer_text(&text, open);
	oe__buffer_text(&text, middle);
	for (size_t i = 0; i < depth; i++)
		oe__buffer_text(&text, close);
	return oe__json_parse(text.data, text.size, &value, err);
}

START_TEST(test_depth)
{
	oe_error err;

	ck_assert_int_eq(parse_nested(OE__JSON_DEPTH_MAX, "[", "", "]", &err), 0);
	ck_assert_int_eq(parse_nested(OE__JSON_DEPTH_MAX, "{\"a\":", "1", "}", &err), 0);
	ck_assert_int_eq(parse_nested(OE__JSON_DEPTH_MAX / 2, "[{\"a\":", "1", "}]", &err), 0);
	ck_assert_int_eq(parse_nested(OE__JSON_DEPTH_MAX + 1, "[", "", "]", &err), OE_ERR_FORMAT);
	ck_assert_str_eq(err.message, "not JSON: nested too deeply");
	ck_assert_int_eq(err.column, OE__JSON_DEPTH_MAX + 1);
	ck_assert_int_eq(parse_nested(1000000, "[", "", "", &err), OE_ERR_FORMAT);
	ck_assert_int_eq(parse_nested(1000000, "{\"a\":", "", "", &err), OE_ERR_FORMAT);
}
END_TEST

/* The kind of bracket is remembered at every level, whatever was open there before. */
START_TEST(test_brackets_match_at_every_level)
{
	for (int level = 1; level < 40; level++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		OE__AUTO(value) struct oe__value value = { 0 };

		for (int i = 0; i < level; i++)
			oe__buffer_text(&text, "[");
		oe__buffer_text(&text, "{\"a\":[]},[{}]");
		for (int i = 0; i < level; i++)
			oe__buffer_text(&text, i == level / 2 ? "}" : "]");
		ck_assert_int_eq(oe__json_parse(text.data, text.size, &value, NULL), OE_ERR_FORMAT);
		text.data[text.size - (size_t)(level - level / 2)] = ']';
		ck_assert_int_eq(oe__json_parse(text.data, text.size, &value, NULL), 0);
	}
}
END_TEST

START_TEST(test_tokens)
{
	static const char text[] = "{\"a\":[1,2.5],\"b\":{\"x\":[{}]},\"c\":\"s\"} ";
	struct oe__json_reader reader;

	oe__json_reader_init(&reader, text, strlen(text));
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_MAP);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_KEY);
	ck_assert(oe__json_is(&reader, "a"));
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_LIST);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_INT);
	ck_assert_int_eq(reader.integer, 1);
	ck_assert_double_eq(reader.real, 1);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_REAL);
	ck_assert_int_eq(oe__json_skip(&reader, OE__JSON_REAL), 0); /* of a scalar: nothing */
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_LIST_END);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_KEY);
	ck_assert_int_eq(oe__json_skip(&reader, oe__json_next(&reader)), 0);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_KEY);
	ck_assert(oe__json_is(&reader, "c"));
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_STRING);
	ck_assert(oe__json_is(&reader, "s"));
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_MAP_END);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_END);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_END);
}
END_TEST

START_TEST(test_errors_stay)
{
	struct oe__json_reader reader;

	oe__json_reader_init(&reader, "[1,x] 2", 7);
	ck_assert_int_eq(oe__json_next(&reader), OE__JSON_LIST);
	ck_assert_int_eq(oe__json_skip(&reader, OE__JSON_LIST), OE_ERR_FORMAT);
	ck_assert_str_eq(reader.error, "malformed number");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(oe__json_next(&reader), OE__JSON_ERROR);
	ck_assert_int_eq(oe__json_skip(&reader, OE__JSON_ERROR), OE_ERR_FORMAT);
}
END_TEST

START_TEST(test_is)
{
	static const struct {
		const char *json, *equal, *other;
	} cases[] = {
		{ "\"abc\"", "abc", "abd" },
		{ "\"abc\"", "abc", "ab" },
		{ "\"abc\"", "abc", "abcd" },
		{ "\"\"", "", "a" },
		{ "\"\\u0061\\n\"", "a\n", "a" },
		{ "\"\\u0061\\n\"", "a\n", "a\nb" },
		{ "\"gr\xc3\xb6\\u00df" "e\"", "größe", "groß" },
		{ "\"\\ud83d\"", "\xef\xbf\xbd", "\\ud83d" },
		{ "\"\xff\"", "\xef\xbf\xbd", "\xff" },
		{ "\"a\\u0000b\"", NULL, "a" },
		{ "\"\\q\"", NULL, "q" },
	};

	nomem_arm(1, true); /* comparing takes no memory */
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		struct oe__json_reader reader;
		oe__json_reader_init(&reader, cases[i].json, strlen(cases[i].json));
		ck_assert_int_eq(oe__json_next(&reader), OE__JSON_STRING);
		ck_assert(!oe__json_is(&reader, cases[i].other));
		if (cases[i].equal)
			ck_assert(oe__json_is(&reader, cases[i].equal));
	}
	nomem_arm(0, false);
}
END_TEST

/* Many keys cost no search through all of them. */
START_TEST(test_large_maps)
{
	enum { KEYS = 100000 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };

	for (int i = 0; i < 2 * KEYS; i++) /* each twice */
		oe__buffer_printf(&text, "%s\"key %d\":%d", i > 0 ? "," : "{", i % KEYS, i);
	oe__buffer_char(&text, '}');
	ck_assert_int_eq(oe__json_parse(text.data, text.size, &value, NULL), 0);
	ck_assert_uint_eq(value.size, KEYS);
	for (size_t i = 0; i < KEYS; i++)
		ck_assert_int_eq(value.items[i].integer, (int64_t)i + KEYS);
}
END_TEST

NOMEM_MAIN("json", test_documents, test_malformed, test_every_prefix, test_depth,
		   test_brackets_match_at_every_level, test_tokens, test_errors_stay, test_is,
		   test_large_maps)
