/*
 * Lines of two texts compared, and the unified format; see diff.h and oe_diff_new().
 */

#include "edit/diff.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "edit/ends.h"

/* Split into lines that keep their ends: a last line without one differs from the same with one. */
static int split(oe_bytes text, oe_bytes **lines, size_t *count)
{
	const char *cursor = text.data;
	const char *end = cursor + text.size;
	size_t ends = oe__count_lf(cursor, text.size);
	bool open = text.size > 0 && end[-1] != '\n';

	*count = ends + open;
	if (*count > OE__DIFF_LINES_MAX)
		return OE_ERR_LIMIT;
	*lines = oe__calloc(*count + 1, sizeof(**lines));
	if (!*lines)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < *count; i++) {
		const char *lf = i < ends ? memchr(cursor, '\n', (size_t)(end - cursor)) : end - 1;
		(*lines)[i] = (oe_bytes){ cursor, (size_t)(lf + 1 - cursor) };
		cursor = lf + 1;
	}
	return 0;
}

/* Gives equal lines equal numbers. */
struct numbering {
	struct entry {
		oe_bytes line;
		int32_t number; /* from 1; 0: free */
	} * slots;
	size_t mask;
	int32_t used;
};

static int numbering_init(struct numbering *numbering, size_t lines)
{
	size_t slots = 16;

	while (slots < 2 * lines)
		slots *= 2;
	numbering->slots = oe__calloc(slots, sizeof(*numbering->slots));
	numbering->mask = slots - 1;
	numbering->used = 0;
	return numbering->slots ? 0 : OE_ERR_NOMEM;
}

static int32_t number_of(struct numbering *numbering, oe_bytes line)
{
	size_t at = (size_t)oe__hash64(line.data, line.size, 0) & numbering->mask;

	for (;; at = (at + 1) & numbering->mask) {
		struct entry *entry = &numbering->slots[at];
		if (entry->number == 0) {
			entry->line = line;
			entry->number = ++numbering->used;
			return entry->number;
		}
		if (entry->line.size == line.size && memcmp(entry->line.data, line.data, line.size) == 0)
			return entry->number;
	}
}

static size_t changed_run(const unsigned char *changed, size_t at, size_t count)
{
	size_t end = at;

	while (end < count && changed[end])
		end++;
	return end - at;
}

/* Runs of marked lines, side by side, become hunks. */
static int collect(oe_diff *diff, const unsigned char *removed, const unsigned char *added)
{
	size_t capacity = 0, from = 0, to = 0;

	while (from < diff->from_count || to < diff->to_count) {
		size_t gone = changed_run(removed, from, diff->from_count);
		size_t come = changed_run(added, to, diff->to_count);
		if (gone == 0 && come == 0) {
			from++;
			to++;
			continue;
		}
		void *hunks = diff->hunks;
		int status = oe__grow(&hunks, &capacity, diff->hunk_count + 1, sizeof(*diff->hunks));
		if (status < 0)
			return status;
		diff->hunks = hunks;
		diff->hunks[diff->hunk_count++] = (struct oe__hunk){ from, gone, to, come };
		diff->removed += gone;
		diff->added += come;
		from += gone;
		to += come;
	}
	return 0;
}

/*
 * A run of removed (or of added) lines that could as well begin later is moved down as far as that
 * goes: an inserted function then begins with its own first line instead of the last one's end.
 */
static void slide(const int32_t *lines, unsigned char *changed, size_t count,
				  const unsigned char *other, size_t other_count)
{
	size_t at = 0, other_at = 0;

	while (at < count) {
		if (!changed[at]) {
			while (other_at < other_count && other[other_at])
				other_at++;
			at++;
			other_at++;
			continue;
		}
		size_t end = at + changed_run(changed, at, count);
		/* Only where nothing happens on the other side between here and there. */
		while (end < count && !changed[end] && lines[at] == lines[end] &&
			   !(other_at < other_count && other[other_at])) {
			changed[at++] = 0;
			changed[end] = 1;
			end += changed_run(changed, end, count);
			other_at++;
		}
		at = end;
	}
}

static int compare(oe_diff *diff)
{
	size_t all = diff->from_count + diff->to_count;
	struct numbering numbering = { NULL, 0, 0 };
	int32_t *lines = oe__calloc(all + 1, sizeof(*lines));
	unsigned char *changed = oe__calloc(all + 1, 1);
	int status = lines && changed ? numbering_init(&numbering, all) : OE_ERR_NOMEM;

	if (status == 0) {
		for (size_t i = 0; i < diff->from_count; i++)
			lines[i] = number_of(&numbering, diff->from_lines[i]);
		for (size_t i = 0; i < diff->to_count; i++)
			lines[diff->from_count + i] = number_of(&numbering, diff->to_lines[i]);
		struct oe__script_side from = { lines, diff->from_count, changed };
		struct oe__script_side to = { lines + diff->from_count, diff->to_count,
									  changed + diff->from_count };
		status = oe__script_find(&from, &to);
		if (status == 0) {
			slide(from.lines, from.changed, from.count, to.changed, to.count);
			slide(to.lines, to.changed, to.count, from.changed, from.count);
			status = collect(diff, from.changed, to.changed);
		}
	}
	oe__free(numbering.slots);
	oe__free(lines);
	oe__free(changed);
	return status;
}

