/*
 * A program joins the hub, or leaves it.
 *
 * Joining is all or nothing: whatever can fail (memory, measuring) happens first. Then, in this
 * order: the cell (the elite that it displaces leaves the population), the island, the archive,
 * eviction, the bests. A newcomer is not evicted by its own coming, and neither are the bests so
 * far.
 */

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/hub_internal.h"

/* ---- looking up ---- */

struct oe__member *oe__hub_find(const oe_hub *hub, const char *id)
{
	return id ? oe__map_get(&hub->ids, id, strlen(id)) : NULL;
}

struct oe__member *oe__hub_find_hash(const oe_hub *hub, const uint8_t hash[OE__SHA256_SIZE])
{
	return oe__map_get(&hub->contents, hash, OE__SHA256_SIZE);
}

bool oe__hub_island_has(const oe_hub *hub, int32_t island, const struct oe__source *source)
{
	/* Equal programs are an original and its migrants: one per island. */
	for (struct oe__member *member = oe__hub_find_hash(hub, source->hash); member;
		 member = member->same_content)
		if (member->island == island)
			return true;
	return false;
}

/* ---- links ---- */

/* Equal texts hang in a chain from the oldest of them, which is in the map. */
static int link_content(oe_hub *hub, struct oe__member *member)
{
	const uint8_t *hash = member->program->source->hash;
	struct oe__member *last = oe__hub_find_hash(hub, hash);

	if (!last)
		return oe__map_put(&hub->contents, hash, OE__SHA256_SIZE, member);
	while (last->same_content)
		last = last->same_content;
	last->same_content = member;
	member->same_before = last;
	return 0;
}

static void unlink_content(oe_hub *hub, struct oe__member *member)
{
	const uint8_t *hash = member->program->source->hash;
	struct oe__member *next = member->same_content;

	if (next)
		next->same_before = member->same_before;
	if (member->same_before) {
		member->same_before->same_content = next;
	} else if (next) {
		/* The key is there: replacing its value cannot fail. */
		int status = oe__map_put(&hub->contents, hash, OE__SHA256_SIZE, next);
		assert(status == 0);
		(void)status;
	} else {
		oe__map_remove(&hub->contents, hash, OE__SHA256_SIZE);
	}
	member->same_content = member->same_before = NULL;
}

static int link_names(oe_hub *hub, struct oe__member *member)
{
	const char *id = member->program->id;
	int status = oe__map_put(&hub->ids, id, strlen(id), member);

	if (status < 0)
		return status;
	status = link_content(hub, member);
	if (status < 0)
		oe__map_remove(&hub->ids, id, strlen(id));
	return status;
}

static void unlink_names(oe_hub *hub, struct oe__member *member)
{
	oe__map_remove(&hub->ids, member->program->id, strlen(member->program->id));
	unlink_content(hub, member);
}

static void link_age(oe_hub *hub, struct oe__member *member)
{
	member->older = hub->newest;
	*(hub->newest ? &hub->newest->newer : &hub->oldest) = member;
	hub->newest = member;
	hub->count++;
}

static void unlink_age(oe_hub *hub, struct oe__member *member)
{
	*(member->newer ? &member->newer->older : &hub->newest) = member->older;
	*(member->older ? &member->older->newer : &hub->oldest) = member->newer;
	hub->count--;
}

/* ---- guards ---- */

static void guard(oe_hub *hub, struct oe__member *member, int change)
{
	oe__island_guard(&hub->islands[member->island], member, change);
}

static void set_guarded(oe_hub *hub, struct oe__member **slot, struct oe__member *member)
{
	struct oe__member *before = *slot;

	if (before == member)
		return;
	*slot = member;
	if (before)
		guard(hub, before, -1);
	if (member)
		guard(hub, member, 1);
}

void oe__hub_set_best(oe_hub *hub, struct oe__member *member)
{
	set_guarded(hub, &hub->best, member);
}

void oe__hub_set_island_best(oe_hub *hub, int32_t island, struct oe__member *member)
{
	assert(!member || member->island == island);
	set_guarded(hub, &hub->islands[island].best, member);
}

/* ---- leaving ---- */

/* Out of everything but the feature map. */
static void detach(oe_hub *hub, struct oe__member *member)
{
	struct oe__island *island = &hub->islands[member->island];
	/* Those of the same text: what one of them lacks now, another one may bring. */
	struct oe__member *same = member->same_before ? member->same_before : member->same_content;

	if (hub->best == member)
		oe__hub_set_best(hub, NULL);
	if (island->best == member)
		oe__hub_set_island_best(hub, member->island, NULL);
	assert(member->guards == 0);
	if (oe__archive_has(member))
		oe__archive_remove(&hub->archive, member);
	oe__island_leave(island, member);
	oe__hub_forget_form(hub, member);
	unlink_age(hub, member);
	unlink_names(hub, member);
	if (same)
		oe__hub_mark_travellers(hub, same, member->island);
	if (hub->settings.semantics == OE__SEMANTICS_ORDERED)
		oe__ordered_leave(hub, member);
	oe__attempts_clear(&hub->attempts, &member->attempts);
	hub->version++;
}

