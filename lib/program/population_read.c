/*
 * A population from the metadata.json of a checkpoint, OpenEvolve's or ours. Nothing is trusted:
 * what contradicts the programs is dropped or worked out again.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "program/population.h"

struct reading {
	const struct oe__value *metadata;
	oe_population *population;
	struct oe__map ids; /* to 1 + index into the programs */
};

static void reading_done(struct reading *reading)
{
	oe__map_done(&reading->ids);
	oe_population_unref(reading->population);
}

OE__AUTO_VALUE(reading, struct reading, reading_done)

/* A member of that type, or NULL. */
static const struct oe__value *member(const struct oe__value *map, const char *key,
									  enum oe__value_type type)
{
	const struct oe__value *value = map ? oe__value_get(map, key) : NULL;

	return value && value->type == type ? value : NULL;
}

static int64_t int_of(const struct oe__value *map, const char *key, int64_t otherwise)
{
	const struct oe__value *value = member(map, key, OE__VALUE_INT);

	return value ? oe__number_within(value->integer) : otherwise;
}

static ptrdiff_t index_of(const struct reading *reading, const struct oe__value *id)
{
	if (!id || id->type != OE__VALUE_STRING)
		return -1;
	return (ptrdiff_t)(uintptr_t)oe__map_get(&reading->ids, id->string, id->size) - 1;
}

/* The metadata name a program that is not there. */
static void note_missing(oe_population *population, const struct oe__value *id)
{
	if (population->skipped++ == 0)
		(void)oe__error_at(&population->problem, OE_ERR_FORMAT, "", id->line, id->column,
						   "the program '%s' is missing", id->string);
}

/* Order of joining, as far as records tell it. */
static int by_age(const void *a, const void *b)
{
	const oe_program *first = *(oe_program *const *)a, *second = *(oe_program *const *)b;

	if (first->iteration != second->iteration)
		return first->iteration < second->iteration ? -1 : 1;
	if (first->timestamp != second->timestamp)
		return first->timestamp < second->timestamp ? -1 : 1;
	return strcmp(first->id, second->id);
}

static int index_programs(struct reading *reading)
{
	oe_population *population = reading->population;

	for (size_t i = 0; i < population->program_count; i++) {
		const char *id = population->programs[i]->id;
		int status = oe__map_put(&reading->ids, id, strlen(id), (void *)(uintptr_t)(i + 1));

		if (status < 0)
			return status;
	}
	return 0;
}

static int take_programs(struct reading *reading, oe_program *const *programs, size_t count)
{
	oe_population *population = reading->population;

	for (size_t i = 0; i < count; i++)
		population->programs[i] = oe_program_ref(programs[i]);
	population->program_count = count;
	if (count > 1)
		qsort(population->programs, count, sizeof(oe_program *), by_age);
	return index_programs(reading);
}

/* The program at `index` as one that lives on `island`, with the fitness that the dimensions give it:
   its record was read without them. */
static int move_program(oe_population *population, size_t index, int32_t island)
{
	oe_program *program = population->programs[index], *moved;
	struct oe__program_spec spec;
	double fitness = oe__fitness(program->evaluation, &population->axes->dimensions);

	if (program->island == island &&
		(program->fitness == fitness || (isnan(program->fitness) && isnan(fitness))))
		return 0;
	oe__program_describe(program, &spec);
	spec.island = island;
	spec.dimensions = &population->axes->dimensions;
	int status = oe__program_build(&spec, &moved);
	if (status < 0)
		return status;
	oe_program_unref(program);
	population->programs[index] = moved;
	return 0;
}

static int read_islands(struct reading *reading)
{
	oe_population *population = reading->population;
	const struct oe__value *islands = member(reading->metadata, "islands", OE__VALUE_LIST);
	OE__AUTO(memory) void *memory = oe__calloc(population->program_count + 1, sizeof(int32_t));
	int32_t *island_of = memory;
	bool listed = false;

	if (!island_of)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < population->program_count; i++)
		island_of[i] = -1;
	for (int32_t island = 0; islands && (size_t)island < islands->size; island++) {
		const struct oe__value *list = &islands->items[island];

		for (size_t i = 0; list->type == OE__VALUE_LIST && i < list->size; i++) {
			ptrdiff_t index = index_of(reading, &list->items[i]);

			if (index >= 0 && island_of[index] < 0) {
				island_of[index] = island;
				listed = true;
			} else if (index < 0 && list->items[i].type == OE__VALUE_STRING) {
				note_missing(population, &list->items[i]);
			}
		}
	}
	for (size_t i = 0; i < population->program_count; i++) {
		int32_t dealt = (int32_t)(i % (size_t)population->island_count);
		int status = move_program(population, i, listed ? island_of[i] : dealt);

		if (status < 0)
			return status;
	}
	return 0;
}

