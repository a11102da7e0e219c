/*
 * The invariants of a hub. Everything is walked, nothing is trusted; nothing is changed but the
 * counters of looks into the trees.
 */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "hub/check.h"

/* ---- one member ---- */

static int32_t count_guards(const oe_hub *hub, const struct oe__member *member)
{
	return (hub->best == member) + (hub->islands[member->island].best == member);
}

static bool is_in_chain(const oe_hub *hub, const struct oe__member *member)
{
	struct oe__member *same = oe__hub_find_hash(hub, member->program->source->hash);

	while (same && same != member)
		same = same->same_content;
	return same == member;
}

static const char *check_member(const oe_hub *hub, const struct oe__member *member)
{
	const struct oe__island *island = &hub->islands[member->island];
	const struct oe__dimensions *dimensions = &hub->settings.axes->dimensions;
	double fitness = oe__fitness(member->program->evaluation, dimensions);

	HOLD(member->island >= 0 && member->island < hub->island_count, "a member has an island");
	HOLD(member->program->island == member->island, "a program knows its island");
	HOLD(fitness == member->program->fitness, "fitness is a function of the metrics");
	HOLD(member->slot < island->count && island->members[member->slot] == member,
		 "a member is at its slot");
	HOLD(oe__hub_find(hub, member->program->id) == member, "a member is found by its identifier");
	HOLD(is_in_chain(hub, member), "a member is found by its content");
	HOLD(member->island_rank.size > 0, "a member is ranked on its island");
	HOLD(member->guards == count_guards(hub, member), "guards count the bests");
	HOLD(member->island_rank.marked == oe__hub_may_travel(hub, member),
		 "exactly those are marked that may travel");
	HOLD((member->archive_slot != OE__NO_SLOT) == (member->archive_rank.size > 0),
		 "an archived member is ranked in the archive");
	HOLD(!oe__program_better(member->program, hub->best->program), "the best is the best");
	HOLD(!oe__program_better(member->program, island->best->program),
		 "the best of an island is its best");
	for (size_t i = 0; i < dimensions->count; i++)
		HOLD(member->bins[i] >= 0 && member->bins[i] < hub->settings.bins[i],
			 "bins are on the map");
	HOLD(!member->elite || oe__island_elite(island, member->bins, dimensions->count) == member,
		 "an elite holds its cell");
	return NULL;
}

static const char *check_members(const oe_hub *hub)
{
	const struct oe__member *before = NULL;
	size_t count = 0;

	for (const struct oe__member *member = hub->oldest; member; member = member->newer) {
		HOLD(member->older == before, "members know who came before them");
		HOLD(!before || before->sequence < member->sequence, "members are in order of joining");
		HOLD(!member->form.form || oe__forms_first(&hub->forms, member->form.form),
			 "forms of members are known");
		const char *broken = check_member(hub, member);
		if (broken)
			return broken;
		before = member;
		count++;
	}
	HOLD(hub->newest == before, "the newest member came last");
	HOLD(hub->count == count && hub->ids.count == count, "each program lives once");
	HOLD(hub->contents.count <= count, "contents belong to members");
	HOLD((hub->best != NULL) == (count > 0), "there is a best if there is anybody");
	HOLD(count == 0 || hub->initial, "there is a program where all began");
	return NULL;
}

/* ---- one island ---- */

static const char *check_ranks(struct oe__rank_tree *tree, size_t count)
{
	struct oe__rank_node *before = NULL;
	size_t seen = 0, marked = 0;

	HOLD(oe__rank_count(tree) == count, "a ranking has everybody");
	for (struct oe__rank_node *node = oe__rank_first(tree); node;
		 node = oe__rank_next(tree, node)) {
		HOLD(!before || before->key > node->key ||
				 (before->key == node->key && before->tie < node->tie),
			 "a ranking is in order");
		marked += node->marked;
		before = node;
		seen++;
	}
	HOLD(seen == count, "a ranking is connected");
	HOLD(count == 0 || tree->root->marks == marked, "marks are counted");
	return NULL;
}

/* Does `a` go before `b` when the population is too large? */
static bool goes_before(const struct oe__member *a, const struct oe__member *b)
{
	double fitness = oe__member_key(a), other = oe__member_key(b);

	return fitness != other ? fitness < other : a->sequence < b->sequence;
}

/* What is remembered, against all that could be evicted. */
static const char *check_last(const struct oe__island *island)
{
	const struct oe__member *last = NULL;

	for (size_t i = 0; i < island->count; i++) {
		const struct oe__member *member = island->members[i];

		if (member->guards == 0 && (!last || goes_before(member, last)))
			last = member;
	}
	HOLD(!island->last_known || island->last == last, "who goes first is known");
	return NULL;
}

