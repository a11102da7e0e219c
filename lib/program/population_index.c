/*
 * What the getters of a population look things up in: made once, by the first getter that needs it,
 * because most snapshots are only written out. Several threads may be first; one of them wins.
 */

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "program/population.h"

int oe__rank_compare(const void *a, const void *b)
{
	const struct oe__rank *first = a, *second = b;

	if (first->fitness != second->fitness)
		return first->fitness > second->fitness ? -1 : 1;
	return (first->index > second->index) - (first->index < second->index);
}

static struct oe__rank rank_of(const oe_population *population, size_t index)
{
	double fitness = population->programs[index]->fitness;

	return (struct oe__rank){ isnan(fitness) ? -INFINITY : fitness, index };
}

static void sort(struct oe__rank *ranks, size_t count)
{
	if (count > 1)
		qsort(ranks, count, sizeof(*ranks), oe__rank_compare);
}

static int allocate(struct oe__population_index *index, const oe_population *population)
{
	index->ranked = oe__calloc(population->program_count + 1, sizeof(*index->ranked));
	index->islands = oe__calloc(population->program_count + 1, sizeof(*index->islands));
	index->archive = oe__calloc(population->program_count + 1, sizeof(*index->archive));
	index->island_starts =
		oe__calloc((size_t)population->island_count + 2, sizeof(*index->island_starts));
	return index->ranked && index->islands && index->archive && index->island_starts ? 0
																					 : OE_ERR_NOMEM;
}

static void rank_all(struct oe__population_index *index, const oe_population *population)
{
	for (size_t i = 0; i < population->program_count; i++) {
		index->ranked[i] = rank_of(population, i);
		if (population->archived[i])
			index->archive[index->archive_count++] = index->ranked[i];
	}
	sort(index->ranked, population->program_count);
	sort(index->archive, index->archive_count);
}

/* Counting sort by island over what is ranked already: each island's part comes out ranked. */
static void rank_islands(struct oe__population_index *index, const oe_population *population)
{
	size_t *starts = index->island_starts;

	for (size_t i = 0; i < population->program_count; i++)
		if (population->programs[i]->island >= 0)
			starts[population->programs[i]->island + 2]++;
	for (int32_t island = 0; island < population->island_count; island++)
		starts[island + 2] += starts[island + 1];
	for (size_t i = 0; i < population->program_count; i++) {
		int32_t island = population->programs[index->ranked[i].index]->island;

		if (island >= 0)
			index->islands[starts[island + 1]++] = index->ranked[i];
	}
}

static int map_all(struct oe__population_index *index, const oe_population *population)
{
	int32_t key[1 + OE__DIMENSIONS_MAX];
	size_t axes = population->axes->dimensions.count;

	for (size_t i = 0; i < population->program_count; i++) {
		const char *id = population->programs[i]->id;
		int status = oe__map_put(&index->ids, id, strlen(id), (void *)(uintptr_t)(i + 1));

		if (status < 0)
			return status;
	}
	for (size_t i = 0; i < population->cell_count; i++) {
		const struct oe__cell *cell = &population->cells[i];

		key[0] = cell->island;
		memcpy(key + 1, cell->bins, axes * sizeof(*key));
		int status = oe__map_put(&index->cells, key, (1 + axes) * sizeof(*key),
								 (void *)(uintptr_t)(cell->elite + 1));
		if (status < 0)
			return status;
	}
	return 0;
}

static struct oe__population_index *build(const oe_population *population)
{
	OE__AUTO(population_index)
	struct oe__population_index *index = oe__calloc(1, sizeof(*index));

	assert(population->axes->dimensions.count <= OE__DIMENSIONS_MAX);
	if (!index || allocate(index, population) < 0)
		return NULL;
	rank_all(index, population);
	rank_islands(index, population);
	if (map_all(index, population) < 0)
		return NULL;
	return OE__STEAL(index);
}

const struct oe__population_index *oe__population_index(const oe_population *population)
{
	/* The index is a cache: making it does not change the value. */
	_Atomic(struct oe__population_index *) *slot =
		(_Atomic(struct oe__population_index *) *)(uintptr_t)&population->index;
	struct oe__population_index *present = atomic_load_explicit(slot, memory_order_acquire);

	if (present)
		return present;
	struct oe__population_index *made = build(population);
	if (!made || atomic_compare_exchange_strong(slot, &present, made))
		return made;
	oe__population_index_free(made);
	return present;
}

void oe__population_index_free(struct oe__population_index *index)
{
	if (!index)
		return;
	oe__map_done(&index->ids);
	oe__map_done(&index->cells);
	oe__free(index->ranked);
	oe__free(index->islands);
	oe__free(index->archive);
	oe__free(index->island_starts);
	oe__free(index);
}
