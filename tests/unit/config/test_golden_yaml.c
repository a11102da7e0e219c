/*
 * YAML as PyYAML's safe loader reads it: single scalars, whole documents, and the places of errors.
 */

#include <math.h>

#include "../../golden.h"
#include "base/text.h"
#include "config/yaml.h"

static bool same(const struct oe__value *expected, const struct oe__value *got);

static bool same_lists(const struct oe__value *expected, const struct oe__value *got)
{
	if (got->type != OE__VALUE_LIST || got->size != expected->size)
		return false;
	for (size_t i = 0; i < got->size; i++)
		if (!same(&expected->items[i], &got->items[i]))
			return false;
	return true;
}

static bool same_text(const struct oe__value *expected, const struct oe__value *got,
					  const char *tag)
{
	return got->type == OE__VALUE_STRING &&
		   (tag ? got->tag && !strcmp(got->tag, tag) : !got->tag) && got->size == expected->size &&
		   memcmp(got->string, expected->string, got->size) == 0;
}

/* Surrogates that Python keeps apart are one character here: text is UTF-8. */
static bool same_code_points(const struct oe__value *codes, const struct oe__value *got)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	for (size_t i = 0; i < codes->size; i++) {
		int64_t code = codes->items[i].integer;
		char bytes[4];
		if (code >= 0xd800 && code < 0xdc00 && i + 1 < codes->size &&
			codes->items[i + 1].integer >= 0xdc00)
			code = 0x10000 + ((code & 0x3ff) << 10 | (codes->items[++i].integer & 0x3ff));
		oe__buffer_append(&text, bytes, oe__utf8_encode((uint32_t)code, bytes));
	}
	return got->type == OE__VALUE_STRING && got->size == text.size &&
		   memcmp(got->string, text.data, text.size) == 0;
}

static bool same_pairs(const struct oe__value *pairs, const struct oe__value *got)
{
	if (got->type != OE__VALUE_MAP || got->tag || got->size != pairs->size)
		return false;
	for (size_t i = 0; i < pairs->size; i++)
		if (!same(&pairs->items[i].items[0], &got->keys[i]) ||
			!same(&pairs->items[i].items[1], &got->items[i]))
			return false;
	return true;
}

static bool same_set(const struct oe__value *keys, const struct oe__value *got)
{
	if (got->type != OE__VALUE_MAP || !got->tag || strcmp(got->tag, "set") != 0 ||
		got->size != keys->size)
		return false;
	for (size_t i = 0; i < keys->size; i++)
		if (!same(&keys->items[i], &got->keys[i]) || got->items[i].type != OE__VALUE_NULL)
			return false;
	return true;
}

static bool same_binary(const struct oe__value *base64, const struct oe__value *got)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value bytes = { 0 };
	oe_error err;

	/* Recorded as base64 again; what reads that is tested by the bytes themselves in test_yaml. */
	oe__buffer_printf(&text, "!!binary '%s'", base64->string);
	return oe__yaml_load(text.data, text.size, "base64", &bytes, &err) == 0 &&
		   same_text(&bytes, got, "binary");
}

static bool same_special(const char *kind, const struct oe__value *expected,
						 const struct oe__value *got)
{
	if (strcmp(kind, "$float") == 0) {
		double value = 0;
		(void)oe__parse_real(expected->string, expected->size, &value);
		return got->type == OE__VALUE_REAL &&
			   (isnan(value) ? isnan(got->real) != 0 : got->real == value);
	}
	if (strcmp(kind, "$int") == 0) {
		int64_t value;
		if (oe__parse_int(expected->string, expected->size, &value))
			return got->type == OE__VALUE_INT && got->integer == value;
		return same_text(expected, got, "bigint");
	}
	if (strcmp(kind, "$date") == 0 || strcmp(kind, "$timestamp") == 0)
		return same_text(expected, got, kind + 1);
	if (strcmp(kind, "$binary") == 0)
		return same_binary(expected, got);
	if (strcmp(kind, "$set") == 0)
		return same_set(expected, got);
	if (strcmp(kind, "$tuple") == 0)
		return same_lists(expected, got);
	if (strcmp(kind, "$map") == 0)
		return same_pairs(expected, got);
	return strcmp(kind, "$code_points") == 0 && same_code_points(expected, got);
}

