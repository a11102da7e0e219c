/*
 * What an iteration costs must not depend on the size of the population: looks into the trees are
 * counted with 100 and with 100,000 live programs.
 */

#include "base/rng.h"
#include "world.h"

static oe_hub *crowd(size_t count)
{
	struct oe__hub_settings settings = world_settings();
	settings.island_count = 5;
	settings.population_size = count;
	settings.archive_size = 100;
	settings.migration_interval = 1000000;
	OE__AUTO(hub_settings) struct oe__hub_settings own = settings;
	oe_hub *hub = NULL;

	ck_assert_int_eq(oe__hub_new(&own, &hub, NULL), 0);
	oe__hub_set_checked(hub, false);
	world_seed(hub, "initial", 0.5, 50);
	return hub;
}

static void iterate(oe_hub *hub, int64_t times)
{
	for (int64_t i = 0; i < times; i++) {
		OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
		struct oe__rng rng;
		char code[30];

		oe__rng_init(&rng, 3, "test", (uint64_t)iteration->number, 0);
		snprintf(code, sizeof(code), "%lld", (long long)iteration->number);
		OE__AUTO(program)
		oe_program *child =
			world_child(iteration, code, oe__rng_real(&rng), (double)oe__rng_below(&rng, 100));
		ck_assert_int_eq(oe_hub_commit(hub, iteration, child, NULL, NULL), 0);
	}
}

static double visits_per_iteration(size_t count)
{
	enum { TIMES = 2000 };
	OE__AUTO(hub) oe_hub *hub = crowd(count);
	struct oe__hub_figures before, after;

	while (hub->count < count)
		iterate(hub, 100);
	oe__hub_figures(hub, &before);
	iterate(hub, TIMES);
	oe__hub_figures(hub, &after);
	ck_assert_uint_eq(after.programs, count);
	ck_assert_ptr_null(oe__hub_check(hub));
	return (double)(after.visits - before.visits) / TIMES;
}

START_TEST(test_visits)
{
	double few = visits_per_iteration(100), many = visits_per_iteration(100000);

	printf("visits per iteration: %.1f at 100, %.1f at 100000\n", few, many);
	/* the logarithm of a thousand times as many is 2.5 times as large */
	ck_assert_double_lt(many, 2.5 * few);
	ck_assert_double_lt(many, 400);
}
END_TEST

TEST_MAIN("cost", test_visits)
