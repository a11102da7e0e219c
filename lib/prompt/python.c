/*
 * Python's spelling of values.
 */

#include "prompt/python.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* ---- white space ---- */

bool oe__python_is_space(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
		   c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t oe__python_leading_space(const char *text, size_t size)
{
	const char *at = text;
	size_t left = size;

	while (left > 0) {
		const char *next = at;
		size_t rest = left;
		if (!oe__python_is_space(oe__utf8_next(&next, &rest)))
			break;
		at = next;
		left = rest;
	}
	return size - left;
}

size_t oe__python_trailing_space(const char *text, size_t size)
{
	size_t keep = size;

	while (keep > 0) {
		size_t start = keep - 1;
		while (start > 0 && ((unsigned char)text[start] & 0xc0) == 0x80)
			start--;
		const char *at = text + start;
		size_t left = keep - start;
		if (!oe__python_is_space(oe__utf8_next(&at, &left)))
			break;
		keep = start;
	}
	return size - keep;
}

/* ---- bytes ---- */

/* Bytes of the broken sequence at `s` that one replacement stands for: those that a valid sequence
   could begin with, at least one. */
static size_t broken_size(const unsigned char *s, size_t size)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t wanted = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 1;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	size_t length = 1;
	while (length < wanted && length < size && s[length] >= low && s[length] <= high) {
		length++;
		low = 0x80;
		high = 0xbf;
	}
	return length;
}

/* Bytes at the start that are valid UTF-8. */
static size_t valid_prefix(const char *bytes, size_t size)
{
	const char *at = bytes;
	size_t left = size;

	while (left > 0) {
		const char *next = at;
		size_t rest = left;
		/* U+FFFD itself is three bytes; a broken byte is taken alone. */
		if (oe__utf8_next(&next, &rest) == 0xfffd && next - at == 1)
			break;
		at = next;
		left = rest;
	}
	return size - left;
}

int oe__python_decode(struct oe__buffer *out, const char *bytes, size_t size)
{
	if (oe__utf8_valid(bytes, size))
		return oe__buffer_append(out, bytes, size);
	while (size > 0 && out->status == 0) {
		size_t valid = valid_prefix(bytes, size);
		oe__buffer_append(out, bytes, valid);
		bytes += valid;
		size -= valid;
		if (size > 0) {
			size_t broken = broken_size((const unsigned char *)bytes, size);
			oe__buffer_text(out, REPLACEMENT);
			bytes += broken;
			size -= broken;
		}
	}
	return out->status;
}

/* ---- repr ---- */

/* What repr() escapes beyond ASCII: control and format characters, separators, private use. Code
   points that no character has yet count as printable, unlike in Python, whose answer depends on
   its version. */
static const uint32_t unprintable[][2] = {
	{ 0x80, 0xa0 },       { 0xad, 0xad },       { 0x600, 0x605 },       { 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },     { 0x890, 0x891 },       { 0x8e2, 0x8e2 },
	{ 0x1680, 0x1680 },   { 0x180e, 0x180e },   { 0x2000, 0x200f },     { 0x2028, 0x202f },
	{ 0x205f, 0x2064 },   { 0x2066, 0x206f },   { 0x3000, 0x3000 },     { 0xd800, 0xf8ff },
	{ 0xfeff, 0xfeff },   { 0xfff9, 0xfffb },   { 0x110bd, 0x110bd },   { 0x110cd, 0x110cd },
	{ 0x13430, 0x13438 }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },   { 0xe0001, 0xe0001 },
	{ 0xe0020, 0xe007f }, { 0xf0000, 0xffffd }, { 0x100000, 0x10fffd },
};

static bool is_printable(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	for (size_t i = 0; i < OE__COUNT(unprintable) && c >= unprintable[i][0]; i++)
		if (c <= unprintable[i][1])
			return false;
	return true;
}

static void append_escaped(struct oe__buffer *out, uint32_t c)
{
	if (c == '\n' || c == '\t' || c == '\r')
		oe__buffer_text(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
	else if (c < 0x100)
		oe__buffer_printf(out, "\\x%02" PRIx32, c);
	else if (c < 0x10000)
		oe__buffer_printf(out, "\\u%04" PRIx32, c);
	else
		oe__buffer_printf(out, "\\U%08" PRIx32, c);
}

static int append_repr(struct oe__buffer *out, const char *text, size_t size, bool ascii)
{
	bool single = size > 0 && memchr(text, '\'', size), twice = size > 0 && memchr(text, '"', size);
	char quote = single && !twice ? '"' : '\'';

	oe__buffer_char(out, quote);
	while (size > 0 && out->status == 0) {
		const char *start = text;
		uint32_t c = oe__utf8_next(&text, &size);
		if (c == (unsigned char)quote || c == '\\')
			oe__buffer_char(out, '\\');
		if (is_printable(c) && (c < 0x80 || !ascii))
			oe__buffer_append(out, start, (size_t)(text - start));
		else
			append_escaped(out, c);
	}
	return oe__buffer_char(out, quote);
}

int oe__python_repr(struct oe__buffer *out, const char *text, size_t size)
{
	return append_repr(out, text, size, false);
}

int oe__python_ascii(struct oe__buffer *out, const char *text, size_t size)
{
	return append_repr(out, text, size, true);
}

static int append_value(struct oe__buffer *out, const struct oe__value *value)
{
	char real[OE__REAL_TEXT_MAX];
	bool map = value->type == OE__VALUE_MAP;

	switch (value->type) {
	case OE__VALUE_NULL:
		return oe__buffer_text(out, "None");
	case OE__VALUE_BOOL:
		return oe__buffer_text(out, value->boolean ? "True" : "False");
	case OE__VALUE_INT:
		return oe__buffer_printf(out, "%" PRId64, value->integer);
	case OE__VALUE_REAL:
		return oe__buffer_append(out, real, oe__format_real(value->real, real));
	case OE__VALUE_STRING:
		if (value->tag) /* the digits of an integer beyond 64 bits */
			return oe__buffer_append(out, value->string, value->size);
		return oe__python_repr(out, value->string, value->size);
	case OE__VALUE_LIST:
	case OE__VALUE_MAP:
		break;
	}
	/* As deep as JSON may be nested: OE__JSON_DEPTH_MAX. */
	oe__buffer_char(out, map ? '{' : '[');
	for (size_t i = 0; i < value->size && out->status == 0; i++) {
		if (i > 0)
			oe__buffer_text(out, ", ");
		if (map) {
			append_value(out, &value->keys[i]);
			oe__buffer_text(out, ": ");
		}
		append_value(out, &value->items[i]);
	}
	return oe__buffer_char(out, map ? '}' : ']');
}

int oe__python_str(struct oe__buffer *out, const struct oe__value *value)
{
	if (value->type == OE__VALUE_STRING)
		return oe__buffer_append(out, value->string, value->size);
	return append_value(out, value);
}
