/*
 * Finding and replacing lines, see target.h.
 */

#include "edit/target.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "edit/ends.h"

int oe__target_init(struct oe__target *target, oe_bytes code)
{
	*target = (struct oe__target){ .text = OE__BUFFER_INIT(OE__CODE_MAX + 2) };
	oe__buffer_reserve(&target->text, code.size + 2);
	oe__buffer_char(&target->text, '\n');
	oe__buffer_append(&target->text, code.data, code.size);
	return oe__buffer_char(&target->text, '\n');
}

void oe__target_done(struct oe__target *target)
{
	oe__lines_done(&target->lines);
	oe__buffer_done(&target->text);
	target->split = false;
}

oe_bytes oe__target_text(const struct oe__target *target)
{
	return (oe_bytes){ target->text.data + 1, target->text.size - 2 };
}

/* As it is: bytes between two LF. Matches begin at an LF, so two of them are all there is to ask.
 */
static int find_exact(const struct oe__target *target, oe_bytes search, struct oe__place *place)
{
	OE__AUTO(buffer) struct oe__buffer needle = OE__BUFFER_INIT(OE__CODE_MAX + 2);
	const struct oe__buffer *text = &target->text;

	if (search.size + 2 > text->size)
		return 0;
	oe__buffer_reserve(&needle, search.size + 2);
	oe__buffer_char(&needle, '\n');
	oe__buffer_append(&needle, search.data, search.size);
	if (oe__buffer_char(&needle, '\n') < 0)
		return needle.status;
	const char *first = oe__find(text->data, text->size, needle.data, needle.size);
	if (!first)
		return 0;
	place->offset = (size_t)(first - text->data);
	place->size = search.size;
	place->line = oe__count_lf(text->data, place->offset) + 1;
	place->count = oe__count_lf(search.data, search.size) + 1;
	place->level = OE_EDIT_LEVEL_EXACT;
	size_t rest = text->size - place->offset - 1;
	return oe__find(first + 1, rest, needle.data, needle.size) ? 2 : 1;
}

static int split(struct oe__target *target)
{
	if (target->split)
		return 0;
	int status = oe__lines_init(&target->lines, oe__target_text(target));
	target->split = status == 0;
	return status;
}

static void set_place(const struct oe__lines *lines, size_t first, const struct oe__lines *search,
					  int level, struct oe__place *place)
{
	const struct oe__text_line *start = &lines->items[first];
	const struct oe__text_line *last = &lines->items[first + search->count - 1];

	*place = (struct oe__place){
		.offset = (size_t)(start->text - lines->items[0].text),
		.size = (size_t)(last->text + last->size - start->text),
		.line = first + 1,
		.count = search->count,
		.level = level,
		.indent = { "", 0 },
		.search_indent = { "", 0 },
	};
	if (level == OE_EDIT_LEVEL_SHIFTED) {
		place->indent = oe__lines_indent(lines, first, search->count);
		place->search_indent = oe__lines_indent(search, 0, search->count);
	}
}

static int find_tolerant(struct oe__target *target, oe_bytes search, struct oe__place *place)
{
	static const int levels[] = {
		[OE__SLACK_TRAILING] = OE_EDIT_LEVEL_TRAILING, [OE__SLACK_SHIFT] = OE_EDIT_LEVEL_SHIFTED
	};
	OE__AUTO(lines) struct oe__lines lines = { 0 };
	size_t first = 0;

	int found = split(target);
	if (found == 0)
		found = oe__lines_init(&lines, search);
	if (found == OE_ERR_LIMIT)
		return 0;
	for (int slack = OE__SLACK_TRAILING; found == 0 && slack <= OE__SLACK_SHIFT; slack++) {
		found = oe__lines_find(&target->lines, &lines, (enum oe__slack)slack, &first);
		if (found > 0)
			set_place(&target->lines, first, &lines, levels[slack], place);
	}
	return found;
}

int oe__target_find(struct oe__target *target, oe_bytes search, bool tolerant,
					struct oe__place *place)
{
	*place = (struct oe__place){ 0 };
	/* An empty text names no place, except in an empty program. The original takes an empty line.
	 */
	if (tolerant && search.size == 0 && oe__target_text(target).size > 0)
		return 0;
	int found = find_exact(target, search, place);
	if (found != 0 || !tolerant || search.size == 0)
		return found;
	return find_tolerant(target, search, place);
}

