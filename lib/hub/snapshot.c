/*
 * The state of a hub as an immutable population. Costs a walk over everything: for snapshots that
 * somebody asked for, not for each iteration.
 */

#include <string.h>

#include "base/alloc.h"
#include "hub/hub_internal.h"

static ptrdiff_t position(const struct oe__member *member)
{
	return member ? (ptrdiff_t)member->position : -1;
}

static void freeze_members(const oe_hub *hub, oe_population *out)
{
	for (struct oe__member *member = hub->oldest; member; member = member->newer) {
		member->position = (uint32_t)out->program_count;
		out->archived[out->program_count] = oe__archive_has(member);
		out->programs[out->program_count++] = oe_program_ref(member->program);
	}
}

static int freeze_cells(const oe_hub *hub, int32_t island, oe_population *out)
{
	const struct oe__map *cells = &hub->islands[island].cells;
	size_t dimensions = oe__hub_dimensions(hub), cursor = 0;
	const struct oe__map_entry *entry;
	int status = oe__population_reserve_cells(out, cells->count);

	while (status == 0 && (entry = oe__map_next(cells, &cursor)) != NULL) {
		const struct oe__member *elite = entry->value;
		int32_t *bins = oe__calloc(dimensions + 1, sizeof(*bins)); /* never empty */

		if (!bins)
			return OE_ERR_NOMEM;
		memcpy(bins, elite->bins, dimensions * sizeof(*bins));
		out->cells[out->cell_count++] =
			(struct oe__cell){ .island = island, .bins = bins, .elite = elite->position };
	}
	return status;
}

static int freeze_islands(const oe_hub *hub, oe_population *out)
{
	for (int32_t island = 0; island < hub->island_count; island++) {
		int status = freeze_cells(hub, island, out);

		if (status < 0)
			return status;
		out->island_generations[island] = hub->islands[island].generation;
		out->island_best[island] = position(hub->islands[island].best);
	}
	out->best = position(hub->best);
	return 0;
}

static int freeze_features(const oe_hub *hub, oe_population *out)
{
	const struct oe__diversity *diversity = &hub->diversity;

	for (size_t i = 0; i < oe__hub_dimensions(hub); i++) {
		int status = oe__features_save(&hub->features, i, &out->features[i]);

		if (status < 0)
			return status;
		out->bins[i] = hub->settings.bins[i];
	}
	/* A set that is not full yet is chosen anew from the programs, which are here. */
	if (diversity->size == 0 || !oe__diversity_frozen(diversity))
		return 0;
	out->references = oe__calloc(diversity->reference_count, sizeof(*out->references));
	if (!out->references)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < diversity->reference_count; i++)
		out->references[i] = oe__source_ref(diversity->references[i]);
	out->reference_count = diversity->reference_count;
	return 0;
}

static void freeze_counters(const oe_hub *hub, oe_population *out)
{
	out->last_iteration = hub->last_iteration;
	out->last_migration_generation = hub->last_migration;
	out->issued = hub->ledger.issued;
	out->ended = hub->ledger.ended;
	memcpy(out->outcomes, hub->ledger.outcomes, sizeof(out->outcomes));
	if (hub->initial)
		out->initial = oe_program_ref(hub->initial);
}

int oe__hub_freeze(const oe_hub *hub, oe_population **out)
{
	OE__AUTO(population) oe_population *population = NULL;
	int status = oe__population_new(hub->count, hub->island_count, hub->settings.axes, &population);

	if (status < 0)
		return status;
	freeze_members(hub, population);
	status = freeze_islands(hub, population);
	if (status == 0)
		status = freeze_features(hub, population);
	if (status < 0)
		return status;
	freeze_counters(hub, population);
	*out = OE__STEAL(population);
	return 0;
}
