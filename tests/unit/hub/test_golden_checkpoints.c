/*
 * Checkpoints that OpenEvolve wrote: its program records, its metadata, and a hub that goes on from
 * them, with as many islands as they have and with others.
 *
 * Where we differ from what OpenEvolve makes of them, and why:
 *
 * - Bounds that are not finite were spoiled by values that are not: the finite values count.
 * - Artifacts that are bytes come back as bytes.
 * - Programs on no island do not join the hub: each live program is on exactly one island.
 * - More islands than saved: the others begin empty, what is known of the saved ones is kept.
 * Fewer: the saved ones are kept, all of them.
 *
 * Large artifacts are files beside the records; those are read by another part.
 */

#include <math.h>

#include "hub/hub_internal.h"
#include "vectors.h"

struct checkpoint {
	const char *name;
	const struct oe__value *expect;
	struct oe__axes *axes;
	oe_program **programs;
	size_t program_count;
	oe_population *population;
	int failures;
};

#define CHECK(checkpoint, condition)                                                               \
	do {                                                                                           \
		if (!(condition)) {                                                                        \
			fprintf(stderr, "%s: not so: %s (line %d)\n", (checkpoint)->name, #condition,          \
					__LINE__);                                                                     \
			(checkpoint)->failures++;                                                              \
		}                                                                                          \
	} while (0)

static const struct oe__value *get(const struct oe__value *map, const char *key)
{
	return oe__value_get(map, key);
}

static bool holds(const struct oe__value *list, const char *text)
{
	for (size_t i = 0; i < list->size; i++)
		if (oe__value_is(&list->items[i], text))
			return true;
	return false;
}

/* ---- reading ---- */

static int read_programs(struct checkpoint *checkpoint, const char *directory)
{
	OE__AUTO(string) char *folder = oe__path_join(directory, "programs");
	char **names = NULL;
	size_t count = 0;

	if (oe__directory_list(folder, &names, &count, NULL) < 0)
		return EXIT_FAILURE;
	checkpoint->programs = calloc(count + 1, sizeof(oe_program *));
	for (size_t i = 0; i < count; i++) {
		OE__AUTO(string) char *path = oe__path_join(folder, names[i]);
		OE__AUTO(value) struct oe__value record = { 0 };
		oe_error err;

		if (golden_read(path, &record) != 0 ||
			oe__program_read(&record, &checkpoint->axes->dimensions,
							 &checkpoint->programs[checkpoint->program_count], &err) < 0)
			checkpoint->failures++;
		else
			checkpoint->program_count++;
	}
	oe__directory_list_free(names, count);
	return 0;
}

static int read_checkpoint(struct checkpoint *checkpoint, const char *directory,
						   const struct oe__value *saved_with)
{
	const struct oe__value *list = get(saved_with, "feature_dimensions");
	OE__AUTO(string) char *path = oe__path_join(directory, "metadata.json");
	OE__AUTO(value) struct oe__value metadata = { 0 };
	const char *names[OE__DIMENSIONS_MAX];
	oe_error err;

	for (size_t i = 0; i < list->size; i++)
		names[i] = list->items[i].string;
	if (oe__axes_new(names, list->size, &checkpoint->axes) < 0 ||
		read_programs(checkpoint, directory) != 0 || golden_read(path, &metadata) != 0 ||
		oe__population_read_metadata(&metadata, &checkpoint->axes->dimensions, checkpoint->programs,
									 checkpoint->program_count, &checkpoint->population, &err) < 0)
		return EXIT_FAILURE;
	return 0;
}

static void checkpoint_done(struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < checkpoint->program_count; i++)
		oe_program_unref(checkpoint->programs[i]);
	free(checkpoint->programs);
	oe_population_unref(checkpoint->population);
	oe__axes_unref(checkpoint->axes);
}

OE__AUTO_VALUE(checkpoint, struct checkpoint, checkpoint_done)

/* ---- program records ---- */

static void check_artifacts(struct checkpoint *checkpoint, const oe_program *program)
{
	const struct oe__value *all = get(get(checkpoint->expect, "artifacts"), program->id);

	for (size_t i = 0; i < oe_program_artifact_count(program); i++) {
		const struct oe__artifact *artifact = &program->evaluation->artifacts[i];
		const struct oe__value *one = all ? get(all, artifact->name) : NULL;

		CHECK(checkpoint, one != NULL);
		if (!one)
			continue;
		const char *type = golden_text(one, "type").data;
		enum oe__artifact_kind kind =
			strcmp(type, "str") == 0 ? OE__ARTIFACT_TEXT : OE__ARTIFACT_JSON;
		if (artifact->kind == OE__ARTIFACT_BYTES)
			continue; /* OpenEvolve leaves them as the object around them */
		CHECK(checkpoint, artifact->kind == kind);
		CHECK(checkpoint, artifact->size == (size_t)get(one, "size")->integer);
	}
}

