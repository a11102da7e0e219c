#include "llm/patch.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

void oe__patch_done(struct oe__patch *patch)
{
	for (size_t i = 0; i < patch->count; i++)
		oe__free(patch->changes[i].text);
	oe__free(patch->changes);
	*patch = (struct oe__patch){ 0 };
}

int oe__patch_add(struct oe__patch *patch, size_t start, size_t size, const char *text)
{
	size_t at = 0;

	for (; at < patch->count && patch->changes[at].start < start + size; at++)
		if (patch->changes[at].start + patch->changes[at].size > start)
			return 0;
	void *changes = patch->changes;
	int status = oe__grow(&changes, &patch->capacity, patch->count + 1, sizeof(*patch->changes));
	patch->changes = changes;
	char *copy = status == 0 ? oe__strdup(text) : NULL;
	if (!copy)
		return OE_ERR_NOMEM;
	memmove(&patch->changes[at + 1], &patch->changes[at],
	        (patch->count - at) * sizeof(*patch->changes));
	patch->changes[at] = (struct oe__change){ start, size, copy };
	patch->count++;
	return 1;
}

/* The new form of text[start, end), which no change may cross. */
static void render(const struct oe__patch *patch, const char *text, size_t start, size_t end,
                   struct oe__buffer *out)
{
	for (size_t i = 0; i < patch->count; i++) {
		const struct oe__change *change = &patch->changes[i];
		if (change->start < start || change->start >= end)
			continue;
		oe__buffer_append(out, text + start, change->start - start);
		oe__buffer_text(out, change->text);
		start = change->start + change->size;
	}
	oe__buffer_append(out, text + start, end - start);
}

int oe__patch_apply(const struct oe__patch *patch, const char *text, size_t size,
                    struct oe__buffer *out)
{
	render(patch, text, 0, size, out);
	return out->status;
}

/* ---- blocks ---- */

struct range {
	size_t start, end; /* whole lines, without the last line's end */
};

static size_t line_start(const char *text, size_t at)
{
	while (at > 0 && text[at - 1] != '\n')
		at--;
	return at;
}

static size_t line_end(const char *text, size_t size, size_t at)
{
	const char *feed = at < size ? memchr(text + at, '\n', size - at) : NULL;
	return feed ? (size_t)(feed - text) : size;
}

/* Does this run of lines stand in one place only? */
static bool is_unique(const char *text, size_t size, struct range range)
{
	const char *what = text + range.start;
	size_t what_size = range.end - range.start;
	size_t places = 0;

	for (const char *at = text; (at = oe__find(at, size - (size_t)(at - text), what, what_size));
	     at++) {
		size_t start = (size_t)(at - text), end = start + what_size;
		if ((start == 0 || text[start - 1] == '\n') && (end == size || text[end] == '\n'))
			places++;
	}
	return places == 1;
}

/* Sections lose white space at their end when they are read: neither may end in a blank line. */
static bool ends_well(const char *text, size_t start, size_t end)
{
	return end > start && !oe__is_space(text[end - 1]);
}

/* Add lines below and above, in turn, until the block can be told apart. */
static struct range widen(const char *text, size_t size, struct range range)
{
	bool below = true;

	while (!is_unique(text, size, range) || !ends_well(text, range.start, range.end)) {
		bool can_below = range.end < size, can_above = range.start > 0;
		if (!can_below && !can_above)
			break;
		if ((below && can_below) || !can_above)
			range.end = line_end(text, size, range.end + 1);
		else
			range.start = line_start(text, range.start - 1);
		below = !below || !ends_well(text, range.start, range.end);
	}
	return range;
}

static void write_block(const struct oe__patch *patch, const char *text, struct range range,
                        struct oe__buffer *out)
{
	oe__buffer_text(out, "<<<<<<< SEARCH\n");
	oe__buffer_append(out, text + range.start, range.end - range.start);
	oe__buffer_text(out, "\n=======\n");
	render(patch, text, range.start, range.end, out);
	oe__buffer_text(out, "\n>>>>>>> REPLACE\n");
}

int oe__patch_write(const struct oe__patch *patch, const char *text, size_t size,
                    struct oe__buffer *out)
{
	struct range last = { 0, 0 };
	bool pending = false;

	for (size_t i = 0; i < patch->count; i++) {
		const struct oe__change *change = &patch->changes[i];
		struct range range = { line_start(text, change->start),
			                   line_end(text, size, change->start + change->size) };
		range = widen(text, size, range);
		if (pending && range.start <= last.end) { /* one block for what touches */
			if (range.start < last.start)
				last.start = range.start;
			if (range.end > last.end)
				last.end = range.end;
			continue;
		}
		if (pending)
			write_block(patch, text, last, out);
		last = range;
		pending = true;
	}
	if (pending)
		write_block(patch, text, last, out);
	return out->status;
}
