/*
 * Fences, see fence.h.
 *
 * CommonMark 0.31, section 4.5, with one deliberate difference: nesting. A model that is asked for
 * a program whose texts hold Markdown writes fences inside of fences.
 */

#include "edit/fence.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "edit/ends.h"

struct fence_line {
	char kind;
	size_t indent, count; /* blanks before, ticks */
	oe_bytes info;
};

static bool read_line(const struct oe__line *line, size_t indent_max, struct fence_line *out)
{
	size_t indent = oe__blanks_before(line->text, line->size);
	const char *text = line->text + indent;
	size_t size = line->size - indent;
	size_t count = 0;

	if (indent > indent_max || size < 3 || (*text != '`' && *text != '~'))
		return false;
	while (count < size && text[count] == *text)
		count++;
	if (count < 3)
		return false;
	oe_bytes info = oe__trimmed((oe_bytes){ text + count, size - count });
	/* A tick in the info text: this is code in a sentence, not a fence. */
	if (*text == '`' && info.size > 0 && memchr(info.data, '`', info.size))
		return false;
	*out = (struct fence_line){ *text, indent, count, info };
	return true;
}

/* Read on to the line that closes `open`. */
static void read_content(const char **cursor, const char *end, size_t indent_max,
						 const struct fence_line *open, struct oe__fence *fence)
{
	size_t counts[OE__FENCE_DEPTH_MAX] = { open->count };
	size_t depth = 1;
	const char *start = *cursor;
	struct oe__line line;
	struct fence_line inner;

	while (oe__line_next(cursor, end, &line)) {
		if (!read_line(&line, indent_max, &inner) || inner.kind != open->kind ||
			inner.count < counts[depth - 1])
			continue;
		if (inner.info.size > 0) {
			if (depth < OE__FENCE_DEPTH_MAX)
				counts[depth++] = inner.count;
		} else if (--depth == 0) {
			fence->closed = true;
			fence->content = (oe_bytes){ start, (size_t)(line.text - start) };
			return;
		}
	}
	fence->closed = false;
	fence->content = (oe_bytes){ start, (size_t)(end - start) };
}

bool oe__fence_next(const char **cursor, const char *end, size_t indent_max,
					struct oe__fence *fence)
{
	struct oe__line line;
	struct fence_line open;

	while (oe__line_next(cursor, end, &line)) {
		if (!read_line(&line, indent_max, &open))
			continue;
		fence->info = open.info;
		fence->indent = open.indent;
		read_content(cursor, end, indent_max, &open, fence);
		return true;
	}
	return false;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
		   c == '#' || c == '-' || c == '_' || c == '.';
}

oe_bytes oe__fence_language(oe_bytes info)
{
	const char *word = info.data;
	const char *end = word + info.size;
	size_t size = 0;

	while (word < end && (*word == '{' || *word == '.' || *word == ' '))
		word++;
	while (word + size < end && is_name(word[size]))
		size++;
	return (oe_bytes){ word, size };
}
