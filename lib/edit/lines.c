/*
 * Finding lines among lines, see lines.h.
 *
 * Each line becomes one hash, and runs of hashes are found in linear time (Knuth, Morris, Pratt:
 * Fast pattern matching in strings, SIAM J. Comput. 6, 1977); what they find is compared byte by
 * byte. For a shift, the hash of a line holds its text and how its indentation follows from that of
 * the line before: what the two share left out, what remains of each. A run whose lines all moved
 * by the same blanks keeps these, and a run that keeps them all has moved so.
 */

#include "edit/lines.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "edit/ends.h"

#define NOT_FOUND SIZE_MAX

int oe__lines_init(struct oe__lines *lines, oe_bytes text)
{
	const char *cursor = text.data;
	const char *end = cursor + text.size;
	size_t count = oe__count_lf(cursor, text.size) + 1;

	*lines = (struct oe__lines){ 0 };
	if (count > OE__EDIT_LINES_MAX)
		return OE_ERR_LIMIT;
	lines->items = oe__calloc(count, sizeof(*lines->items));
	lines->hashes = oe__calloc(count, sizeof(*lines->hashes));
	if (!lines->items || !lines->hashes) {
		oe__lines_done(lines);
		return OE_ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		const char *lf = i + 1 < count ? memchr(cursor, '\n', (size_t)(end - cursor)) : end;
		struct oe__text_line *line = &lines->items[i];
		size_t size = (size_t)(lf - cursor);
		size_t kept = size - oe__blanks_after(cursor, size);
		size_t indent = oe__blanks_before(cursor, kept);
		line->text = cursor;
		line->size = (uint32_t)size;
		line->indent = (uint32_t)indent;
		line->core = (uint32_t)(kept - indent);
		cursor = lf + 1;
	}
	lines->count = count;
	return 0;
}

void oe__lines_done(struct oe__lines *lines)
{
	oe__free(lines->items);
	oe__free(lines->hashes);
	*lines = (struct oe__lines){ 0 };
}

/* Bytes that two indentations share at their start. */
static size_t shared(const struct oe__text_line *a, const struct oe__text_line *b)
{
	size_t size = a->indent < b->indent ? a->indent : b->indent;
	size_t count = 0;

	while (count < size && a->text[count] == b->text[count])
		count++;
	return count;
}

static uint64_t core_hash(const struct oe__text_line *line)
{
	return oe__hash64(line->text + line->indent, line->core, 0);
}

static uint64_t shift_hash(const struct oe__text_line *line, const struct oe__text_line *before)
{
	size_t common = shared(line, before);
	uint64_t hash = oe__hash64(before->text + common, before->indent - common, core_hash(line));

	return oe__hash64(line->text + common, line->indent - common, hash);
}

/*
 * Fill in the hashes. The first line with text has none before it to be compared with: in a search
 * only its text counts, so its hash is not used.
 */
static void prepare(struct oe__lines *lines, enum oe__slack slack)
{
	const struct oe__text_line *before = NULL;

	for (size_t i = 0; i < lines->count; i++) {
		const struct oe__text_line *line = &lines->items[i];
		if (line->core == 0)
			lines->hashes[i] = 0;
		else if (slack == OE__SLACK_TRAILING)
			lines->hashes[i] = oe__hash64(line->text, line->indent + line->core, 0);
		else
			lines->hashes[i] = before ? shift_hash(line, before) : 0;
		if (line->core > 0)
			before = line;
	}
}

oe_bytes oe__lines_indent(const struct oe__lines *lines, size_t start, size_t count)
{
	const struct oe__text_line *first = NULL;
	size_t size = 0;

	for (size_t i = start; i < start + count; i++) {
		const struct oe__text_line *line = &lines->items[i];
		if (line->core == 0)
			continue;
		size_t same = first ? shared(first, line) : line->indent;
		if (!first || same < size)
			size = same;
		if (!first)
			first = line;
	}
	return (oe_bytes){ first ? first->text : "", size };
}

static bool equal(const char *a, size_t a_size, const char *b, size_t b_size)
{
	return a_size == b_size && memcmp(a, b, a_size) == 0;
}

/* Compare for certain: `search` with as many of `lines` from `start`. */
static bool is_place(const struct oe__lines *lines, size_t start, const struct oe__lines *search,
					 enum oe__slack slack)
{
	size_t from = 0, to = 0;

