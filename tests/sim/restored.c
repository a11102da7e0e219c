#include "restored.h"

#include <string.h>

#include "hub/hub_internal.h"
#include "program/population.h"
#include "world.h"

static void expect(bool same, const char *what)
{
	if (!same)
		violated("a run that begins with a checkpoint has other %s than that", what);
}

static bool is_program(const oe_program *a, const oe_program *b)
{
	return a && b ? strcmp(a->id, b->id) == 0 : a == b;
}

static const oe_program *program_at(const oe_population *population, ptrdiff_t index)
{
	return index >= 0 ? population->programs[index] : NULL;
}

/* Whatever its islands and cells are. */
static void check_counters(const oe_population *there, const oe_population *from)
{
	expect(there->issued == from->issued && there->ended == from->ended &&
	           memcmp(there->outcomes, from->outcomes, sizeof(from->outcomes)) == 0,
	       "counters");
	expect(there->last_iteration == from->last_iteration, "iterations");
	expect(there->last_migration_generation == from->last_migration_generation, "migrations");
	for (int32_t i = 0; i < from->island_count && i < there->island_count; i++)
		expect(there->island_generations[i] == from->island_generations[i], "generations");
	expect(is_program(there->initial, from->initial), "initial programs");
}

static void check_programs(const oe_population *there, const oe_population *from)
{
	size_t at = 0;

	for (size_t i = 0; i < from->program_count; i++) {
		if (from->programs[i]->island < 0)
			continue;
		expect(at < there->program_count && is_program(there->programs[at], from->programs[i]),
		       "programs");
		expect(there->programs[at]->fitness == from->programs[i]->fitness, "scores");
		expect(there->archived[at] == from->archived[i], "programs in its archive");
		at++;
	}
	expect(at == there->program_count, "programs");
	expect(is_program(program_at(there, there->best), program_at(from, from->best)), "bests");
	expect(there->island_count == from->island_count, "islands");
	for (int32_t i = 0; i < from->island_count; i++)
		expect(is_program(program_at(there, there->island_best[i]),
		                  program_at(from, from->island_best[i])),
		       "bests of islands");
}

/* In any order. */
static const oe_program *elite_of(const oe_population *population, const struct oe__cell *cell)
{
	size_t dimensions = population->axes->dimensions.count;

	for (size_t i = 0; i < population->cell_count; i++) {
		const struct oe__cell *at = &population->cells[i];
		if (at->island == cell->island &&
		    memcmp(at->bins, cell->bins, dimensions * sizeof(*cell->bins)) == 0)
			return population->programs[at->elite];
	}
	return NULL;
}

static void check_cells(const oe_population *there, const oe_population *from)
{
	expect(there->cell_count == from->cell_count, "cells");
	for (size_t i = 0; i < from->cell_count; i++)
		expect(is_program(elite_of(there, &from->cells[i]), from->programs[from->cells[i].elite]),
		       "programs in its cells");
}

static void check_features(const oe_population *there, const oe_population *from)
{
	for (size_t i = 0; i < from->axes->dimensions.count; i++) {
		const struct oe__feature_stats *a = &there->features[i], *b = &from->features[i];
		expect(a->known == b->known && a->min == b->min && a->max == b->max &&
		           a->value_count == b->value_count,
		       "bounds");
		if (b->value_count > 0)
			expect(memcmp(a->values, b->values, b->value_count * sizeof(*b->values)) == 0, "values");
	}
	expect(there->reference_count == from->reference_count, "references");
	for (size_t i = 0; i < from->reference_count; i++)
		expect(memcmp(there->references[i]->hash, from->references[i]->hash, OE__SHA256_SIZE) == 0,
		       "references");
}

void restored_check(oe_hub *hub, const oe_population *from, bool same)
{
	OE__AUTO(population) oe_population *there = NULL;

	if (oe_hub_population(hub, &there) < 0)
		violated("no memory");
	check_counters(there, from);
	/* The bests of islands may be more than there is room for: then others leave before their time. */
	if (!same || from->program_count > (size_t)hub->settings.population_size)
		return;
	check_programs(there, from);
	check_cells(there, from);
	check_features(there, from);
}
