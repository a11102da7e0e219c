/* lib/prompt/inspiration.c: what inspirations are called, and what sets them apart. */

#include "desk.h"

#define PLACE(text)                                                                                \
	{ "diff_user", "{evolution_history}" }, { "evolution_history", "{inspirations_section}" },   \
		{ "inspirations_section", "<{inspiration_programs}>" },                                  \
		{ "inspiration_program", text },                                                         \
	{                                                                                              \
		NULL, NULL                                                                                 \
	}

static void expect(const struct oe__prompt_set *set, const struct oe__prompt_record *record,
				   const char *wanted)
{
	struct oe__prompt_input input = desk_input("x");

	input.inspirations = record;
	input.inspiration_count = 1;
	desk_expect(set, &input, wanted);
}

/* By its mark, else by its fitness: the bounds belong to the better name. */
START_TEST(test_types)
{
	static const struct desk_text texts[] = { PLACE("{program_type}") };
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set("{}", texts);
	static const struct {
		double fitness;
		enum oe__record_mark mark;
		const char *wanted;
	} cases[] = {
		{ 0.8, OE__MARK_NONE, "<strong>" },		 { 0.79, OE__MARK_NONE, "<solid>" },
		{ 0.6, OE__MARK_NONE, "<solid>" },		 { 0.59, OE__MARK_NONE, "<promising>" },
		{ 0.4, OE__MARK_NONE, "<promising>" },	 { 0.39, OE__MARK_NONE, "<early idea>" },
		{ -5, OE__MARK_NONE, "<early idea>" },	 { 0.9, OE__MARK_DIVERSE, "<different>" },
		{ 0.9, OE__MARK_MIGRANT, "<from another island>" },
		{ 0.9, OE__MARK_RANDOM, "<picked at random>" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *metrics =
			desk_metrics("combined_score", cases[i].fitness, NULL);
		struct oe__prompt_record record = desk_record("x", metrics);
		record.mark = cases[i].mark;
		expect(set, &record, cases[i].wanted);
	}
	struct oe__prompt_record bare = desk_record("x", NULL);
	expect(set, &bare, "<early idea>");
}
END_TEST

START_TEST(test_features)
{
	static const struct desk_text texts[] = { PLACE("{unique_features}") };
	OE__AUTO(prompt_set) struct oe__prompt_set *set =
		desk_set("prompt: {num_top_programs: 10, include_changes_under_chars: 5, "
				 "concise_implementation_max_lines: 2, comprehensive_implementation_min_lines: 4}",
				 texts);
	OE__AUTO(evaluation) oe_evaluation *mixed =
		desk_metrics("good", 0.9, "middling", 0.5, "bad", 0.3, NULL);
	OE__AUTO(evaluation) oe_evaluation *none = desk_metrics(NULL);
	static const struct {
		const char *code, *changes, *wanted;
	} cases[] = {
		{ "1\n2\n3", NULL, "<the way of a program that is early idea>" },
		{ "1\n2", NULL, "<very short>" },
		{ "1\n2\n3\n4", NULL, "<worked out at length>" },
		{ "1\n2\n3", "1234", "<came from this change: 1234>" },
		{ "1\n2\n3", "12345", "<the way of a program that is early idea>" }, /* not under 5 */
		{ "class A:\n\n  def __init__(self):", NULL, "<built from classes>" },
		{ "CLASS A:\n\n  DEF __INIT__(self):", NULL, "<built from classes>" },
		{ "class A:\n\n", NULL, "<the way of a program that is early idea>" },
		{ "import NumPy\n\n", NULL, "<computes with NumPy arrays>" },
		{ "x = np.zeros(1)\n\n", NULL, "<computes with NumPy arrays>" },
		{ "for i in x:\n\nwhile True:", NULL, "<mixes kinds of loops>" },
		{ "for i in x:\n\n", NULL, "<the way of a program that is early idea>" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		struct oe__prompt_record record = desk_record(cases[i].code, none);
		record.changes = cases[i].changes;
		expect(set, &record, cases[i].wanted);
	}
	struct oe__prompt_record record = desk_record("1\n2\n3", mixed);
	expect(set, &record, "<very good good (0.900), gives up bad for something else>");
}
END_TEST

/* A list ends when it has as many as there are top programs. */
START_TEST(test_enough)
{
	static const struct desk_text texts[] = { PLACE("{program_number} {unique_features}") };
	OE__AUTO(prompt_set) struct oe__prompt_set *two = desk_set("prompt: {num_top_programs: 2}", texts);
	OE__AUTO(prompt_set) struct oe__prompt_set *none = desk_set("prompt: {num_top_programs: 0}", texts);
	OE__AUTO(evaluation) oe_evaluation *metrics = desk_metrics("a", 1., "b", 1., "c", 1., NULL);
	struct oe__prompt_record records[] = { desk_record("x", metrics), desk_record("y", metrics) };
	struct oe__prompt_input input = desk_input("x");

	input.inspirations = records;
	input.inspiration_count = 2;
	desk_expect(two, &input, "<1 very good a (1.000), very good b (1.000)\n\n"
							 "2 very good a (1.000), very good b (1.000)>");
	desk_expect(none, &input, "<1 \n\n2>");
	input.inspiration_count = 0;
	desk_expect(two, &input, "");
}
END_TEST

/* A metric that is text, or no number, is neither good nor bad. */
START_TEST(test_odd_metrics)
{
	static const struct desk_text texts[] = { PLACE("{score} {unique_features}") };
	OE__AUTO(prompt_set) struct oe__prompt_set *set = desk_set("{}", texts);
	OE__AUTO(evaluation) oe_evaluation *metrics = NULL;
	const struct oe__value text = { .type = OE__VALUE_STRING,
									.string = (char *)(uintptr_t) "x",
									.size = 1 };

	ck_assert_int_eq(oe_evaluation_new(&metrics), 0);
	ck_assert_int_eq(oe__evaluation_set_value(metrics, "word", &text), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(metrics, "nan", 0. / 0.), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(metrics, "real", 0.5), 0);
	oe__evaluation_freeze(metrics);
	struct oe__prompt_record record = desk_record("", metrics);
	expect(set, &record, "<0.5000 the way of a program that is promising>");
}
END_TEST

TEST_MAIN("inspiration", test_types, test_features, test_enough, test_odd_metrics)
