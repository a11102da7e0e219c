/* lib/evaluator/feedback.c: what models say of a program, and how much it counts. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/rng.h"
#include "evaluator/feedback.h"
#include "test.h"

static double value_of(const oe_evaluation *evaluation, const char *name)
{
	const struct oe__metric *metric = oe__evaluation_metric(evaluation, name);

	return metric ? metric->value : (double)NAN;
}

static oe_evaluation *new_evaluation(void)
{
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	return evaluation;
}

static int add(struct oe__feedback *feedback, const char *answer, double share)
{
	return oe__feedback_add(feedback, answer, strlen(answer), share);
}

START_TEST(test_objects)
{
	static const char *const answers[] = {
		"{\"a\": 0.5}",
		"Well:\n```json\n{\"a\": 0.5}\n```\nas {asked}.",
		"Sure, {\"a\": 0.5} it is",
		"```json\n{\"a\": 0.5}", /* not closed */
		"```json\n{\"a\": 0.25, \"a\": 0.5}\n```", /* the last one stands */
	};

	for (size_t i = 0; i < OE__COUNT(answers); i++) {
		OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
		OE__AUTO(evaluation) oe_evaluation *evaluation = new_evaluation();
		ck_assert_msg(add(&feedback, answers[i], 1) == 0, "%s", answers[i]);
		ck_assert_int_eq(oe__feedback_apply(&feedback, 1, true, evaluation), 0);
		ck_assert_msg(value_of(evaluation, "llm_a") == 0.5, "%s: %g", answers[i],
					  value_of(evaluation, "llm_a"));
	}
}
END_TEST

START_TEST(test_no_objects)
{
	static const char *const answers[] = { "", "no", "{", "}{", "{a: 1}", "```json\n[1]\n```",
										   "{\"a\": 1", "{\"a\": 1} {\"b\": 2}" };

	for (size_t i = 0; i < OE__COUNT(answers); i++) {
		OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
		ck_assert_msg(add(&feedback, answers[i], 1) == OE_ERR_FORMAT, "%s", answers[i]);
	}
	/* Deeper than anybody would answer, and more names. */
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
	OE__AUTO(buffer) struct oe__buffer deep = OE__BUFFER_INIT(0), many = OE__BUFFER_INIT(0);
	for (int i = 0; i < 100000; i++)
		oe__buffer_text(&deep, "{\"a\":");
	oe__buffer_text(&deep, "}");
	ck_assert_int_eq(add(&feedback, deep.data, 1), OE_ERR_FORMAT);
	for (int i = 0; i <= OE__METRICS_MAX; i++)
		oe__buffer_printf(&many, "%s\"%d\": 1", i ? ", " : "{", i);
	oe__buffer_text(&many, "}");
	ck_assert_int_eq(add(&feedback, many.data, 1), OE_ERR_FORMAT);
}
END_TEST

/* Ratings are weighted by the share of their model, remarks are kept as they are. */
START_TEST(test_weights)
{
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = new_evaluation();

	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", 1), 0);
	ck_assert_int_eq(add(&feedback, "{\"a\": 0.8, \"b\": true, \"why\": \"first\"}", 0.75), 0);
	ck_assert_int_eq(add(&feedback, "{\"a\": 0.4, \"b\": 0, \"why\": \"second\", \"c\": [1]}", 0.25), 0);
	ck_assert_int_eq(oe__feedback_apply(&feedback, 0.5, true, evaluation), 0);
	ck_assert_double_eq_tol(value_of(evaluation, "llm_a"), 0.35, 1e-12);
	ck_assert_double_eq_tol(value_of(evaluation, "llm_b"), 0.375, 1e-12);
	ck_assert_double_eq_tol(value_of(evaluation, "llm_average"), 0.3625, 1e-12);
	/* Seven tenths its own, three of the average before its weight. */
	ck_assert_double_eq_tol(value_of(evaluation, "combined_score"), 0.7 + 0.3 * 0.725, 1e-12);
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "why")->data, "second");
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "c")->data, "[1]");
}
END_TEST

START_TEST(test_without_artifacts)
{
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = new_evaluation();

	ck_assert_int_eq(add(&feedback, "{\"a\": 1, \"why\": \"x\"}", 1), 0);
	ck_assert_int_eq(oe__feedback_apply(&feedback, 1, false, evaluation), 0);
	ck_assert_uint_eq(evaluation->artifact_count, 0);
	ck_assert_double_eq(value_of(evaluation, "llm_a"), 1);
	ck_assert_ptr_null(oe__evaluation_metric(evaluation, "combined_score")); /* there was none */
}
END_TEST

/* Whatever models say, the evaluation is not lost: where there is no room, all ratings stay away. */
START_TEST(test_no_room)
{
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = new_evaluation();

	for (int i = 0; i < OE__METRICS_MAX - 1; i++) {
		char name[32];
		snprintf(name, sizeof(name), "m%d", i);
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, name, 1), 0);
	}
	ck_assert_int_eq(add(&feedback, "{\"a\": 1, \"b\": 1, \"why\": \"x\"}", 1), 0);
	ck_assert_int_eq(oe__feedback_apply(&feedback, 1, true, evaluation), 0);
	ck_assert_ptr_null(oe__evaluation_metric(evaluation, "llm_a"));
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "why")->data, "x");
}
END_TEST

/* Any bytes: no crash, and nothing but the three answers there are. */
START_TEST(test_random)
{
	static const char *const pieces[] = { "{", "}", "\"a\"", ":", ",", "1", "-1e999", "[", "]", "```json\n",
										  "\n```", "null", "true", "\"\\u0000\"", "\xff", " ", "\"", "\\" };
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 50000; round++) {
		OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
		OE__AUTO(evaluation) oe_evaluation *evaluation = new_evaluation();
		OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(0);
		size_t count = oe__rng_below(&rng, 15);
		for (size_t i = 0; i < count; i++)
			oe__buffer_text(&answer, pieces[oe__rng_below(&rng, OE__COUNT(pieces))]);
		int status = oe__feedback_add(&feedback, oe__buffer_string(&answer), answer.size, 0.5);
		ck_assert(status == 0 || status == OE_ERR_FORMAT);
		if (status == 0)
			ck_assert_int_eq(oe__feedback_apply(&feedback, 1, true, evaluation), 0);
	}
}
END_TEST

TEST_MAIN("feedback", test_objects, test_no_objects, test_weights, test_without_artifacts,
		  test_no_room, test_random)
