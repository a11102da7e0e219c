/*
 * The filter. Redaction follows three of OpenEvolve's regular expressions, in their order and with
 * their reading of letters, case and white space (Python's, so a few characters beyond ASCII count):
 *
 *     [A-Za-z0-9]{32,}          <REDACTED_TOKEN>
 *     password[=:]\s*[^\s]+     password=<REDACTED>
 *     token[=:]\s*[^\s]+        token=<REDACTED>
 *
 * Its fourth, for keys "sk-" and 48 letters, never matches after the first.
 */

#include "prompt/filter.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "prompt/keys.h"
#include "prompt/python.h"

#define ESC '\x1b'

/* ---- escapes and control characters ---- */

/* Size of the terminal escape at `text`, which begins with ESC; 0 if it is none. */
static size_t escape_size(const char *text, size_t size)
{
	size_t i = 2;

	if (size < 2)
		return 0;
	if (text[1] != '[')
		return (text[1] >= '@' && text[1] <= 'Z') || (text[1] >= '\\' && text[1] <= '_') ? 2 : 0;
	while (i < size && text[i] >= '0' && text[i] <= '?')
		i++;
	while (i < size && text[i] >= ' ' && text[i] <= '/')
		i++;
	return i < size && text[i] >= '@' && text[i] <= '~' ? i + 1 : 0;
}

