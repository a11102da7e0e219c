/* lib/base/json_write.c: what it writes, and that the reader makes of it what was written. */

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"
#include "test.h"

static void write_sample(struct oe__json_writer *writer)
{
	oe__json_map(writer);
	oe__json_key(writer, "a");
	oe__json_list(writer);
	oe__json_int(writer, INT64_MIN);
	oe__json_real(writer, 2);
	oe__json_null(writer);
	oe__json_list_end(writer);
	oe__json_key(writer, "empty");
	oe__json_list(writer);
	oe__json_list_end(writer);
	oe__json_key(writer, "none");
	oe__json_map(writer);
	oe__json_map_end(writer);
	oe__json_key_sized(writer, "k\0y", 3);
	oe__json_bool(writer, true);
	oe__json_key(writer, "raw");
	oe__json_raw(writer, "[1]", 3);
	oe__json_key(writer, "text");
	oe__json_string(writer, NULL);
	oe__json_map_end(writer);
}

START_TEST(test_one_line)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &out };

	write_sample(&writer);
	ck_assert_str_eq(out.data, "{\"a\": [-9223372036854775808, 2.0, null], \"empty\": [], \"none\": {},"
							   " \"k\\u0000y\": true, \"raw\": [1], \"text\": null}");
}
END_TEST

START_TEST(test_indented)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &out, .indent = 2 };

	write_sample(&writer);
	ck_assert_str_eq(out.data, "{\n"
							   "  \"a\": [\n"
							   "    -9223372036854775808,\n"
							   "    2.0,\n"
							   "    null\n"
							   "  ],\n"
							   "  \"empty\": [],\n"
							   "  \"none\": {},\n"
							   "  \"k\\u0000y\": true,\n"
							   "  \"raw\": [1],\n"
							   "  \"text\": null\n"
							   "}");
}
END_TEST

START_TEST(test_not_finite)
{
	static const double values[] = { (double)NAN, (double)INFINITY, -(double)INFINITY };
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__json_writer strict = { .out = &out }, python = { .out = &out, .python = true };

	oe__json_list(&strict);
	for (size_t i = 0; i < OE__COUNT(values); i++)
		oe__json_real(&strict, values[i]);
	oe__json_list_end(&strict);
	oe__json_list(&python);
	for (size_t i = 0; i < OE__COUNT(values); i++)
		oe__json_real(&python, values[i]);
	oe__json_list_end(&python);
	ck_assert_str_eq(out.data, "[null, null, null][NaN, Infinity, -Infinity]");
}
END_TEST

START_TEST(test_escapes)
{
	static const struct {
		const char *text;
		size_t size;
		const char *escaped;
	} cases[] = {
		{ "", 0, "" },
		{ "plain", 5, "plain" },
		{ "\"\\/\b\f\n\r\t", 8, "\\\"\\\\/\\b\\f\\n\\r\\t" },
		{ "\0\x01\x1f\x7f", 4, "\\u0000\\u0001\\u001f\x7f" },
		{ "gr\xc3\xb6\xf0\x9f\x9a\x80", 8, "gr\xc3\xb6\xf0\x9f\x9a\x80" },
		{ "a\xff" "b\xc3", 4, "a\xef\xbf\xbd" "b\xef\xbf\xbd" },
		{ "\xed\xa0\x80", 3, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		ck_assert_int_eq(oe__json_escape(&out, cases[i].text, cases[i].size), 0);
		ck_assert_str_eq(oe__buffer_string(&out), cases[i].escaped);
	}
}
END_TEST

/* A byte of each kind at each place of a run, on each alignment: the wide loop sees every one. */
START_TEST(test_escapes_at_every_place)
{
	static const char kinds[] = { 'x', '"', '\\', '\n', 0x1f, 0, 0x7f, (char)0xff };
	char text[64];

	for (size_t kind = 0; kind < sizeof(kinds); kind++)
		for (size_t size = 1; size < 40; size++)
			for (size_t at = 0; at < size; at++) {
				OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
				OE__AUTO(buffer) struct oe__buffer one = OE__BUFFER_INIT(0);
				size_t shift = (size + at) % 16;

				memset(text, 'a', sizeof(text));
				text[shift + at] = kinds[kind];
				ck_assert_int_eq(oe__json_escape(&one, &kinds[kind], 1), 0);
				ck_assert_int_eq(oe__json_escape(&out, text + shift, size), 0);
				ck_assert_uint_eq(out.size, size - 1 + one.size);
				ck_assert_mem_eq(out.data + at, one.data, one.size);
			}
}
END_TEST

/* What fits under the cap is written, to the last byte; what does not is a failure that sticks. */
START_TEST(test_cap)
{
	char text[1000];

	memset(text, 'a', sizeof(text));
	text[500] = '\n';
	for (size_t max = 1; max <= 1100; max += max < 980 ? 49 : 1) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(max);
		ck_assert_int_eq(oe__json_escape(&out, text, sizeof(text)),
						 max >= sizeof(text) + 1 ? 0 : OE_ERR_LIMIT);
		ck_assert_uint_le(out.size, max);
	}
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(10);
	struct oe__json_writer writer = { .out = &out };
	write_sample(&writer);
	ck_assert_int_eq(out.status, OE_ERR_LIMIT);
	ck_assert_uint_le(out.size, 10);
}
END_TEST

