#include "llm/tokens.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

void oe__tokens_done(struct oe__tokens *tokens)
{
	oe__free(tokens->literals);
	oe__free(tokens->operators);
	oe__free(tokens->lines);
	*tokens = (struct oe__tokens){ 0 };
}

#define PUSH(tokens, list, count, capacity, item)                                                  \
	__extension__({                                                                                \
		void *items_ = (tokens)->list;                                                             \
		int status_ = oe__grow(&items_, &(tokens)->capacity, (tokens)->count + 1,                  \
		                       sizeof(*(tokens)->list));                                           \
		(tokens)->list = items_;                                                                   \
		if (status_ == 0)                                                                          \
			(tokens)->list[(tokens)->count++] = (item);                                            \
		status_;                                                                                   \
	})

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c & 0x80);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- one line ---- */

/* The end of a string or comment that begins at `c`; `c` itself if none does. */
static const char *skip_quoted(const char *c, const char *end)
{
	if (*c == '"' || *c == '\'' || *c == '`') {
		char quote = *c++;
		while (c < end && *c != quote)
			c += *c == '\\' && c + 1 < end ? 2 : 1;
		return c < end ? c + 1 : end;
	}
	if (*c == '#' || (end - c >= 2 && (memcmp(c, "//", 2) == 0 || memcmp(c, "--", 2) == 0 ||
	                                   memcmp(c, "/*", 2) == 0)))
		return end;
	return c;
}

/* Is [start, end) a word that a value follows, and not an operator? */
static bool announces_value(const char *start, const char *end)
{
	static const char *const words[] = { "return", "yield", "case", "in",   "and",
		                                 "or",     "not",   "if",   "else", "then" };

	for (size_t i = 0; i < OE__COUNT(words); i++)
		if (strlen(words[i]) == (size_t)(end - start) &&
		    memcmp(words[i], start, (size_t)(end - start)) == 0)
			return true;
	return false;
}

/* A sign belongs to a number where no value stands before it: "(-1", "= -1", "return -1". */
static bool is_sign(const char *line, const char *c)
{
	const char *before = c;

	if (*c != '-')
		return false;
	while (before > line && oe__is_space(before[-1]))
		before--;
	const char *word = before;
	while (word > line && is_word(word[-1]))
		word--;
	if (word < before)
		return announces_value(word, before);
	return before > line && memchr("(,=[{:<>*/+%", before[-1], 12) != NULL;
}

static const char *number_end(const char *c, const char *end, bool *integer)
{
	*integer = true;
	while (c < end && is_digit(*c))
		c++;
	if (c < end && *c == '.' && c + 1 < end && is_digit(c[1])) {
		*integer = false;
		for (c++; c < end && is_digit(*c);)
			c++;
	}
	if (c < end && (*c == 'e' || *c == 'E')) {
		const char *exponent = c + 1;
		if (exponent < end && (*exponent == '-' || *exponent == '+'))
			exponent++;
		if (exponent < end && is_digit(*exponent)) {
			*integer = false;
			for (c = exponent; c < end && is_digit(*c);)
				c++;
		}
	}
	return c;
}

static int add_number(struct oe__tokens *tokens, const char *text, const char *start,
                      const char *end, bool integer)
{
	const char *point = memchr(start, '.', (size_t)(end - start));
	struct oe__literal literal = { .start = (size_t)(start - text),
		                           .size = (size_t)(end - start),
		                           .integer = integer };

	if (!oe__parse_real(start, literal.size, &literal.value))
		return 0;
	for (const char *c = point ? point + 1 : end; c < end && is_digit(*c); c++)
		literal.decimals++;
	return PUSH(tokens, literals, literal_count, literal_capacity, literal);
}

static size_t operator_size(const char *c, const char *end)
{
	if (end - c >= 2 && (memcmp(c, "<=", 2) == 0 || memcmp(c, ">=", 2) == 0))
		return 2;
	/* Alone, and with blanks around it: neither ** nor += nor -> nor a sign. */
	if (strchr("+-*/<>", *c) && c[-1] == ' ' && c + 1 < end && c[1] == ' ')
		return 1;
	return 0;
}

