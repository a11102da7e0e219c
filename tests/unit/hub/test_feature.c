/* lib/hub/feature.c and diversity.c */

#include "world.h"

START_TEST(test_bins)
{
	ck_assert_int_eq(oe__feature_bin(5, 5, 5, 10), 5);
	ck_assert_int_eq(oe__feature_bin(5, 5, 5, 1), 0);
	ck_assert_int_eq(oe__feature_bin(0, 0, 1, 10), 0);
	ck_assert_int_eq(oe__feature_bin(1, 0, 1, 10), 9);
	ck_assert_int_eq(oe__feature_bin(0.55, 0, 1, 10), 5);
	ck_assert_int_eq(oe__feature_bin(-1e308, -1e308, 1e308, 10), 0);
	/* a range that overflows tells nobody apart, as in OpenEvolve */
	ck_assert_int_eq(oe__feature_bin(0, -1.7e308, 1.7e308, 10), 0);
	ck_assert_int_eq(oe__feature_bin(1.7e308, -1.7e308, 1.7e308, 10), 0);
}
END_TEST

START_TEST(test_what_is_not_finite_changes_no_bounds)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	struct oe__placement placement = world_place(hub, "a", 0, 1, NAN);
	ck_assert_int_eq(placement.member->bins[0], 0);
	ck_assert(!hub->features.stats[0].known);
	(void)world_place(hub, "b", 0, 1, 2);
	(void)world_place(hub, "c", 0, 1, INFINITY);
	(void)world_place(hub, "d", 0, 1, -INFINITY);
	(void)world_place(hub, "e", 0, 1, 4);
	ck_assert_double_eq(hub->features.stats[0].min, 2);
	ck_assert_double_eq(hub->features.stats[0].max, 4);
	ck_assert_uint_eq(hub->features.stats[0].value_count, 2);
}
END_TEST

START_TEST(test_last_values_are_kept)
{
	static const char *const names[] = { "x" };
	struct oe__dimensions dimensions = { names, 1 };
	int32_t bins = 10;
	struct oe__features features;
	struct oe__feature_stats saved;

	ck_assert_int_eq(oe__features_init(&features, &dimensions, &bins), 0);
	for (int i = 0; i < 2500; i++)
		oe__features_enter_one(&features, 0, i);
	ck_assert_int_eq(oe__features_save(&features, 0, &saved), 0);
	ck_assert_uint_eq(saved.value_count, 1000);
	ck_assert_double_eq(saved.values[0], 1500);
	ck_assert_double_eq(saved.values[999], 2499);
	ck_assert_double_eq(saved.min, 0);
	oe__free(saved.values);
	oe__features_done(&features);
}
END_TEST

static struct oe__source *source(const char *text)
{
	struct oe__source *made = NULL;

	ck_assert_int_eq(oe__source_new(text, strlen(text), &made), 0);
	return made;
}

static double measure(struct oe__diversity *diversity, const char *text)
{
	OE__AUTO(source) struct oe__source *made = source(text);
	double value = NAN;

	ck_assert_int_eq(oe__diversity_reserve(diversity), 0);
	ck_assert_int_eq(oe__diversity_measure(diversity, made, false, &value), 0);
	oe__diversity_join(diversity, made);
	return value;
}

START_TEST(test_references_freeze)
{
	struct oe__diversity diversity;

	oe__diversity_init(&diversity, 3, 1);
	ck_assert_double_eq(measure(&diversity, "a"), 0); /* nobody to differ from */
	ck_assert(!oe__diversity_frozen(&diversity));
	(void)measure(&diversity, "b\n");
	double third = measure(&diversity, "c\n\n");
	ck_assert(oe__diversity_frozen(&diversity));
	(void)measure(&diversity, "a long text that differs from all of the others\n\n\n\n");
	ck_assert_uint_eq(diversity.reference_count, 3);
	ck_assert_uint_eq(diversity.candidate_count, 0);
	ck_assert_double_eq(measure(&diversity, "c\n\n"), third);
	oe__diversity_done(&diversity);
}
END_TEST