/* Our own checkpoints: the initial program is kept even when it is not alive; what else is listed
   nowhere is left of something older. */
static int read_initial(struct reading *reading)
{
	oe_population *population = reading->population;
	const struct oe__value *ours = member(reading->metadata, "oe", OE__VALUE_MAP);
	ptrdiff_t initial = ours ? index_of(reading, oe__value_get(ours, "initial")) : -1;
	size_t kept = 0;

	if (!ours)
		return 0;
	if (initial >= 0)
		population->initial = oe_program_ref(population->programs[initial]);
	for (size_t i = 0; i < population->program_count; i++) {
		oe_program *program = population->programs[i];

		if (program->island >= 0)
			population->programs[kept++] = program;
		else
			oe_program_unref(program);
	}
	population->program_count = kept;
	oe__map_done(&reading->ids);
	reading->ids = (struct oe__map)OE__MAP_INIT;
	return index_programs(reading);
}

/* "9-7" into one bin per axis. */
static bool read_cell_key(const char *text, size_t axes, int32_t *bins)
{
	for (size_t d = 0; d < axes; d++) {
		size_t size = strcspn(text, "-");
		int64_t bin;

		if (!oe__parse_int(text, size, &bin) || bin < 0 || bin >= OE__BINS_MAX)
			return false;
		bins[d] = (int32_t)bin;
		text += size;
		if (*text != (d + 1 < axes ? '-' : '\0'))
			return false;
		text += *text == '-';
	}
	return *text == '\0';
}

static int read_cell(struct reading *reading, int32_t island, const char *key,
					 const struct oe__value *id)
{
	oe_population *population = reading->population;
	size_t axes = population->axes->dimensions.count;
	int32_t bins[OE__DIMENSIONS_MAX];
	ptrdiff_t elite = index_of(reading, id);

	if (elite < 0 || population->programs[elite]->island != island ||
		!read_cell_key(key, axes, bins))
		return 0;
	int status = oe__population_reserve_cells(population, 1);
	if (status < 0)
		return status;
	struct oe__cell *cell = &population->cells[population->cell_count];
	cell->bins = oe__memdup(bins, sizeof(*bins) * (axes > 0 ? axes : 1));
	if (!cell->bins)
		return OE_ERR_NOMEM;
	cell->island = island;
	cell->elite = (size_t)elite;
	population->cell_count++;
	return 0;
}

static int read_cells(struct reading *reading)
{
	const struct oe__value *maps = member(reading->metadata, "island_feature_maps", OE__VALUE_LIST);

	for (int32_t island = 0;
		 maps && island < reading->population->island_count && (size_t)island < maps->size;
		 island++) {
		const struct oe__value *map = &maps->items[island];

		for (size_t i = 0; map->type == OE__VALUE_MAP && i < map->size; i++) {
			if (map->keys[i].type != OE__VALUE_STRING)
				continue;
			int status = read_cell(reading, island, map->keys[i].string, &map->items[i]);
			if (status < 0)
				return status;
		}
	}
	return 0;
}

static ptrdiff_t fittest(const oe_population *population, int32_t island)
{
	ptrdiff_t best = -1;

	for (size_t i = 0; i < population->program_count; i++) {
		const oe_program *program = population->programs[i];

		if (program->island < 0 || (island != OE_ISLAND_ALL && program->island != island))
			continue;
		if (best < 0 || oe__program_better(program, population->programs[best]))
			best = (ptrdiff_t)i;
	}
	return best;
}

