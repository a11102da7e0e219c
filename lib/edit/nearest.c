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
	uint32_t wanted[BUCKETS]; /* pairs of the search text */
	uint32_t seen[BUCKETS];   /* pairs of the window      */
	size_t wanted_count, seen_count, shared;
};

static size_t bucket(unsigned char a, unsigned char b)
{
	return (((size_t)a << 8 | b) * 40503u >> 5) % BUCKETS;
}

/* Call one of three for each pair of a line, its two ends included. */
enum deed { WANT, ADD, DROP };

static void touch(struct bag *bag, size_t slot, enum deed deed)
{
	if (deed == WANT) {
		bag->wanted[slot]++;
		bag->wanted_count++;
	} else if (deed == ADD) {
		bag->shared += bag->seen[slot] < bag->wanted[slot];
		bag->seen[slot]++;
		bag->seen_count++;
	} else {
		bag->seen[slot]--;
		bag->seen_count--;
		bag->shared -= bag->seen[slot] < bag->wanted[slot];
	}
}

static void touch_line(struct bag *bag, const struct oe__line *line, enum deed deed)
{
	unsigned char before = '\n';

	for (size_t i = 0; i < line->size; i++) {
		unsigned char c = (unsigned char)line->text[i];
		if (c == ' ' || c == '\t' || c == '\r')
			continue;
		touch(bag, bucket(before, c), deed);
		before = c;
	}
	if (before != '\n')
		touch(bag, bucket(before, '\n'), deed);
}

static double similarity(const struct bag *bag)
{
	size_t all = bag->wanted_count + bag->seen_count;

	return all > 0 ? 2.0 * (double)bag->shared / (double)all : 0.0;
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
		touch_line(bag, &line, WANT);
		height++;
	}
	while (height > 0 && text.size > 0 && oe__line_next(&head, end, &line)) {
		touch_line(bag, &line, ADD);
		if (count < height) {
			count++;
		} else {
			oe__line_next(&tail, end, &line);
			touch_line(bag, &line, DROP);
			first++;
		}
		double alike = similarity(bag);
		if (alike > best.similarity)
			best = (struct oe__nearest){ .line = first, .count = count, .similarity = alike };
	}
	oe__free(bag);
	*out = best;
	return 0;
}
