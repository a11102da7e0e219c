/*
 * What an iteration costs must not depend on the size of the population: looks into the trees are
 * counted with 100 and with 100,000 live programs.
 */

#include "base/rng.h"
#include "world.h"

static oe_hub *crowd(size_t count, enum oe__semantics semantics)
{
	struct oe__hub_settings settings = world_settings();
	settings.semantics = semantics;
	settings.window = semantics == OE__SEMANTICS_STEADY ? 0 : 16;
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

static double visits_per_iteration(oe_hub *hub)
{
	enum { TIMES = 2000 };
	struct oe__hub_figures before, after;

	oe__hub_figures(hub, &before);
	iterate(hub, TIMES);
	oe__hub_figures(hub, &after);
	return (double)(after.visits - before.visits) / TIMES;
}

/* Looks per iteration without migration, and with: that is at those who travel, not at the fittest
   tenth of all. */
static void measure(size_t count, enum oe__semantics semantics, double *alone, double *migrating)
{
	OE__AUTO(hub) oe_hub *hub = crowd(count, semantics);

	while (hub->count < count)
		iterate(hub, 100);
	*alone = visits_per_iteration(hub);
	hub->settings.migration_interval = 50;
	iterate(hub, 500); /* a first migration, in which a tenth of all do travel */
	*migrating = visits_per_iteration(hub);
	ck_assert_uint_eq(hub->count, count);
	ck_assert_ptr_null(oe__hub_check(hub));
	printf("visits per iteration: %.1f, with migration %.1f, at %zu\n", *alone, *migrating, count);
}

static void compare(enum oe__semantics semantics)
{
	double few, few_migrating, many, many_migrating;

	measure(100, semantics, &few, &few_migrating);
	measure(100000, semantics, &many, &many_migrating);
	/* the logarithm of a thousand times as many is 2.5 times as large */
	ck_assert_double_lt(many, 2.5 * few);
	ck_assert_double_lt(many_migrating, 1.1 * many);
	ck_assert_double_lt(many_migrating, 400);
}

START_TEST(test_visits)
{
	compare(OE__SEMANTICS_STEADY);
}
END_TEST

START_TEST(test_visits_in_order)
{
	compare(OE__SEMANTICS_ORDERED);
}
END_TEST

TEST_MAIN("cost", test_visits, test_visits_in_order)
