#ifndef OE_TEST_STORE_POPULATION_WORLD_H
#define OE_TEST_STORE_POPULATION_WORLD_H

/* Populations for the tests of checkpoints, and whether two say the same. */

#include "program/population.h"
#include "world.h"

static inline oe_population *population_empty(size_t room, int32_t islands)
{
	static const char *const names[] = { "complexity", "speed" };
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	oe_population *population = NULL;

	world_must(oe__axes_new(names, 2, &axes));
	world_must(oe__population_new(room, islands, axes, &population));
	population->bins[0] = population->bins[1] = 10;
	population->last_iteration = population->issued = population->ended = (int64_t)room;
	return population;
}

/* Takes the program over. */
static inline void population_add(oe_population *population, oe_program *program)
{
	size_t index = population->program_count++;

	population->programs[index] = program;
	if (population->best < 0)
		population->best = (ptrdiff_t)index;
	if (program->island >= 0 && population->island_best[program->island] < 0)
		population->island_best[program->island] = (ptrdiff_t)index;
}

static inline void add_large_artifact(oe_evaluation *evaluation, const char *name)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	while (text.size <= 40000) /* too large for the record */
		oe__buffer_printf(&text, "%s %zu\n", name, text.size);
	world_must(oe_evaluation_add_artifact(evaluation, name, text.data, text.size));
}

static inline oe_program *with_large_artifact(const char *id, int64_t iteration, const char *text)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(buffer) struct oe__buffer large = OE__BUFFER_INIT(0);

	while (large.size <= 40000)
		oe__buffer_printf(&large, "%s %s\n", text, id);
	world_must(oe_evaluation_new(&evaluation));
	world_must(oe_evaluation_set_metric(evaluation, "combined_score", 0.5));
	world_must(oe_evaluation_add_artifact(evaluation, "big.txt", large.data, large.size));
	world_must(oe_evaluation_add_artifact(evaluation, "big.bin", large.data, large.size));
	evaluation->artifacts[1].data[7] = (char)0xff;
	evaluation->artifacts[1].kind = OE__ARTIFACT_BYTES;
	world_must(oe_evaluation_add_artifact(evaluation, "small", text, strlen(text)));
	oe__evaluation_freeze(evaluation);
	return world_build((struct oe__program_spec){ .id = id,
												  .iteration = iteration,
												  .language = "python",
												  .evaluation = evaluation },
					   id, strlen(id));
}

static inline void population_add_cell(oe_population *population, int32_t island, int32_t x,
									   int32_t y, size_t elite)
{
	int32_t bins[2] = { x, y };

	world_must(oe__population_reserve_cells(population, 1));
	population->cells[population->cell_count++] =
		(struct oe__cell){ island, oe__memdup(bins, sizeof(bins)), elite };
}

/* a, b, c on the first island, d on the second; the initial program is not alive any more. One metric
   is a dimension, so that the fitness depends on knowing it. */
static inline oe_population *population_of_four(void)
{
	static const char *const ids[] = { "a", "b", "c", "d" };
	oe_population *population = population_empty(4, 2);

	for (int i = 0; i < 4; i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		world_must(oe_evaluation_new(&evaluation));
		world_must(oe_evaluation_set_metric(evaluation, "score", i == 1 ? 0.9 : 0.5));
		world_must(oe_evaluation_set_metric(evaluation, "speed", 100.0 - 30 * i));
		world_must(oe_evaluation_set_metric(evaluation, "endless", i % 2 ? INFINITY : -INFINITY));
		world_must(oe_evaluation_set_metric(evaluation, "none", NAN));
		world_must(oe_evaluation_set_metric_json(evaluation, "some", "[1, NaN, Infinity]"));
		world_must(oe_evaluation_add_artifact(evaluation, "bytes", "\0\xff", 2));
		oe__evaluation_freeze(evaluation);
		population_add(population,
					   world_build((struct oe__program_spec){
									   .id = ids[i],
									   .parent_id = i > 0 ? ids[i - 1] : NULL,
									   .island = i == 3,
									   .iteration = i,
									   .generation = i,
									   .language = "python",
									   .changes = "changed",
									   .evaluation = evaluation,
									   .parent_evaluation = evaluation,
									   .dimensions = &population->axes->dimensions },
								   ids[i], 1));
	}
	population->archived[1] = population->archived[3] = true;
	population->best = population->island_best[0] = 1;
	population->island_best[1] = 3;
	population->island_generations[0] = 4;
	population_add_cell(population, 0, 0, 3, 0);
	population_add_cell(population, 0, 9, 3, 1);
	population_add_cell(population, 1, 0, 3, 3);
	population->features[1].known = true;
	population->features[1].min = 10;
	population->features[1].max = 100;
	population->features[1].values = oe__memdup((double[]){ 100, 10 }, 2 * sizeof(double));
	population->features[1].value_count = 2;
	population->last_migration_generation = 3;
	population->outcomes[OE_OUTCOME_COMMITTED] = 3;
	population->outcomes[OE_OUTCOME_NO_EDIT] = 1;
	population->initial = world_scored("initial", -1, 0, 0.1);
	return population;
}

