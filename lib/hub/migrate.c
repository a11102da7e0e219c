/*
 * Migration: now and then the fittest of each island are copied to both neighbours on the ring.
 *
 * A copy is a program of its own with a link to its original. It shares code and evaluation, keeps
 * the iteration that found it, and never migrates again. An island that has the code already gets
 * no copy: with two islands, where both neighbours are the same one, a program goes there once.
 */

#include <assert.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "hub/hub_internal.h"

struct traveller {
	oe_program *program; /* by reference: while copies arrive, originals may be evicted */
	bool settled;        /* both islands had its code before the first one left */
};

struct travellers {
	struct traveller *items;
	size_t count;
};

static void travellers_done(struct travellers *travellers)
{
	for (size_t i = 0; i < travellers->count; i++)
		oe_program_unref(travellers->items[i].program);
	oe__free(travellers->items);
}

OE__AUTO_VALUE(travellers, struct travellers, travellers_done)

/* Does an island have the code of this member? Equal texts are linked: no search. */
static bool has_code(const struct oe__member *member, int32_t island)
{
	for (const struct oe__member *other = member->same_before; other; other = other->same_before)
		if (other->island == island)
			return true;
	for (const struct oe__member *other = member->same_content; other; other = other->same_content)
		if (other->island == island)
			return true;
	return false;
}

/* The fittest. */
static int choose(oe_hub *hub, struct oe__island *island, const int32_t targets[2],
                  struct travellers *out)
{
	size_t count = (size_t)((double)island->count * hub->settings.migration_rate);

	if (count < 1)
		count = 1;
	if (count > island->count)
		count = island->count;
	out->items = oe__calloc(count, sizeof(*out->items));
	if (!out->items)
		return OE_ERR_NOMEM;
	struct oe__rank_node *node = oe__rank_first(&island->ranks);
	for (size_t i = 0; i < count; i++, node = oe__rank_next(&island->ranks, node)) {
		const struct oe__member *member = oe__member_of_island(node);

		if (!member->program->migrant)
			out->items[out->count++] = (struct traveller){
				.program = oe_program_ref(member->program),
				.settled = has_code(member, targets[0]) && has_code(member, targets[1]),
			};
	}
	return 0;
}

/* A function of the history: which copy this is, and of what. */
static void seed_id(const oe_hub *hub, const oe_program *program, int32_t target, uint64_t out[2])
{
	uint64_t content = oe__hash64(program->source->hash, OE__SHA256_SIZE, hub->settings.seed);

	out[0] = oe__hash_mix(content, (uint64_t)target);
	out[1] = oe__hash_mix(hub->settings.seed, hub->sequence) | 1;
}

static int copy_to(oe_hub *hub, oe_program *program, int32_t target)
{
	OE__AUTO(program) oe_program *copy = NULL;
	struct oe__program_spec spec;
	struct oe__placement placement;

	if (oe__hub_island_has(hub, target, program->source))
		return 0;
	oe__program_describe(program, &spec);
	spec.id = NULL;
	seed_id(hub, program, target, spec.id_seed);
	spec.parent_id = program->id;
	spec.island = target;
	spec.migrant = true;
	spec.prompts = NULL;
	spec.dimensions = &hub->settings.axes->dimensions;
	int status = oe__program_build(&spec, &copy);
	if (status == 0)
		status = oe__hub_place(hub, copy, target, &placement);
	if (status == 0 && hub->migrated)
		hub->migrated(hub->migrated_owner, copy);
	return status < 0 ? status : 1;
}

/* Programs that have left the hub so far, but for a constant. */
static uint64_t departures(const oe_hub *hub)
{
	return hub->sequence - hub->count;
}

/* In a large population most of the fittest have gone everywhere long ago, and nobody has to search
   for them: unless a copy that came just now made somebody leave. @return copies, or a status. */
static int send(oe_hub *hub, const struct travellers *travellers, const int32_t targets[2])
{
	uint64_t departed = departures(hub);
	int sent = 0;

	for (size_t i = 0; i < 2 * travellers->count; i++) {
		const struct traveller *traveller = &travellers->items[i / 2];

		if (traveller->settled && departures(hub) == departed)
			continue;
		int status = copy_to(hub, traveller->program, targets[i % 2]);
		if (status < 0)
			return status;
		sent += status;
	}
	return sent;
}

int oe__hub_migrate(oe_hub *hub)
{
	int migrated = 0;

	if (hub->island_count < 2)
		return 0;
	for (int32_t from = 0; from < hub->island_count; from++) {
		OE__AUTO(travellers) struct travellers travellers = { NULL, 0 };
		int32_t targets[2] = { (from + 1) % hub->island_count,
			                   (from + hub->island_count - 1) % hub->island_count };

		if (hub->islands[from].count == 0)
			continue;
		int status = choose(hub, &hub->islands[from], targets, &travellers);
		if (status == 0)
			status = send(hub, &travellers, targets);
		if (status < 0)
			return status; /* not marked as done: the next commit goes on where this one ended */
		migrated += status;
	}
	hub->last_migration = hub->generation_max;
	return migrated;
}

int oe__hub_migrate_if_due(oe_hub *hub)
{
	if (hub->generation_max - hub->last_migration < hub->settings.migration_interval)
		return 0;
	return oe__hub_migrate(hub);
}

void oe__hub_on_migrant(oe_hub *hub, void (*migrated)(void *owner, oe_program *copy), void *owner)
{
	hub->migrated = migrated;
	hub->migrated_owner = owner;
}
