#include "prompt/keys.h"

#include <stdbool.h>
#include <string.h>

#define REDACTED_KEY "<REDACTED_KEY>"

/* A prefix, then at least so many letters, digits and `more`, of which one is a digit: names of
   programs and packages begin like some of these. */
static const struct shape {
	const char *prefix;
	size_t size_min; /* of what follows; the whole is longer than the placeholder */
	const char *more;
} shapes[] = {
	{ "sk-", 16, "-_" },
	{ "github_pat_", 20, "_" },
	{ "glpat-", 16, "-_" },
	{ "xoxa-", 16, "-" },
	{ "xoxb-", 16, "-" },
	{ "xoxp-", 16, "-" },
	{ "xoxr-", 16, "-" },
	{ "xoxs-", 16, "-" },
	{ "AKIA", 16, "" },
	{ "ASIA", 16, "" },
	{ "AIza", 30, "-_" },
	{ "eyJ", 24, "-_." }, /* JSON in base64: a web token */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Size of a key of this shape at `text`, or 0; `*looked_at` says how far it had to look. */
static size_t shape_size(const struct shape *shape, const char *text, size_t size,
						 size_t *looked_at)
{
	size_t prefix = strlen(shape->prefix), end = prefix;
	bool digit = false;

	if (size < prefix || memcmp(text, shape->prefix, prefix) != 0)
		return 0;
	while (end < size && (is_alnum(text[end]) || (text[end] && strchr(shape->more, text[end]))))
		digit |= is_digit(text[end++]);
	*looked_at = end;
	while (end > prefix && !is_alnum(text[end - 1])) /* the dot of a sentence, say */
		end--;
	return digit && end - prefix >= shape->size_min ? end : 0;
}

static size_t key_size(const char *text, size_t size, size_t *looked_at)
{
	if (!memchr("sgxAe", *text, 5))
		return 0;
	for (size_t i = 0; i < OE__COUNT(shapes); i++) {
		size_t found = shape_size(&shapes[i], text, size, looked_at);
		if (found > 0)
			return found;
	}
	return 0;
}

void oe__redact_keys(struct oe__buffer *out, size_t from)
{
	size_t read = from, write = from, next = from;

	if (out->status < 0)
		return;
	/* `next`: where a key may begin at the earliest, neither inside of a word nor of what was looked
	   at before. */
	while (read < out->size) {
		char *text = out->data + read;
		size_t looked_at = 0;
		size_t size = read < next ? 0 : key_size(text, out->size - read, &looked_at);
		if (read + looked_at > next)
			next = read + looked_at;
		if (size > 0) {
			memcpy(out->data + write, REDACTED_KEY, strlen(REDACTED_KEY));
			write += strlen(REDACTED_KEY);
			read += size;
			continue;
		}
		if ((is_alnum(*text) || *text == '_' || *text == '-') && next < read + 2)
			next = read + 2;
		out->data[write++] = *text;
		read++;
	}
	oe__buffer_truncate(out, write);
}
