/*
 * JSON documents of the commands, over jansson.
 */

#include "json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "text.h"

static json_t *must(json_t *value)
{
	if (!value)
		exit(message_fail(EXIT_FAILED, "out of memory"));
	return value;
}

void json_set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, must(value)) < 0)
		must(NULL);
}

void json_push(json_t *array, json_t *value)
{
	if (json_array_append_new(array, must(value)) < 0)
		must(NULL);
}

json_t *json_document(const char *kind)
{
	json_t *root = must(json_object());
	AUTO(string) char *schema = must_format("oe.%s/1", kind);

	json_set(root, "schema", json_string(schema));
	return root;
}

/* jansson checks UTF-8 itself; only text it refuses is worth a second look, byte by byte. */
json_t *json_text(const void *data, size_t size)
{
	json_t *value = json_stringn(size ? data : "", size);
	if (value)
		return value;

	AUTO(text) struct text text = TEXT_INIT;
	const char *s = data;
	while (size > 0) {
		size_t length = 1;
		json_t *one = NULL;
		for (; length <= 4 && length <= size && !one; length++)
			one = json_stringn(s, length);
		if (one) {
			length--;
			text_add_bytes(&text, s, length);
			json_decref(one);
		} else {
			length = 1;
			text_add(&text, "\xef\xbf\xbd");
		}
		s += length;
		size -= length;
	}
	return must(json_stringn(text_string(&text), text.size));
}

json_t *json_words(const char *string)
{
	return string ? json_text(string, strlen(string)) : json_null();
}

/* Where a NUL is written in a key, which jansson does not take, there is U+FFFD. */
static char *without_nul(const char *string)
{
	struct text text = TEXT_INIT;

	while (*string) {
		size_t size = string[0] == '\\' && string[1] ? 2 : 1;
		if (strncmp(string, "\\u0000", 6) == 0) {
			text_add(&text, "\xef\xbf\xbd");
			size = 6;
		} else {
			text_add_bytes(&text, string, size);
		}
		string += size;
	}
	return text_take(&text);
}

json_t *json_read(const char *string, const char *what)
{
	json_error_t error = { .text = "" };
	json_t *value = json_loads(string, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (!value && strstr(string, "\\u0000")) {
		AUTO(string) char *plain = without_nul(string);
		value = json_loads(plain, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	}
	if (!value)
		(void)message_fail(EXIT_INTERNAL, "%s is no JSON: %s", what, error.text);
	return value;
}

json_t *json_parsed(const char *string)
{
	json_t *parsed = string ? json_loads(string, JSON_ALLOW_NUL, NULL) : NULL;

	return parsed ? parsed : json_null();
}

json_t *json_number(double value)
{
	return isfinite(value) ? must(json_real(value)) : json_null();
}

json_t *json_count(int64_t value)
{
	return value >= 0 ? must(json_integer(value)) : json_null();
}

json_t *json_metrics(const oe_evaluation *evaluation)
{
	json_t *object = must(json_object());
	const char *name;

	for (size_t i = 0; evaluation && (name = oe_evaluation_metric_at(evaluation, i, NULL)); i++) {
		json_t *value = json_read(oe_evaluation_metric_json(evaluation, i), name);
		json_set(object, name, value ? value : json_null());
	}
	return object;
}

json_t *json_artifacts(const oe_evaluation *evaluation)
{
	json_t *object = must(json_object());
	oe_bytes content;
	const char *name;

	for (size_t i = 0; evaluation && (name = oe_evaluation_artifact_at(evaluation, i, &content));
		 i++)
		json_set(object, name, json_text(content.data, content.size));
	return object;
}

json_t *json_program(const oe_program *program, int code)
{
	json_t *object = must(json_object());
	const oe_evaluation *evaluation = oe_program_evaluation(program);

	json_set(object, "id", json_words(oe_program_id(program)));
	json_set(object, "parent_id", json_words(oe_program_parent_id(program)));
	json_set(object, "iteration", json_integer(oe_program_iteration(program)));
	json_set(object, "generation", json_integer(oe_program_generation(program)));
	json_set(object, "island", json_count(oe_program_island(program)));
	json_set(object, "migrant", json_boolean(oe_program_is_migrant(program)));
	json_set(object, "fitness", json_number(oe_program_fitness(program)));
	json_set(object, "verdict",
			 evaluation ? json_words(oe_verdict_name(oe_evaluation_verdict(evaluation)))
						: json_null());
	json_set(object, "metrics", json_metrics(evaluation));
	json_set(object, "language", json_words(oe_program_language(program)));
	json_set(object, "content_hash", json_words(oe_program_content_hash(program)));
	json_set(object, "changes", json_words(oe_program_changes(program)));
	json_set(object, "timestamp", json_number(oe_program_timestamp(program)));
	if (code) {
		oe_bytes bytes = oe_program_code(program);
		json_set(object, "code", json_text(bytes.data, bytes.size));
		json_set(object, "artifacts", json_artifacts(evaluation));
	}
	return object;
}

/* ---- writing: jansson's own spells 0.9385 as 0.93849999999999998 ---- */

static void write_real(struct text *text, double value)
{
	char digits[32];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	text_add(text, digits);
	if (!strpbrk(digits, ".e"))
		text_add(text, ".0");
}

static void write_break(struct text *text, int depth)
{
	if (depth < 0)
		return;
	text_add_char(text, '\n');
	text_repeat(text, "  ", (size_t)depth);
}

static void write_scalar(struct text *text, const json_t *value)
{
	char *string = json_dumps(value, JSON_ENCODE_ANY);

	if (!string)
		must(NULL);
	text_add(text, string);
	free(string);
}

static void write_value(struct text *text, json_t *value, int depth);

static void write_object(struct text *text, json_t *object, int depth)
{
	const char *name;
	json_t *value;
	bool first = true;

	text_add_char(text, '{');
	json_object_foreach(object, name, value) {
		text_add(text, first ? "" : ",");
		write_break(text, depth);
		json_t *key = must(json_string(name));
		write_scalar(text, key);
		json_decref(key);
		text_add(text, depth < 0 ? ":" : ": ");
		write_value(text, value, depth);
		first = false;
	}
	if (!first)
		write_break(text, depth - 1);
	text_add_char(text, '}');
}

static void write_array(struct text *text, json_t *array, int depth)
{
	size_t i;
	json_t *value;

	text_add_char(text, '[');
	json_array_foreach(array, i, value) {
		text_add(text, i ? "," : "");
		write_break(text, depth);
		write_value(text, value, depth);
	}
	if (json_array_size(array))
		write_break(text, depth - 1);
	text_add_char(text, ']');
}

/* `depth` of the value that contains this one; negative: all on one line. */
static void write_value(struct text *text, json_t *value, int depth)
{
	int inner = depth < 0 ? depth : depth + 1;

	if (json_is_object(value))
		write_object(text, value, inner);
	else if (json_is_array(value))
		write_array(text, value, inner);
	else if (json_is_real(value))
		write_real(text, json_real_value(value));
	else
		write_scalar(text, value);
}

int json_print(json_t *root)
{
	AUTO(text) struct text text = TEXT_INIT;

	write_value(&text, root, 0);
	json_decref(root);
	puts(text_string(&text));
	return EXIT_DONE;
}

char *json_line(json_t *root)
{
	struct text text = TEXT_INIT;

	write_value(&text, root, -1);
	json_decref(root);
	text_add_char(&text, '\n');
	return text_take(&text);
}
