/* Growing text and the JSON scanner; see text.h. */
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void text_reserve(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : 256;

	if (text->size + more <= text->room)
		return;
	while (room < text->size + more)
		room *= 2;
	text->data = realloc(text->data, room);
	if (!text->data)
		abort();
	text->room = room;
}

void text_add(struct text *text, const void *data, size_t size)
{
	if (!size)
		return;
	text_reserve(text, size);
	memcpy(text->data + text->size, data, size);
	text->size += size;
}

void text_puts(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
	va_list args;

	text_reserve(text, 256);
	for (;;) {
		size_t room = text->room - text->size;
		va_start(args, format);
		int size = vsnprintf(text->data + text->size, room, format, args);
		va_end(args);
		if (size < 0)
			abort();
		if ((size_t)size < room) {
			text->size += (size_t)size;
			return;
		}
		text_reserve(text, (size_t)size + 1);
	}
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

void text_add_escaped(struct text *text, const char *data, size_t size)
{
	static const char named[] = { ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
								  ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't' };
	size_t run = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)data[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(text, data + run, i - run);
		run = i + 1;
		if (named[c])
			text_add(text, (char[]){ '\\', named[c] }, 2);
		else
			text_format(text, "\\u%04x", c);
	}
	text_add(text, data + run, size - run);
}

static unsigned hex4(const char *digits)
{
	char copy[5] = { digits[0], digits[1], digits[2], digits[3], 0 };

	return (unsigned)strtoul(copy, NULL, 16);
}

/* Writes a character in UTF-8; returns the place behind it. */
static char *put_utf8(char *out, unsigned code)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = size - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(lead[size] | code);
	return out + size;
}

/* Decodes the \uXXXX or surrogate pair at `*at` and moves on behind it. */
static char *put_unicode(char *out, const char **at, const char *end)
{
	const char *u = *at;

	*at = end;
	if (end - u < 6)
		return out;
	*at = u + 6;
	unsigned code = hex4(u + 2);
	if ((code & 0xfc00) == 0xd800 && end - u >= 12 && u[6] == '\\' && u[7] == 'u') {
		*at = u + 12;
		code = 0x10000 + ((code & 0x3ff) << 10) + (hex4(u + 8) & 0x3ff);
	}
	return put_utf8(out, code);
}

void text_add_unescaped(struct text *text, struct slice escaped)
{
	static const char plain[128] = {
		['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'
	};
	const char *at = escaped.data, *end = at + escaped.size;

	text_reserve(text, escaped.size); /* no escape is shorter than what it means */
	char *out = text->data + text->size;
	while (at < end) {
		const char *stop = memchr(at, '\\', (size_t)(end - at));
		size_t run = (size_t)((stop ? stop : end) - at);
		memcpy(out, at, run);
		out += run;
		at += run;
		if (end - at < 2)
			break;
		if (at[1] == 'u') {
			out = put_unicode(out, &at, end);
			continue;
		}
		*out++ = plain[at[1] & 0x7f] ? plain[at[1] & 0x7f] : at[1];
		at += 2;
	}
	text->size = (size_t)(out - text->data);
}

bool slice_is(struct slice slice, const char *string)
{
	return strlen(string) == slice.size && !memcmp(slice.data, string, slice.size);
}

bool slice_is_nocase(struct slice slice, const char *string)
{
	return strlen(string) == slice.size && !strncasecmp(slice.data, string, slice.size);
}

struct slice slice_trim(struct slice slice)
{
	while (slice.size && isspace((unsigned char)slice.data[0]))
		slice.data++, slice.size--;
	while (slice.size && isspace((unsigned char)slice.data[slice.size - 1]))
		slice.size--;
	return slice;
}

const char *slice_search(struct slice slice, struct slice needle)
{
	if (!slice.data || !needle.data) /* empty ones may have none */
		return NULL;
	return memmem(slice.data, slice.size, needle.data, needle.size);
}

const char *slice_find(struct slice slice, const char *needle)
{
	return slice_search(slice, (struct slice){ needle, strlen(needle) });
}

bool slice_ends(struct slice slice, const char *ending)
{
	size_t size = strlen(ending);

	return slice.size >= size && !memcmp(slice.data + slice.size - size, ending, size);
}

static void skip_blank(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
}

static bool take(struct scan *scan, char c)
{
	skip_blank(scan);
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

bool scan_enter(struct scan *scan, char bracket)
{
	return take(scan, bracket);
}

bool scan_member(struct scan *scan, struct slice *key)
{
	take(scan, ',');
	return scan_string(scan, key) && take(scan, ':');
}

bool scan_element(struct scan *scan)
{
	take(scan, ',');
	skip_blank(scan);
	return scan->at < scan->end && *scan->at != ']';
}

bool scan_string(struct scan *scan, struct slice *string)
{
	const char *start, *quote;

	if (!take(scan, '"'))
		return false;
	start = scan->at;
	for (const char *from = start;; from = quote + 1) {
		size_t backslashes = 0;
		quote = memchr(from, '"', (size_t)(scan->end - from));
		if (!quote)
			return false;
		while (quote - backslashes > start && quote[-1 - (ptrdiff_t)backslashes] == '\\')
			backslashes++;
		if (backslashes % 2 == 0)
			break;
	}
	*string = (struct slice){ start, (size_t)(quote - start) };
	scan->at = quote + 1;
	return true;
}

bool scan_skip(struct scan *scan)
{
	struct slice string;
	size_t depth = 0;

	do {
		skip_blank(scan);
		if (scan->at == scan->end)
			return false;
		if (*scan->at == '"') {
			if (!scan_string(scan, &string))
				return false;
			continue;
		}
		if (*scan->at == '{' || *scan->at == '[')
			depth++;
		else if (*scan->at == '}' || *scan->at == ']')
			depth--;
		else if (depth == 0) { /* a number or a word: up to what may follow it */
			while (scan->at < scan->end && !strchr(",]} \t\r\n", *scan->at))
				scan->at++;
			return true;
		}
		scan->at++;
	} while (depth > 0);
	return true;
}