	if (slack == OE__SLACK_SHIFT) {
		from = oe__lines_indent(search, 0, search->count).size;
		to = oe__lines_indent(lines, start, search->count).size;
	}
	for (size_t i = 0; i < search->count; i++) {
		const struct oe__text_line *a = &search->items[i];
		const struct oe__text_line *b = &lines->items[start + i];
		if (a->core == 0 && b->core == 0)
			continue;
		if (a->core == 0 || b->core == 0 ||
			!equal(a->text + from, a->indent - from + a->core, b->text + to,
				   b->indent - to + b->core))
			return false;
	}
	return true;
}

/* A search for `pattern` in `text`; `position` is where the next comparison happens. */
struct matcher {
	const uint64_t *text, *pattern;
	size_t text_count, pattern_count;
	size_t *failure; /* length of the longest proper border of each prefix */
	size_t position, matched;
};

static int matcher_init(struct matcher *matcher)
{
	size_t length = 0;

	matcher->failure = oe__calloc(matcher->pattern_count + 1, sizeof(*matcher->failure));
	if (!matcher->failure)
		return OE_ERR_NOMEM;
	for (size_t i = 1; i < matcher->pattern_count; i++) {
		while (length > 0 && matcher->pattern[i] != matcher->pattern[length])
			length = matcher->failure[length];
		if (matcher->pattern[i] == matcher->pattern[length])
			length++;
		matcher->failure[i + 1] = length;
	}
	return 0;
}

/* Start of the next run that equals the pattern, or NOT_FOUND. */
static size_t matcher_next(struct matcher *matcher)
{
	if (matcher->pattern_count == 0)
		return matcher->position <= matcher->text_count ? matcher->position++ : NOT_FOUND;
	while (matcher->position < matcher->text_count) {
		uint64_t hash = matcher->text[matcher->position];
		while (matcher->matched > 0 && hash != matcher->pattern[matcher->matched])
			matcher->matched = matcher->failure[matcher->matched];
		if (hash == matcher->pattern[matcher->matched])
			matcher->matched++;
		matcher->position++;
		if (matcher->matched == matcher->pattern_count) {
			matcher->matched = matcher->failure[matcher->matched];
			return matcher->position - matcher->pattern_count;
		}
	}
	return NOT_FOUND;
}

/* Lines of `search` that cannot be found by hash: up to the first with text, when it may shift. */
static size_t head_count(const struct oe__lines *search, enum oe__slack slack)
{
	size_t count = 0;

	if (slack == OE__SLACK_TRAILING)
		return 0;
	while (count < search->count && search->items[count].core == 0)
		count++;
	return count < search->count ? count + 1 : count;
}

/* The head itself: blank lines, then one with the same text. Backwards, because the blank lines
   above different lines are different ones: all calls together walk over the text once. */
static bool head_fits(const struct oe__lines *lines, size_t start, const struct oe__lines *search,
					  size_t head)
{
	if (head == 0)
		return true;
	const struct oe__text_line *a = &search->items[head - 1];
	const struct oe__text_line *b = &lines->items[start + head - 1];
	if (!equal(a->text + a->indent, a->core, b->text + b->indent, b->core))
		return false;
	for (size_t i = head - 1; i-- > 0;)
		if (lines->items[start + i].core > 0)
			return false;
	return true;
}

int oe__lines_find(struct oe__lines *lines, struct oe__lines *search, enum oe__slack slack,
				   size_t *first)
{
	size_t head = head_count(search, slack);
	int found = 0;

	if (search->count > lines->count)
		return 0;
	prepare(lines, slack);
	prepare(search, slack);
	struct matcher matcher = {
		.text = lines->hashes + head,
		.text_count = lines->count - head,
		.pattern = search->hashes + head,
		.pattern_count = search->count - head,
	};
	int status = matcher_init(&matcher);
	if (status < 0)
		return status;
	for (size_t at; found < 2 && (at = matcher_next(&matcher)) != NOT_FOUND;) {
		if (!head_fits(lines, at, search, head) || !is_place(lines, at, search, slack))
			continue;
		if (found++ == 0)
			*first = at;
	}
	oe__free(matcher.failure);
	return found;
}
