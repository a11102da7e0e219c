/* lib/hub/select.c */

#include "world.h"

enum { DRAWS = 20000 };

/* How often each member of the first island is drawn as a parent. */
static void draw(oe_hub *hub, int times[], size_t choices[4])
{
	for (int64_t number = 1; number <= DRAWS; number++) {
		enum oe__choice choice;
		struct oe__member *parent = oe__hub_draw_parent(hub, 0, number, 0, &choice);

		ck_assert_ptr_nonnull(parent);
		ck_assert_int_eq(parent->island, 0);
		times[parent->program->source->text[0] - 'a']++;
		choices[choice]++;
	}
}

static void about(double got, double want)
{
	/* four standard deviations of a count of that size */
	ck_assert_msg(fabs(got - want) <= 4 * sqrt(want) + 1, "%g, expected about %g", got, want);
}

static oe_hub *crowd(double exploration, double exploitation, const double *scores, size_t count)
{
	struct oe__hub_settings settings = world_settings();
	settings.exploration_ratio = exploration;
	settings.exploitation_ratio = exploitation;
	settings.archive_size = 2;
	oe_hub *hub = world_hub(settings);
	struct oe__feature_stats bounds = { .known = true, .min = 0, .max = 100 };

	oe__features_load(&hub->features, 0, &bounds); /* everybody gets a cell */
	for (size_t i = 0; i < count; i++)
		(void)world_place(hub, (char[]){ (char)('a' + i), '\0' }, 0, scores[i], (double)i * 10);
	(void)world_place(hub, "z", 1, 99, 0);
	return hub;
}

START_TEST(test_ways)
{
	OE__AUTO(hub) oe_hub *hub = crowd(0.2, 0.7, (double[]){ 1, 2, 3, 4 }, 4);
	int times[26] = { 0 };
	size_t choices[4] = { 0 };

	draw(hub, times, choices);
	about((double)choices[OE__CHOICE_UNIFORM], 0.2 * DRAWS);
	about((double)choices[OE__CHOICE_ARCHIVE], 0.7 * DRAWS);
	about((double)choices[OE__CHOICE_FITNESS], 0.1 * DRAWS);
}
END_TEST

START_TEST(test_uniform)
{
	OE__AUTO(hub) oe_hub *hub = crowd(1, 0, (double[]){ 1, 200, 3, -4 }, 4);
	int times[26] = { 0 };
	size_t choices[4] = { 0 };

	draw(hub, times, choices);
	for (int i = 0; i < 4; i++)
		about(times[i], 0.25 * DRAWS);
}
END_TEST

START_TEST(test_archive_of_the_island)
{
	/* the archive holds z of the other island, and d */
	OE__AUTO(hub) oe_hub *hub = crowd(0, 1, (double[]){ 1, 2, 3, 4 }, 4);
	int times[26] = { 0 };
	size_t choices[4] = { 0 };

	draw(hub, times, choices);
	ck_assert_int_eq(times[3], DRAWS);
	/* none of the island is in the archive: chosen by fitness, on the same island */
	oe__archive_remove(&hub->archive, oe__hub_find(hub, "d"));
	memset(times, 0, sizeof(times));
	memset(choices, 0, sizeof(choices));
	draw(hub, times, choices);
	ck_assert_uint_eq(choices[OE__CHOICE_FITNESS], DRAWS);
	about(times[0], 0.1 * DRAWS);
}
END_TEST

START_TEST(test_by_fitness)
{
	OE__AUTO(hub) oe_hub *hub = crowd(0, 0, (double[]){ 0.1, 0.2, 0.7, 0, -INFINITY }, 5);
	int times[26] = { 0 };
	size_t choices[4] = { 0 };

	draw(hub, times, choices);
	about(times[0], DRAWS * 0.1 / 1.002);
	about(times[1], DRAWS * 0.2 / 1.002);
	about(times[2], DRAWS * 0.7 / 1.002);
	about(times[3], DRAWS * 0.001 / 1.002);
	about(times[4], DRAWS * 0.001 / 1.002);
}
END_TEST

START_TEST(test_by_rank_where_fitness_is_negative)
{
	OE__AUTO(hub) oe_hub *hub = crowd(0, 0, (double[]){ -1e9, -1, -2, 5, -INFINITY }, 5);
	int times[26] = { 0 };
	size_t choices[4] = { 0 };

	draw(hub, times, choices);
	about(times[3], DRAWS * 5 / 15.);
	about(times[1], DRAWS * 4 / 15.);
	about(times[2], DRAWS * 3 / 15.);
	about(times[0], DRAWS * 2 / 15.);
	about(times[4], DRAWS * 1 / 15.);
	/* without negative ones the fitness itself counts again */
	oe__hub_remove(hub, oe__hub_find(hub, "a"));
	oe__hub_remove(hub, oe__hub_find(hub, "b"));
	oe__hub_remove(hub, oe__hub_find(hub, "c"));
	memset(times, 0, sizeof(times));
	draw(hub, times, choices);
	ck_assert_int_gt(times[3], DRAWS * 99 / 100);
}
END_TEST

START_TEST(test_huge_fitness)
{
	OE__AUTO(hub) oe_hub *hub = crowd(0, 0, (double[]){ 1.7e308, 1.7e308, 1 }, 3);
	int times[26] = { 0 };
	size_t choices[4] = { 0 };

	draw(hub, times, choices);
	about(times[0], 0.5 * DRAWS);
}
END_TEST