static const char *check_weights(const struct oe__island *island)
{
	const struct oe__sum_tree *weights = &island->weights;
	size_t negative = 0;

	for (size_t i = 0; i < weights->capacity; i++) {
		double weight = oe__sum_tree_weight(weights, i);

		if (i >= island->count) {
			HOLD(weight == 0, "an empty slot weighs nothing");
			continue;
		}
		double fitness = oe__member_key(island->members[i]);
		HOLD(weight == fmin(fmax(fitness, OE__WEIGHT_MIN), OE__WEIGHT_MAX),
			 "a weight is the fitness, at least a little");
		negative += isfinite(fitness) && fitness < 0;
	}
	for (size_t i = 1; i < weights->capacity; i++)
		HOLD(weights->sums[i] == weights->sums[2 * i] + weights->sums[2 * i + 1], "sums are sums");
	HOLD(negative == island->negative_count, "negative fitnesses are counted");
	return NULL;
}

static const char *check_island(const oe_hub *hub, int32_t index)
{
	struct oe__island *island = &hub->islands[index];
	const struct oe__map_entry *entry;
	size_t cursor = 0;
	const char *broken = check_ranks(&island->ranks, island->count);

	if (!broken)
		broken = check_weights(island);
	if (!broken)
		broken = check_last(island);
	if (broken)
		return broken;
	for (size_t i = 0; i < island->count; i++)
		HOLD(island->members[i]->island == index, "an island has its own members only");
	for (size_t i = 0; i < island->archived_count; i++)
		HOLD(island->archived[i]->archive_slot == i && island->archived[i]->island == index,
			 "an island lists its archived members");
	while ((entry = oe__map_next(&island->cells, &cursor)) != NULL) {
		const struct oe__member *elite = entry->value;

		HOLD(elite->elite && elite->island == index, "a cell belongs to an elite of the island");
	}
	HOLD((island->best != NULL) == (island->count > 0), "an island that is not empty has a best");
	HOLD(island->generation <= hub->generation_max, "no island is ahead of all");
	return NULL;
}

/* ---- the whole ---- */

static const char *check_islands(const oe_hub *hub)
{
	size_t members = 0, archived = 0;

	for (int32_t i = 0; i < hub->island_count; i++) {
		const char *broken = check_island(hub, i);

		if (broken)
			return broken;
		members += hub->islands[i].count;
		archived += hub->islands[i].archived_count;
	}
	HOLD(members == hub->count, "each program lives on exactly one island");
	HOLD(archived == oe__rank_count(&hub->archive.ranks), "the archive is what islands list");
	HOLD(archived <= hub->archive.capacity, "the archive is not larger than it may be");
	return NULL;
}

static const char *check_limits(const oe_hub *hub)
{
	size_t limit = hub->settings.population_size;

	/* The bests stay whatever the limit says, and so does the latest newcomer. */
	if (limit < (size_t)hub->island_count + 2)
		limit = (size_t)hub->island_count + 2;
	HOLD(hub->count <= limit, "the population is not larger than it may be");
	return check_ranks((struct oe__rank_tree *)(uintptr_t)&hub->archive.ranks,
					   oe__rank_count(&hub->archive.ranks));
}

static const char *check_ledger(const struct oe__ledger *ledger)
{
	int64_t told = 0;
	int64_t pending = (int64_t)(ledger->open.count + ledger->repeat_count);

	for (int i = 0; i < OE_OUTCOME_COUNT; i++) {
		HOLD(ledger->outcomes[i] >= 0, "outcomes are counted");
		told += ledger->outcomes[i];
	}
	HOLD(told + ledger->foreign == ledger->ended, "outcomes add up to the numbers ended");
	HOLD(ledger->ended + pending <= ledger->issued, "a number that ended was given before");
	return NULL;
}

const char *oe__hub_check(const oe_hub *hub)
{
	const char *broken = check_ledger(&hub->ledger);

	if (!broken)
		broken = check_islands(hub);
	if (!broken)
		broken = check_members(hub);
	if (!broken)
		broken = check_limits(hub);
	if (!broken)
		broken = oe__hub_check_turns(hub);
	return broken;
}

void oe__hub_assert(const oe_hub *hub)
{
#ifndef NDEBUG
	const char *broken = hub->checked ? oe__hub_check(hub) : NULL;

	assert(!broken);
	(void)broken;
#else
	(void)hub;
#endif
}
