/*
 * SEARCH/REPLACE answers. Input: one byte of options, the parent, a NUL, the answer.
 *
 * Without tolerance the result must be what the original's few lines of Python give, which are
 * written down here once more, as plainly as possible; with it, what the statuses promise.
 */

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "edit/diff.h"
#include "edit/edit.h"
#include "edit/ends.h"
#include "edit/evolve_block.h"
#include "edit/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#undef NDEBUG
#include <assert.h>

/* ---- the original, line by line ---- */

static const char *find(const char *text, const char *end, const char *what)
{
	return oe__find(text, (size_t)(end - text), what, strlen(what));
}

static oe_bytes trimmed_end(const char *text, const char *end)
{
	size_t size = (size_t)(end - text);

	return (oe_bytes){ text, size - oe__space_after(text, size) };
}

static size_t line_size(const char *text, const char *end)
{
	const char *lf = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;

	return (size_t)((lf ? lf : end) - text);
}

/* Do the lines at `text` equal all lines of `search`? Then where do they end? */
static const char *match(const char *text, const char *end, oe_bytes search)
{
	const char *cursor = search.data, *search_end = cursor + search.size;

	for (;;) {
		size_t a = line_size(text, end), b = line_size(cursor, search_end);
		if (a != b || memcmp(text, cursor, a) != 0)
			return NULL;
		text += a;
		cursor += b;
		if (cursor == search_end)
			return text;
		if (text == end)
			return NULL;
		text++;
		cursor++;
	}
}

static void replace_first(struct oe__buffer *code, oe_bytes search, oe_bytes replacement)
{
	const char *text = oe__buffer_string(code), *end = text + code->size;

	for (const char *line = text;; line++) {
		const char *after = match(line, end, search);
		if (after) {
			struct oe__buffer next = OE__BUFFER_INIT(0);
			oe__buffer_append(&next, text, (size_t)(line - text));
			oe__buffer_append(&next, replacement.data, replacement.size);
			oe__buffer_append(&next, after, (size_t)(end - after));
			oe__buffer_done(code);
			*code = next;
			return;
		}
		line += line_size(line, end);
		if (line == end)
			return;
	}
}

static void original(oe_bytes parent, oe_bytes answer, struct oe__buffer *code)
{
	const char *cursor = answer.data, *end = cursor + answer.size;

	oe__buffer_append(code, parent.data, parent.size);
	for (;;) {
		const char *start = find(cursor, end, "<<<<<<< SEARCH\n");
		const char *divider = start ? find(start + 15, end, "=======\n") : NULL;
		const char *stop = divider ? find(divider + 8, end, ">>>>>>> REPLACE") : NULL;
		if (!stop)
			return;
		replace_first(code, trimmed_end(start + 15, divider), trimmed_end(divider + 8, stop));
		cursor = stop + 15;
	}
}

/* ---- checks ---- */

static void check_diff(oe_bytes parent, oe_bytes code)
{
	OE__AUTO(diff) oe_diff *diff = NULL;
	size_t from = 0, at = 0;

	assert(oe_diff_new(parent, code, &diff) == 0);
	assert(diff->hunk_count > 0);
	for (size_t i = 0; i < diff->hunk_count; i++) {
		for (; from < diff->hunks[i].from; from++)
			at += diff->from_lines[from].size;
		for (size_t k = 0; k < diff->hunks[i].to_count; k++)
			at += diff->to_lines[diff->hunks[i].to + k].size;
		from += diff->hunks[i].from_count;
	}
	for (; from < diff->from_count; from++)
		at += diff->from_lines[from].size;
	assert(at == code.size);
	assert(oe_diff_unified(diff, "a", "b", 3));
}

/* The blocks of a program lie in it, in order, and do not touch. */
static void check_blocks(oe_bytes code)
{
	OE__AUTO(evolve_blocks) struct oe__evolve_blocks blocks = { 0 };
	size_t after = 0, line = 0;

	assert(oe__evolve_blocks_list(code, &blocks) == 0);
	assert(blocks.count == 0 || oe__evolve_blocks_any(code));
	for (size_t i = 0; i < blocks.count; i++) {
		const struct oe__evolve_block *block = &blocks.items[i];
		assert(block->offset > after && block->offset + block->size <= code.size);
		assert(block->start_line > line && block->end_line > block->start_line);
		after = block->offset + block->size;
		line = block->end_line;
	}
}