static void check_programs(struct checkpoint *checkpoint)
{
	const struct oe__value *expect = checkpoint->expect;
	size_t with_prompts = 0, migrants = 0;
	int64_t generation_max = 0;

	for (size_t i = 0; i < checkpoint->program_count; i++) {
		const oe_program *program = checkpoint->programs[i];

		with_prompts += program->prompts != NULL;
		migrants += program->migrant;
		if (program->generation > generation_max)
			generation_max = program->generation;
		if (program->migrant)
			CHECK(checkpoint, holds(get(expect, "migrants"), program->id));
		CHECK(checkpoint, holds(get(expect, "languages"), program->language));
		CHECK(checkpoint, program->fitness == get(get(expect, "fitness"), program->id)->real);
		CHECK(checkpoint, program->source->length ==
							  (size_t)get(get(expect, "code_chars"), program->id)->integer);
		if (program->parent_id && !oe_population_find(checkpoint->population, program->parent_id))
			CHECK(checkpoint, holds(get(expect, "missing_parents"), program->parent_id));
		check_artifacts(checkpoint, program);
	}
	CHECK(checkpoint, with_prompts == (size_t)get(expect, "with_prompts")->integer);
	CHECK(checkpoint, migrants == get(expect, "migrants")->size);
	CHECK(checkpoint, generation_max == get(expect, "max_generation")->integer);
}

/* ---- the population ---- */

static bool is_id(oe_program *program, const struct oe__value *id)
{
	return program ? oe__value_is(id, program->id) : id->type == OE__VALUE_NULL;
}

static void check_feature(struct checkpoint *checkpoint, size_t index)
{
	const oe_population *population = checkpoint->population;
	const struct oe__feature_stats *stats = &population->features[index];
	const struct oe__value *recorded =
		get(get(checkpoint->expect, "feature_stats"), population->axes->dimensions.names[index]);
	double min = NAN, max = NAN;

	(void)golden_number(get(recorded, "min"), &min);
	(void)golden_number(get(recorded, "max"), &max);
	CHECK(checkpoint, isfinite(stats->min) && isfinite(stats->max));
	if (isfinite(min))
		CHECK(checkpoint, stats->min == min);
	if (isfinite(max))
		CHECK(checkpoint, stats->max == max);
	if (isfinite(min) && isfinite(max))
		CHECK(checkpoint, stats->value_count == (size_t)get(recorded, "count")->integer);
}

static void check_population(struct checkpoint *checkpoint)
{
	const struct oe__value *expect = checkpoint->expect;
	oe_population *population = checkpoint->population;
	const struct oe__value *islands = get(expect, "islands"), *cells = get(expect, "cells");
	size_t outside = 0;

	CHECK(checkpoint, population->program_count == (size_t)get(expect, "programs")->integer);
	CHECK(checkpoint, (size_t)oe_population_island_count(population) == islands->size);
	for (size_t i = 0; i < islands->size; i++) {
		size_t cell_count = 0;

		for (size_t k = 0; k < population->cell_count; k++)
			cell_count += (size_t)population->cells[k].island == i;
		CHECK(checkpoint, cell_count == (size_t)cells->items[i].integer);
		CHECK(checkpoint,
			  oe_population_size(population, (int32_t)i) == (size_t)islands->items[i].integer);
		CHECK(checkpoint, population->island_generations[i] ==
							  get(expect, "island_generations")->items[i].integer);
		CHECK(checkpoint, is_id(population->island_best[i] < 0
									? NULL
									: population->programs[population->island_best[i]],
								&get(expect, "island_best")->items[i]));
	}
	for (size_t i = 0; i < population->program_count; i++)
		if (population->programs[i]->island < 0) {
			outside++;
			CHECK(checkpoint, holds(get(expect, "outside_islands"), population->programs[i]->id));
		}
	CHECK(checkpoint, outside == get(expect, "outside_islands")->size);
	CHECK(checkpoint,
		  oe_population_archive_size(population) == (size_t)get(expect, "archive")->integer);
	CHECK(checkpoint, is_id(oe_population_best(population), get(expect, "best")));
	CHECK(checkpoint,
		  oe_program_fitness(oe_population_best(population)) == get(expect, "best_fitness")->real);
	CHECK(checkpoint,
		  oe_population_iteration(population) == get(expect, "last_iteration")->integer);
	CHECK(checkpoint, population->last_migration_generation ==
						  get(expect, "last_migration_generation")->integer);
	for (size_t i = 0; i < population->axes->dimensions.count; i++)
		check_feature(checkpoint, i);
}

/* ---- the hub ---- */

