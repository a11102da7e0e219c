#ifndef OE__HUB_ARCHIVE_H
#define OE__HUB_ARCHIVE_H

/*
 * The archive: a bounded set of elites of all islands, the pool of exploitation. Owner thread.
 */

#include "hub/island.h"

struct oe__archive {
	struct oe__rank_tree ranks; /* by fitness, the older first on ties */
	size_t capacity;            /* at least 1                          */
	struct oe__island *islands; /* borrowed: each lists its archived members */
};

static inline bool oe__archive_has(const struct oe__member *member)
{
	return member->archive_slot != OE__NO_SLOT;
}

/* Add without asking. */
void oe__archive_add(struct oe__archive *archive, struct oe__member *member);
void oe__archive_remove(struct oe__archive *archive, struct oe__member *member);

/* Offer a newcomer: it joins if there is room, or in place of the least fit if it is better. */
void oe__archive_offer(struct oe__archive *archive, struct oe__member *member);

/* Drop the least fit until the archive is not larger than it may be. */
void oe__archive_trim(struct oe__archive *archive);

#endif /* OE__HUB_ARCHIVE_H */