/* Size of the control character at `text`, or 0. */
static size_t control_size(const char *text, size_t size)
{
	unsigned char c = (unsigned char)text[0];

	if (c == 0xc2)
		return size > 1 && (unsigned char)text[1] < 0xa0 ? 2 : 0;
	return c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

/* May one of the bytes begin something that is removed? Written so that compilers use vectors. */
#define BLOCK 32
static bool block_is_suspect(const unsigned char *c)
{
	unsigned char found = 0;

	for (int i = 0; i < BLOCK; i++) {
		unsigned char low =
			(unsigned char)((c[i] < 0x20) & (c[i] != '\n') & (c[i] != '\t') & (c[i] != '\r'));
		found |= (unsigned char)(low | (c[i] == 0x7f) | (c[i] == 0xc2));
	}
	return found != 0;
}

/* Bytes at the start that need no decision. */
static size_t clean_run(const char *text, size_t size)
{
	size_t i = 0;

	while (i < size) {
		size_t stop = i + BLOCK <= size ? i + BLOCK : size;

		if (stop == i + BLOCK && !block_is_suspect((const unsigned char *)text + i)) {
			i = stop;
			continue;
		}
		while (i < stop && control_size(text + i, size - i) == 0)
			i++;
		if (i < stop)
			break;
	}
	return i;
}

static void append_clean(struct oe__buffer *out, const char *text, size_t size, unsigned steps)
{
	size_t kept = 0;

	for (size_t i = 0; i < size;) {
		i += clean_run(text + i, size - i);
		if (i == size)
			break;
		size_t drop = 0;
		if (text[i] == ESC && (steps & OE__FILTER_ESCAPES))
			drop = escape_size(text + i, size - i);
		if (drop == 0 && (steps & OE__FILTER_CONTROLS))
			drop = control_size(text + i, size - i);
		if (drop > 0) {
			oe__buffer_append(out, text + kept, i - kept);
			kept = i + drop;
		}
		i += drop > 0 ? drop : 1;
	}
	oe__buffer_append(out, text + kept, size - kept);
}

/* ---- tokens ---- */

#define TOKEN_MIN      32
#define REDACTED_TOKEN "<REDACTED_TOKEN>"

/* Letters beyond ASCII that a case-insensitive [A-Z] takes: dotted and dotless i, long s, Kelvin. */
static size_t odd_letter(const char *text, size_t size)
{
	static const char *const letters[] = { "\xc4\xb0", "\xc4\xb1", "\xc5\xbf", "\xe2\x84\xaa" };

	for (size_t i = 0; i < OE__COUNT(letters); i++) {
		size_t length = strlen(letters[i]);
		if (size >= length && memcmp(text, letters[i], length) == 0)
			return length;
	}
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* May the byte be part of a run? Those of odd letters are in the list. */
static bool in_run(char c)
{
	return is_alnum(c) || ((unsigned char)c >= 0x80 &&
						   memchr("\xc4\xb0\xb1\xc5\xbf\xe2\x84\xaa", c, 8));
}

/* Size of the letter or digit at `text`, or 0. */
static size_t letter_size(const char *text, size_t size)
{
	return is_alnum(*text) ? 1 : (unsigned char)*text & 0x80 ? odd_letter(text, size) : 0;
}

/* The first place from `from` on where a run of TOKEN_MIN bytes may begin; `size` if there is none.
   Looks at the far end of each window first, so that ordinary text is skipped in strides. */
static size_t next_window(const char *text, size_t size, size_t from)
{
	while (from + TOKEN_MIN <= size) {
		size_t i = from + TOKEN_MIN;

		while (i > from && in_run(text[i - 1]))
			i--;
		if (i == from)
			return from;
		from = i;
	}
	return size;
}

/* The next run of letters and digits that is long enough. */
static bool next_token(const char *text, size_t size, size_t from, size_t *start, size_t *end)
{
	for (size_t at = next_window(text, size, from); at < size;
		 at = next_window(text, size, at)) {
		size_t count = 0, length;

		*start = at;
		while (at < size && (length = letter_size(text + at, size - at)) > 0) {
			at += length;
			count++;
		}
		*end = at;
		if (count >= TOKEN_MIN)
			return true;
		at += at < size; /* what ended the run is no part of another */
	}
	return false;
}

/* A run is longer than what stands for it: in place. */
static void redact_tokens(struct oe__buffer *out, size_t from)
{
	size_t start, end, read = from, write = from;

	if (out->status < 0)
		return;
	while (next_token(out->data, out->size, read, &start, &end)) {
		memmove(out->data + write, out->data + read, start - read);
		write += start - read;
		memcpy(out->data + write, REDACTED_TOKEN, strlen(REDACTED_TOKEN));
		write += strlen(REDACTED_TOKEN);
		read = end;
	}
	if (read == from)
		return;
	memmove(out->data + write, out->data + read, out->size - read);
	oe__buffer_truncate(out, write + out->size - read);
}

/* ---- passwords and tokens by name ---- */

/* Is the text before `end` that word, in any case? @return where it begins, or NULL. */
static const char *word_before(const char *start, const char *end, const char *word)
{
	size_t i = strlen(word);

	while (i > 0) {
		char c = word[--i];
		if (end > start && ((end[-1] | 0x20) == c))
			end--;
		else if (c == 's' && end - start >= 2 && memcmp(end - 2, "\xc5\xbf", 2) == 0)
			end -= 2;
		else if (c == 'k' && end - start >= 3 && memcmp(end - 3, "\xe2\x84\xaa", 3) == 0)
			end -= 3;
		else
			return NULL;
	}
	return end;
}

/* The end of \s*[^\s]+ at `c`, or NULL where that does not match. */
static const char *value_end(const char *c, const char *end)
{
	const char *value = c + oe__python_leading_space(c, (size_t)(end - c));
	const char *at = value;

	while (at < end) {
		const char *next = at;
		size_t left = (size_t)(end - at);
		if (oe__python_is_space(oe__utf8_next(&next, &left)))
			break;
		at = next;
	}
	return at > value ? at : NULL;
}

/* The next '=' or ':' from `c` on. Both are looked for at once, each byte once per kind. */
struct signs {
	const char *end, *equals, *colon;
};

static const char *next_sign(struct signs *signs, const char *c)
{
	if (signs->equals && signs->equals < c)
		signs->equals = memchr(c, '=', (size_t)(signs->end - c));
	if (signs->colon && signs->colon < c)
		signs->colon = memchr(c, ':', (size_t)(signs->end - c));
	if (!signs->equals || !signs->colon)
		return signs->equals ? signs->equals : signs->colon;
	return signs->equals < signs->colon ? signs->equals : signs->colon;
}

static void redact_word(struct oe__buffer *out, size_t from, const char *word)
{
	OE__AUTO(buffer) struct oe__buffer changed = OE__BUFFER_INIT(out->size_max);

	if (out->status < 0 || out->size == from)
		return;
	const char *start = out->data + from, *end = out->data + out->size, *kept = start;
	struct signs signs = { end, memchr(start, '=', (size_t)(end - start)),
						   memchr(start, ':', (size_t)(end - start)) };

	for (const char *c = next_sign(&signs, start); c; c = next_sign(&signs, c + 1)) {
		const char *begin = word_before(kept, c, word);
		const char *stop = begin ? value_end(c + 1, end) : NULL;
		if (!stop)
			continue;
		oe__buffer_append(&changed, kept, (size_t)(begin - kept));
		oe__buffer_text(&changed, word);
		oe__buffer_text(&changed, "=<REDACTED>");
		kept = stop;
		c = stop - 1;
	}
	if (kept == start)
		return;
	oe__buffer_append(&changed, kept, (size_t)(end - kept));
	oe__buffer_truncate(out, from);
	if (changed.status < 0)
		out->status = changed.status;
	else
		oe__buffer_append(out, changed.data, changed.size);
}

int oe__filter_append(struct oe__buffer *out, const char *text, size_t size, unsigned steps)
{
	size_t from = out->size;

	if (steps == 0)
		return oe__buffer_append(out, text, size);
	append_clean(out, text, size, steps);
	if (steps & OE__FILTER_KEYS)
		oe__redact_keys(out, from);
	if (steps & OE__FILTER_SECRETS) {
		redact_tokens(out, from);
		redact_word(out, from, "password");
		redact_word(out, from, "token");
	}
	return out->status;
}
