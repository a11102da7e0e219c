/* lib/program/population*.c */

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "program/population.h"
#include "test.h"

static const char *const names[] = { "complexity", "speed" };

static oe_program *program(const char *id, const char *code, const char *parent, int32_t island,
						   int64_t iteration, double score)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *made = NULL;

	ck_assert_int_eq(oe__source_new(code, strlen(code), &source), 0);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "score", score), 0);
	oe__evaluation_freeze(evaluation);
	struct oe__program_spec spec = {
		.id = id,
		.parent_id = parent,
		.source = source,
		.island = island,
		.iteration = iteration,
		.timestamp = 1000 + (double)iteration,
		.evaluation = evaluation,
	};
	ck_assert_int_eq(oe__program_build(&spec, &made), 0);
	return made;
}

static void add_cell(oe_population *population, int32_t island, int32_t x, int32_t y, size_t elite)
{
	int32_t bins[2] = { x, y };

	ck_assert_int_eq(oe__population_reserve_cells(population, 1), 0);
	population->cells[population->cell_count++] =
		(struct oe__cell){ island, oe__memdup(bins, sizeof(bins)), elite };
	ck_assert_ptr_nonnull(population->cells[population->cell_count - 1].bins);
}

/* Two islands: a (0.5), b (0.9), c (0.5, of b) on the first, d (-1) on the second. The initial
   program is not alive any more. */
static oe_population *sample(void)
{
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	oe_population *population = NULL;

	ck_assert_int_eq(oe__axes_new(names, 2, &axes), 0);
	ck_assert_int_eq(oe__population_new(4, 2, axes, &population), 0);
	oe_program *programs[] = {
		program("a", "a = 1", NULL, 0, 0, 0.5),
		program("b", "b = 1", "a", 0, 1, 0.9),
		program("c", "c = 1", "b", 0, 2, 0.5),
		program("d", "d = 1", "gone", 1, 3, -1),
	};
	memcpy(population->programs, programs, sizeof(programs));
	population->program_count = 4;
	population->archived[1] = population->archived[3] = true;
	population->island_best[0] = 1;
	population->island_best[1] = 3;
	population->best = 1;
	population->island_generations[0] = 4;
	population->bins[0] = population->bins[1] = 10;
	add_cell(population, 0, 0, 3, 0);
	add_cell(population, 0, 9, 3, 1);
	add_cell(population, 1, 0, 3, 3);
	population->features[0].known = true;
	population->features[0].min = 1;
	population->features[0].max = 5.5;
	population->features[0].values = oe__memdup((double[]){ 1, 5.5 }, 2 * sizeof(double));
	population->features[0].value_count = 2;
	population->last_iteration = population->issued = 4;
	population->ended = 3;
	population->outcomes[OE_OUTCOME_COMMITTED] = 3;
	population->initial = program("e", "e = 1", NULL, -1, 0, 0.99);
	population->references = oe__calloc(1, sizeof(*population->references));
	population->references[population->reference_count++] = oe__source_ref(programs[0]->source);
	return population;
}

static const char *id_of(const oe_program *program)
{
	return program ? oe_program_id(program) : "none";
}

