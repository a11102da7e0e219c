/* The reader. The writer is in json_write.c. */

#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/text.h"

/* What may come next. */
enum {
	WANT_VALUE,
	WANT_ITEM_OR_END, /* after [ */
	WANT_KEY_OR_END,  /* after { */
	WANT_KEY,
	WANT_COMMA_OR_END,
	WANT_NOTHING,
	FAILED
};

void oe__json_reader_init(struct oe__json_reader *reader, const char *text, size_t size)
{
	memset(reader, 0, sizeof(*reader));
	reader->start = reader->cursor = text;
	reader->end = text + size;
	reader->state = WANT_VALUE;
	/* A byte-order mark is what some editors leave. */
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader->start = reader->cursor += 3;
}

static enum oe__json_token fail(struct oe__json_reader *reader, const char *error)
{
	reader->state = FAILED;
	reader->status = OE_ERR_FORMAT;
	reader->error = error;
	return OE__JSON_ERROR;
}

static bool in_map(const struct oe__json_reader *reader)
{
	unsigned level = reader->depth - 1;
	return reader->nesting[level / 8] >> (level % 8) & 1;
}

static void value_ended(struct oe__json_reader *reader)
{
	reader->state = reader->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

static enum oe__json_token open_nested(struct oe__json_reader *reader, bool map)
{
	if (reader->depth == OE__JSON_DEPTH_MAX)
		return fail(reader, "nested too deeply");
	unsigned level = reader->depth++;
	unsigned char bit = (unsigned char)(1u << (level % 8));
	reader->nesting[level / 8] = (unsigned char)(map ? reader->nesting[level / 8] | bit
	                                                 : reader->nesting[level / 8] & ~bit);
	reader->cursor++;
	reader->state = map ? WANT_KEY_OR_END : WANT_ITEM_OR_END;
	return map ? OE__JSON_MAP : OE__JSON_LIST;
}

static enum oe__json_token close_nested(struct oe__json_reader *reader)
{
	bool map = in_map(reader);
	reader->cursor++;
	reader->depth--;
	value_ended(reader);
	return map ? OE__JSON_MAP_END : OE__JSON_LIST_END;
}

/* Delimit a string; the contents stay escaped. */
static bool scan_string(struct oe__json_reader *reader)
{
	const char *c = ++reader->cursor;

	reader->raw = c;
	reader->raw_escaped = false;
	while (c < reader->end && *c != '"') {
		if ((unsigned char)*c < 0x20)
			return false;
		if ((unsigned char)*c >= 0x80)
			reader->raw_escaped = true; /* to be checked when it is taken out */
		if (*c == '\\') {
			reader->raw_escaped = true;
			c++;
			if (c == reader->end)
				return false;
		}
		c++;
	}
	if (c >= reader->end)
		return false;
	reader->raw_size = (size_t)(c - reader->raw);
	reader->cursor = c + 1;
	return true;
}

static bool word(struct oe__json_reader *reader, const char *text)
{
	size_t size = strlen(text);
	if ((size_t)(reader->end - reader->cursor) < size || memcmp(reader->cursor, text, size) != 0)
		return false;
	reader->cursor += size;
	return true;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static const char *number_end(const char *c, const char *end, bool *integer)
{
	*integer = true;
	if (c < end && *c == '-')
		c++;
	if (c == end || *c < '0' || *c > '9')
		return NULL;
	if (*c == '0')
		c++;
	else
		while (c < end && *c >= '0' && *c <= '9')
			c++;
	if (c < end && *c == '.') {
		*integer = false;
		if (++c == end || *c < '0' || *c > '9')
			return NULL;
		while (c < end && *c >= '0' && *c <= '9')
			c++;
	}
	if (c < end && (*c == 'e' || *c == 'E')) {
		*integer = false;
		c++;
		if (c < end && (*c == '+' || *c == '-'))
			c++;
		if (c == end || *c < '0' || *c > '9')
			return NULL;
		while (c < end && *c >= '0' && *c <= '9')
			c++;
	}
	return c;
}

static enum oe__json_token scan_number(struct oe__json_reader *reader)
{
	bool integer;
	const char *start = reader->cursor;

	if (word(reader, "-Infinity")) {
		reader->real = -INFINITY;
		value_ended(reader);
		return OE__JSON_REAL;
	}
	const char *end = number_end(start, reader->end, &integer);
	if (!end)
		return fail(reader, "malformed number");
	size_t size = (size_t)(end - start);
	reader->cursor = end;
	value_ended(reader);
	if (integer && oe__parse_int(start, size, &reader->integer)) {
		reader->real = (double)reader->integer;
		return OE__JSON_INT;
	}
	if (oe__parse_real(start, size, &reader->real))
		return OE__JSON_REAL;
	/* It is a number: what was lacking is memory to look at so long a one. */
	(void)fail(reader, "out of memory");
	reader->status = OE_ERR_NOMEM;
	return OE__JSON_ERROR;
}

static enum oe__json_token scan_value(struct oe__json_reader *reader)
{
	switch (*reader->cursor) {
	case '{':
		return open_nested(reader, true);
	case '[':
		return open_nested(reader, false);
	case '"':
		if (!scan_string(reader))
			return fail(reader, "unterminated string, or a control character in it");
		value_ended(reader);
		return OE__JSON_STRING;
	case 't':
	case 'f':
	case 'n':
	case 'N':
	case 'I':
		break;
	default:
		return scan_number(reader);
	}
	enum oe__json_token token = OE__JSON_ERROR;
	if (word(reader, "true"))
		token = OE__JSON_TRUE;
	else if (word(reader, "false"))
		token = OE__JSON_FALSE;
	else if (word(reader, "null"))
		token = OE__JSON_NULL;
	else if (word(reader, "NaN"))
		token = OE__JSON_REAL, reader->real = NAN;
	else if (word(reader, "Infinity"))
		token = OE__JSON_REAL, reader->real = INFINITY;
	if (token == OE__JSON_ERROR)
		return fail(reader, "unknown word");
	value_ended(reader);
	return token;
}

static void skip_blanks(struct oe__json_reader *reader)
{
	while (reader->cursor < reader->end && (*reader->cursor == ' ' || *reader->cursor == '\n' ||
	                                        *reader->cursor == '\r' || *reader->cursor == '\t'))
		reader->cursor++;
}

static enum oe__json_token scan_key(struct oe__json_reader *reader)
{
	if (*reader->cursor != '"')
		return fail(reader, "expected a key");
	if (!scan_string(reader))
		return fail(reader, "unterminated string, or a control character in it");
	skip_blanks(reader);
	if (reader->cursor == reader->end || *reader->cursor != ':')
		return fail(reader, "expected ':'");
	reader->cursor++;
	reader->state = WANT_VALUE;
	return OE__JSON_KEY;
}

enum oe__json_token oe__json_next(struct oe__json_reader *reader)
{
	if (reader->state == FAILED)
		return OE__JSON_ERROR;
	skip_blanks(reader);
	if (reader->cursor == reader->end)
		return reader->state == WANT_NOTHING ? OE__JSON_END : fail(reader, "unexpected end");

	char c = *reader->cursor;
	switch (reader->state) {
	case WANT_NOTHING:
		return fail(reader, "unexpected text after the document");
	case WANT_COMMA_OR_END:
		if (c == (in_map(reader) ? '}' : ']'))
			return close_nested(reader);
		if (c != ',')
			return fail(reader, "expected ',' or the end");
		reader->cursor++;
		reader->state = in_map(reader) ? WANT_KEY : WANT_VALUE;
		return oe__json_next(reader); /* once: neither state comes back here */
	case WANT_KEY_OR_END:
		return c == '}' ? close_nested(reader) : scan_key(reader);
	case WANT_KEY:
		return scan_key(reader);
	case WANT_ITEM_OR_END:
		return c == ']' ? close_nested(reader) : scan_value(reader);
	default:
		return scan_value(reader);
	}
}

int oe__json_skip(struct oe__json_reader *reader, enum oe__json_token first)
{
	if (first == OE__JSON_ERROR)
		return reader->status;
	if (first != OE__JSON_LIST && first != OE__JSON_MAP)
		return 0;
	unsigned outside = reader->depth - 1;
	while (reader->depth > outside)
		if (oe__json_next(reader) == OE__JSON_ERROR)
			return reader->status;
	return 0;
}

/* ---- strings ---- */

static bool hex4(const char *c, const char *end, uint32_t *out)
{
	uint32_t value = 0;
	if (end - c < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char d = c[i];
		uint32_t digit = d >= '0' && d <= '9'   ? (uint32_t)(d - '0')
		                 : d >= 'a' && d <= 'f' ? (uint32_t)(d - 'a') + 10
		                 : d >= 'A' && d <= 'F' ? (uint32_t)(d - 'A') + 10
		                                        : 16;
		if (digit == 16)
			return false;
		value = value << 4 | digit;
	}
	*out = value;
	return true;
}

/* One escape as UTF-8; `c` is behind the backslash. Returns what follows it, or NULL. */
static const char *unescape(const char *c, const char *end, char bytes[4], size_t *size)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *simple = *c ? strchr(from, *c) : NULL;
	uint32_t code, low;

	if (simple) {
		bytes[0] = to[simple - from];
		*size = 1;
		return c + 1;
	}
	if (*c != 'u' || !hex4(c + 1, end, &code))
		return NULL;
	c += 5;
	if (code >= 0xd800 && code < 0xdc00 && end - c >= 6 && c[0] == '\\' && c[1] == 'u' &&
	    hex4(c + 2, end, &low) && low >= 0xdc00 && low < 0xe000) {
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		c += 6;
	}
	*size = oe__utf8_encode(code, bytes); /* lone surrogates: U+FFFD */
	return c;
}

int oe__json_text(const struct oe__json_reader *reader, struct oe__buffer *out)
{
	const char *c = reader->raw, *end = c + reader->raw_size;
	char bytes[4];
	size_t size = 0;

	if (!reader->raw_escaped)
		return oe__buffer_append(out, c, reader->raw_size);
	while (c < end) {
		const char *stop = memchr(c, '\\', (size_t)(end - c));
		if (!stop)
			stop = end;
		oe__utf8_append_lossy(out, c, (size_t)(stop - c));
		c = stop;
		if (c < end) {
			c = unescape(c + 1, end, bytes, &size);
			if (!c)
				return OE_ERR_FORMAT;
			oe__buffer_append(out, bytes, size);
		}
	}
	return out->status;
}

bool oe__json_is(const struct oe__json_reader *reader, const char *text)
{
	size_t size = strlen(text);

	if (!reader->raw_escaped)
		return reader->raw_size == size && memcmp(reader->raw, text, size) == 0;
	/* Character by character: a comparison must not need memory. */
	const char *c = reader->raw;
	size_t left = reader->raw_size, bytes_size = 0;
	char bytes[4];
	while (left > 0) {
		if (*c == '\\') {
			const char *end = c + left;
			c = unescape(c + 1, end, bytes, &bytes_size);
			if (!c)
				return false;
			left = (size_t)(end - c);
		} else {
			bytes_size = oe__utf8_encode(oe__utf8_next(&c, &left), bytes);
		}
		if (bytes_size > size || memcmp(bytes, text, bytes_size) != 0)
			return false;
		text += bytes_size;
		size -= bytes_size;
	}
	return size == 0;
}

/* ---- trees ---- */

static int text_or_error(struct oe__json_reader *reader, struct oe__buffer *out)
{
	int status = oe__json_text(reader, out);
	if (status < 0)
		reader->error = "malformed escape";
	return status;
}

static int read_string(struct oe__json_reader *reader, struct oe__value *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	int status = text_or_error(reader, &text);
	if (status < 0)
		return status;
	return oe__value_set_string(out, oe__buffer_string(&text), text.size);
}

static int read_list(struct oe__json_reader *reader, struct oe__value *out)
{
	enum oe__json_token token;

	out->type = OE__VALUE_LIST;
	while ((token = oe__json_next(reader)) != OE__JSON_LIST_END) {
		OE__AUTO(value) struct oe__value item = { 0 };
		int status = oe__json_value(reader, token, &item);
		if (status == 0)
			status = oe__value_push(out, &item);
		if (status < 0)
			return status;
	}
	return 0;
}

/* Set an entry; `index` finds repeated keys without walking a large map. */
static int put_entry(struct oe__value *map, struct oe__map *index, const struct oe__buffer *key,
                     struct oe__value *item)
{
	const char *name = oe__buffer_string(key);
	uintptr_t at = (uintptr_t)oe__map_get(index, name, key->size);

	if (at > 0) { /* the last value wins, at the first one's place */
		oe__value_done(&map->items[at - 1]);
		map->items[at - 1] = *item;
		*item = (struct oe__value){ 0 };
		return 0;
	}
	int status = oe__value_append(map, name, key->size, item);
	if (status == 0)
		status = oe__map_put(index, name, key->size, (void *)map->size);
	return status;
}

static int read_map(struct oe__json_reader *reader, struct oe__value *out)
{
	OE__AUTO(map) struct oe__map index = OE__MAP_INIT;
	OE__AUTO(buffer) struct oe__buffer key = OE__BUFFER_INIT(0);
	enum oe__json_token token;

	out->type = OE__VALUE_MAP;
	while ((token = oe__json_next(reader)) == OE__JSON_KEY) {
		OE__AUTO(value) struct oe__value item = { 0 };
		oe__buffer_clear(&key);
		int status = text_or_error(reader, &key);
		if (status == 0)
			status = oe__json_value(reader, oe__json_next(reader), &item);
		if (status == 0)
			status = put_entry(out, &index, &key, &item);
		if (status < 0)
			return status;
	}
	return token == OE__JSON_MAP_END ? 0 : reader->status;
}

int oe__json_value(struct oe__json_reader *reader, enum oe__json_token first, struct oe__value *out)
{
	switch (first) {
	case OE__JSON_NULL:
		return 0;
	case OE__JSON_TRUE:
	case OE__JSON_FALSE:
		out->type = OE__VALUE_BOOL;
		out->boolean = first == OE__JSON_TRUE;
		return 0;
	case OE__JSON_INT:
		out->type = OE__VALUE_INT;
		out->integer = reader->integer;
		out->real = reader->real;
		return 0;
	case OE__JSON_REAL:
		out->type = OE__VALUE_REAL;
		out->real = reader->real;
		return 0;
	case OE__JSON_STRING:
		return read_string(reader, out);
	case OE__JSON_LIST:
		return read_list(reader, out);
	case OE__JSON_MAP:
		return read_map(reader, out);
	case OE__JSON_ERROR:
		return reader->status;
	default:
		return OE_ERR_FORMAT;
	}
}

static void locate(const char *start, const char *at, int *line, int *column)
{
	*line = 1;
	for (const char *feed; (feed = memchr(start, '\n', (size_t)(at - start))) != NULL;) {
		++*line;
		start = feed + 1;
	}
	*column = (int)oe__utf8_length(start, (size_t)(at - start)) + 1;
}

int oe__json_parse(const char *text, size_t size, struct oe__value *out, oe_error *err)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	struct oe__json_reader reader;

	oe__json_reader_init(&reader, text ? text : "", size);
	int status = oe__json_value(&reader, oe__json_next(&reader), &value);
	if (status == 0 && oe__json_next(&reader) != OE__JSON_END)
		status = OE_ERR_FORMAT;
	if (status == OE_ERR_FORMAT) {
		int line, column;
		locate(reader.start, reader.cursor, &line, &column);
		return oe__error_at(err, status, "", line, column, "not JSON: %s",
		                    reader.error ? reader.error : "unexpected token");
	}
	if (status < 0)
		return oe__error_nomem(err);
	*out = value;
	value = (struct oe__value){ 0 };
	return 0;
}
