/* lib/prompt/facts.c: what is said of the program itself. */

#include <math.h>

#include "desk.h"

#define FRAGMENTS                                                                                  \
	{ "=fitness_improved", "up {prev:.2f} {current:.2f}" },                                      \
		{ "=fitness_declined", "down {prev:.2f} {current:.2f}" },                                \
		{ "=fitness_stable", "same {current:.2f}" }, { "=exploring_region", "at {features}" },   \
		{ "=no_feature_coordinates", "nowhere" }, { "=code_too_long", "long {threshold}" },      \
		{ "=no_specific_guidance", "nothing" }, { NULL, NULL }

static struct oe__prompt_set *set_of(const char *yaml, const char *place)
{
	const struct desk_text texts[] = { { "diff_user", place }, FRAGMENTS };

	return desk_set(yaml, texts);
}

START_TEST(test_metrics)
{
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("{}", "{metrics}|{fitness_score}");
	OE__AUTO(evaluation) oe_evaluation *metrics = NULL;
	struct oe__prompt_input input = desk_input("x");

	desk_expect(set, &input, "|0.0000");
	ck_assert_int_eq(oe_evaluation_new(&metrics), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(metrics, "a", 0.5), 0);
	ck_assert_int_eq(oe__evaluation_set_int(metrics, "b", 3), 0);
	ck_assert_int_eq(oe__evaluation_set_bool(metrics, "c", true), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(metrics, "d", -1234.56789), 0);
	const struct oe__value text = { .type = OE__VALUE_STRING,
									.string = (char *)(uintptr_t) "one\ntwo token=x",
									.size = 15 };
	ck_assert_int_eq(oe__evaluation_set_value(metrics, "e", &text), 0);
	oe__evaluation_freeze(metrics);
	input.metrics = metrics;
	OE__AUTO(string) char *shown = desk_render(set, &input);
	ck_assert_msg(strstr(shown, "- a: 0.5000\n- b: 3.0000\n- c: 1.0000\n- d: -1234.5679\n- e: one two "
								"token=<REDACTED>|") == shown,
				  "%s", shown);
}
END_TEST

/* The fitness as prompts show it: also where it is no number that could be compared. */
START_TEST(test_fitness)
{
	static const struct {
		const char *first;
		double first_value;
		const char *second;
		double second_value;
		const char *wanted;
	} cases[] = {
		{ "combined_score", 0.25, "a", 9, "0.2500" },
		{ "a", 1, "b", 2, "1.5000" },
		{ "a", (double)NAN, "b", 2, "2.0000" },
		{ "combined_score", (double)INFINITY, "a", 1, "inf" },
		{ "combined_score", -(double)INFINITY, "a", 1, "-inf" },
		{ "combined_score", (double)NAN, "a", 1, "nan" },
		{ "a", (double)INFINITY, NULL, 0, "inf" },
	};
	OE__AUTO(prompt_set) struct oe__prompt_set *set = set_of("{}", "{fitness_score}");

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *metrics =
			desk_metrics(cases[i].first, cases[i].first_value, cases[i].second, cases[i].second_value,
						 NULL);
		struct oe__prompt_input input = desk_input("x");
		input.metrics = metrics;
		desk_expect(set, &input, cases[i].wanted);
	}
}
END_TEST

/* Dimensions are no part of the fitness; a metric goes before what was computed. */
START_TEST(test_coordinates)
{
	static const char *const names[] = { "speed", "complexity", "unknown" };
	const struct oe__dimensions dimensions = { names, 3 };
	const double computed[] = { 5, 7.125, (double)NAN };
	OE__AUTO(prompt_set) struct oe__prompt_set *set =
		set_of("{}", "{feature_coords}|{feature_dimensions}|{fitness_score}");
	OE__AUTO(evaluation) oe_evaluation *metrics = desk_metrics("speed", 9., "score", 0.5, NULL);
	struct oe__prompt_input input = desk_input("x");

	desk_expect(set, &input, "|None|0.0000");
	input.dimensions = &dimensions;
	input.metrics = metrics;
	input.coordinates = computed;
	desk_expect(set, &input, "speed=9.00, complexity=7.12|speed, complexity, unknown|0.5000");
	input.coordinates = NULL;
	desk_expect(set, &input, "speed=9.00|speed, complexity, unknown|0.5000");
}
END_TEST

START_TEST(test_areas)
{
	static const char *const names[] = { "speed" };
	const struct oe__dimensions dimensions = { names, 1 };
	OE__AUTO(prompt_set) struct oe__prompt_set *set =
		set_of("prompt: {suggest_simplification_after_chars: 4}", "{improvement_areas}");
	OE__AUTO(evaluation) oe_evaluation *low = desk_metrics("score", 1., NULL);
	OE__AUTO(evaluation) oe_evaluation *high = desk_metrics("score", 2., NULL);
	OE__AUTO(evaluation) oe_evaluation *nearly = desk_metrics("score", 1. + 1e-9, NULL);
	struct oe__prompt_input input = desk_input("1234");

	desk_expect(set, &input, "- nothing");
	input.metrics = low;
	desk_expect(set, &input, "- nothing"); /* no parent to compare with */
	input.reference = low;
	desk_expect(set, &input, "- same 1.00");
	input.reference = high;
	desk_expect(set, &input, "- down 2.00 1.00");
	input.metrics = high;
	input.reference = low;
	desk_expect(set, &input, "- up 1.00 2.00");
	input.reference = nearly;
	input.metrics = nearly;
	input.dimensions = &dimensions;
	desk_expect(set, &input, "- same 1.00\n- nowhere");
	input.reference = NULL;
	input.code = (oe_bytes){ "12345", 5 };
	desk_expect(set, &input, "- nowhere\n- long 4");
	/* Characters are counted, not bytes. */
	input.dimensions = NULL;
	input.code = (oe_bytes){ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 8 };
	desk_expect(set, &input, "- nothing");
}
END_TEST

TEST_MAIN("facts", test_metrics, test_fitness, test_coordinates, test_areas)
