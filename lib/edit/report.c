/*
 * Messages, summaries and reports of edits, see report.h.
 */

#include "edit/report.h"

#include <string.h>

#include "base/text.h"
#include "edit/ends.h"

#define EXPLAINED_MAX 3  /* blocks: one sentence must stay one sentence */
#define NEAREST_SHOWN 12 /* lines of each */

static size_t line_count(oe_bytes text)
{
	return oe__count_lf(text.data, text.size) + 1;
}

static int append(struct oe__buffer *out, oe_bytes text)
{
	return oe__buffer_append(out, text.data, text.size);
}

/* "3 lines", or the one there is. */
static void append_extent(struct oe__buffer *out, oe_bytes text, size_t lines)
{
	if (lines > 1)
		oe__buffer_printf(out, "%zu lines", lines);
	else
		append(out, text);
}

static void summarise_block(const oe_edit_block *block, size_t number, struct oe__buffer *out)
{
	oe_bytes search = oe__trimmed(block->search);
	oe_bytes replacement = oe__trimmed(block->replacement);
	size_t search_lines = line_count(search);
	size_t replacement_lines = line_count(replacement);

	oe__buffer_printf(out, "Change %zu: ", number);
	if (search_lines == 1 && replacement_lines == 1) {
		oe__buffer_char(out, '\'');
		append(out, search);
		oe__buffer_text(out, "' to '");
		append(out, replacement);
		oe__buffer_char(out, '\'');
		return;
	}
	oe__buffer_text(out, "Replace ");
	append_extent(out, search, search_lines);
	oe__buffer_text(out, " with ");
	append_extent(out, replacement, replacement_lines);
}

static bool is_applied(const oe_edit_block *block)
{
	return block->status == OE_EDIT_STATUS_APPLIED ||
		   block->status == OE_EDIT_STATUS_APPLIED_TOLERANT;
}

int oe__edit_summarise(const oe_edit *edit, bool all, struct oe__buffer *out)
{
	bool first = true;

	if (edit->rewrite)
		return oe__buffer_text(out, "Full rewrite");
	for (size_t i = 0; i < edit->block_count; i++) {
		if (!all && !is_applied(&edit->blocks[i]))
			continue;
		if (!first)
			oe__buffer_char(out, '\n');
		first = false;
		summarise_block(&edit->blocks[i], i + 1, out);
	}
	return out->status;
}

static void explain_block(const oe_edit *edit, size_t index, struct oe__buffer *out)
{
	const oe_edit_block *block = &edit->blocks[index];

	oe__buffer_printf(out, "block %zu of %zu (line %zu of the answer) ", index + 1,
					  edit->block_count, block->answer_line);
	if (block->status == OE_EDIT_STATUS_AMBIGUOUS) {
		oe__buffer_text(out, block->ambiguity == OE_EDIT_AMBIGUITY_DIVIDER
								 ? "can be divided at several lines"
								 : "fits in several places");
	} else if (block->unmovable) {
		oe__buffer_printf(out, "fits at line %zu, but its replacement cannot be indented alike",
						  block->line);
	} else if (block->search.size == 0) {
		oe__buffer_text(out, "has an empty search text");
	} else {
		oe__buffer_text(out, "has a search text that is not in the program");
		/* Blanks do not count there: they are what differs. */
		if (block->nearest_line > 0 && block->similarity >= 1)
			oe__buffer_printf(out, "; line %zu differs from it in blanks", block->nearest_line);
		else if (block->nearest_line > 0)
			oe__buffer_printf(out, "; the nearest is line %zu, %.0f %% alike", block->nearest_line,
							  100.0 * block->similarity);
	}
}

int oe__edit_explain_blocks(const oe_edit *edit, struct oe__buffer *out)
{
	size_t bad = 0;

	for (size_t i = 0; i < edit->block_count; i++) {
		if (is_applied(&edit->blocks[i]) || ++bad > EXPLAINED_MAX)
			continue;
		if (out->size > 0)
			oe__buffer_text(out, "; ");
		explain_block(edit, i, out);
	}
	if (bad > EXPLAINED_MAX)
		oe__buffer_printf(out, "; and %zu more", bad - EXPLAINED_MAX);
	return out->status;
}

/* Lines `first` and following of `text`, each indented. */
static void append_lines(struct oe__buffer *out, oe_bytes text, size_t first, size_t count)
{
	const char *cursor = text.data;
	const char *end = cursor + text.size;
	struct oe__line line;
	size_t shown = count < NEAREST_SHOWN ? count : NEAREST_SHOWN;

	for (size_t number = 1; number < first + shown && oe__line_next(&cursor, end, &line);
		 number++) {
		if (number < first)
			continue;
		oe__buffer_append(out, line.text, line.size);
		oe__buffer_char(out, '\n');
	}
	if (shown < count)
		oe__buffer_printf(out, "(%zu more lines)\n", count - shown);
}

int oe__edit_report(const oe_edit *edit, oe_bytes parent, struct oe__buffer *out)
{
	size_t shown = 0;

	if (edit->message.size == 0)
		return out->status;
	oe__buffer_printf(out, "%s\n", oe__buffer_string(&edit->message));
	for (size_t i = 0; i < edit->block_count && shown < EXPLAINED_MAX; i++) {
		const oe_edit_block *block = &edit->blocks[i];
		if (is_applied(block) || block->nearest_line == 0 || parent.size == 0)
			continue;
		shown++;
		oe__buffer_printf(
			out, "nearest to the search text of block %zu, from line %zu of the program:\n", i + 1,
			block->nearest_line);
		append_lines(out, parent, block->nearest_line, block->nearest_count);
	}
	return out->status;
}
