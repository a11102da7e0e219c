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

/* Whole lines, without the last one's end. */
struct range {
	size_t start, end;
};

struct plan {
	const struct oe__patch *patch;
	const char *text;
	size_t size;
	struct range *blocks; /* in order, with lines between them */
	size_t count, capacity;
	struct oe__buffer scratch;
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
static bool is_unique(const char *text, size_t size, const char *what, size_t what_size)
{
	size_t places = 0;

	if (what_size == 0)
		return false;
	for (const char *at = text; (at = oe__find(at, size - (size_t)(at - text), what, what_size));
	     at++) {
		size_t start = (size_t)(at - text), end = start + what_size;
		if ((start == 0 || text[start - 1] == '\n') && (end == size || text[end] == '\n'))
			places++;
	}
	return places == 1;
}

/* Sections lose white space at their end when they are read: neither may end in any. */
static bool ends_well(const char *text, size_t size)
{
	return size > 0 && !oe__is_space(text[size - 1]);
}

/* Can the block be told apart, in what the blocks before it will have made of the text? */
static bool fits(struct plan *plan, size_t at)
{
	struct range range = plan->blocks[at];
	const char *what = plan->text + range.start;
	size_t what_size = range.end - range.start;
	struct oe__buffer *scratch = &plan->scratch;

	oe__buffer_clear(scratch);
	render(plan->patch, plan->text, range.start, range.end, scratch);
	if (!ends_well(what, what_size) || !ends_well(oe__buffer_string(scratch), scratch->size))
		return false;
	oe__buffer_clear(scratch);
	render(plan->patch, plan->text, 0, range.start, scratch);
	oe__buffer_append(scratch, what, plan->size - range.start);
	return is_unique(oe__buffer_string(scratch), scratch->size, what, what_size);
}

/* Make one block of all that touch; returns where it is now. */
static size_t absorb(struct plan *plan, size_t at)
{
	for (;;) {
		if (at > 0 && plan->blocks[at].start <= plan->blocks[at - 1].end)
			at--;
		else if (at + 1 == plan->count || plan->blocks[at + 1].start > plan->blocks[at].end)
			return at;
		struct range *block = &plan->blocks[at], *next = block + 1;
		block->start = next->start < block->start ? next->start : block->start;
		block->end = next->end > block->end ? next->end : block->end;
		plan->count--;
		memmove(next, next + 1, (plan->count - at - 1) * sizeof(*next));
	}
}

/* One more line, below and above in turn. @return false if there is none. */
static bool widen(struct plan *plan, size_t at, bool below)
{
	struct range *block = &plan->blocks[at];
	bool can_below = block->end < plan->size, can_above = block->start > 0;

	if ((below && can_below) || !can_above)
		block->end = can_below ? line_end(plan->text, plan->size, block->end + 1) : block->end;
	else
		block->start = line_start(plan->text, block->start - 1);
	return can_below || can_above;
}

static int add_block(struct plan *plan, const struct oe__change *change)
{
	void *blocks = plan->blocks;
	int status = oe__grow(&blocks, &plan->capacity, plan->count + 1, sizeof(*plan->blocks));

	plan->blocks = blocks;
	if (status < 0)
		return status;
	plan->blocks[plan->count++] =
		(struct range){ line_start(plan->text, change->start),
		                line_end(plan->text, plan->size, change->start + change->size) };
	(void)absorb(plan, plan->count - 1);
	return 0;
}

static int make_plan(struct plan *plan)
{
	int status = 0;

	for (size_t i = 0; i < plan->patch->count && status == 0; i++)
		status = add_block(plan, &plan->patch->changes[i]);
	for (size_t at = 0; at < plan->count && status == 0; at++) {
		bool below = true;
		while (!fits(plan, at) && widen(plan, at, below)) {
			at = absorb(plan, at);
			/* White space at the end is left behind only downwards. */
			below = !below || !ends_well(plan->text, plan->blocks[at].end);
		}
		status = plan->scratch.status;
	}
	return status;
}

static void write_block(const struct plan *plan, struct range range, struct oe__buffer *out)
{
	oe__buffer_text(out, "<<<<<<< SEARCH\n");
	oe__buffer_append(out, plan->text + range.start, range.end - range.start);
	oe__buffer_text(out, "\n=======\n");
	render(plan->patch, plan->text, range.start, range.end, out);
	oe__buffer_text(out, "\n>>>>>>> REPLACE\n");
}

int oe__patch_write(const struct oe__patch *patch, const char *text, size_t size,
                    struct oe__buffer *out)
{
	struct plan plan = { .patch = patch, .text = text, .size = size };
	int status = make_plan(&plan);

	for (size_t i = 0; i < plan.count && status == 0; i++)
		write_block(&plan, plan.blocks[i], out);
	oe__buffer_done(&plan.scratch);
	oe__free(plan.blocks);
	return status < 0 ? status : out->status;
}