/* ---- comparing ---- */

/* Artifacts that became files are sorted by name behind the others. */
static inline void population_same_artifacts(const oe_program *a, const oe_program *b)
{
	ck_assert_uint_eq(oe_program_artifact_count(a), oe_program_artifact_count(b));
	for (size_t i = 0; i < oe_program_artifact_count(a); i++) {
		const struct oe__artifact *wanted = &a->evaluation->artifacts[i];
		const struct oe__artifact *found = oe__evaluation_artifact(b->evaluation, wanted->name);
		ck_assert_msg(found != NULL, "%s", wanted->name);
		ck_assert_int_eq(found->kind, wanted->kind);
		ck_assert_uint_eq(found->size, wanted->size);
		ck_assert_mem_eq(found->data, wanted->data, wanted->size);
	}
}

static inline void population_same_program(const oe_program *a, const oe_program *b)
{
	ck_assert_str_eq(a->id, b->id);
	world_same_text(a->parent_id, b->parent_id);
	ck_assert_str_eq(a->language, b->language);
	ck_assert_str_eq(a->changes, b->changes);
	ck_assert_uint_eq(a->source->size, b->source->size);
	ck_assert_mem_eq(a->source->text, b->source->text, a->source->size);
	ck_assert_int_eq(a->generation, b->generation);
	ck_assert_int_eq(a->iteration, b->iteration);
	ck_assert_int_eq(a->island, b->island);
	ck_assert_double_eq(a->timestamp, b->timestamp);
	ck_assert_msg(world_same_real(a->fitness, b->fitness), "%s: %g, %g", a->id, a->fitness, b->fitness);
	world_same_metrics(a->evaluation, b->evaluation);
	ck_assert_int_eq(a->parent_evaluation == NULL, b->parent_evaluation == NULL);
	if (a->parent_evaluation)
		world_same_metrics(a->parent_evaluation, b->parent_evaluation);
	population_same_artifacts(a, b);
}

static inline const char *population_id(const oe_population *population, ptrdiff_t index)
{
	return index >= 0 ? population->programs[index]->id : "none";
}

static inline void population_same(const oe_population *a, const oe_population *b)
{
	ck_assert_uint_eq(a->program_count, b->program_count);
	for (size_t i = 0; i < a->program_count; i++) {
		population_same_program(a->programs[i], b->programs[i]);
		ck_assert_int_eq(a->archived[i], b->archived[i]);
	}
	ck_assert_int_eq(a->island_count, b->island_count);
	for (int32_t i = 0; i < a->island_count; i++) {
		ck_assert_str_eq(population_id(a, a->island_best[i]), population_id(b, b->island_best[i]));
		ck_assert_int_eq(a->island_generations[i], b->island_generations[i]);
	}
	ck_assert_str_eq(population_id(a, a->best), population_id(b, b->best));
	ck_assert_uint_eq(a->cell_count, b->cell_count);
	for (size_t i = 0; i < a->cell_count; i++) {
		ck_assert_int_eq(a->cells[i].island, b->cells[i].island);
		ck_assert_mem_eq(a->cells[i].bins, b->cells[i].bins, 2 * sizeof(int32_t));
		ck_assert_uint_eq(a->cells[i].elite, b->cells[i].elite);
	}
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(a->features[i].known, b->features[i].known);
		ck_assert_uint_eq(a->features[i].value_count, b->features[i].value_count);
	}
	ck_assert_int_eq(a->last_iteration, b->last_iteration);
	ck_assert_int_eq(a->last_migration_generation, b->last_migration_generation);
	ck_assert_int_eq(a->issued, b->issued);
	ck_assert_int_eq(a->ended, b->ended);
	ck_assert_mem_eq(a->outcomes, b->outcomes, sizeof(a->outcomes));
	ck_assert_int_eq(a->initial == NULL, b->initial == NULL);
	if (a->initial)
		population_same_program(a->initial, b->initial);
}

/* ---- its directory ---- */

static inline oe_population *must_load(const char *path)
{
	oe_population *population = NULL;
	oe_error err = { .message = "" };

	ck_assert_msg(oe_population_load(path, &population, &err) == 0, "%s: %s", err.where, err.message);
	return population;
}

static inline void must_save(const oe_population *population, const char *path)
{
	oe_error err = { .message = "" };

	ck_assert_msg(oe_population_save(population, path, ".py", &err) == 0, "%s", err.message);
}

static inline size_t count_names(const char *path)
{
	char **names = NULL;
	size_t count = 0;

	world_must(oe__directory_list(path, &names, &count, NULL));
	oe__directory_list_free(names, count);
	return count;
}

#endif /* OE_TEST_STORE_POPULATION_WORLD_H */
