/*
 * The most similar run of lines, see nearest.h.
 *
 * Two texts are as similar as the pairs of neighbouring characters that they share (Dice's
 * coefficient on bigrams: L. R. Dice, Measures of the amount of ecologic association between
 * species, 1945). Counts of pairs are easily kept while a window moves on by a line, so looking
 * everywhere costs no more than reading the text twice. Blanks do not count: where they alone
 * differ, the tolerant pass has been there already.
 */

#include "edit/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "edit/ends.h"

#define BUCKETS 2048 /* pairs are hashed: a collision only blurs the similarity a little */

struct bag {
	struct slot {
		uint32_t wanted; /* pairs of the search text */
		uint32_t seen;   /* pairs of the window      */
	} slots[BUCKETS];
	size_t wanted_count, seen_count, shared;
};

static struct slot *slot_of(struct bag *bag, unsigned char a, unsigned char b)
{
	return &bag->slots[(((size_t)a << 8 | b) * 40503u >> 5) % BUCKETS];
}

/* What happens to a slot; 1 if the bags share one pair more, or one less, than before. */

static size_t want(struct slot *slot)
{
	slot->wanted++;
	return 0;
}

static size_t add(struct slot *slot)
{
	return slot->seen++ < slot->wanted;
}

static size_t drop(struct slot *slot)
{
	return --slot->seen < slot->wanted;
}

struct tally {
	size_t pairs, shared;
};

/* Do something with each pair of a line, its two ends included. */
static inline struct tally for_pairs(struct bag *bag, const struct oe__line *line,
									 size_t (*deed)(struct slot *slot))
{
	struct tally tally = { 0, 0 };
	unsigned char before = '\n';

	for (size_t i = 0; i < line->size; i++) {
		unsigned char c = (unsigned char)line->text[i];
		if (c == ' ' || c == '\t' || c == '\r')
			continue;
		tally.shared += deed(slot_of(bag, before, c));
		tally.pairs++;
		before = c;
	}
	if (before != '\n') {
		tally.shared += deed(slot_of(bag, before, '\n'));
		tally.pairs++;
	}
	return tally;
}

static void want_line(struct bag *bag, const struct oe__line *line)
{
	bag->wanted_count += for_pairs(bag, line, want).pairs;
}

static void add_line(struct bag *bag, const struct oe__line *line)
{
	struct tally tally = for_pairs(bag, line, add);

	bag->seen_count += tally.pairs;
	bag->shared += tally.shared;
}

static void drop_line(struct bag *bag, const struct oe__line *line)
{
	struct tally tally = for_pairs(bag, line, drop);

	bag->seen_count -= tally.pairs;
	bag->shared -= tally.shared;
}

static double similarity(const struct bag *bag)
{
	size_t all = bag->wanted_count + bag->seen_count;

	return all > 0 ? 2.0 * (double)bag->shared / (double)all : 0.0;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && oe__is_space(*at))
		at++;
	return at;
}

/* Equal bags do not make equal texts. */
static bool same_but_blanks(oe_bytes text, const struct oe__nearest *place, oe_bytes search)
{
	const char *at = text.data, *end = at + text.size;
	const char *wanted = search.data, *wanted_end = wanted + search.size;
	struct oe__line line;

	for (size_t i = 1; i < place->line; i++)
		oe__line_next(&at, end, &line);
	const char *last = at;
	for (size_t i = 0; i < place->count; i++)
		oe__line_next(&last, end, &line);
	for (;;) {
		at = skip_blanks(at, last);
		wanted = skip_blanks(wanted, wanted_end);
		if (at == last || wanted == wanted_end)
			return at == last && wanted == wanted_end;
		if (*at++ != *wanted++)
			return false;
	}
}

int oe__nearest_find(oe_bytes text, oe_bytes search, struct oe__nearest *out)
{
	const char *end = (const char *)text.data + text.size;
	const char *tail = text.data, *head = text.data; /* the window is between them */
	const char *search_cursor = search.data;
	struct oe__line line;
	size_t height = 0, first = 1, count = 0;
	struct oe__nearest best = { 0 };

	struct bag *bag = oe__calloc(1, sizeof(*bag));
	if (!bag)
		return OE_ERR_NOMEM;
	while (search.size > 0 &&
		   oe__line_next(&search_cursor, (const char *)search.data + search.size, &line)) {
		want_line(bag, &line);
		height++;
	}
	while (height > 0 && text.size > 0 && oe__line_next(&head, end, &line)) {
		add_line(bag, &line);
		if (count < height) {
			count++;
		} else {
			oe__line_next(&tail, end, &line);
			drop_line(bag, &line);
			first++;
		}
		double alike = similarity(bag);
		if (alike > best.similarity)
			best = (struct oe__nearest){ .line = first, .count = count, .similarity = alike };
	}
	oe__free(bag);
	if (best.similarity > 0.99 && !same_but_blanks(text, &best, search))
		best.similarity = 0.99;
	*out = best;
	return 0;
}
