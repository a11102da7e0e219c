/*
 * Which part of an answer is the program, see rewrite.h.
 */

#include "edit/rewrite.h"

#include <string.h>

#include "base/text.h"
#include "edit/ends.h"
#include "edit/fence.h"
#include "openevolve/llm.h"
#include "program/language.h"

struct choice {
	struct oe__fence fence;
	bool found;
};

static bool is_blank(oe_bytes text)
{
	return oe__space_before(text.data, text.size) == text.size;
}

/* The first fence that names the language, else the first one; blank ones only when cut short. */
static struct choice choose(oe_bytes text, const char *language, size_t indent_max)
{
	const char *cursor = text.data;
	const char *end = cursor + text.size;
	struct choice first = { .found = false };
	struct oe__fence fence;

	while (oe__fence_next(&cursor, end, indent_max, &fence)) {
		if (fence.closed && is_blank(fence.content))
			continue;
		if (oe__language_named(language, oe__fence_language(fence.info)))
			return (struct choice){ fence, true };
		if (!first.found)
			first = (struct choice){ fence, true };
	}
	return first;
}

/* Lines without the blanks that the fence itself had before it. */
static int append_outdented(struct oe__buffer *out, oe_bytes content, size_t indent)
{
	const char *cursor = content.data;
	const char *end = cursor + content.size;
	struct oe__line line;

	while (oe__line_next(&cursor, end, &line)) {
		size_t blanks = oe__blanks_before(line.text, line.size);
		size_t less = blanks < indent ? blanks : indent;
		oe__buffer_append(out, line.text + less, line.size - less + line.end_size);
	}
	return out->status;
}

static int take(const struct oe__fence *fence, int finish, struct oe__buffer *buffer,
				oe_bytes *code)
{
	oe_bytes content = fence->content;

	if (!fence->closed && (finish != OE_FINISH_STOP || is_blank(content)))
		return OE__REWRITE_CUT;
	if (fence->indent > 0) {
		int status = append_outdented(buffer, content, fence->indent);
		if (status < 0)
			return status;
		content = (oe_bytes){ buffer->data, buffer->size };
	}
	*code = oe__trimmed(content);
	return fence->closed ? OE__REWRITE_WHOLE : OE__REWRITE_OPEN;
}

/* ```x = 1``` inside of a line. */
static bool find_span(oe_bytes text, oe_bytes *code)
{
	const char *cursor = text.data;
	const char *end = cursor + text.size;
	struct oe__line line;

	while (oe__line_next(&cursor, end, &line)) {
		const char *line_end = line.text + line.size;
		const char *open = oe__find(line.text, line.size, "```", 3);
		if (!open)
			continue;
		const char *start = open + 3;
		const char *close = oe__find(start, (size_t)(line_end - start), "```", 3);
		if (!close)
			continue;
		oe_bytes span = oe__trimmed((oe_bytes){ start, (size_t)(close - start) });
		if (span.size == 0)
			continue;
		*code = span;
		return true;
	}
	return false;
}

int oe__rewrite_read(const struct oe__edit_answer *answer, const char *language, int finish,
					 struct oe__buffer *buffer, oe_bytes *code)
{
	oe_bytes text = answer->text;
	bool fenced =
		oe__find(text.data, text.size, "```", 3) || oe__find(text.data, text.size, "~~~", 3);

	if (fenced) {
		struct choice choice = choose(text, language, 3);
		if (!choice.found) /* in a list, say */
			choice = choose(text, language, text.size);
		if (choice.found)
			return take(&choice.fence, finish, buffer, code);
		const char *cursor = text.data;
		struct oe__fence blank;
		if (oe__fence_next(&cursor, cursor + text.size, text.size, &blank))
			return OE__REWRITE_NONE;
		if (find_span(text, code))
			return OE__REWRITE_WHOLE;
	}
	if (is_blank(text))
		return OE__REWRITE_NONE;
	if (finish == OE_FINISH_LENGTH)
		return OE__REWRITE_CUT;
	*code = answer->reasoned ? oe__trimmed(text) : text;
	return OE__REWRITE_WHOLE;
}