static void read_bests(struct reading *reading)
{
	oe_population *population = reading->population;
	const struct oe__value *bests =
		member(reading->metadata, "island_best_programs", OE__VALUE_LIST);
	const struct oe__value *archive = member(reading->metadata, "archive", OE__VALUE_LIST);

	for (size_t i = 0; archive && i < archive->size; i++) {
		ptrdiff_t index = index_of(reading, &archive->items[i]);

		if (index >= 0 && population->programs[index]->island >= 0)
			population->archived[index] = true;
	}
	population->best = index_of(reading, oe__value_get(reading->metadata, "best_program_id"));
	if (population->best >= 0 && population->programs[population->best]->island < 0)
		population->best = -1;
	if (population->best < 0)
		population->best = fittest(population, OE_ISLAND_ALL);
	for (int32_t island = 0; island < population->island_count; island++) {
		ptrdiff_t best = -1;

		if (bests && (size_t)island < bests->size)
			best = index_of(reading, &bests->items[island]);
		if (best >= 0 && population->programs[best]->island != island)
			best = -1;
		population->island_best[island] = best >= 0 ? best : fittest(population, island);
	}
}

static void read_counters(struct reading *reading)
{
	oe_population *population = reading->population;
	const struct oe__value *metadata = reading->metadata;
	const struct oe__value *generations = member(metadata, "island_generations", OE__VALUE_LIST);
	const struct oe__value *ours = member(metadata, "oe", OE__VALUE_MAP);
	const struct oe__value *outcomes = member(ours, "outcomes", OE__VALUE_MAP);

	for (int32_t island = 0;
		 generations && island < population->island_count && (size_t)island < generations->size;
		 island++)
		if (generations->items[island].type == OE__VALUE_INT)
			population->island_generations[island] =
				oe__number_within(generations->items[island].integer);
	population->last_migration_generation = int_of(metadata, "last_migration_generation", 0);
	population->last_iteration = int_of(metadata, "last_iteration", 0);
	population->issued = int_of(ours, "issued", population->last_iteration);
	population->ended = int_of(ours, "ended", population->last_iteration);
	for (int outcome = 0; outcome < OE_OUTCOME_COUNT; outcome++)
		population->outcomes[outcome] = int_of(outcomes, oe_outcome_name(outcome), 0);
}

static int check_counters(const oe_population *population, oe_error *err)
{
	int64_t untold = population->ended;

	if (population->ended < 0 || population->issued < population->ended)
		return oe__error(err, OE_ERR_FORMAT, "%lld iterations have ended of %lld that began",
						 (long long)population->ended, (long long)population->issued);
	for (int outcome = 0; outcome < OE_OUTCOME_COUNT; outcome++) {
		int64_t count = population->outcomes[outcome];
		if (count < 0 || count > untold)
			return oe__error(err, OE_ERR_FORMAT, "the outcomes are not those of %lld iterations",
							 (long long)population->ended);
		untold -= count;
	}
	return 0;
}

/* What is not finite was written by OpenEvolve and says nothing: it is left out. */
static int read_feature(const struct oe__value *record, struct oe__feature_stats *stats)
{
	const struct oe__value *values = member(record, "values", OE__VALUE_LIST);
	const struct oe__value *bounds[2] = { oe__value_get(record, "min"),
										  oe__value_get(record, "max") };

	stats->values = oe__calloc((values ? values->size : 0) + 1, sizeof(*stats->values));
	if (!stats->values)
		return OE_ERR_NOMEM;
	stats->min = INFINITY;
	stats->max = -INFINITY;
	for (size_t i = 0; values && i < values->size; i++) {
		const struct oe__value *value = &values->items[i];

		if ((value->type != OE__VALUE_INT && value->type != OE__VALUE_REAL) ||
			!isfinite(value->real))
			continue;
		stats->values[stats->value_count++] = value->real;
		stats->min = fmin(stats->min, value->real);
		stats->max = fmax(stats->max, value->real);
	}
	for (int i = 0; i < 2; i++) {
		if (!bounds[i] || (bounds[i]->type != OE__VALUE_INT && bounds[i]->type != OE__VALUE_REAL) ||
			!isfinite(bounds[i]->real))
			continue;
		stats->min = fmin(stats->min, bounds[i]->real);
		stats->max = fmax(stats->max, bounds[i]->real);
	}
	stats->known = stats->min <= stats->max;
	return 0;
}

