/*
 * Migration: now and then the fittest of each island are copied to both neighbours on the ring.
 *
 * A copy is a program of its own with a link to its original. It shares code and evaluation, keeps
 * the iteration that found it, and never migrates again. An island that has the code already gets
 * no copy: with two islands, where both neighbours are the same one, a program goes there once.
 */

#include <assert.h>
#include <math.h>

#include "hub/hub_internal.h"

/* ---- who may travel ---- */

/* The islands beside one; with two islands both are the other one. */
static void neighbours(const oe_hub *hub, int32_t island, int32_t out[2])
{
	out[0] = (island + 1) % hub->island_count;
	out[1] = (island + hub->island_count - 1) % hub->island_count;
}

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

bool oe__hub_may_travel(const oe_hub *hub, const struct oe__member *member)
{
	int32_t beside[2];

	if (member->program->migrant || hub->island_count < 2)
		return false;
	neighbours(hub, member->island, beside);
	return !has_code(member, beside[0]) || !has_code(member, beside[1]);
}

void oe__hub_mark_travellers(oe_hub *hub, struct oe__member *member, int32_t island)
{
	int32_t beside[2];

	neighbours(hub, island, beside);
	while (member->same_before)
		member = member->same_before;
	for (; member; member = member->same_content)
		if (member->island == island || member->island == beside[0] || member->island == beside[1])
			oe__rank_mark(&hub->islands[member->island].ranks, &member->island_rank,
						  oe__hub_may_travel(hub, member));
}

/* ---- crossing ---- */

/* The fittest of one island travel, in their order. Who they are is settled before the first one
   leaves; whether somebody has to be copied, when his turn comes: the copies of those before him
   may have made his own leave. Or even himself: he is kept until then. */
struct oe__crossing {
	int32_t from;
	struct oe__rank_node at;   /* whose turn it is: key and tie */
	struct oe__rank_node last; /* whose turn will be the last   */
	struct oe__member *kept;   /* by `newer`                    */
};

static bool is_ahead(const struct oe__crossing *crossing, const struct oe__rank_node *rank)
{
	return oe__rank_before(&crossing->at, rank) && !oe__rank_before(&crossing->last, rank);
}

bool oe__hub_keep_traveller(oe_hub *hub, struct oe__member *member)
{
	struct oe__crossing *crossing = hub->crossing;

	if (!crossing || member->island != crossing->from || member->program->migrant ||
		!is_ahead(crossing, &member->island_rank))
		return false;
	member->newer = crossing->kept;
	crossing->kept = member;
	return true;
}

static void begin(oe_hub *hub, int32_t from, struct oe__crossing *crossing)
{
	struct oe__island *island = &hub->islands[from];
	size_t count = (size_t)((double)island->count * hub->settings.migration_rate);

	if (count < 1)
		count = 1;
	if (count > island->count)
		count = island->count;
	*crossing = (struct oe__crossing){ .from = from, .at = { .key = INFINITY } };
	crossing->last = *oe__rank_at(&island->ranks, (uint32_t)count - 1);
	hub->crossing = crossing;
}

static void end(oe_hub *hub, struct oe__crossing *crossing)
{
	hub->crossing = NULL;
	while (crossing->kept) {
		struct oe__member *member = crossing->kept;

		crossing->kept = member->newer;
		oe__member_free(&hub->members, member);
	}
}

/* The next one who may have to be copied: of those who live, the next marked one. */
static struct oe__member *next(oe_hub *hub, struct oe__crossing *crossing)
{
	struct oe__rank_node *rank =
		oe__rank_next_marked(&hub->islands[crossing->from].ranks, &crossing->at);
	struct oe__member *found =
		rank && is_ahead(crossing, rank) ? oe__member_of_island(rank) : NULL;

	for (struct oe__member *member = crossing->kept; member; member = member->newer)
		if (is_ahead(crossing, &member->island_rank) &&
			(!found || oe__rank_before(&member->island_rank, &found->island_rank)))
			found = member;
	if (found)
		crossing->at = found->island_rank;
	return found;
}

/* A function of the history: which copy this is, and of what. */
static void seed_id(const oe_hub *hub, const oe_program *program, int32_t target, uint64_t out[2])
{
	uint64_t content = oe__hash64(program->source->hash, OE__SHA256_SIZE, hub->settings.seed);

	out[0] = oe__hash_mix(content, (uint64_t)target);
	out[1] = oe__hash_mix(hub->settings.seed, hub->sequence) | 1;
}

int oe__hub_make_migrant(const oe_hub *hub, oe_program *program, const char *id,
						 const uint64_t id_seed[2], int32_t target, oe_program **out)
{
	struct oe__program_spec spec;

	oe__program_describe(program, &spec);
	spec.id = id;
	for (size_t i = 0; id_seed && i < OE__COUNT(spec.id_seed); i++)
		spec.id_seed[i] = id_seed[i];
	spec.parent_id = program->id;
	spec.island = target;
	spec.migrant = true;
	spec.prompts = NULL;
	spec.dimensions = &hub->settings.axes->dimensions;
	return oe__program_build(&spec, out);
}

static int copy_to(oe_hub *hub, oe_program *program, int32_t target)
{
	OE__AUTO(program) oe_program *copy = NULL;
	struct oe__placement placement;
	uint64_t id[2];

	if (oe__hub_island_has(hub, target, program->source))
		return 0;
	seed_id(hub, program, target, id);
	int status = oe__hub_make_migrant(hub, program, NULL, id, target, &copy);
	if (status == 0)
		status = oe__hub_place(hub, copy, target, &placement);
	if (status == 0 && hub->migrated)
		hub->migrated(hub->migrated_owner, copy);
	return status < 0 ? status : 1;
}

/* @return copies, or a status. */
static int send(oe_hub *hub, int32_t from)
{
	struct oe__crossing crossing;
	struct oe__member *member;
	int32_t targets[2];
	int sent = 0, status = 0;

	neighbours(hub, from, targets);
	begin(hub, from, &crossing);
	while (status >= 0 && (member = next(hub, &crossing)) != NULL) {
		/* By reference: its own copy may make it leave. */
		OE__AUTO(program) oe_program *program = oe_program_ref(member->program);

		for (size_t i = 0; i < OE__COUNT(targets) && status >= 0; i++) {
			status = copy_to(hub, program, targets[i]);
			sent += status > 0;
		}
	}
	end(hub, &crossing);
	return status < 0 ? status : sent;
}

int oe__hub_migrate(oe_hub *hub)
{
	int migrated = 0;

	if (hub->island_count < 2)
		return 0;
	for (int32_t from = 0; from < hub->island_count; from++) {
		int status = hub->islands[from].count > 0 ? send(hub, from) : 0;

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