static bool same(const struct oe__value *expected, const struct oe__value *got)
{
	switch (expected->type) {
	case OE__VALUE_NULL:
		return got->type == OE__VALUE_NULL;
	case OE__VALUE_BOOL:
		return got->type == OE__VALUE_BOOL && got->boolean == expected->boolean;
	case OE__VALUE_INT:
		return got->type == OE__VALUE_INT && got->integer == expected->integer;
	case OE__VALUE_REAL:
		return got->type == OE__VALUE_REAL && got->real == expected->real &&
			   !signbit(got->real) == !signbit(expected->real);
	case OE__VALUE_STRING:
		return same_text(expected, got, NULL);
	case OE__VALUE_LIST:
		return same_lists(expected, got);
	case OE__VALUE_MAP:
		break;
	}
	if (expected->size == 1 && expected->keys[0].string[0] == '$')
		return same_special(expected->keys[0].string, &expected->items[0], got);
	if (got->type != OE__VALUE_MAP || got->tag || got->size != expected->size)
		return false;
	for (size_t i = 0; i < got->size; i++)
		if (!same(&expected->keys[i], &got->keys[i]) || !same(&expected->items[i], &got->items[i]))
			return false;
	return true;
}

/* The recorded place of an error, if it has one, is ours. */
static bool same_place(const struct oe__value *error, oe_bytes text, const oe_error *err)
{
	const struct oe__value *line = oe__value_get(error, "line");
	const struct oe__value *column = oe__value_get(error, "column");
	const struct oe__value *position = oe__value_get(error, "position");

	if (line && column)
		return err->line == line->integer && err->column == column->integer;
	if (!position)
		return err->line > 0 && err->column > 0;
	const char *data = text.data;
	size_t end = oe__utf8_prefix(data, text.size, (size_t)position->integer), start = end;
	while (start > 0 && data[start - 1] != '\n')
		start--;
	return err->column == (int)oe__utf8_length(data + start, end - start) + 1;
}

static bool check(const struct oe__value *item, bool scalar)
{
	const struct oe__value *recorded = oe__value_get(item, "openevolve");
	const struct oe__value *error = oe__value_get(recorded, "error");
	const struct oe__value *expected = oe__value_get(recorded, "value");
	oe_bytes type = golden_text(recorded, "type");
	oe_bytes text = golden_text(item, "yaml");
	OE__AUTO(value) struct oe__value got = { 0 };
	oe_error err = { 0 };

	int status = oe__yaml_load(text.data, text.size, "golden", &got, &err);
	if (error || status < 0) {
		if (error && status == OE_ERR_CONFIG && same_place(error, text, &err))
			return true;
		fprintf(stderr, "    %d:%d: %s\n", err.line, err.column, err.message);
		return false;
	}
	if (scalar && type.data && strcmp(type.data, "document") != 0) {
		const struct oe__value *value = oe__value_get(&got, "v");
		return value && same(expected, value);
	}
	return same(expected, &got);
}

static int run(const char *file, bool scalar)
{
	OE__AUTO(value) struct oe__value cases = { 0 };
	size_t failures = 0;
	int status = golden_load(file, &cases);

	if (status != 0)
		return status;
	for (size_t i = 0; i < cases.size; i++)
		if (!check(&cases.items[i], scalar)) {
			fprintf(stderr, "FAILED %s\n", oe__value_get(&cases.items[i], "name")->string);
			golden_print("yaml", golden_text(&cases.items[i], "yaml"));
			failures++;
		}
	fprintf(stderr, "%s: %zu of %zu cases agree\n", file, cases.size - failures, cases.size);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(void)
{
	int scalars = run("yaml_scalars.json", true);
	int documents = run("yaml_docs.json", false);
	return scalars != 0 ? scalars : documents;
}
