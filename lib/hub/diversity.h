#ifndef OE__HUB_DIVERSITY_H
#define OE__HUB_DIVERSITY_H

/*
 * The feature "diversity": the mean distance of a source to a set of reference sources. Owner
 * thread.
 *
 * While there are no more programs than the set may hold, the set is all of them, the new one
 * included, but those that were evicted. The first query after that chooses: the first reference at random, then each time the
 * source that is farthest from those chosen so far (Gonzalez: Clustering to minimize the maximum
 * intercluster distance, 1985). From then on the set is frozen, so the axis keeps its meaning, and
 * a query costs the size of the set.
 *
 * A source that was measured before the set was frozen keeps its value. A set of size 0 is frozen
 * from the start and costs nothing: for feature maps without this axis.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "program/source.h"

struct oe__diversity {
	size_t size; /* of the full set */
	uint64_t seed;
	struct oe__source **references;
	size_t reference_count;
	struct oe__source **candidates; /* all programs so far in order; none once frozen */
	size_t candidate_count, candidate_capacity;
	struct oe__map measured; /* content to double, from before it was frozen */
};

void oe__diversity_init(struct oe__diversity *diversity, size_t size, uint64_t seed);
void oe__diversity_done(struct oe__diversity *diversity);

static inline bool oe__diversity_frozen(const struct oe__diversity *diversity)
{
	return diversity->reference_count >= diversity->size;
}

/* Value of a source that is about to join, or joined before. */
int oe__diversity_measure(struct oe__diversity *diversity, struct oe__source *source, bool joined,
                          double *out);

/* It joined; `reserve` before, so that this cannot fail. */
int oe__diversity_reserve(struct oe__diversity *diversity);
void oe__diversity_join(struct oe__diversity *diversity, struct oe__source *source);

/* It was evicted: the oldest candidate of that text goes. An elite that lost its cell stays one, as
   in OpenEvolve, which keeps such programs: the set is to span what was found so far. */
void oe__diversity_leave(struct oe__diversity *diversity, const struct oe__source *source);

/* Continue with a set from before. */
int oe__diversity_load(struct oe__diversity *diversity, struct oe__source *const *references,
                       size_t count);

/* A value from before the set was frozen. */
int oe__diversity_recall(struct oe__diversity *diversity, const uint8_t hash[OE__SHA256_SIZE],
                         double value);

#endif /* OE__HUB_DIVERSITY_H */
