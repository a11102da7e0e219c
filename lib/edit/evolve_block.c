/*
 * EVOLVE-BLOCKs, see evolve_block.h.
 *
 * Markers cut a text into parts that take turns: text, marker line, text, marker line, text. A
 * child keeps the rules if it has the same marker lines in the same order and the same text in the
 * parts that the parent's markers close. Adding a marker inside a block is a breach too: it would
 * open other parts to the next edit.
 */

#include "edit/evolve_block.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "edit/ends.h"

enum marker { MARKER_NONE, MARKER_START, MARKER_END };

static const char prefix[] = "EVOLVE-BLOCK-";

/* Text up to the next marker line, and that line. */
struct part {
	oe_bytes text;
	oe_bytes line; /* with its end; empty at the end of the text */
	enum marker marker;
};

static enum marker marker_of(const char *after, size_t size)
{
	if (size >= 5 && memcmp(after, "START", 5) == 0)
		return MARKER_START;
	if (size >= 3 && memcmp(after, "END", 3) == 0)
		return MARKER_END;
	return MARKER_NONE;
}

static struct part next_part(oe_bytes *rest)
{
	const char *start = rest->data;
	const char *end = start + rest->size;
	const char *found = start;
	size_t prefix_size = sizeof(prefix) - 1;

	while (rest->size > 0 &&
		   (found = oe__find(found, (size_t)(end - found), prefix, prefix_size))) {
		const char *after = found + prefix_size;
		enum marker marker = marker_of(after, (size_t)(end - after));
		if (marker == MARKER_NONE) {
			found = after;
			continue;
		}
		const char *line = found;
		while (line > start && line[-1] != '\n')
			line--;
		const char *lf = memchr(after, '\n', (size_t)(end - after));
		const char *next = lf ? lf + 1 : end;
		*rest = (oe_bytes){ next, (size_t)(end - next) };
		return (struct part){ { start, (size_t)(line - start) },
							  { line, (size_t)(next - line) },
							  marker };
	}
	struct part last = { *rest, { end, 0 }, MARKER_NONE };
	*rest = (oe_bytes){ end, 0 };
	return last;
}

static bool open_after(bool open, enum marker marker)
{
	return marker == MARKER_START || (open && marker != MARKER_END);
}

static int push(struct oe__evolve_blocks *blocks, const struct oe__evolve_block *block)
{
	void *items = blocks->items;
	int status = oe__grow(&items, &blocks->capacity, blocks->count + 1, sizeof(*block));

	if (status < 0)
		return status;
	blocks->items = items;
	blocks->items[blocks->count++] = *block;
	return 0;
}

int oe__evolve_blocks_list(oe_bytes code, struct oe__evolve_blocks *out)
{
	OE__AUTO(evolve_blocks) struct oe__evolve_blocks blocks = { 0 };
	const char *base = code.data;
	oe_bytes rest = code;
	struct oe__evolve_block block = { 0 };
	size_t line = 1;
	bool open = false;
	struct part part;

	do {
		part = next_part(&rest);
		line += oe__count_lf(part.text.data, part.text.size);
		bool opens = open_after(open, part.marker);
		if (open && !opens) {
			block.size = (size_t)((const char *)part.line.data - base) - block.offset;
			block.end_line = line;
			int status = push(&blocks, &block);
			if (status < 0)
				return status;
		} else if (!open && opens) {
			block.offset = (size_t)((const char *)part.line.data - base) + part.line.size;
			block.start_line = line;
		}
		line += oe__count_lf(part.line.data, part.line.size);
		open = opens;
	} while (part.marker != MARKER_NONE);
	if (open) {
		block.size = code.size - block.offset;
		block.end_line = line + 1;
		int status = push(&blocks, &block);
		if (status < 0)
			return status;
	}
	*out = blocks;
	blocks = (struct oe__evolve_blocks){ 0 };
	return 0;
}

void oe__evolve_blocks_done(struct oe__evolve_blocks *blocks)
{
	oe__free(blocks->items);
	*blocks = (struct oe__evolve_blocks){ 0 };
}

bool oe__evolve_blocks_any(oe_bytes code)
{
	oe_bytes rest = code;

	return next_part(&rest).marker != MARKER_NONE;
}

/* Bytes that both share at their start. */
static size_t common(oe_bytes a, oe_bytes b)
{
	const char *x = a.data, *y = b.data;
	size_t size = a.size < b.size ? a.size : b.size;
	size_t count = 0;

	while (count < size && x[count] == y[count])
		count++;
	return count;
}

static bool same(oe_bytes a, oe_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static size_t line_at(oe_bytes text, const char *place)
{
	return 1 + oe__count_lf(text.data, (size_t)(place - (const char *)text.data));
}

bool oe__evolve_blocks_kept(oe_bytes parent, oe_bytes child, size_t *line)
{
	oe_bytes parent_rest = parent, child_rest = child;
	bool open = !oe__evolve_blocks_any(parent);
	struct part before;

	do {
		before = next_part(&parent_rest);
		struct part after = next_part(&child_rest);
		if (!open && !same(before.text, after.text)) {
			*line = line_at(child, (const char *)after.text.data + common(before.text, after.text));
			return false;
		}
		if (!same(before.line, after.line)) {
			*line = line_at(child, after.line.data);
			return false;
		}
		open = before.marker == MARKER_NONE ? open : open_after(open, before.marker);
	} while (before.marker != MARKER_NONE);
	return true;
}