void oe__hub_remove(oe_hub *hub, struct oe__member *member)
{
	if (member->elite)
		oe__island_clear_cell(&hub->islands[member->island], member, oe__hub_dimensions(hub));
	detach(hub, member);
	oe__diversity_leave(&hub->diversity, member->program->source);
	if (!oe__hub_keep_traveller(hub, member))
		oe__member_free(&hub->members, member);
}

/* The least fit of all without guards; of equally fit ones the oldest. */
static struct oe__member *first_to_go(oe_hub *hub)
{
	struct oe__member *first = NULL;

	for (int32_t i = 0; i < hub->island_count; i++) {
		struct oe__member *last = oe__island_last(&hub->islands[i]);

		if (last && (!first || last->island_rank.key < first->island_rank.key ||
					 (last->island_rank.key == first->island_rank.key &&
					  last->sequence < first->sequence)))
			first = last;
	}
	return first;
}

void oe__hub_evict(oe_hub *hub)
{
	while (hub->count > hub->settings.population_size) {
		struct oe__member *member = first_to_go(hub);

		if (!member)
			return; /* more bests than places: they stay */
		oe__hub_remove(hub, member);
	}
}

/* ---- joining ---- */

/* Everything that can fail, but for a new cell. Afterwards the member is known by its names only.
 */
static int prepare(oe_hub *hub, oe_program *program, int32_t island, bool measure,
				   struct oe__member **out)
{
	struct oe__member *member;

	assert(island >= 0 && island < hub->island_count && !oe__hub_find(hub, program->id));
	int status = oe__member_new(&hub->members, program, oe__hub_dimensions(hub), &member);
	if (status < 0)
		return status;
	status = oe__island_reserve(&hub->islands[island]);
	if (status == 0)
		status = oe__diversity_reserve(&hub->diversity);
	if (status == 0 && measure)
		status = oe__features_measure(&hub->features, &hub->diversity, program, hub->count, false,
									  member->coordinates);
	if (status == 0)
		status = link_names(hub, member);
	if (status < 0) {
		oe__member_free(&hub->members, member);
		return status;
	}
	member->island = island;
	oe__features_bins(&hub->features, member->coordinates, member->bins);
	*out = member;
	return 0;
}

static void settle(oe_hub *hub, struct oe__member *member)
{
	member->sequence = ++hub->sequence;
	member->joined = hub->ordered.position;
	oe__island_join(&hub->islands[member->island], member);
	oe__hub_mark_travellers(hub, member, member->island);
	link_age(hub, member);
	oe__diversity_join(&hub->diversity, member->program->source);
	if (member->program->iteration > hub->last_iteration)
		hub->last_iteration = member->program->iteration;
	hub->version++;
}

/* The elite that lost its cell leaves; its place in the archive goes to the new one. */
static void displace(oe_hub *hub, struct oe__member *old, struct oe__member *member)
{
	bool archived = oe__archive_has(old);

	old->elite = false;
	detach(hub, old);
	oe__member_free(&hub->members, old);
	if (archived)
		oe__archive_add(&hub->archive, member);
}

static void update_bests(oe_hub *hub, struct oe__member *member, struct oe__placement *out)
{
	struct oe__member *island_best = hub->islands[member->island].best;

	out->best = !hub->best || oe__program_better(member->program, hub->best->program);
	if (out->best)
		oe__hub_set_best(hub, member);
	if (!island_best || oe__program_better(member->program, island_best->program))
		oe__hub_set_island_best(hub, member->island, member);
}

int oe__hub_place(oe_hub *hub, oe_program *program, int32_t island, struct oe__placement *out)
{
	struct oe__island *home = &hub->islands[island];
	size_t dimensions = oe__hub_dimensions(hub);
	struct oe__member *member;
	int status = prepare(hub, program, island, true, &member);

	if (status < 0)
		return status;
	struct oe__member *elite = oe__island_elite(home, member->bins, dimensions);
	bool wins = !elite || oe__program_better(program, elite->program);
	if (wins)
		status = oe__island_take_cell(home, member, dimensions);
	if (status < 0) {
		unlink_names(hub, member);
		oe__member_free(&hub->members, member);
		return status;
	}
	*out =
		(struct oe__placement){ .member = member, .new_cell = !elite, .replaced = elite && wins };
	oe__features_enter(&hub->features, member->coordinates);
	settle(hub, member);
	if (out->replaced)
		displace(hub, elite, member);
	oe__archive_offer(&hub->archive, member);
	guard(hub, member, 1);
	oe__hub_evict(hub);
	update_bests(hub, member, out);
	guard(hub, member, -1);
	return 0;
}

int oe__hub_place_again(oe_hub *hub, oe_program *program, int32_t island, struct oe__member **out)
{
	struct oe__member *member;
	int status = prepare(hub, program, island, false, &member);

	if (status < 0)
		return status;
	settle(hub, member);
	*out = member;
	return 0;
}

int oe__hub_recall(oe_hub *hub, oe_program *program, struct oe__member **out)
{
	int status = prepare(hub, program, program->island, false, out);

	if (status == 0)
		link_age(hub, *out);
	return status;
}

void oe__hub_forget(oe_hub *hub, struct oe__member *member)
{
	assert(member->slot == OE__NO_SLOT);
	unlink_age(hub, member);
	unlink_names(hub, member);
	oe__member_free(&hub->members, member);
}