START_TEST(test_samples_are_repeatable)
{
	double scores[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	OE__AUTO(hub) oe_hub *first = crowd(0.2, 0.7, scores, 8), *second = crowd(0.2, 0.7, scores, 8);

	for (int64_t number = 1; number < 50; number += 2) {
		OE__AUTO(iteration) oe_iteration *a = NULL, *b = NULL, *other = NULL;

		/* the order of asking does not matter */
		ck_assert_int_eq(oe__hub_sample(first, 1000 - number, 0, &other), 0);
		ck_assert_int_eq(oe__hub_sample(first, number, 0, &a), 0);
		ck_assert_int_eq(oe__hub_sample(second, number, 0, &b), 0);
		ck_assert_str_eq(a->parent->id, b->parent->id);
		ck_assert_uint_eq(a->inspiration_count, 3);
		for (size_t i = 0; i < 3; i++)
			ck_assert_str_eq(a->inspirations[i]->id, b->inspirations[i]->id);
	}
}
END_TEST

START_TEST(test_inspirations_and_top)
{
	double scores[] = { 1, 2, 3, 4, 5, 6 };
	OE__AUTO(hub) oe_hub *hub = crowd(0.2, 0.7, scores, 6);
	int seen[26] = { 0 };

	for (int64_t number = 1; number < 4000; number += 2) {
		OE__AUTO(iteration) oe_iteration *iteration = NULL;

		ck_assert_int_eq(oe__hub_sample(hub, number, 0, &iteration), 0);
		ck_assert_uint_eq(iteration->inspiration_count, 3);
		for (size_t i = 0; i < 3; i++) {
			ck_assert_ptr_ne(iteration->inspirations[i], iteration->parent);
			ck_assert_int_eq(iteration->inspirations[i]->island, 0);
			for (size_t k = 0; k < i; k++)
				ck_assert_ptr_ne(iteration->inspirations[i], iteration->inspirations[k]);
			seen[iteration->inspirations[i]->source->text[0] - 'a']++;
		}
		ck_assert_uint_eq(iteration->top_count, 5);
		for (size_t i = 0; i < 5; i++)
			ck_assert_int_eq(iteration->top[i]->source->text[0], 'f' - (int)i);
	}
	for (int i = 0; i < 5; i++) /* all but the one that is nearly always the parent */
		ck_assert_int_gt(seen[i], 1000);
}
END_TEST

/* Who is shown first, where nearly all are shown. */
START_TEST(test_order_of_inspirations)
{
	OE__AUTO(hub) oe_hub *hub = crowd(0, 0, (double[]){ 1e6, 1, 1, 1, 1, 1 }, 6);
	int first[26] = { 0 }, last[26] = { 0 }, times = 0;

	for (int64_t number = 1; number < DRAWS; number += 2) {
		OE__AUTO(iteration) oe_iteration *iteration = NULL;

		ck_assert_int_eq(oe__hub_sample(hub, number, 0, &iteration), 0);
		if (iteration->parent->source->text[0] != 'a')
			continue;
		first[iteration->inspirations[0]->source->text[0] - 'a']++;
		last[iteration->inspirations[2]->source->text[0] - 'a']++;
		times++;
	}
	for (int i = 1; i < 6; i++) {
		about(first[i], times / 5.);
		about(last[i], times / 5.);
	}
}
END_TEST

START_TEST(test_few_members)
{
	OE__AUTO(hub) oe_hub *hub = crowd(0.2, 0.7, (double[]){ 1, 2 }, 2);
	OE__AUTO(iteration) oe_iteration *two = NULL, *one = NULL;

	ck_assert_int_eq(oe__hub_sample(hub, 1, 0, &two), 0);
	ck_assert_uint_eq(two->inspiration_count, 1);
	ck_assert_ptr_ne(two->inspirations[0], two->parent);
	ck_assert_int_eq(oe__hub_sample(hub, 2, 0, &one), 0);
	ck_assert_str_eq(one->parent->id, "z");
	ck_assert_uint_eq(one->inspiration_count, 0);
	ck_assert_uint_eq(one->top_count, 1);
	ck_assert_double_eq(one->coordinates[0], 0);
}
END_TEST

START_TEST(test_empty_island)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	OE__AUTO(iteration) oe_iteration *iteration = NULL;

	world_seed(hub, "initial", 1, 7);
	ck_assert_int_eq(oe__hub_sample(hub, 2, 0, &iteration), 0);
	ck_assert_int_eq(iteration->island, 1);
	ck_assert_str_eq(iteration->parent->id, "initial");
	ck_assert_uint_eq(iteration->top_count, 1);
	ck_assert_uint_eq(iteration->inspiration_count, 0);
	ck_assert_double_eq(iteration->coordinates[0], 7);
	ck_assert_uint_eq(hub->count, 1); /* no copies */
}
END_TEST

TEST_MAIN("select", test_ways, test_uniform, test_archive_of_the_island, test_by_fitness,
          test_by_rank_where_fitness_is_negative, test_huge_fitness, test_samples_are_repeatable,
          test_inspirations_and_top, test_order_of_inspirations, test_few_members,
          test_empty_island)
