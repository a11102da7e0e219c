/*
 * Reasoning and line ends of an answer, see answer.h.
 *
 * Reasoning models put their thoughts into the content when a server does not split them off. What
 * stands there are drafts: edits and programs that the model itself went on to reject.
 */

#include "edit/answer.h"

#include <string.h>

#include "base/limits.h"
#include "base/line_ends.h"
#include "base/text.h"
#include "edit/ends.h"

struct tag {
	const char *open, *close;
};

static const struct tag tags[] = {
	{ "<think>", "</think>" },     { "<thinking>", "</thinking>" },
	{ "<thought>", "</thought>" }, { "<reasoning>", "</reasoning>" },
	{ "[THINK]", "[/THINK]" },     { "◁think▷", "◁/think▷" },
};

static bool starts_with(oe_bytes text, const char *prefix)
{
	size_t size = strlen(prefix);

	return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

static const struct tag *tag_at(oe_bytes text)
{
	for (size_t i = 0; i < OE__COUNT(tags); i++)
		if (starts_with(text, tags[i].open))
			return &tags[i];
	return NULL;
}

static oe_bytes without(oe_bytes text, size_t size)
{
	return (oe_bytes){ (const char *)text.data + size, text.size - size };
}

/* Position after a closing tag that has a line to itself, or 0. */
static size_t after_lone_close(oe_bytes text, const struct tag *tag)
{
	const char *start = text.data;
	size_t close_size = strlen(tag->close);
	const char *close = oe__find(start, text.size, tag->close, close_size);

	if (!close || oe__find(start, (size_t)(close - start), tag->open, strlen(tag->open)))
		return 0;
	const char *line = close;
	while (line > start && (line[-1] == ' ' || line[-1] == '\t'))
		line--;
	size_t end = (size_t)(close - start) + close_size;
	size_t blanks = oe__blanks_before(start + end, text.size - end);
	bool alone = (line == start || line[-1] == '\n') &&
				 (end + blanks == text.size || start[end + blanks] == '\n');
	return alone ? end : 0;
}

static void drop_reasoning(struct oe__edit_answer *answer)
{
	oe_bytes rest = answer->text;

	for (;;) {
		oe_bytes inner = without(rest, oe__space_before(rest.data, rest.size));
		const struct tag *tag = tag_at(inner);
		if (!tag)
			break;
		answer->reasoned = true;
		const char *close = oe__find(inner.data, inner.size, tag->close, strlen(tag->close));
		if (!close) {
			answer->reasoning_open = true;
			return;
		}
		size_t used = (size_t)(close - (const char *)inner.data) + strlen(tag->close);
		rest = without(inner, used);
	}
	if (!answer->reasoned) {
		/* Templates that write the opening tag into the prompt leave only the closing one here. */
		size_t used = after_lone_close(rest, &tags[0]);
		answer->reasoned = used > 0;
		rest = without(rest, used);
	}
	answer->line += oe__count_lf(answer->text.data, answer->text.size - rest.size);
	answer->text = rest;
}

void oe__edit_answer_raw(oe_bytes raw, struct oe__edit_answer *out)
{
	*out = (struct oe__edit_answer){ .text = raw, .line = 1 };
	out->normalised.size_max = OE__RESPONSE_MAX;
	if (raw.size == 0)
		out->text.data = "";
}

int oe__edit_answer_read(oe_bytes raw, struct oe__edit_answer *out)
{
	oe__edit_answer_raw(raw, out);
	if (oe__find(out->text.data, raw.size, "\r\n", 2)) {
		int status = oe__append_lf(&out->normalised, raw);
		if (status < 0)
			return status;
		out->crlf = true;
		out->text = (oe_bytes){ out->normalised.data, out->normalised.size };
	}
	drop_reasoning(out);
	return 0;
}

void oe__edit_answer_done(struct oe__edit_answer *answer)
{
	oe__buffer_done(&answer->normalised);
}
