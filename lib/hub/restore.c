/*
 * A hub that goes on from a population: of a checkpoint, ours or OpenEvolve's, or of a log.
 *
 * Its islands may be fewer or more than configured: all that are there are kept and sampled. Cells
 * are taken over if they were made on the same axes with as many bins, else worked out again, and
 * so are the fitnesses. Programs that live on no island stay outside.
 */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/hub_internal.h"

int oe__hub_adopt(const oe_hub *hub, oe_program *program, int32_t island, oe_program **out)
{
	const struct oe__dimensions *dimensions = &hub->settings.axes->dimensions;
	double fitness = oe__fitness(program->evaluation, dimensions);
	struct oe__program_spec spec;

	if (program->island == island &&
		(fitness == program->fitness || (isnan(fitness) && isnan(program->fitness)))) {
		*out = oe_program_ref(program);
		return 0;
	}
	oe__program_describe(program, &spec);
	spec.island = island;
	spec.dimensions = dimensions;
	return oe__program_build(&spec, out);
}

/* ---- axes ---- */

static bool same_axes(const oe_hub *hub, const oe_population *population)
{
	const struct oe__dimensions *ours = &hub->settings.axes->dimensions;
	const struct oe__dimensions *theirs = &population->axes->dimensions;

	if (ours->count != theirs->count)
		return false;
	for (size_t i = 0; i < ours->count; i++) {
		/* OpenEvolve does not say how many bins it had: then they are as configured. */
		if (strcmp(ours->names[i], theirs->names[i]) != 0 ||
			(population->bins[i] != 0 && population->bins[i] != hub->settings.bins[i]))
			return false;
	}
	return true;
}

static const struct oe__feature_stats *stats_of(const oe_population *population, const char *name)
{
	for (size_t i = 0; i < population->axes->dimensions.count; i++)
		if (strcmp(population->axes->dimensions.names[i], name) == 0)
			return &population->features[i];
	return NULL;
}

static int restore_features(oe_hub *hub, const oe_population *population)
{
	for (size_t i = 0; i < oe__hub_dimensions(hub); i++) {
		const struct oe__feature_stats *stats =
			stats_of(population, hub->settings.axes->dimensions.names[i]);

		if (stats && stats->known)
			oe__features_load(&hub->features, i, stats);
	}
	return oe__diversity_load(&hub->diversity, population->references, population->reference_count);
}

/* ---- members ---- */

/* Positions of a population as members; NULL for what stays outside. */
struct arrivals {
	struct oe__member **members;
};

static void arrivals_done(struct arrivals *arrivals)
{
	oe__free(arrivals->members);
}

OE__AUTO_VALUE(arrivals, struct arrivals, arrivals_done)

static int restore_members(oe_hub *hub, const oe_population *population, struct arrivals *arrivals)
{
	arrivals->members = oe__calloc(population->program_count + 1, sizeof(struct oe__member *));
	if (!arrivals->members)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < population->program_count; i++) {
		OE__AUTO(program) oe_program *program = NULL;
		oe_program *given = population->programs[i];

		if (given->island < 0 || oe__hub_find(hub, given->id))
			continue;
		int status = oe__hub_adopt(hub, given, given->island, &program);
		if (status == 0)
			status = oe__hub_place_again(hub, program, program->island, &arrivals->members[i]);
		if (status < 0)
			return status;
	}
	return 0;
}

/* Raw values for the samples to come, and bounds where none came with the population. */
static int measure_members(oe_hub *hub)
{
	size_t dimensions = oe__hub_dimensions(hub);
	bool fresh[OE__DIMENSIONS_MAX];

	for (size_t i = 0; i < dimensions; i++)
		fresh[i] = !hub->features.stats[i].known;
	for (struct oe__member *member = hub->oldest; member; member = member->newer) {
		int status = oe__features_measure(&hub->features, &hub->diversity, member->program,
										  hub->count - 1, true, member->coordinates);
		if (status < 0)
			return status;
		for (size_t i = 0; i < dimensions; i++)
			if (fresh[i])
				oe__features_enter_one(&hub->features, i, member->coordinates[i]);
	}
	for (struct oe__member *member = hub->oldest; member; member = member->newer)
		oe__features_bins(&hub->features, member->coordinates, member->bins);
	return 0;
}

/* ---- cells ---- */

static int take_over_cells(oe_hub *hub, const oe_population *population,
						   const struct arrivals *arrivals)
{
	size_t dimensions = oe__hub_dimensions(hub);

	for (size_t i = 0; i < population->cell_count; i++) {
		const struct oe__cell *cell = &population->cells[i];
		struct oe__member *member = arrivals->members[cell->elite];

		if (!member || member->elite || member->island != cell->island)
			continue;
		for (size_t d = 0; d < dimensions; d++)
			member->bins[d] =
				cell->bins[d] < hub->settings.bins[d] ? cell->bins[d] : hub->settings.bins[d] - 1;
		struct oe__island *island = &hub->islands[member->island];
		if (oe__island_elite(island, member->bins, dimensions))
			continue;
		int status = oe__island_take_cell(island, member, dimensions);
		if (status < 0)
			return status;
	}
	return 0;
}

