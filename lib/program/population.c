/*
 * Populations: the frozen value and its getters. Any thread; see population_index.c for lookups,
 * population_read.c and population_write.c for metadata.json, population_hash.c for the archive
 * hash.
 */

#include "program/population.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static int allocate(oe_population *population, size_t programs, size_t islands, size_t axes)
{
	/* One more than asked for, so that nothing is asked to be empty. */
	population->programs = oe__calloc(programs + 1, sizeof(oe_program *));
	population->archived = oe__calloc(programs + 1, sizeof(*population->archived));
	population->island_generations =
		oe__calloc(islands + 1, sizeof(*population->island_generations));
	population->island_best = oe__calloc(islands + 1, sizeof(*population->island_best));
	population->bins = oe__calloc(axes + 1, sizeof(*population->bins));
	population->features = oe__calloc(axes + 1, sizeof(*population->features));
	if (!population->programs || !population->archived || !population->island_generations ||
		!population->island_best || !population->bins || !population->features)
		return OE_ERR_NOMEM;
	return 0;
}

int oe__population_new(size_t program_count, int32_t island_count, struct oe__axes *axes,
					   oe_population **out)
{
	OE__AUTO(population) oe_population *population = oe__calloc(1, sizeof(*population));

	if (!population)
		return OE_ERR_NOMEM;
	atomic_init(&population->refs, 1);
	atomic_init(&population->index, NULL);
	population->axes = oe__axes_ref(axes);
	int status = allocate(population, program_count, (size_t)island_count, axes->dimensions.count);
	if (status < 0)
		return status;
	population->island_count = island_count;
	population->best = -1;
	for (int32_t i = 0; i < island_count; i++)
		population->island_best[i] = -1;
	*out = OE__STEAL(population);
	return 0;
}

oe_program *oe__population_extra(const oe_population *population)
{
	oe_program *initial = population->initial;

	return initial && !oe_population_find(population, initial->id) ? initial : NULL;
}

int oe__population_reserve_cells(oe_population *population, size_t count)
{
	void *cells = population->cells;
	int status = oe__grow(&cells, &population->cell_capacity, population->cell_count + count,
						  sizeof(*population->cells));

	if (status == 0)
		population->cells = cells;
	return status;
}

oe_population *oe_population_ref(oe_population *population)
{
	atomic_fetch_add_explicit(&population->refs, 1, memory_order_relaxed);
	return population;
}

static void free_contents(oe_population *population)
{
	for (size_t i = 0; i < population->program_count; i++)
		oe_program_unref(population->programs[i]);
	for (size_t i = 0; i < population->cell_count; i++)
		oe__free(population->cells[i].bins);
	for (size_t i = 0; population->features && i < population->axes->dimensions.count; i++)
		oe__free(population->features[i].values);
	for (size_t i = 0; i < population->reference_count; i++)
		oe__source_unref(population->references[i]);
	oe_program_unref(population->initial);
}

void oe_population_unref(oe_population *population)
{
	if (!population || atomic_fetch_sub_explicit(&population->refs, 1, memory_order_acq_rel) != 1)
		return;
	free_contents(population);
	oe__population_index_free(atomic_load(&population->index));
	oe__free(population->programs);
	oe__free(population->archived);
	oe__free(population->island_generations);
	oe__free(population->island_best);
	oe__free(population->cells);
	oe__free(population->bins);
	oe__free(population->features);
	oe__free(population->references);
	oe__axes_unref(population->axes);
	oe__free(population);
}

/* ---- getters ---- */

int64_t oe_population_iteration(const oe_population *population)
{
	return population->last_iteration;
}

oe_program *oe_population_best(const oe_population *population)
{
	return population->best >= 0 ? population->programs[population->best] : NULL;
}

static oe_program *found(const oe_population *population, const struct oe__map *map,
						 const void *key, size_t size)
{
	uintptr_t place = (uintptr_t)oe__map_get(map, key, size);

	return place > 0 ? population->programs[place - 1] : NULL;
}

oe_program *oe_population_find(const oe_population *population, const char *id)
{
	const struct oe__population_index *index = oe__population_index(population);

	return index && id ? found(population, &index->ids, id, strlen(id)) : NULL;
}

int32_t oe_population_island_count(const oe_population *population)
{
	return population->island_count;
}

static bool is_island(const oe_population *population, int32_t island)
{
	return island >= 0 && island < population->island_count;
}

size_t oe_population_size(const oe_population *population, int32_t island)
{
	const struct oe__population_index *index;

	if (island == OE_ISLAND_ALL)
		return population->program_count;
	index = oe__population_index(population);
	if (!index || !is_island(population, island))
		return 0;
	return index->island_starts[island + 1] - index->island_starts[island];
}

oe_program *oe_population_ranked(const oe_population *population, int32_t island, size_t rank)
{
	const struct oe__population_index *index = oe__population_index(population);

	if (!index || rank >= oe_population_size(population, island))
		return NULL;
	if (island == OE_ISLAND_ALL)
		return population->programs[index->ranked[rank].index];
	return population->programs[index->islands[index->island_starts[island] + rank].index];
}

size_t oe_population_archive_size(const oe_population *population)
{
	const struct oe__population_index *index = oe__population_index(population);

	return index ? index->archive_count : 0;
}

oe_program *oe_population_archived(const oe_population *population, size_t rank)
{
	const struct oe__population_index *index = oe__population_index(population);

	if (!index || rank >= index->archive_count)
		return NULL;
	return population->programs[index->archive[rank].index];
}

size_t oe_population_dimension_count(const oe_population *population)
{
	return population->axes->dimensions.count;
}

const char *oe_population_dimension(const oe_population *population, size_t index, int32_t *bins)
{
	if (index >= population->axes->dimensions.count)
		return NULL;
	if (bins)
		*bins = population->bins[index];
	return population->axes->dimensions.names[index];
}

oe_program *oe_population_elite(const oe_population *population, int32_t island, const int32_t *bin)
{
	const struct oe__population_index *index = oe__population_index(population);
	int32_t key[1 + OE__DIMENSIONS_MAX];
	size_t count = population->axes->dimensions.count;

	if (!index || !bin || !is_island(population, island))
		return NULL;
	key[0] = island;
	memcpy(key + 1, bin, count * sizeof(*bin));
	return found(population, &index->cells, key, (1 + count) * sizeof(*key));
}

int64_t oe_population_island_generation(const oe_population *population, int32_t island)
{
	return is_island(population, island) ? population->island_generations[island] : 0;
}

const oe_error *oe_population_problem(const oe_population *population)
{
	return population && population->skipped > 0 ? &population->problem : NULL;
}

size_t oe_population_skipped(const oe_population *population)
{
	return population->skipped;
}
