/* lib/hub/snapshot.c, restore.c */

#include "base/rng.h"
#include "world.h"

/* A run of some length, with failures, duplicates and migrations. */
static void evolve(oe_hub *hub, int64_t until)
{
	while (hub->ledger.issued < until) {
		OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
		struct oe__rng rng;
		char code[40];

		oe__rng_init(&rng, 5, "test", (uint64_t)iteration->number, 0);
		if (oe__rng_below(&rng, 10) == 0) {
			ck_assert_int_eq(oe_hub_fail(hub, iteration, OE_OUTCOME_NO_EDIT, NULL, "no", NULL), 1);
			continue;
		}
		snprintf(code, sizeof(code), "%llu", (unsigned long long)oe__rng_below(&rng, 500));
		OE__AUTO(program)
		oe_program *child =
			world_child(iteration, code, oe__rng_normal(&rng), (double)oe__rng_below(&rng, 100));
		ck_assert_int_eq(oe_hub_commit(hub, iteration, child, NULL, NULL), 0);
	}
}

static struct oe__hub_settings busy(void)
{
	static const char *const names[] = { "x", "diversity" };
	struct oe__hub_settings settings = world_settings();

	world_axes(&settings, names, 2, 6);
	settings.island_count = 3;
	settings.population_size = 40;
	settings.migration_interval = 7;
	settings.migration_rate = 0.2;
	settings.diversity_reference_size = 5;
	return settings;
}

static void hash(oe_hub *hub, char out[65])
{
	OE__AUTO(population) oe_population *population = NULL;

	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	ck_assert_int_eq(oe_population_hash(population, out), 0);
}

START_TEST(test_goes_on_as_if_nothing_had_happened)
{
	OE__AUTO(hub)
	oe_hub *whole = world_hub(busy()), *before = world_hub(busy()), *after = world_hub(busy());
	OE__AUTO(population) oe_population *population = NULL;
	char first[65], second[65];

	world_seed(whole, "initial", 0.1, 50);
	world_seed(before, "initial", 0.1, 50);
	evolve(whole, 400);
	evolve(before, 200);
	ck_assert_int_eq(oe_hub_population(before, &population), 0);
	ck_assert_int_eq(oe_hub_restore(after, population, NULL), 0);
	hash(before, first);
	hash(after, second);
	ck_assert_str_eq(first, second);
	ck_assert_int_eq(after->ledger.issued, before->ledger.issued);
	ck_assert_int_eq(after->generation_max, before->generation_max);
	ck_assert_int_eq(world_outcomes(after), 200);
	evolve(before, 400);
	hash(whole, first);
	hash(before, second);
	ck_assert_str_eq(first, second);
	/* Slots are dealt anew, so other parents are drawn; what is known stays known. */
	evolve(after, 400);
	ck_assert_int_eq(world_outcomes(after), 400);
	ck_assert_double_ge(after->best->program->fitness,
						population->programs[population->best]->fitness);
}
END_TEST

START_TEST(test_other_island_counts)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(busy());
	OE__AUTO(population) oe_population *population = NULL;
	struct oe__hub_settings more = busy(), fewer = busy();

	world_seed(hub, "initial", 0.1, 50);
	evolve(hub, 100);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	more.island_count = 5;
	fewer.island_count = 1;
	OE__AUTO(hub) oe_hub *wide = world_hub(more), *narrow = world_hub(fewer);
	ck_assert_int_eq(oe_hub_restore(wide, population, NULL), 0);
	ck_assert_int_eq(oe_hub_restore(narrow, population, NULL), 0);
	ck_assert_int_eq(wide->island_count, 5);
	ck_assert_int_eq(narrow->island_count, 3);
	ck_assert_uint_eq(wide->count, hub->count);
	ck_assert_uint_eq(narrow->count, hub->count);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(narrow->islands[i].cells.count, hub->islands[i].cells.count);
	evolve(wide, 150);
	evolve(narrow, 150);
	ck_assert_uint_gt(wide->islands[4].count, 0);
}
END_TEST

START_TEST(test_other_axes)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(busy());
	OE__AUTO(population) oe_population *population = NULL;
	static const char *const names[] = { "complexity", "combined_score" };
	struct oe__hub_settings settings = busy();

	world_seed(hub, "initial", 0.1, 50);
	evolve(hub, 100);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	world_axes(&settings, names, 2, 4);
	settings.population_size = 20;
	settings.archive_size = 3;
	OE__AUTO(hub) oe_hub *next = world_hub(settings);
	ck_assert_int_eq(oe_hub_restore(next, population, NULL), 0);
	ck_assert_uint_le(next->count, 20);
	ck_assert_uint_eq(oe__rank_count(&next->archive.ranks), 3);
	ck_assert_uint_gt(next->islands[0].cells.count, 0);
	ck_assert_str_eq(next->best->program->id, hub->best->program->id);
	evolve(next, 120);
}
END_TEST

START_TEST(test_more_numbers_after_a_resume)
{
	struct oe__hub_settings settings = busy(), again = busy();
	settings.iterations = again.iterations = 50;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings), *next = world_hub(again);
	OE__AUTO(population) oe_population *population = NULL;
	oe_iteration *none = NULL;
	int why;

	world_seed(hub, "initial", 0.1, 50);
	evolve(hub, 50);
	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	ck_assert_int_eq(oe_hub_restore(next, population, NULL), 0);
	ck_assert_int_eq(oe__hub_last(next), 100);
	evolve(next, 100);
	ck_assert_int_eq(oe_hub_next_iteration(next, &none, &why), 0);
	ck_assert_int_eq(why, OE_HUB_FINISHED);
	oe__hub_set_last(next, 101);
	evolve(next, 101);
}
END_TEST

START_TEST(test_nonsense_is_refused)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(busy()), *next = world_hub(busy());
	OE__AUTO(population) oe_population *population = NULL;
	oe_error err;

	world_seed(hub, "initial", 0.1, 50);
	evolve(hub, 10);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	population->outcomes[OE_OUTCOME_LOST] = 100;
	ck_assert_int_eq(oe_hub_restore(next, population, &err), OE_ERR_FORMAT);
	population->outcomes[OE_OUTCOME_LOST] = 0;
	population->ended = population->issued + 1;
	ck_assert_int_eq(oe_hub_restore(next, population, &err), OE_ERR_FORMAT);
	ck_assert_uint_eq(next->count, 0);
	ck_assert_int_eq(oe_hub_restore(next, NULL, &err), OE_ERR_INVALID);
}
END_TEST

START_TEST(test_figures)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(busy());
	struct oe__hub_figures figures;

	world_seed(hub, "initial", 0.1, 50);
	evolve(hub, 30);
	oe__hub_figures(hub, &figures);
	ck_assert_uint_eq(figures.programs, hub->count);
	ck_assert_uint_eq(figures.islands, 3);
	ck_assert_uint_gt(figures.cells, 0);
	ck_assert_uint_gt(figures.archive, 0);
	ck_assert_uint_gt(figures.visits, 0);
	ck_assert_int_eq(figures.last_iteration, hub->last_iteration);
}
END_TEST

TEST_MAIN("restore", test_goes_on_as_if_nothing_had_happened, test_other_island_counts,
		  test_other_axes, test_more_numbers_after_a_resume, test_nonsense_is_refused, test_figures)