/* Put `with` where `size` bytes at `offset` of the text are. */
static int splice(struct oe__target *target, size_t offset, size_t size, oe_bytes with)
{
	struct oe__buffer *text = &target->text;
	size_t after = offset + 1 + size; /* the text begins with an LF of its own */
	size_t rest = text->size - after;

	oe__lines_done(&target->lines);
	target->split = false;
	if (with.size > size) {
		int status = oe__buffer_reserve(text, with.size - size);
		if (status < 0)
			return status;
	}
	memmove(text->data + offset + 1 + with.size, text->data + after, rest);
	if (with.size > 0)
		memcpy(text->data + offset + 1, with.data, with.size);
	text->size = offset + 1 + with.size + rest;
	return 0;
}

static bool is_only(const char *text, size_t size, char c)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] != c)
			return false;
	return true;
}

/*
 * Append one line moved from `from` to `to`. A line that begins with the one gets the other.
 * Another moves by the difference in width, if only one kind of blank is involved: more or less of
 * it.
 */
static bool append_moved(struct oe__buffer *out, const char *line, size_t size, oe_bytes from,
						 oe_bytes to)
{
	const char *pad = to.data;
	size_t indent = oe__blanks_before(line, size);

	if (size >= from.size && memcmp(line, from.data, from.size) == 0) {
		oe__buffer_append(out, to.data, to.size);
		oe__buffer_append(out, line + from.size, size - from.size);
		return true;
	}
	if (indent == size) {
		oe__buffer_append(out, line, size); /* blank lines have no indentation to keep */
		return true;
	}
	char kind = from.size > 0 ? *(const char *)from.data : *pad;
	if (!is_only(from.data, from.size, kind) || !is_only(to.data, to.size, kind) ||
		!is_only(line, indent, kind))
		return false;
	if (to.size >= from.size) {
		oe__buffer_append(out, pad, to.size - from.size);
		oe__buffer_append(out, line, size);
		return true;
	}
	size_t less = from.size - to.size;
	if (indent < less)
		return false;
	oe__buffer_append(out, line + less, size - less);
	return true;
}

static bool ends_in_cr(const struct oe__target *target, size_t offset)
{
	return offset > 0 && target->text.data[offset] == '\r';
}

/* The replacement as it has to stand there: moved, and with the line ends that the place has. */
static int adapt(const struct oe__target *target, const struct oe__place *place,
				 oe_bytes replacement, struct oe__buffer *out)
{
	const char *cursor = replacement.data;
	const char *end = cursor + replacement.size;
	const char *first_lf =
		memchr(target->text.data + place->offset + 1, '\n', target->text.size - place->offset - 1);
	size_t first_end = (size_t)(first_lf - target->text.data) - 1;
	const char *line_end = ends_in_cr(target, first_end) && place->size > 0 ? "\r\n" : "\n";

	for (;;) {
		const char *lf = cursor < end ? memchr(cursor, '\n', (size_t)(end - cursor)) : NULL;
		size_t size = (size_t)((lf ? lf : end) - cursor);
		if (!append_moved(out, cursor, size, place->search_indent, place->indent))
			return 0;
		if (!lf)
			break;
		oe__buffer_text(out, line_end);
		cursor = lf + 1;
	}
	if (place->size > 0 && ends_in_cr(target, place->offset + place->size))
		oe__buffer_char(out, '\r');
	return out->status < 0 ? out->status : 1;
}

int oe__target_replace(struct oe__target *target, const struct oe__place *place,
					   oe_bytes replacement)
{
	OE__AUTO(buffer) struct oe__buffer adapted = OE__BUFFER_INIT(OE__CODE_MAX);
	int status = 1;

	if (place->level != OE_EDIT_LEVEL_EXACT) {
		status = adapt(target, place, replacement, &adapted);
		if (status != 1)
			return status;
		replacement = (oe_bytes){ adapted.data, adapted.size };
	}
	status = splice(target, place->offset, place->size, replacement);
	return status < 0 ? status : 1;
}