static void check_getters(oe_population *population)
{
	int32_t bins = 0;

	ck_assert_str_eq(id_of(oe_population_best(population)), "b");
	ck_assert_int_eq(oe_population_island_count(population), 2);
	ck_assert_uint_eq(oe_population_size(population, OE_ISLAND_ALL), 4);
	ck_assert_uint_eq(oe_population_size(population, 0), 3);
	ck_assert_uint_eq(oe_population_size(population, 1), 1);
	ck_assert_uint_eq(oe_population_size(population, 2), 0);
	ck_assert_uint_eq(oe_population_size(population, -2), 0);
	static const char *const ranked[] = { "b", "a", "c", "d", "none" };
	for (size_t i = 0; i < OE__COUNT(ranked); i++)
		ck_assert_str_eq(id_of(oe_population_ranked(population, OE_ISLAND_ALL, i)), ranked[i]);
	static const char *const first[] = { "b", "a", "c", "none" };
	for (size_t i = 0; i < OE__COUNT(first); i++)
		ck_assert_str_eq(id_of(oe_population_ranked(population, 0, i)), first[i]);
	ck_assert_str_eq(id_of(oe_population_ranked(population, 1, 0)), "d");
	ck_assert_uint_eq(oe_population_archive_size(population), 2);
	ck_assert_str_eq(id_of(oe_population_archived(population, 0)), "b");
	ck_assert_str_eq(id_of(oe_population_archived(population, 1)), "d");
	ck_assert_str_eq(id_of(oe_population_archived(population, 2)), "none");
	ck_assert_str_eq(id_of(oe_population_find(population, "c")), "c");
	ck_assert_str_eq(id_of(oe_population_find(population, "gone")), "none");
	ck_assert_uint_eq(oe_population_dimension_count(population), 2);
	ck_assert_str_eq(oe_population_dimension(population, 1, &bins), "speed");
	ck_assert_int_eq(bins, 10);
	ck_assert_ptr_null(oe_population_dimension(population, 2, NULL));
	ck_assert_str_eq(id_of(oe_population_elite(population, 0, (int32_t[]){ 9, 3 })), "b");
	ck_assert_str_eq(id_of(oe_population_elite(population, 1, (int32_t[]){ 9, 3 })), "none");
	ck_assert_str_eq(id_of(oe_population_elite(population, 2, (int32_t[]){ 9, 3 })), "none");
	ck_assert_int_eq(oe_population_island_generation(population, 0), 4);
	ck_assert_int_eq(oe_population_iteration(population), 4);
}

START_TEST(test_getters)
{
	OE__AUTO(population) oe_population *population = sample();

	check_getters(population);
}
END_TEST

/* Through metadata.json and back, with the programs in another order. */
static oe_population *reload(const oe_population *population, struct oe__buffer *text)
{
	OE__AUTO(value) struct oe__value metadata = { 0 };
	struct oe__json_writer writer = { .out = text };
	oe_program *programs[5] = { oe__population_extra(population) };
	oe_population *back = NULL;

	oe__population_write_metadata(population, NULL, &writer);
	ck_assert_int_eq(text->status, 0);
	ck_assert_int_eq(oe__json_parse(text->data, text->size, &metadata, NULL), 0);
	ck_assert_str_eq(id_of(programs[0]), "e");
	for (size_t i = 0; i < 4; i++)
		programs[1 + i] = population->programs[3 - i];
	ck_assert_int_eq(oe__population_read_metadata(&metadata, NULL, programs, 5, &back, NULL), 0);
	return back;
}

START_TEST(test_metadata_round_trip)
{
	OE__AUTO(population) oe_population *population = sample();
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0), again = OE__BUFFER_INIT(0);
	OE__AUTO(population) oe_population *back = reload(population, &text);
	char hash[65], hash_back[65];

	check_getters(back);
	ck_assert_int_eq(back->issued, 4);
	ck_assert_int_eq(back->ended, 3);
	ck_assert_int_eq(back->outcomes[OE_OUTCOME_COMMITTED], 3);
	ck_assert_str_eq(id_of(back->initial), "e");
	ck_assert_uint_eq(back->reference_count, 1);
	ck_assert_str_eq(back->references[0]->text, "a = 1");
	ck_assert(back->features[0].known && !back->features[1].known);
	ck_assert_double_eq(back->features[0].max, 5.5);
	ck_assert_int_eq(oe_population_hash(population, hash), 0);
	ck_assert_int_eq(oe_population_hash(back, hash_back), 0);
	ck_assert_str_eq(hash, hash_back);
	OE__AUTO(population) oe_population *third = reload(back, &again);
	ck_assert_ptr_nonnull(third);
	ck_assert_str_eq(text.data, again.data);
}
END_TEST

