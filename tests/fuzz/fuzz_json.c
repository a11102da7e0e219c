/*
 * JSON, both ways. Input: a document. What is read can be written and read again as the same tree,
 * skipping a document ends where reading it does, and every text is valid UTF-8.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct oe__value *a, const struct oe__value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case OE__VALUE_BOOL:
		return a->boolean == b->boolean;
	case OE__VALUE_INT:
		return a->integer == b->integer;
	case OE__VALUE_REAL:
		return a->real == b->real || (isnan(a->real) && isnan(b->real));
	case OE__VALUE_STRING:
		assert(oe__utf8_valid(a->string, a->size));
		return a->size == b->size && memcmp(a->string, b->string, a->size) == 0;
	case OE__VALUE_LIST:
	case OE__VALUE_MAP:
		if (a->size != b->size)
			return false;
		for (size_t i = 0; i < a->size; i++)
			if (!same(&a->items[i], &b->items[i]) ||
				(a->type == OE__VALUE_MAP && !same(&a->keys[i], &b->keys[i])))
				return false;
		return true;
	default:
		return true;
	}
}

static void write(const struct oe__value *value, int indent, struct oe__buffer *out)
{
	struct oe__json_writer writer = { .out = out, .indent = indent, .python = true };

	oe__json_put(&writer, value);
	assert(out->status == 0);
}

static void check_skip(const char *text, size_t size, bool valid)
{
	struct oe__json_reader reader;

	oe__json_reader_init(&reader, text, size);
	enum oe__json_token first = oe__json_next(&reader);
	int status = first == OE__JSON_ERROR ? -1 : oe__json_skip(&reader, first);
	bool skipped = status == 0 && oe__json_next(&reader) == OE__JSON_END;
	assert(skipped || !valid); /* skipping does not look at escapes */
	assert(reader.cursor >= text && reader.cursor <= text + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	OE__AUTO(value) struct oe__value again = { 0 };
	OE__AUTO(buffer) struct oe__buffer line = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer lines = OE__BUFFER_INIT(0);
	const char *text = (const char *)data;
	oe_error err = { 0 };

	int status = oe__json_parse(text, size, &value, &err);
	check_skip(text, size, status == 0);
	if (status < 0) {
		assert(err.message[0] && value.type == OE__VALUE_NULL && value.size == 0);
		return 0;
	}
	write(&value, 0, &line);
	write(&value, 2, &lines);
	assert(!memchr(line.data, '\n', line.size));
	assert(oe__json_parse(line.data, line.size, &again, &err) == 0);
	assert(same(&value, &again));
	oe__value_done(&again);
	assert(oe__json_parse(lines.data, lines.size, &again, &err) == 0);
	assert(same(&value, &again));
	return 0;
}
