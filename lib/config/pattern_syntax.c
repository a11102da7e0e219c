/*
 * From Python's regular expressions to PCRE2's, see pattern_syntax.h.
 *
 * The two agree on nearly everything that a diff_pattern holds. One pass over the text changes what
 * they spell differently (\Z, \v, \u, {,n}) and refuses what one of them lacks, because a pattern
 * that silently means something else would lose every edit of a run.
 *
 * Python: "re — Regular expression operations", section Regular Expression Syntax.
 * PCRE2: pcre2pattern(3).
 */

#include "config/pattern_syntax.h"

#include <stdbool.h>
#include <string.h>

struct reader {
	const char *text;
	size_t size;
	size_t at;
	bool verbose; /* (?x) was seen: # starts a comment */
	struct oe__buffer *out;
	oe_error *err;
};

static int refuse(const struct reader *reader, size_t at, const char *what)
{
	return oe__error_at(reader->err, OE_ERR_CONFIG, "diff_pattern", 0, (int)at + 1,
						"%s in the regular expression", what);
}

static char peek(const struct reader *reader, size_t ahead)
{
	size_t at = reader->at + ahead;

	return at < reader->size ? reader->text[at] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int copy(struct reader *reader, size_t count)
{
	int status = oe__buffer_append(reader->out, reader->text + reader->at, count);

	reader->at += count;
	return status < 0 ? oe__error_nomem(reader->err) : 0;
}

static int say(struct reader *reader, const char *instead, size_t count)
{
	reader->at += count;
	return oe__buffer_text(reader->out, instead) < 0 ? oe__error_nomem(reader->err) : 0;
}

/* \xhh, \uhhhh, \Uhhhhhhhh: exactly `digits` of them. */
static int code_point(struct reader *reader, size_t digits)
{
	size_t start = reader->at;

	for (size_t i = 0; i < digits; i++)
		if (!is_hex(peek(reader, 2 + i)))
			return refuse(reader, start, "an incomplete hexadecimal escape");
	reader->at += 2;
	oe__buffer_text(reader->out, "\\x{");
	oe__buffer_append(reader->out, reader->text + reader->at, digits);
	return say(reader, "}", digits);
}

static int escape(struct reader *reader, bool in_class)
{
	char c = peek(reader, 1);

	if (reader->at + 1 >= reader->size)
		return refuse(reader, reader->at, "a backslash without a character");
	switch (c) {
	case 'x':
		return code_point(reader, 2);
	case 'u':
		return code_point(reader, 4);
	case 'U':
		return code_point(reader, 8);
	case 'v':
		return say(reader, "\\x0b", 2); /* PCRE2: any vertical space */
	case 'Z':
		if (!in_class)
			return say(reader, "\\z", 2); /* PCRE2's \Z also matches before a last line end */
		break;
	default:
		if (!is_letter(c) || strchr(in_class ? "abdDsSwWfnrt" : "AabBdDsSwWfnrt", c))
			return copy(reader, 2);
	}
	return refuse(reader, reader->at, "an escape that Python does not know");
}

/* From [ to its ]. PCRE2 alone knows [:names:], and Python takes them for plain characters. */
static int character_class(struct reader *reader)
{
	size_t start = reader->at;
	int status = copy(reader, peek(reader, 1) == '^' ? 2 : 1);

	if (status == 0 && peek(reader, 0) == ']')
		status = copy(reader, 1);
	else if (status == 0 && peek(reader, 0) && strchr(":.=", peek(reader, 0)))
		oe__buffer_char(reader->out, '\\'); /* [: alone is an error to PCRE2 */
	while (status == 0) {
		char c = peek(reader, 0);
		if (reader->at >= reader->size)
			return refuse(reader, start, "an unterminated character set");
		if (c == '\\') {
			status = escape(reader, true);
		} else if (c == '[') {
			status = say(reader, "\\[", 1);
		} else {
			status = copy(reader, 1);
			if (c == ']')
				break;
		}
	}
	return status;
}

/* (?flags) and (?flags-flags:…): only the flags that mean the same on both sides. */
static int flags(struct reader *reader)
{
	size_t at = reader->at + 2;
	bool off = false;

	if (peek(reader, 2) == 'P')
		return refuse(reader, reader->at, "an unknown kind of group");
	for (; at < reader->size && (is_letter(reader->text[at]) || reader->text[at] == '-'); at++) {
		char c = reader->text[at];
		if (c == '-')
			off = true;
		else if (!strchr("imsx", c))
			return refuse(reader, at, "a flag other than i, m, s and x");
		else if (c == 'x' && !off)
			reader->verbose = true;
	}
	if (at >= reader->size || (reader->text[at] != ')' && reader->text[at] != ':'))
		return refuse(reader, reader->at, "an unknown kind of group");
	return copy(reader, at + 1 - reader->at);
}

static int group(struct reader *reader)
{
	static const char *const kinds[] = { "(?:",  "(?P<", "(?P=", "(?=", "(?!",
										 "(?<=", "(?<!", "(?>",  "(?(" };

	if (peek(reader, 1) == '*')
		return refuse(reader, reader->at, "a * with nothing to repeat");
	if (peek(reader, 1) != '?')
		return copy(reader, 1);
	for (size_t i = 0; i < OE__COUNT(kinds); i++) {
		size_t size = strlen(kinds[i]);
		if (reader->size - reader->at >= size &&
			memcmp(reader->text + reader->at, kinds[i], size) == 0)
			return copy(reader, size);
	}
	if (peek(reader, 2) == '#') {
		const char *end = memchr(reader->text + reader->at, ')', reader->size - reader->at);
		if (!end)
			return refuse(reader, reader->at, "an unterminated comment");
		reader->at = (size_t)(end - reader->text) + 1;
		return 0;
	}
	return flags(reader);
}

/* {,n} counts from 0 in Python and is text in PCRE2. */
static int brace(struct reader *reader)
{
	size_t ahead = 2;

	if (peek(reader, 1) == ',') {
		while (is_digit(peek(reader, ahead)))
			ahead++;
		if (peek(reader, ahead) == '}')
			return say(reader, "{0,", 2);
	}
	return copy(reader, 1);
}

int oe__pattern_translate(const char *pattern, size_t size, struct oe__buffer *out, oe_error *err)
{
	struct reader reader = { .text = pattern, .size = size, .out = out, .err = err };
	int status = 0;

	while (status == 0 && reader.at < size) {
		switch (pattern[reader.at]) {
		case '\\':
			status = escape(&reader, false);
			break;
		case '[':
			status = character_class(&reader);
			break;
		case '(':
			status = group(&reader);
			break;
		case '{':
			status = brace(&reader);
			break;
		case '#':
			if (reader.verbose) {
				const char *end = memchr(pattern + reader.at, '\n', size - reader.at);
				reader.at = end ? (size_t)(end - pattern) : size;
				break;
			}
			status = copy(&reader, 1);
			break;
		default:
			status = copy(&reader, 1);
		}
	}
	return status;
}