static void check_edit(const oe_edit *edit, const struct oe__edit_options *options, oe_bytes parent)
{
	OE__AUTO(buffer) struct oe__buffer report = OE__BUFFER_INIT(0);
	oe_bytes code = oe_edit_code(edit);
	size_t applied = 0, line;

	for (size_t i = 0; i < oe_edit_block_count(edit); i++) {
		const oe_edit_block *block = oe_edit_block_at(edit, i);
		bool done = block->status <= OE_EDIT_STATUS_APPLIED_TOLERANT;
		applied += done;
		assert(block->answer_line > 0);
		assert(block->similarity >= 0.0 && block->similarity <= 1.0);
		assert(!done || block->line > 0);
		/* Nothing is ever guessed. */
		assert(!done || block->level == OE_EDIT_LEVEL_EXACT || block->ambiguity == 0);
		assert(!done || !options->reject_ambiguous || block->ambiguity == 0);
	}
	assert(oe__edit_report(edit, parent, &report) == 0);
	assert((code.data != NULL) == (oe_edit_outcome(edit) < 0));
	if (!code.data) {
		assert(*oe_edit_message(edit));
		return;
	}
	assert(applied > 0 && (!options->reject_unmatched || applied == oe_edit_block_count(edit)));
	assert(code.size != parent.size || memcmp(code.data, parent.data, code.size) != 0);
	assert(((const char *)code.data)[code.size] == '\0');
	assert(oe__utf8_valid(code.data, code.size));
	assert(!options->code_length_max ||
		   oe__utf8_length(code.data, code.size) <= (size_t)options->code_length_max);
	assert(options->evolve_blocks != OE__EVOLVE_ENFORCE || edit->violation_line == 0);
	assert((edit->violation_line == 0) == (options->evolve_blocks == OE__EVOLVE_OFF ||
										   oe__evolve_blocks_kept(parent, code, &line)));
	check_diff(parent, code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *edit = NULL;

	if (size < 2 || !memchr(data + 1, '\0', size - 1))
		return 0;
	const uint8_t *split = memchr(data + 1, '\0', size - 1);
	oe_bytes parent = { data + 1, (size_t)(split - data) - 1 };
	oe_bytes answer = { split + 1, (size_t)(data + size - split) - 1 };
	options.tolerant = data[0] & 1;
	options.reject_ambiguous = data[0] & 2;
	options.reject_unmatched = data[0] & 4;
	options.evolve_blocks = (enum oe__evolve_mode)((data[0] >> 3) % 3);
	options.pattern =
		data[0] & 32 ? "<{5,9} SEARCH\\n(.*?)\\n={5,9}\\n(.*?)\\n>{5,9} REPLACE" : NULL;
	options.code_length_max = data[0] & 64 ? 100 : 0;
	if (!oe__utf8_valid(parent.data, parent.size))
		return 0;
	assert(oe__edit_rules_new(&options, &rules, NULL) == 0);
	assert(oe__edit_apply(rules, parent, answer, data[0] >> 7, &edit, NULL) == 0);
	check_edit(edit, &options, parent);
	check_blocks(parent);

	/* And once more as the original would. */
	static const struct oe__edit_options strict = { .tolerant = false };
	OE__AUTO(edit_rules) struct oe__edit_rules *strict_rules = NULL;
	OE__AUTO(edit) oe_edit *plain = NULL;
	OE__AUTO(buffer) struct oe__buffer expected = OE__BUFFER_INIT(0);
	assert(oe__edit_rules_new(&strict, &strict_rules, NULL) == 0);
	assert(oe__edit_apply(strict_rules, parent, answer, OE_FINISH_OTHER, &plain, NULL) == 0);
	original(parent, answer, &expected);
	oe_bytes code = oe_edit_code(plain).data ? oe_edit_code(plain) : parent;
	assert(!oe__utf8_valid(expected.data, expected.size) ||
		   (code.size == expected.size && memcmp(code.data, expected.data, code.size) == 0));
	return 0;
}
