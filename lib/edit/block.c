/*
 * Reading SEARCH/REPLACE blocks, see block.h.
 *
 * There are two readings. By lines: a mark fills its line, so text that merely contains one (a
 * string, a longer rule of '=') is text. By pattern: the regular expression of the original, which
 * finds marks anywhere but takes any '=======' at the end of a line for the divider. Models follow
 * the first; the second keeps every answer that the original accepts.
 */

#include "edit/block.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "edit/ends.h"

enum mark { MARK_NONE, MARK_START, MARK_DIVIDER, MARK_END };

struct mark_text {
	const char *text;
	size_t size;
};

static const struct mark_text marks[] = {
	[MARK_START] = { "<<<<<<< SEARCH", 14 },
	[MARK_DIVIDER] = { "=======", 7 },
	[MARK_END] = { ">>>>>>> REPLACE", 15 },
};

/* The mark that fills a line; `*blanks` says whether some follow it. */
static enum mark mark_of(const char *line, size_t size, bool *blanks)
{
	size_t before = oe__blanks_before(line, size);
	enum mark mark;

	line += before;
	size -= before;
	if (size < marks[MARK_DIVIDER].size)
		return MARK_NONE;
	if (*line == '<')
		mark = MARK_START;
	else if (*line == '=')
		mark = MARK_DIVIDER;
	else if (*line == '>')
		mark = MARK_END;
	else
		return MARK_NONE;
	size_t known = marks[mark].size;
	if (size < known || memcmp(line, marks[mark].text, known) != 0 ||
		known + oe__blanks_before(line + known, size - known) != size)
		return MARK_NONE;
	*blanks = size > known;
	return mark;
}

/* The answer breaks off inside a start mark. */
static bool is_cut_start(const char *line, size_t size)
{
	size_t before = oe__blanks_before(line, size);
	size_t left = size - before;

	return left >= 7 && left < marks[MARK_START].size &&
		   memcmp(line + before, marks[MARK_START].text, left) == 0;
}

static oe_bytes section(const char *start, const char *end)
{
	size_t size = (size_t)(end - start);

	return (oe_bytes){ start, size - oe__space_after(start, size) };
}

static int push(struct oe__blocks *blocks, const struct oe__block *block)
{
	void *items = blocks->items;
	int status = oe__grow(&items, &blocks->capacity, blocks->count + 1, sizeof(*block));

	if (status < 0)
		return status;
	blocks->items = items;
	blocks->items[blocks->count++] = *block;
	return 0;
}

/* Blocks as they are read, line by line. */
struct line_reader {
	struct oe__blocks *blocks;
	struct oe__block block; /* the open one            */
	const char *search;     /* NULL: no block is open  */
	const char *divider;    /* NULL: it is not divided */
	size_t number;          /* of the line, from 1     */
	int status;
};

static bool set_broken(struct oe__blocks *blocks, size_t line)
{
	blocks->reading = OE__READING_BROKEN;
	blocks->line = line;
	return false;
}

static bool close_block(struct line_reader *reader, const struct oe__line *line)
{
	struct oe__blocks *blocks = reader->blocks;

	if (!reader->search || !reader->divider)
		return set_broken(blocks, reader->number);
	if (blocks->count == OE__EDIT_BLOCKS_MAX) {
		blocks->reading = OE__READING_LIMIT;
		return false;
	}
	reader->block.end = line->text;
	reader->block.search = section(reader->search, reader->divider);
	reader->block.replacement = section(reader->block.rest, line->text);
	reader->search = NULL;
	reader->status = push(blocks, &reader->block);
	return reader->status == 0;
}

/* One line that is a mark, perhaps with blanks after it. false: the reading is over. */
static bool take_mark(struct line_reader *reader, enum mark mark, bool blanks,
					  const struct oe__line *line)
{
	const char *after = line->text + line->size + line->end_size;

	if (mark == MARK_END)
		return close_block(reader, line);
	if (mark == MARK_START) {
		if (reader->search)
			return set_broken(reader->blocks, reader->number);
		reader->block = (struct oe__block){ .line = reader->number, .loose = blanks };
		reader->search = after;
		reader->divider = NULL;
	} else if (reader->search && reader->block.dividers++ == 0) {
		/* Outside of a block it is a rule in the prose. */
		reader->divider = line->text;
		reader->block.rest = after;
		reader->block.loose = reader->block.loose || blanks;
	}
	return true;
}