static int read_features(struct reading *reading)
{
	oe_population *population = reading->population;
	const struct oe__value *features = member(reading->metadata, "feature_stats", OE__VALUE_MAP);
	const struct oe__value *ours = member(reading->metadata, "oe", OE__VALUE_MAP);
	const struct oe__value *bins = member(ours, "bins", OE__VALUE_LIST);

	for (size_t d = 0; d < population->axes->dimensions.count; d++) {
		const struct oe__value *record =
			member(features, population->axes->dimensions.names[d], OE__VALUE_MAP);

		if (record) {
			int status = read_feature(record, &population->features[d]);
			if (status < 0)
				return status;
		}
		if (bins && d < bins->size && bins->items[d].type == OE__VALUE_INT &&
			bins->items[d].integer > 0 && bins->items[d].integer <= OE__BINS_MAX)
			population->bins[d] = (int32_t)bins->items[d].integer;
	}
	return 0;
}

static int read_references(struct reading *reading)
{
	oe_population *population = reading->population;
	const struct oe__value *ours = member(reading->metadata, "oe", OE__VALUE_MAP);
	const struct oe__value *list = member(ours, "diversity_references", OE__VALUE_LIST);

	if (!list || list->size == 0)
		return 0;
	population->references = oe__calloc(list->size, sizeof(*population->references));
	if (!population->references)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < list->size; i++) {
		const struct oe__value *code = &list->items[i];

		if (code->type != OE__VALUE_STRING)
			continue;
		int status = oe__source_new(code->string, code->size,
									&population->references[population->reference_count]);
		if (status < 0)
			return status;
		population->reference_count++;
	}
	return 0;
}

static int read_axes(const struct oe__value *metadata, const struct oe__dimensions *dimensions,
					 struct oe__axes **out)
{
	const struct oe__value *features = member(metadata, "feature_stats", OE__VALUE_MAP);
	const struct oe__value *ours = member(metadata, "oe", OE__VALUE_MAP);
	const struct oe__value *list = member(ours, "dimensions", OE__VALUE_LIST);
	const struct oe__value *names = list ? list->items : features ? features->keys : NULL;
	size_t count = list ? list->size : features ? features->size : 0, used = 0;
	const char *texts[OE__DIMENSIONS_MAX];

	if (dimensions)
		return oe__axes_new(dimensions->names, dimensions->count, out);
	for (size_t i = 0; i < count && used < OE__DIMENSIONS_MAX; i++)
		if (names[i].type == OE__VALUE_STRING)
			texts[used++] = names[i].string;
	return oe__axes_new(texts, used, out);
}

static int32_t count_islands(const struct oe__value *metadata)
{
	const struct oe__value *islands = member(metadata, "islands", OE__VALUE_LIST);

	if (!islands || islands->size == 0)
		return 1;
	return islands->size > OE__ISLANDS_MAX ? -1 : (int32_t)islands->size;
}

int oe__population_read_metadata(const struct oe__value *metadata,
								 const struct oe__dimensions *dimensions,
								 oe_program *const *programs, size_t program_count,
								 oe_population **out, oe_error *err)
{
	OE__AUTO(reading) struct reading reading = { metadata, NULL, OE__MAP_INIT };
	OE__AUTO(axes) struct oe__axes *axes = NULL;

	if (metadata->type != OE__VALUE_MAP)
		return oe__error(err, OE_ERR_FORMAT, "the metadata are a %s, expected a map",
						 oe__value_type_name(metadata));
	int32_t islands = count_islands(metadata);
	if (islands < 0)
		return oe__error(err, OE_ERR_LIMIT, "the metadata list more than %d islands",
						 OE__ISLANDS_MAX);
	int status = read_axes(metadata, dimensions, &axes);
	if (status == 0)
		status = oe__population_new(program_count, islands, axes, &reading.population);
	if (status == 0)
		status = take_programs(&reading, programs, program_count);
	if (status == 0)
		status = read_islands(&reading);
	if (status == 0)
		status = read_initial(&reading);
	if (status == 0)
		status = read_cells(&reading);
	if (status == 0)
		status = read_features(&reading);
	if (status == 0)
		status = read_references(&reading);
	if (status < 0)
		return oe__error(err, status, "the metadata cannot be read: %s", oe_status_string(status));
	read_bests(&reading);
	read_counters(&reading);
	status = check_counters(reading.population, err);
	if (status < 0)
		return status;
	*out = OE__STEAL(reading.population);
	return 0;
}