START_TEST(test_hash_tells_archives_apart)
{
	OE__AUTO(population) oe_population *population = sample();
	char hash[65], other[65];

	ck_assert_int_eq(oe_population_hash(population, hash), 0);
	ck_assert_uint_eq(strlen(hash), 64);
	population->archived[0] = true;
	ck_assert_int_eq(oe_population_hash(population, other), 0);
	ck_assert_str_ne(hash, other);
	population->archived[0] = false;
	population->cells[0].bins[0] = 1;
	ck_assert_int_eq(oe_population_hash(population, other), 0);
	ck_assert_str_ne(hash, other);
	population->cells[0].bins[0] = 0;
	population->best = 0;
	ck_assert_int_eq(oe_population_hash(population, other), 0);
	ck_assert_str_ne(hash, other);
	population->best = 1;
	population->island_generations[1] = 7; /* not a finding */
	ck_assert_int_eq(oe_population_hash(population, other), 0);
	ck_assert_str_eq(hash, other);
}
END_TEST

static oe_population *read(const char *text, oe_program **programs, size_t count, int expected)
{
	OE__AUTO(value) struct oe__value metadata = { 0 };
	oe_population *population = NULL;

	ck_assert_int_eq(oe__json_parse(text, strlen(text), &metadata, NULL), 0);
	ck_assert_int_eq(
		oe__population_read_metadata(&metadata, NULL, programs, count, &population, NULL),
		expected);
	return population;
}

START_TEST(test_metadata_of_others)
{
	OE__AUTO(program)
	oe_program *a = program("a", "a", NULL, 7, 0, 1), *b = program("b", "b", NULL, 7, 1, 2);
	oe_program *programs[] = { b, a };

	/* nothing listed: dealt out in order of age */
	OE__AUTO(population)
	oe_population *dealt =
		read("{\"islands\":[[],[]],\"island_best_programs\":[null,null]}", programs, 2, 0);
	ck_assert_str_eq(id_of(oe_population_ranked(dealt, 0, 0)), "a");
	ck_assert_str_eq(id_of(oe_population_ranked(dealt, 1, 0)), "b");
	ck_assert_str_eq(id_of(oe_population_best(dealt)), "b");

	/* nonsense, unknown and repeated identifiers, values that are not finite */
	OE__AUTO(population)
	oe_population *odd =
		read("{\"islands\":[[\"a\",\"x\",3],[\"a\"],\"?\"],\"archive\":[\"a\",\"b\",\"x\",null],"
			 "\"best_program_id\":\"b\",\"island_feature_maps\":[{\"0\":\"a\",\"1-1\":\"a\",\"-1\":"
			 "\"a\","
			 "\"2\":\"b\",\"3\":\"x\"}],\"island_generations\":[1.5,2],\"last_iteration\":9,"
			 "\"feature_stats\":{\"speed\":{\"min\":NaN,\"max\":Infinity,\"values\":[1,NaN,4.5]}}}",
			 programs, 2, 0);
	ck_assert_int_eq(oe_population_island_count(odd), 3);
	ck_assert_uint_eq(oe_population_size(odd, 0), 1);
	ck_assert_int_eq(oe_program_island(oe_population_find(odd, "b")), -1);
	ck_assert_str_eq(id_of(oe_population_best(odd)), "a"); /* b lives on no island */
	ck_assert_uint_eq(oe_population_archive_size(odd), 1);
	ck_assert_uint_eq(odd->cell_count, 1);
	ck_assert_int_eq(odd->island_generations[0], 0);
	ck_assert_int_eq(odd->island_generations[1], 2);
	ck_assert_int_eq(odd->issued, 9);
	ck_assert_int_eq(odd->ended, 9);
	ck_assert_double_eq(odd->features[0].min, 1);
	ck_assert_double_eq(odd->features[0].max, 4.5);

	ck_assert_ptr_null(read("[]", programs, 2, OE_ERR_FORMAT));
	OE__AUTO(population) oe_population *empty = read("{}", NULL, 0, 0);
	ck_assert_ptr_null(oe_population_best(empty));
	ck_assert_ptr_null(oe_population_ranked(empty, OE_ISLAND_ALL, 0));
}
END_TEST

TEST_MAIN("population", test_getters, test_metadata_round_trip, test_hash_tells_archives_apart,
		  test_metadata_of_others)