/* ---- random trees ---- */

static void random_string(struct oe__rng *rng, struct oe__value *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	size_t count = oe__rng_below(rng, 12);

	for (size_t i = 0; i < count; i++) {
		char bytes[4];
		uint32_t code = (uint32_t)(oe__rng_below(rng, 0x110000) >> oe__rng_below(rng, 21));
		oe__buffer_append(&text, bytes, oe__utf8_encode(code, bytes));
	}
	ck_assert_int_eq(oe__value_set_string(out, oe__buffer_string(&text), text.size), 0);
}

static void random_value(struct oe__rng *rng, int depth, struct oe__value *out)
{
	uint64_t bits = oe__rng_next(rng);
	size_t count = oe__rng_below(rng, 5);

	out->type = (enum oe__value_type)oe__rng_below(rng, depth > 0 ? 7 : 5);
	switch (out->type) {
	case OE__VALUE_BOOL:
		out->boolean = bits & 1;
		break;
	case OE__VALUE_INT:
		out->integer = (int64_t)bits >> (bits & 63);
		out->real = (double)out->integer;
		break;
	case OE__VALUE_REAL:
		memcpy(&out->real, &bits, sizeof(bits));
		break;
	case OE__VALUE_STRING:
		random_string(rng, out);
		break;
	case OE__VALUE_LIST:
	case OE__VALUE_MAP:
		for (size_t i = 0; i < count; i++) {
			struct oe__value item = { 0 };
			char key[2] = { (char)('a' + i), '\0' };
			random_value(rng, depth - 1, &item);
			ck_assert_int_eq(out->type == OE__VALUE_LIST ? oe__value_push(out, &item)
														 : oe__value_put(out, key, &item),
							 0);
		}
		break;
	default:
		break;
	}
}

static bool equal(const struct oe__value *a, const struct oe__value *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == OE__VALUE_BOOL)
		return a->boolean == b->boolean;
	if (a->type == OE__VALUE_INT)
		return a->integer == b->integer && memcmp(&a->real, &b->real, sizeof(double)) == 0;
	if (a->type == OE__VALUE_REAL)
		return (isnan(a->real) && isnan(b->real)) || memcmp(&a->real, &b->real, sizeof(double)) == 0;
	if (a->type == OE__VALUE_NULL)
		return true;
	if (a->size != b->size)
		return false;
	if (a->type == OE__VALUE_STRING)
		return memcmp(a->string, b->string, a->size) == 0;
	for (size_t i = 0; i < a->size; i++)
		if (!equal(&a->items[i], &b->items[i]) ||
			(a->type == OE__VALUE_MAP && !equal(&a->keys[i], &b->keys[i])))
			return false;
	return true;
}

START_TEST(test_random_values_come_back)
{
	for (uint64_t round = 0; round < 5000; round++) {
		OE__AUTO(value) struct oe__value value = { 0 };
		OE__AUTO(value) struct oe__value back = { 0 };
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer again = OE__BUFFER_INIT(0);
		int indent = (int)(round % 3) * 2;
		struct oe__json_writer writer = { .out = &text, .indent = indent, .python = true };
		struct oe__json_writer second = { .out = &again, .indent = indent, .python = true };
		struct oe__rng rng;
		oe_error err;

		oe__rng_init(&rng, 1, "json", round, 0);
		random_value(&rng, 6, &value);
		oe__json_put(&writer, &value);
		ck_assert(oe__utf8_valid(text.data, text.size));
		ck_assert_msg(oe__json_parse(text.data, text.size, &back, &err) == 0, "%s: %s", text.data,
					  err.message);
		ck_assert_msg(equal(&value, &back), "%s", text.data);
		oe__json_put(&second, &back);
		ck_assert_str_eq(again.data, text.data);
	}
}
END_TEST

/* Any bytes at all make a string that is valid and reads back as their text. */
START_TEST(test_random_bytes_come_back)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 2, "json", 0, 0);
	for (int round = 0; round < 20000; round++) {
		OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0);
		OE__AUTO(buffer) struct oe__buffer wanted = OE__BUFFER_INIT(0);
		OE__AUTO(value) struct oe__value back = { 0 };
		struct oe__json_writer writer = { .out = &json };
		size_t size = oe__rng_below(&rng, 70);
		char text[70];

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(oe__rng_below(&rng, 3) ? 'a' : oe__rng_next(&rng));
		oe__json_string_sized(&writer, text, size);
		oe__utf8_append_lossy(&wanted, text, size);
		ck_assert(oe__utf8_valid(json.data, json.size));
		ck_assert_int_eq(oe__json_parse(json.data, json.size, &back, NULL), 0);
		ck_assert_uint_eq(back.size, wanted.size);
		ck_assert_mem_eq(back.string, oe__buffer_string(&wanted), wanted.size);
	}
}
END_TEST

TEST_MAIN("json_write", test_one_line, test_indented, test_not_finite, test_escapes,
		  test_escapes_at_every_place, test_cap, test_random_values_come_back,
		  test_random_bytes_come_back)
