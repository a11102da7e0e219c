/*
 * Templates: filling them in. Plain places are copied; the others (a conversion, an index, a
 * specification) take the long way that Python's str.format() describes.
 */

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "prompt/format.h"
#include "prompt/python.h"
#include "prompt/template_internal.h"

/* A value on the long way. */
enum value_kind {
	VALUE_TEXT,
	VALUE_INT,
	VALUE_BOOL,
	VALUE_REAL,
	VALUE_TREE /* null, a list, a map */
};

struct value {
	enum value_kind kind;
	oe_bytes text;
	int64_t integer;
	double real;
	const struct oe__value *tree;
};

static struct value of_tree(const struct oe__value *tree)
{
	struct value value = { .kind = VALUE_TREE, .tree = tree };

	switch (tree->type) {
	case OE__VALUE_BOOL:
		value.kind = VALUE_BOOL;
		value.integer = tree->boolean;
		break;
	case OE__VALUE_INT:
		value.kind = VALUE_INT;
		value.integer = tree->integer;
		break;
	case OE__VALUE_REAL:
		value.kind = VALUE_REAL;
		value.real = tree->real;
		break;
	case OE__VALUE_STRING:
		value.kind = VALUE_TEXT;
		value.text = (oe_bytes){ tree->string, tree->size };
		break;
	default:
		break;
	}
	return value;
}

/* ---- values of arguments ---- */

static int append_argument(const struct oe__argument *argument, struct oe__buffer *out,
						   oe_error *err)
{
	char real[OE__REAL_TEXT_MAX];

	switch (argument->kind) {
	case OE__ARGUMENT_TEXT:
		return oe__buffer_append(out, argument->text.data, argument->text.size);
	case OE__ARGUMENT_INT:
		return oe__buffer_printf(out, "%" PRId64, argument->integer);
	case OE__ARGUMENT_REAL:
		return oe__buffer_append(out, real, oe__format_real(argument->real, real));
	case OE__ARGUMENT_WRITER:
		break;
	}
	return argument->write(argument->self, out, err);
}

/* The same as a value; what a writer writes goes to `scratch`. */
static int argument_value(const struct oe__argument *argument, struct oe__buffer *scratch,
						  struct value *out, oe_error *err)
{
	int status = 0;

	switch (argument->kind) {
	case OE__ARGUMENT_TEXT:
		*out = (struct value){ .kind = VALUE_TEXT, .text = argument->text };
		break;
	case OE__ARGUMENT_INT:
		*out = (struct value){ .kind = VALUE_INT, .integer = argument->integer };
		break;
	case OE__ARGUMENT_REAL:
		*out = (struct value){ .kind = VALUE_REAL, .real = argument->real };
		break;
	case OE__ARGUMENT_WRITER:
		status = argument->write(argument->self, scratch, err);
		*out = (struct value){ .kind = VALUE_TEXT, .text = { scratch->data, scratch->size } };
		break;
	}
	return status;
}

static int append_str(struct oe__buffer *out, const struct value *value)
{
	char real[OE__REAL_TEXT_MAX];

	switch (value->kind) {
	case VALUE_TEXT:
		return oe__buffer_append(out, value->text.data, value->text.size);
	case VALUE_INT:
		return oe__buffer_printf(out, "%" PRId64, value->integer);
	case VALUE_BOOL:
		return oe__buffer_text(out, value->integer ? "True" : "False");
	case VALUE_REAL:
		return oe__buffer_append(out, real, oe__format_real(value->real, real));
	case VALUE_TREE:
		break;
	}
	return oe__python_str(out, value->tree);
}

/* ---- indexes ---- */

static bool index_text(struct value *value, int64_t index)
{
	const char *at = value->text.data;
	size_t left = value->text.size;
	size_t skip = oe__utf8_prefix(at, left, (size_t)index);

	if (skip == left)
		return false;
	at += skip;
	left -= skip;
	value->text = (oe_bytes){ at, oe__utf8_prefix(at, left, 1) };
	return true;
}

static bool index_tree(struct value *value, oe_bytes key, bool number, int64_t index)
{
	const struct oe__value *tree = value->tree;

	if (tree->type == OE__VALUE_LIST && number && index < (int64_t)tree->size) {
		*value = of_tree(&tree->items[index]);
		return true;
	}
	for (size_t i = 0; tree->type == OE__VALUE_MAP && !number && i < tree->size; i++) {
		if (tree->keys[i].size == key.size && memcmp(tree->keys[i].string, key.data, key.size) == 0) {
			*value = of_tree(&tree->items[i]);
			return true;
		}
	}
	return false;
}

static bool apply_path(struct value *value, oe_bytes path)
{
	const char *c = path.data, *end = c + path.size;

	while (c < end) { /* [key], as the compiler has checked */
		const char *close = memchr(c, ']', (size_t)(end - c));
		oe_bytes key = { c + 1, (size_t)(close - c) - 1 };
		int64_t index = 0;
		bool number = *(const char *)key.data != '-' && *(const char *)key.data != '+' &&
					  oe__parse_int(key.data, key.size, &index);
		bool found = value->kind == VALUE_TEXT   ? number && index_text(value, index)
					 : value->kind == VALUE_TREE ? index_tree(value, key, number, index)
												 : false;
		if (!found)
			return false;
		c = close + 1;
	}
	return true;
}

