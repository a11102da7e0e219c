/*
 * A population as the metadata.json of a checkpoint: OpenEvolve's members, and one of ours ("oe")
 * with what it has no place for.
 */

#include "base/limits.h"
#include "program/population.h"

/* OpenEvolve keeps as many values of each feature in a checkpoint. */
#define VALUES_SAVED 100

static void write_id(const oe_population *population, ptrdiff_t index,
					 struct oe__json_writer *writer)
{
	oe__json_string(writer, index >= 0 ? population->programs[index]->id : NULL);
}

static void write_cells(const oe_population *population, struct oe__json_writer *writer)
{
	size_t axes = population->axes->dimensions.count;

	oe__json_key(writer, "island_feature_maps");
	oe__json_list(writer);
	for (int32_t island = 0; island < population->island_count; island++) {
		oe__json_map(writer);
		for (size_t i = 0; i < population->cell_count; i++) {
			const struct oe__cell *cell = &population->cells[i];
			OE__AUTO(buffer) struct oe__buffer key = OE__BUFFER_INIT(0);

			if (cell->island != island)
				continue;
			for (size_t d = 0; d < axes; d++)
				oe__buffer_printf(&key, "%s%d", d > 0 ? "-" : "", (int)cell->bins[d]);
			if (key.status < 0)
				writer->out->status = key.status;
			oe__json_key(writer, oe__buffer_string(&key));
			write_id(population, (ptrdiff_t)cell->elite, writer);
		}
		oe__json_map_end(writer);
	}
	oe__json_list_end(writer);
}

static void write_members(const oe_population *population, struct oe__json_writer *writer)
{
	oe__json_key(writer, "islands");
	oe__json_list(writer);
	for (int32_t island = 0; island < population->island_count; island++) {
		oe__json_list(writer);
		for (size_t i = 0; i < population->program_count; i++)
			if (population->programs[i]->island == island)
				write_id(population, (ptrdiff_t)i, writer);
		oe__json_list_end(writer);
	}
	oe__json_list_end(writer);

	oe__json_key(writer, "archive");
	oe__json_list(writer);
	for (size_t i = 0; i < population->program_count; i++)
		if (population->archived[i])
			write_id(population, (ptrdiff_t)i, writer);
	oe__json_list_end(writer);
}

static void write_bests(const oe_population *population, struct oe__json_writer *writer)
{
	oe__json_key(writer, "best_program_id");
	write_id(population, population->best, writer);
	oe__json_key(writer, "island_best_programs");
	oe__json_list(writer);
	for (int32_t island = 0; island < population->island_count; island++)
		write_id(population, population->island_best[island], writer);
	oe__json_list_end(writer);
}

static void write_counters(const oe_population *population, struct oe__json_writer *writer)
{
	oe__json_key(writer, "last_iteration");
	oe__json_int(writer, population->last_iteration);
	oe__json_key(writer, "current_island");
	oe__json_int(writer, 0);
	oe__json_key(writer, "island_generations");
	oe__json_list(writer);
	for (int32_t island = 0; island < population->island_count; island++)
		oe__json_int(writer, population->island_generations[island]);
	oe__json_list_end(writer);
	oe__json_key(writer, "last_migration_generation");
	oe__json_int(writer, population->last_migration_generation);
}

static void write_features(const oe_population *population, struct oe__json_writer *writer)
{
	oe__json_key(writer, "feature_stats");
	oe__json_map(writer);
	for (size_t d = 0; d < population->axes->dimensions.count; d++) {
		const struct oe__feature_stats *stats = &population->features[d];
		size_t first = stats->value_count > VALUES_SAVED ? stats->value_count - VALUES_SAVED : 0;

		if (!stats->known)
			continue;
		oe__json_key(writer, population->axes->dimensions.names[d]);
		oe__json_map(writer);
		oe__json_key(writer, "min");
		oe__json_real(writer, stats->min);
		oe__json_key(writer, "max");
		oe__json_real(writer, stats->max);
		oe__json_key(writer, "values");
		oe__json_list(writer);
		for (size_t i = first; i < stats->value_count; i++)
			oe__json_real(writer, stats->values[i]);
		oe__json_list_end(writer);
		oe__json_map_end(writer);
	}
	oe__json_map_end(writer);
}

static void write_ours(const oe_population *population, const struct oe__provenance *from,
					   struct oe__json_writer *writer)
{
	oe__json_key(writer, "oe");
	oe__json_map(writer);
	if (from) {
		oe__json_key(writer, "run");
		oe__json_string(writer, from->run);
		oe__json_key(writer, "calls");
		oe__json_int(writer, from->calls);
	}
	oe__json_key(writer, "issued");
	oe__json_int(writer, population->issued);
	oe__json_key(writer, "ended");
	oe__json_int(writer, population->ended);
	oe__json_key(writer, "outcomes");
	oe__json_map(writer);
	for (int outcome = 0; outcome < OE_OUTCOME_COUNT; outcome++) {
		oe__json_key(writer, oe_outcome_name(outcome));
		oe__json_int(writer, population->outcomes[outcome]);
	}
	oe__json_map_end(writer);
	oe__json_key(writer, "initial");
	oe__json_string(writer, population->initial ? population->initial->id : NULL);
	oe__json_key(writer, "dimensions");
	oe__json_list(writer);
	for (size_t d = 0; d < population->axes->dimensions.count; d++)
		oe__json_string(writer, population->axes->dimensions.names[d]);
	oe__json_list_end(writer);
	oe__json_key(writer, "bins");
	oe__json_list(writer);
	for (size_t d = 0; d < population->axes->dimensions.count; d++)
		oe__json_int(writer, population->bins[d]);
	oe__json_list_end(writer);
	oe__json_key(writer, "diversity_references");
	oe__json_list(writer);
	for (size_t i = 0; i < population->reference_count; i++)
		oe__json_string_sized(writer, population->references[i]->text,
							  population->references[i]->size);
	oe__json_list_end(writer);
	oe__json_map_end(writer);
}

void oe__population_write_metadata(const oe_population *population, const struct oe__provenance *from,
								   struct oe__json_writer *writer)
{
	oe__json_map(writer);
	write_cells(population, writer);
	write_members(population, writer);
	write_bests(population, writer);
	write_counters(population, writer);
	write_features(population, writer);
	write_ours(population, from, writer);
	oe__json_map_end(writer);
}
