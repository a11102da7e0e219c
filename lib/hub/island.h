#ifndef OE__HUB_ISLAND_H
#define OE__HUB_ISLAND_H

/*
 * An island: its members by slot (for uniform choice), by rank, and by weight; its archived
 * members; its feature map; its generation. Owner thread.
 */

#include "base/map.h"
#include "hub/attempts.h"
#include "hub/member.h"
#include "hub/sum_tree.h"

struct oe__island {
	struct oe__member **members; /* by slot, dense */
	size_t count, capacity;
	struct oe__member **archived; /* dense */
	size_t archived_count, archived_capacity;
	struct oe__rank_tree ranks; /* by fitness, the older first on ties */
	struct oe__sum_tree weights;
	size_t negative_count; /* members whose fitness is negative but finite */
	struct oe__map cells;  /* bins to the elite                            */
	struct oe__member *best;
	struct oe__member *last; /* see oe__island_last() */
	bool last_known;
	int64_t generation; /* children committed to it */
	struct oe__attempt_list attempts;
};

/* Room for one more member, so that joining cannot fail. */
int oe__island_reserve(struct oe__island *island);
void oe__island_join(struct oe__island *island, struct oe__member *member);
void oe__island_leave(struct oe__island *island, struct oe__member *member);

/* Who goes first when the population is too large: of those without guards the least fit, of these
   the oldest; or NULL. Remembered until somebody comes, goes, or is guarded or not any more. */
struct oe__member *oe__island_last(struct oe__island *island);
void oe__island_guard(struct oe__island *island, struct oe__member *member, int change);

void oe__island_archive(struct oe__island *island, struct oe__member *member);
void oe__island_unarchive(struct oe__island *island, struct oe__member *member);

/* The elite of a cell, or NULL. */
struct oe__member *oe__island_elite(const struct oe__island *island, const int32_t *bins,
									size_t dimensions);
/* Make `member` the elite of the cell at its bins. Fails only for a cell that was empty. */
int oe__island_take_cell(struct oe__island *island, struct oe__member *member, size_t dimensions);
void oe__island_clear_cell(struct oe__island *island, struct oe__member *member, size_t dimensions);

/*
 * The weights of selection by fitness. As in OpenEvolve the fitness itself, at least a little. That
 * says nothing where fitnesses are negative: there the weight of the best of n is n, of the next
 * n - 1, ... (linear ranking; Baker: Adaptive selection methods for genetic algorithms, 1985).
 */
#define OE__WEIGHT_MIN 0.001
#define OE__WEIGHT_MAX 1e290 /* sums of any number of them stay finite */
static inline bool oe__island_ranks(const struct oe__island *island)
{
	return island->negative_count > 0;
}

void oe__island_done(struct oe__island *island); /* without its members */

#endif /* OE__HUB_ISLAND_H */