/* As many programs as the set may hold were known before anybody asked. */
static void choose(struct oe__diversity *diversity, uint64_t seed)
{
	static const char *const texts[] = { "aaaa", "aaab", "b\nb\nb\nb\n", "aaac", "aaad", "aaae" };

	oe__diversity_init(diversity, 2, seed);
	for (size_t i = 0; i < OE__COUNT(texts); i++) {
		OE__AUTO(source) struct oe__source *made = source(texts[i]);

		ck_assert_int_eq(oe__diversity_reserve(diversity), 0);
		oe__diversity_join(diversity, made);
	}
	ck_assert(!oe__diversity_frozen(diversity));
	(void)measure(diversity, "aaaf");
	ck_assert(oe__diversity_frozen(diversity));
}

START_TEST(test_choice_is_spread_out_and_repeatable)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct oe__diversity first, second;

		choose(&first, seed);
		choose(&second, seed);
		ck_assert_uint_eq(first.reference_count, 2);
		ck_assert_str_eq(first.references[0]->text, second.references[0]->text);
		ck_assert_str_eq(first.references[1]->text, second.references[1]->text);
		/* whatever comes first, the odd one out is the farthest or was first itself */
		ck_assert(strcmp(first.references[0]->text, "b\nb\nb\nb\n") == 0 ||
		          strcmp(first.references[1]->text, "b\nb\nb\nb\n") == 0);
		oe__diversity_done(&first);
		oe__diversity_done(&second);
	}
}
END_TEST

START_TEST(test_candidates_have_a_limit)
{
	struct oe__diversity diversity;

	oe__diversity_init(&diversity, 2, 1);
	for (int i = 0; i < 100; i++) {
		OE__AUTO(source) struct oe__source *made = NULL;
		char text[20];

		snprintf(text, sizeof(text), "%d", i);
		made = source(text);
		ck_assert_int_eq(oe__diversity_reserve(&diversity), 0);
		oe__diversity_join(&diversity, made);
		ck_assert_uint_le(diversity.candidate_count, 8);
	}
	ck_assert(oe__diversity_frozen(&diversity));
	oe__diversity_done(&diversity);
}
END_TEST

START_TEST(test_who_leaves_is_known_by_the_text)
{
	OE__AUTO(source) struct oe__source *first = source("a"), *other = source("b");
	OE__AUTO(source) struct oe__source *again = source("a"), *stranger = source("c");
	struct oe__diversity diversity;
	struct oe__source *const joining[] = { first, other, again };

	oe__diversity_init(&diversity, 5, 1);
	for (size_t i = 0; i < OE__COUNT(joining); i++) {
		ck_assert_int_eq(oe__diversity_reserve(&diversity), 0);
		oe__diversity_join(&diversity, joining[i]);
	}
	oe__diversity_leave(&diversity, stranger);
	ck_assert_uint_eq(diversity.candidate_count, 3);
	oe__diversity_leave(&diversity, again); /* whichever of the two is meant */
	ck_assert_uint_eq(diversity.candidate_count, 2);
	ck_assert_ptr_eq(diversity.candidates[0], other);
	ck_assert_ptr_eq(diversity.candidates[1], again);
	oe__diversity_done(&diversity);
}
END_TEST

/* The third one's distance is that to both others, though one of them has lost its cell. */
START_TEST(test_displaced_elites_are_still_measured_against)
{
	static const char *const names[] = { "diversity" };
	struct oe__hub_settings settings = world_settings();
	world_axes(&settings, names, 1, 1);
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	(void)world_place(hub, "a", 0, 1, 0);
	struct oe__placement placement = world_place(hub, "bb", 0, 2, 0);
	ck_assert(placement.replaced && hub->count == 1);
	placement = world_place(hub, "ccc", 0, 3, 0);
	ck_assert_double_eq_tol(placement.member->coordinates[0], (1.2 + 1.1) / 2, 1e-9);
}
END_TEST

START_TEST(test_no_set_costs_nothing)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings()); /* its axis is a metric */

	(void)world_place(hub, "a", 0, 1, 0);
	(void)world_place(hub, "b", 0, 1, 1);
	ck_assert_uint_eq(hub->diversity.candidate_count, 0);
	ck_assert_uint_eq(hub->diversity.reference_count, 0);
}
END_TEST

TEST_MAIN("feature", test_bins, test_what_is_not_finite_changes_no_bounds,
          test_last_values_are_kept, test_references_freeze,
          test_choice_is_spread_out_and_repeatable, test_candidates_have_a_limit,
          test_who_leaves_is_known_by_the_text, test_displaced_elites_are_still_measured_against,
          test_no_set_costs_nothing)