static void check_hub(struct checkpoint *checkpoint, int32_t islands)
{
	const struct oe__value *expect = checkpoint->expect;
	const struct oe__value *sizes = get(expect, "islands"), *cells = get(expect, "cells");
	int32_t bins[OE__DIMENSIONS_MAX] = { 10, 10 };
	struct oe__hub_settings settings = {
		.iterations = 5,
		.seed = 7,
		.island_count = islands,
		.population_size = 1000,
		.archive_size = 100,
		.exploration_ratio = 0.2,
		.exploitation_ratio = 0.7,
		.migration_interval = 50,
		.migration_rate = 0.1,
		.diversity_reference_size = 20,
		.inspiration_count = 3,
		.top_count = 5,
		.attempt_count = 3,
		.axes = checkpoint->axes,
		.bins = bins,
	};
	OE__AUTO(hub) oe_hub *hub = NULL;
	OE__AUTO(iteration) oe_iteration *iteration = NULL;
	int32_t kept = (int32_t)sizes->size;

	CHECK(checkpoint, oe__hub_new(&settings, &hub, NULL) == 0);
	CHECK(checkpoint, oe_hub_restore(hub, checkpoint->population, NULL) == 0);
	const char *broken = oe__hub_check(hub);
	if (broken)
		fprintf(stderr, "%s: not true: %s\n", checkpoint->name, broken);
	CHECK(checkpoint, !broken);
	CHECK(checkpoint, hub->island_count == (kept > islands ? kept : islands));
	for (int32_t i = 0; i < hub->island_count; i++) {
		const struct oe__island *island = &hub->islands[i];

		CHECK(checkpoint, island->count == (i < kept ? (size_t)sizes->items[i].integer : 0));
		CHECK(checkpoint, island->cells.count == (i < kept ? (size_t)cells->items[i].integer : 0));
		CHECK(checkpoint, island->generation ==
							  (i < kept ? get(expect, "island_generations")->items[i].integer : 0));
	}
	CHECK(checkpoint, is_id(oe_hub_best(hub), get(expect, "best")));
	CHECK(checkpoint,
		  oe__rank_count(&hub->archive.ranks) == (size_t)get(expect, "archive")->integer);
	for (int64_t n = get(expect, "resume_at")->integer; n < get(expect, "resume_at")->integer + 5;
		 n++) {
		oe_iteration_unref(iteration);
		iteration = NULL;
		CHECK(checkpoint, oe_hub_next_iteration(hub, &iteration, NULL) == 1);
		CHECK(checkpoint, oe_iteration_number(iteration) == n);
	}
	oe_iteration *none = NULL;
	CHECK(checkpoint, oe_hub_next_iteration(hub, &none, NULL) == 0);
}

/* What we save of it loads as the same, and the archive hash is the same. */
static void check_round_trip(struct checkpoint *checkpoint)
{
	oe_population *population = checkpoint->population;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value metadata = { 0 };
	OE__AUTO(population) oe_population *back = NULL;
	struct oe__json_writer writer = { .out = &text };
	char hash[65], hash_back[65];

	oe__population_write_metadata(population, NULL, &writer);
	CHECK(checkpoint, oe__json_parse(text.data, text.size, &metadata, NULL) == 0);
	CHECK(checkpoint, oe__population_read_metadata(&metadata, NULL, population->programs,
												   population->program_count, &back, NULL) == 0);
	CHECK(checkpoint, oe_population_hash(population, hash) == 0);
	CHECK(checkpoint, oe_population_hash(back, hash_back) == 0);
	CHECK(checkpoint, strcmp(hash, hash_back) == 0);
	CHECK(checkpoint, strstr(text.data, "NaN") == NULL && strstr(text.data, "Infinity") == NULL);
}

static int run(const char *name, const struct oe__value *item, const char *root)
{
	OE__AUTO(string) char *directory = oe__path_join(root, golden_text(item, "path").data);
	OE__AUTO(checkpoint) struct checkpoint checkpoint = { .name = name };
	const struct oe__value *others = get(item, "other_island_counts");
	int64_t count;

	checkpoint.expect = get(item, "expect");
	if (read_checkpoint(&checkpoint, directory, get(item, "saved_with")) != 0) {
		fprintf(stderr, "%s: cannot be read\n", name);
		return 1;
	}
	check_programs(&checkpoint);
	check_population(&checkpoint);
	check_hub(&checkpoint, (int32_t)get(get(item, "saved_with"), "num_islands")->integer);
	for (size_t i = 0; i < others->size; i++)
		if (oe__parse_int(others->keys[i].string, others->keys[i].size, &count))
			check_hub(&checkpoint, (int32_t)count);
	check_round_trip(&checkpoint);
	return checkpoint.failures;
}

int main(void)
{
	OE__AUTO(string) char *root = NULL;
	OE__AUTO(value) struct oe__value file = { 0 };
	size_t failed = 0;
	int status = golden_path("checkpoints", &root);

	if (status != 0)
		return status;
	OE__AUTO(string) char *path = oe__path_join(root, "expected.json");
	if (golden_read(path, &file) != 0)
		return EXIT_FAILURE;
	const struct oe__value *all = oe__value_get(&file, "checkpoints");
	for (size_t i = 0; all && i < all->size; i++)
		failed += run(all->keys[i].string, &all->items[i], root) > 0;
	printf("%zu checkpoints, %zu failed\n", all ? all->size : 0, failed);
	return all && all->size > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