static int contest_cells(oe_hub *hub)
{
	size_t dimensions = oe__hub_dimensions(hub);

	for (struct oe__member *member = hub->oldest; member; member = member->newer) {
		struct oe__island *island = &hub->islands[member->island];
		struct oe__member *elite = oe__island_elite(island, member->bins, dimensions);

		if (elite && !oe__program_better(member->program, elite->program))
			continue;
		if (elite)
			elite->elite = false;
		int status = oe__island_take_cell(island, member, dimensions);
		if (status < 0)
			return status;
	}
	return 0;
}

/* ---- the rest ---- */

static void restore_archive(oe_hub *hub, const oe_population *population,
							const struct arrivals *arrivals)
{
	for (size_t i = 0; i < population->program_count; i++)
		if (population->archived[i] && arrivals->members[i])
			oe__archive_add(&hub->archive, arrivals->members[i]);
	oe__archive_trim(&hub->archive);
}

static struct oe__member *arrived(const struct arrivals *arrivals, ptrdiff_t position)
{
	return position >= 0 ? arrivals->members[position] : NULL;
}

/* What was best remains so, unless our axes see it otherwise. */
static void restore_bests(oe_hub *hub, const oe_population *population,
						  const struct arrivals *arrivals)
{
	oe__hub_set_best(hub, arrived(arrivals, population->best));
	for (int32_t i = 0; i < population->island_count; i++) {
		struct oe__member *best = arrived(arrivals, population->island_best[i]);

		oe__hub_set_island_best(hub, i, best && best->island == i ? best : NULL);
	}
	for (struct oe__member *member = hub->oldest; member; member = member->newer) {
		struct oe__member *island_best = hub->islands[member->island].best;

		if (!hub->best || oe__program_better(member->program, hub->best->program))
			oe__hub_set_best(hub, member);
		if (!island_best || oe__program_better(member->program, island_best->program))
			oe__hub_set_island_best(hub, member->island, member);
	}
}

/* The program where all began: as recorded, else the first without a parent, else the best. */
static int restore_initial(oe_hub *hub, const oe_population *population)
{
	oe_program *initial = population->initial;

	for (struct oe__member *member = hub->oldest; member && !initial; member = member->newer)
		if (!member->program->parent_id)
			initial = member->program;
	if (!initial && hub->best)
		initial = hub->best->program;
	if (!initial)
		return 0;
	struct oe__member *alive = oe__hub_find(hub, initial->id);
	return oe__hub_adopt(hub, alive ? alive->program : initial, alive ? alive->island : -1,
						 &hub->initial);
}

static void restore_counters(oe_hub *hub, const oe_population *population)
{
	struct oe__ledger *ledger = &hub->ledger;
	int64_t told = 0;

	for (int32_t i = 0; i < population->island_count; i++) {
		hub->islands[i].generation = population->island_generations[i];
		if (population->island_generations[i] > hub->generation_max)
			hub->generation_max = population->island_generations[i];
	}
	hub->last_migration = population->last_migration_generation;
	if (population->last_iteration > hub->last_iteration)
		hub->last_iteration = population->last_iteration;
	for (int i = 0; i < OE_OUTCOME_COUNT; i++) {
		ledger->outcomes[i] = population->outcomes[i];
		told += population->outcomes[i];
	}
	ledger->issued = population->issued;
	ledger->before = population->issued;
	ledger->ended = population->ended;
	ledger->foreign = population->ended - told;
	hub->generation.first = population->issued + 1;
	if (ledger->last < INT64_MAX - population->issued)
		ledger->last += population->issued;
}

static bool is_sound(const oe_population *population)
{
	int64_t untold = population->ended;

	for (int i = 0; i < OE_OUTCOME_COUNT; i++) {
		if (population->outcomes[i] < 0 || population->outcomes[i] > untold)
			return false;
		untold -= population->outcomes[i];
	}
	if (population->ended < 0 || population->issued < population->ended)
		return false;
	for (size_t i = 0; i < population->program_count; i++)
		if (population->programs[i]->island >= population->island_count)
			return false;
	for (size_t i = 0; i < population->cell_count; i++)
		if (population->cells[i].elite >= population->program_count)
			return false;
	return true;
}

int oe__hub_thaw(oe_hub *hub, const oe_population *population)
{
	OE__AUTO(arrivals) struct arrivals arrivals = { NULL };
	bool same = population->cell_count > 0 && same_axes(hub, population);

	if (!is_sound(population))
		return OE_ERR_FORMAT;
	int status = 0;
	if (population->island_count > hub->island_count)
		status = oe__hub_make_islands(hub, population->island_count);
	if (status == 0)
		status = restore_features(hub, population);
	if (status == 0)
		status = restore_members(hub, population, &arrivals);
	if (status == 0)
		status = measure_members(hub);
	if (status == 0)
		status = same ? take_over_cells(hub, population, &arrivals) : contest_cells(hub);
	if (status < 0)
		return status;
	restore_archive(hub, population, &arrivals);
	restore_bests(hub, population, &arrivals);
	restore_counters(hub, population);
	oe__hub_evict(hub);
	return restore_initial(hub, population);
}