/* ---- conversions and specifications ---- */

static int convert(struct value *value, char conversion, struct oe__buffer *scratch)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	bool is_text = value->kind == VALUE_TEXT;

	append_str(&text, value);
	oe__buffer_clear(scratch); /* the value may have been in it */
	if (text.status < 0)
		return text.status;
	if (conversion == 'r' && is_text)
		oe__python_repr(scratch, text.data, text.size);
	else if (conversion == 'a' && is_text)
		oe__python_ascii(scratch, text.data, text.size);
	else
		oe__buffer_append(scratch, text.data, text.size);
	*value = (struct value){ .kind = VALUE_TEXT, .text = { scratch->data, scratch->size } };
	return scratch->status;
}

static int append_formatted(struct oe__buffer *out, const struct value *value, oe_bytes spec,
							oe_error *err)
{
	if (spec.size == 0)
		return append_str(out, value);
	switch (value->kind) {
	case VALUE_TEXT:
		return oe__format_text(out, value->text.data, value->text.size, spec, err);
	case VALUE_INT:
	case VALUE_BOOL:
		return oe__format_int(out, value->integer, spec, err);
	case VALUE_REAL:
		return oe__format_float(out, value->real, spec, err);
	case VALUE_TREE:
		break;
	}
	return oe__error(err, OE_ERR_CONFIG, "lists, maps and null take no format specification");
}

/* ---- rendering ---- */

/* Where the value of a field comes from; false: nowhere. */
static const struct oe__value *extra_value(const struct oe__rendering *rendering, oe_bytes name)
{
	const struct oe__value *extra = rendering->extra;

	for (size_t i = 0; extra && extra->type == OE__VALUE_MAP && i < extra->size; i++)
		if (extra->keys[i].size == name.size &&
			memcmp(extra->keys[i].string, name.data, name.size) == 0)
			return &extra->items[i];
	return NULL;
}

static int fail_missing(const struct oe__template *template, const struct oe__segment *field,
						struct oe__rendering *rendering, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer why = OE__BUFFER_INIT(0);

	rendering->missing = field->text;
	oe__buffer_printf(&why, "nothing is called '%.*s'; a plain brace is written '{{'",
					  (int)field->text.size, (const char *)field->text.data);
	return oe__template_fail(template, field->offset, err, oe__buffer_string(&why));
}

static int render_long(const struct oe__template *template, const struct oe__segment *field,
					   struct oe__rendering *rendering, struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer scratch = OE__BUFFER_INIT(OE__PROMPT_MAX);
	OE__AUTO(buffer) struct oe__buffer nested = OE__BUFFER_INIT(0);
	oe_bytes spec = field->spec;
	oe_error inner = { 0 };
	struct value value;
	int status = 0;

	if (field->place < 0) {
		const struct oe__value *tree = extra_value(rendering, field->text);
		if (!tree)
			return fail_missing(template, field, rendering, err);
		value = of_tree(tree);
	} else {
		status = argument_value(&rendering->arguments[field->place], &scratch, &value, err);
	}
	if (status == 0 && !apply_path(&value, field->path))
		return oe__template_fail(template, field->offset, err, "the value has no such index");
	if (status == 0 && field->conversion)
		status = convert(&value, field->conversion, &scratch);
	if (status < 0)
		return status;
	if (field->nested) {
		status = oe__template_render(field->nested, rendering, &nested, &inner);
		spec = (oe_bytes){ nested.data, nested.size };
	}
	if (status == 0)
		status = append_formatted(out, &value, spec, &inner);
	if (status == OE_ERR_CONFIG)
		return oe__template_fail(template, field->offset, err, inner.message);
	return status;
}

size_t oe__longest_ticks(const char *text, size_t size)
{
	size_t longest = 0;
	const char *end = text + size;

	while (text < end && (text = memchr(text, '`', (size_t)(end - text)))) {
		size_t run = 1;
		while (text + run < end && text[run] == '`')
			run++;
		longest = run > longest ? run : longest;
		text += run;
	}
	return longest;
}

static void append_fence(const struct oe__segment *fence, const struct oe__rendering *rendering,
						 struct oe__buffer *out)
{
	const struct oe__argument *inside = &rendering->arguments[fence->place];
	size_t ticks = 0;

	if (!rendering->plain_fences && inside->kind == OE__ARGUMENT_TEXT && inside->text.size > 0)
		ticks = oe__longest_ticks(inside->text.data, inside->text.size);
	oe__buffer_append(out, fence->text.data, fence->text.size);
	for (size_t i = fence->text.size; i <= ticks; i++)
		oe__buffer_char(out, '`');
}

int oe__template_render(const struct oe__template *template, struct oe__rendering *rendering,
						struct oe__buffer *out, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; i < template->count && status == 0; i++) {
		const struct oe__segment *segment = &template->segments[i];

		if (segment->kind == OE__SEGMENT_LITERAL)
			oe__buffer_append(out, segment->text.data, segment->text.size);
		else if (segment->kind == OE__SEGMENT_FENCE)
			append_fence(segment, rendering, out);
		else if (segment->place >= 0 && segment->path.size == 0 && !segment->conversion &&
				 segment->spec.size == 0)
			status = append_argument(&rendering->arguments[segment->place], out, err);
		else
			status = render_long(template, segment, rendering, out, err);
	}
	return status < 0 ? status : out->status;
}