int oe_diff_new(oe_bytes from, oe_bytes to, oe_diff **out)
{
	OE__AUTO(diff) oe_diff *diff = oe__calloc(1, sizeof(*diff));

	if (!diff)
		return OE_ERR_NOMEM;
	diff->from = from.size > 0 ? from : (oe_bytes){ "", 0 };
	diff->to = to.size > 0 ? to : (oe_bytes){ "", 0 };
	int status = split(diff->from, &diff->from_lines, &diff->from_count);
	if (status == 0)
		status = split(diff->to, &diff->to_lines, &diff->to_count);
	if (status == 0)
		status = compare(diff);
	if (status < 0)
		return status;
	*out = OE__STEAL(diff);
	return 0;
}

void oe_diff_free(oe_diff *diff)
{
	if (!diff)
		return;
	oe__free(diff->from_lines);
	oe__free(diff->to_lines);
	oe__free(diff->hunks);
	oe__buffer_done(&diff->unified);
	oe__free(diff);
}

size_t oe_diff_added(const oe_diff *diff)
{
	return diff->added;
}

size_t oe_diff_removed(const oe_diff *diff)
{
	return diff->removed;
}

/* ---- the unified format ---- */

static void append_lines(struct oe__buffer *out, char sign, const oe_bytes *lines, size_t start,
						 size_t count)
{
	for (size_t i = start; i < start + count; i++) {
		const char *text = lines[i].data;
		oe__buffer_char(out, sign);
		oe__buffer_append(out, text, lines[i].size);
		if (text[lines[i].size - 1] != '\n')
			oe__buffer_text(out, "\n\\ No newline at end of file\n");
	}
}

/* "12,3": an empty range is named by the line before it, and a count of 1 is left out. */
static void append_range(struct oe__buffer *out, char sign, size_t start, size_t count)
{
	oe__buffer_printf(out, "%c%zu", sign, count > 0 ? start + 1 : start);
	if (count != 1)
		oe__buffer_printf(out, ",%zu", count);
}

/* Hunks from `first` on that share their context: at most twice the context between two of them. */
static size_t group_end(const oe_diff *diff, size_t first, size_t context)
{
	size_t end = first + 1;

	while (end < diff->hunk_count) {
		const struct oe__hunk *before = &diff->hunks[end - 1];
		size_t gap = diff->hunks[end].from - (before->from + before->from_count);
		if (gap / 2 > context || (gap / 2 == context && gap % 2 > 0))
			break;
		end++;
	}
	return end;
}

static void append_group(oe_diff *diff, size_t first, size_t end, size_t context)
{
	const struct oe__hunk *hunk = &diff->hunks[first], *last = &diff->hunks[end - 1];
	struct oe__buffer *out = &diff->unified;
	size_t before = hunk->from < context ? hunk->from : context;
	size_t rest = diff->from_count - (last->from + last->from_count);
	size_t after = rest < context ? rest : context;
	size_t from = hunk->from - before, to = hunk->to - before;

	oe__buffer_text(out, "@@ ");
	append_range(out, '-', from, last->from + last->from_count + after - from);
	oe__buffer_char(out, ' ');
	append_range(out, '+', to, last->to + last->to_count + after - to);
	oe__buffer_text(out, " @@\n");
	for (size_t i = first; i < end; i++) {
		hunk = &diff->hunks[i];
		append_lines(out, ' ', diff->from_lines, from, hunk->from - from);
		append_lines(out, '-', diff->from_lines, hunk->from, hunk->from_count);
		append_lines(out, '+', diff->to_lines, hunk->to, hunk->to_count);
		from = hunk->from + hunk->from_count;
	}
	append_lines(out, ' ', diff->from_lines, from, after);
}

const char *oe_diff_unified(oe_diff *diff, const char *from_label, const char *to_label,
							size_t context)
{
	struct oe__buffer *out = &diff->unified;

	oe__buffer_clear(out);
	if (diff->hunk_count > 0)
		oe__buffer_printf(out, "--- %s\n+++ %s\n", from_label, to_label);
	for (size_t first = 0, end; first < diff->hunk_count; first = end) {
		end = group_end(diff, first, context);
		append_group(diff, first, end, context);
	}
	return out->status < 0 ? NULL : oe__buffer_string(out);
}
