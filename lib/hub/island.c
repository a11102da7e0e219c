/*
 * Islands. See island.h.
 */

#include "hub/island.h"

#include <assert.h>
#include <math.h>

#include "base/alloc.h"

static int grow(struct oe__member ***members, size_t *capacity, size_t count)
{
	void *items = *members;
	int status = oe__grow(&items, capacity, count, sizeof(**members));

	if (status == 0)
		*members = items;
	return status;
}

int oe__island_reserve(struct oe__island *island)
{
	int status = grow(&island->members, &island->capacity, island->count + 1);

	if (status == 0)
		status = grow(&island->archived, &island->archived_capacity, island->count + 1);
	if (status == 0)
		status = oe__sum_tree_reserve(&island->weights, island->count + 1);
	return status;
}

static double weight_of(const struct oe__member *member)
{
	return fmin(fmax(oe__member_key(member), OE__WEIGHT_MIN), OE__WEIGHT_MAX);
}

static bool is_negative(const struct oe__member *member)
{
	double fitness = oe__member_key(member);

	return isfinite(fitness) && fitness < 0;
}

void oe__island_join(struct oe__island *island, struct oe__member *member)
{
	assert(island->count < island->capacity && member->slot == OE__NO_SLOT);
	member->slot = (uint32_t)island->count;
	island->members[island->count++] = member;
	oe__rank_insert(&island->ranks, &member->island_rank, oe__member_key(member), member->sequence);
	oe__sum_tree_set(&island->weights, member->slot, weight_of(member));
	island->negative_count += is_negative(member);
	island->last_known = false;
}

void oe__island_leave(struct oe__island *island, struct oe__member *member)
{
	assert(island->members[member->slot] == member && member->archive_slot == OE__NO_SLOT);
	struct oe__member *last = island->members[--island->count];

	/* The last one moves into the gap, so that slots stay dense. */
	island->members[member->slot] = last;
	oe__sum_tree_set(&island->weights, member->slot, weight_of(last));
	oe__sum_tree_set(&island->weights, last->slot, 0);
	last->slot = member->slot;
	member->slot = OE__NO_SLOT;
	oe__rank_remove(&island->ranks, &member->island_rank);
	island->negative_count -= is_negative(member);
	island->last_known = false;
}

static struct oe__member *find_last(struct oe__island *island)
{
	struct oe__rank_node *node = oe__rank_last(&island->ranks);

	while (node) {
		/* Equally fit ones rank by age. */
		struct oe__rank_node *oldest = oe__rank_find(&island->ranks, node->key);

		for (node = oldest; node && node->key == oldest->key;
			 node = oe__rank_next(&island->ranks, node))
			if (oe__member_of_island(node)->guards == 0)
				return oe__member_of_island(node);
		node = oe__rank_previous(&island->ranks, oldest);
	}
	return NULL;
}

struct oe__member *oe__island_last(struct oe__island *island)
{
	if (!island->last_known)
		island->last = find_last(island);
	island->last_known = true;
	return island->last;
}

void oe__island_guard(struct oe__island *island, struct oe__member *member, int change)
{
	member->guards = (int16_t)(member->guards + change);
	island->last_known = false;
}

void oe__island_archive(struct oe__island *island, struct oe__member *member)
{
	assert(island->archived_count < island->archived_capacity);
	assert(member->archive_slot == OE__NO_SLOT);
	member->archive_slot = (uint32_t)island->archived_count;
	island->archived[island->archived_count++] = member;
}

void oe__island_unarchive(struct oe__island *island, struct oe__member *member)
{
	assert(island->archived[member->archive_slot] == member);
	struct oe__member *last = island->archived[--island->archived_count];

	island->archived[member->archive_slot] = last;
	last->archive_slot = member->archive_slot;
	member->archive_slot = OE__NO_SLOT;
}

struct oe__member *oe__island_elite(const struct oe__island *island, const int32_t *bins,
									size_t dimensions)
{
	return oe__map_get(&island->cells, bins, dimensions * sizeof(*bins));
}

int oe__island_take_cell(struct oe__island *island, struct oe__member *member, size_t dimensions)
{
	int status =
		oe__map_put(&island->cells, member->bins, dimensions * sizeof(*member->bins), member);

	if (status == 0)
		member->elite = true;
	return status;
}

void oe__island_clear_cell(struct oe__island *island, struct oe__member *member, size_t dimensions)
{
	struct oe__member *elite =
		oe__map_remove(&island->cells, member->bins, dimensions * sizeof(*member->bins));

	assert(elite == member);
	(void)elite;
	member->elite = false;
}

void oe__island_done(struct oe__island *island)
{
	oe__free(island->members);
	oe__free(island->archived);
	oe__sum_tree_done(&island->weights);
	oe__map_done(&island->cells);
}