static int read_lines(const struct oe__edit_answer *answer, struct oe__blocks *blocks)
{
	const char *cursor = answer->text.data;
	const char *end = cursor + answer->text.size;
	struct line_reader reader = { .blocks = blocks, .number = answer->line };
	struct oe__line line;
	bool cut = false;

	blocks->reading = OE__READING_BLOCKS;
	for (; oe__line_next(&cursor, end, &line); reader.number++) {
		bool blanks = false;
		enum mark mark = mark_of(line.text, line.size, &blanks);
		cut = line.end_size == 0 && is_cut_start(line.text, line.size);
		if (mark != MARK_NONE && !take_mark(&reader, mark, blanks, &line))
			return reader.status;
	}
	if (reader.search || cut) {
		blocks->reading = OE__READING_OPEN;
		blocks->line = reader.search ? reader.block.line : reader.number - 1;
	} else if (blocks->count == 0) {
		blocks->reading = OE__READING_NONE;
	}
	return 0;
}

/* A line of `text` is a start or end mark: something that the pattern did not understand. */
static bool has_mark(const char *text, const char *end)
{
	struct oe__line line;
	bool blanks;

	while (oe__line_next(&text, end, &line)) {
		enum mark mark = mark_of(line.text, line.size, &blanks);
		if (mark == MARK_START || mark == MARK_END ||
			(line.end_size == 0 && is_cut_start(line.text, line.size)))
			return true;
	}
	return false;
}

static bool leaves_mark(const struct oe__match *match, const char *text, size_t from)
{
	const char *search = match->search.data;
	const char *replacement = match->replacement.data;

	return has_mark(text + from, text + match->start) ||
		   has_mark(search, search + match->search.size) ||
		   has_mark(replacement, replacement + match->replacement.size);
}

/* All matches of the pattern. With `clean`, none if a mark is left over in them or between them. */
static int read_pattern(const struct oe__pattern *pattern, const struct oe__edit_answer *answer,
						bool clean, struct oe__blocks *blocks)
{
	OE__AUTO(pattern_scan) struct oe__pattern_scan scan = { 0 };
	const char *text = answer->text.data;
	struct oe__match match = { 0 };
	size_t counted = 0, number = answer->line, after = 0;
	int status = oe__pattern_scan(pattern, answer->text, &scan);

	blocks->reading = OE__READING_BLOCKS;
	while (status == 0 && (status = oe__pattern_next(&scan, &match)) == 1) {
		number += oe__count_lf(text + counted, match.start - counted);
		counted = match.start;
		const char *search = match.search.data, *rest = match.replacement.data;
		struct oe__block block = {
			.search = section(search, search + match.search.size),
			.replacement = section(rest, rest + match.replacement.size),
			.line = number,
			.dividers = 1,
		};
		if (clean && leaves_mark(&match, text, after)) {
			set_broken(blocks, number);
			return 0;
		}
		after = match.end;
		status = blocks->count < OE__EDIT_BLOCKS_MAX ? push(blocks, &block) : OE_ERR_LIMIT;
	}
	if (status == OE_ERR_LIMIT) {
		blocks->reading = OE__READING_LIMIT;
		return 0;
	}
	if (status < 0)
		return status;
	if (blocks->count == 0)
		blocks->reading = OE__READING_NONE;
	else if (clean && has_mark(text + after, text + answer->text.size))
		set_broken(blocks, number);
	return 0;
}

int oe__blocks_read(const struct oe__pattern *pattern, const struct oe__edit_answer *answer,
					bool tolerant, struct oe__blocks *out)
{
	*out = (struct oe__blocks){ 0 };
	if (!oe__pattern_is_default(pattern))
		return read_pattern(pattern, answer, false, out);

	OE__AUTO(blocks) struct oe__blocks lines = { 0 };
	int status = 0;
	if (tolerant) {
		status = read_lines(answer, out);
		if (status < 0 || out->reading == OE__READING_BLOCKS || out->reading == OE__READING_LIMIT)
			return status;
		lines = *out;
		*out = (struct oe__blocks){ 0 };
	}
	status = read_pattern(pattern, answer, tolerant, out);
	if (status < 0 || out->reading == OE__READING_BLOCKS || out->reading == OE__READING_LIMIT)
		return status;

	/* No block either way: what the lines look like says why. */
	out->count = 0;
	if (!tolerant)
		status = read_lines(answer, &lines);
	out->reading = lines.reading == OE__READING_BLOCKS ? OE__READING_BROKEN : lines.reading;
	out->line = lines.line;
	return status;
}

bool oe__block_divide_later(struct oe__block *block)
{
	struct oe__line line;
	const char *cursor = block->rest;
	bool blanks;

	if (block->dividers < 2)
		return false;
	const char *search = block->search.data;
	while (oe__line_next(&cursor, block->end, &line)) {
		if (mark_of(line.text, line.size, &blanks) != MARK_DIVIDER)
			continue;
		block->search = section(search, line.text);
		block->rest = cursor;
		block->replacement = section(cursor, block->end);
		block->loose = block->loose || blanks;
		block->dividers--;
		return true;
	}
	return false;
}

void oe__blocks_done(struct oe__blocks *blocks)
{
	oe__free(blocks->items);
	*blocks = (struct oe__blocks){ 0 };
}