static int scan_line(struct oe__tokens *tokens, const char *text, const char *line, const char *end)
{
	int status = 0;

	for (const char *c = line; c < end && status == 0;) {
		const char *behind = skip_quoted(c, end);
		const char *digits = is_sign(line, c) ? c + 1 : c;
		if (behind > c) {
			c = behind;
		} else if (digits < end && is_digit(*digits)) {
			bool integer;
			const char *stop = number_end(digits, end, &integer);
			/* 0x10, 1u, 3rd: not ours to change. */
			if (stop == end || !is_word(*stop))
				status = add_number(tokens, text, c, stop, integer);
			for (c = stop; c < end && is_word(*c);)
				c++;
		} else if (is_word(*c)) {
			while (c < end && is_word(*c))
				c++;
		} else {
			size_t size = c > line && c + 1 < end && *c ? operator_size(c, end) : 0;
			if (size > 0)
				status = PUSH(tokens, operators, operator_count, operator_capacity,
				              ((struct oe__operator){ (size_t)(c - text), size }));
			c += size > 0 ? size : 1;
		}
	}
	return status;
}

/* ---- all lines ---- */

static int add_line(struct oe__tokens *tokens, const char *text, const struct oe__line *line,
                    bool quoted)
{
	struct oe__span span = { .start = (size_t)(line->text - text), .size = line->size };
	size_t at = 0;

	while (at < line->size && (line->text[at] == ' ' || line->text[at] == '\t'))
		at++;
	span.indent = (int)at;
	span.blank = quoted || at == line->size || skip_quoted(line->text + at, line->text + line->size) ==
	                                               line->text + line->size;
	int status = PUSH(tokens, lines, line_count, line_capacity, span);
	if (status == 0 && !span.blank)
		status = scan_line(tokens, text, line->text, line->text + line->size);
	return status;
}

/* Strings over several lines: a line with an odd number of triple quotes opens or closes one. */
static bool toggles(const struct oe__line *line)
{
	bool odd = false;

	for (size_t i = 0; i + 3 <= line->size; i++)
		if (memcmp(line->text + i, "\"\"\"", 3) == 0 || memcmp(line->text + i, "'''", 3) == 0) {
			odd = !odd;
			i += 2;
		}
	return odd;
}

/* Where a comment ends that begins in this line and goes on behind it; NULL if none does. */
static const char *comment_end(const struct oe__line *line, const char *end)
{
	const char *line_end = line->text + line->size;

	for (const char *c = line->text; c < line_end;) {
		bool opens = line_end - c >= 2 && memcmp(c, "/*", 2) == 0;
		const char *behind = skip_quoted(c, line_end);
		if (opens) {
			const char *closed = oe__find(c + 2, (size_t)(end - c - 2), "*/", 2);
			if (!closed || closed >= line_end) /* it may be none, if nothing closes it */
				return closed;
			behind = closed + 2;
		}
		c = behind > c ? behind : c + 1;
	}
	return NULL;
}

enum marker { MARKER_NONE, MARKER_START, MARKER_END };

/* The first one of a line decides, as it does when the edit is judged. */
static enum marker marker_in(const char *text, size_t size)
{
	static const char prefix[] = "EVOLVE-BLOCK-";
	const char *end = text + size;

	while ((text = oe__find(text, (size_t)(end - text), prefix, sizeof(prefix) - 1)) != NULL) {
		text += sizeof(prefix) - 1;
		if (end - text >= 5 && memcmp(text, "START", 5) == 0)
			return MARKER_START;
		if (end - text >= 3 && memcmp(text, "END", 3) == 0)
			return MARKER_END;
	}
	return MARKER_NONE;
}

int oe__tokens_scan(const char *text, size_t size, struct oe__tokens *out)
{
	OE__AUTO(tokens) struct oe__tokens tokens = { 0 };
	bool inside = marker_in(text, size) == MARKER_NONE, quoted = false;
	const char *cursor = text, *end = text + size, *comment = NULL;
	struct oe__line line;

	while (oe__line_next(&cursor, end, &line)) {
		enum marker marker = marker_in(line.text, line.size);
		bool hidden = quoted || (comment && line.text <= comment);
		bool toggled = toggles(&line);

		if (!hidden && !toggled)
			comment = comment_end(&line, end);
		int status = inside && marker == MARKER_NONE
		                 ? add_line(&tokens, text, &line, hidden || toggled)
		                 : 0;
		if (status < 0)
			return status;
		quoted ^= toggled;
		if (marker != MARKER_NONE)
			inside = marker == MARKER_START;
	}
	*out = tokens;
	tokens = (struct oe__tokens){ 0 };
	return 0;
}
