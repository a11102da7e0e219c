/* What evaluations and models report beyond every limit: a verdict says so, and nothing breaks. */

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "evaluator/feedback.h"
#include "evaluator/python_result.h"
#include "test.h"

/* A frame with these contents, of a child that ended well. */
static oe_evaluation *evaluated(const struct oe__buffer *json)
{
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(OE__FRAME_MAX);
	OE__AUTO(output) struct oe__output output = { 0 };
	struct oe__child_end end = { .exited = true, .timeout_ms = 1000 };
	oe_evaluation *evaluation = NULL;

	for (int i = 0; i < 8; i++)
		oe__buffer_char(&bytes, (char)((uint64_t)json->size >> 8 * i));
	ck_assert_int_eq(oe__buffer_append(&bytes, json->data, json->size), 0);
	ck_assert_int_eq(oe__output_init(&output, 64), 0);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe__python_result(evaluation, &bytes, &output, &end), 0);
	return evaluation;
}

START_TEST(test_frame_beyond_the_cap)
{
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(16);
	OE__AUTO(output) struct oe__output output = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	struct oe__child_end end = { .exited = true };

	ck_assert_int_eq(oe__buffer_append(&bytes, "\x10\0\0\0\0\0\0\0{", 9), 0);
	ck_assert_int_eq(oe__buffer_text(&bytes, "\"metrics\": {}}"), OE_ERR_LIMIT);
	ck_assert_int_eq(oe__output_init(&output, 64), 0);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe__python_result(evaluation, &bytes, &output, &end), 0);
	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_PROTOCOL_VIOLATION);
}
END_TEST

static void put_many(struct oe__buffer *json, const char *value, int count)
{
	for (int i = 0; i < count; i++)
		oe__buffer_printf(json, "%s\"m%d\": %s", i > 0 ? ", " : "", i, value);
}

static void put_repeated(struct oe__buffer *json, char c, size_t count)
{
	ck_assert_int_eq(oe__buffer_reserve(json, count), 0);
	memset(json->data + json->size, c, count);
	json->size += count;
	json->data[json->size] = '\0';
}

START_TEST(test_too_many_metrics)
{
	OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0);
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	oe__buffer_text(&json, "{\"metrics\": {");
	put_many(&json, "1", OE__METRICS_MAX + 1);
	oe__buffer_text(&json, "}}");
	evaluation = evaluated(&json);
	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_BAD_RESULT);
	ck_assert_ptr_nonnull(strstr(oe_evaluation_message(evaluation), "too many"));
}
END_TEST

/* The exception is still what it was, with what fits of what it says. */
START_TEST(test_exception_with_a_huge_text)
{
	OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0);
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	oe__buffer_text(&json, "{\"failure\": \"exception\", \"type\": \"ValueError\", \"message\": \"");
	put_repeated(&json, 'm', OE__ARTIFACT_MAX + 1);
	oe__buffer_text(&json, "\", \"traceback\": \"line 1\"}");
	evaluation = evaluated(&json);
	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_EXCEPTION);
	ck_assert_int_eq(strncmp(oe_evaluation_message(evaluation), "ValueError: mmm", 15), 0);
	ck_assert_uint_lt(strlen(oe_evaluation_message(evaluation)), 4096);
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "stderr")->data, "too large to be kept");
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "traceback")->data, "line 1");
}
END_TEST

static void read_feedback(const struct oe__buffer *answer, oe_evaluation *evaluation)
{
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };

	ck_assert_int_eq(oe__feedback_add(&feedback, answer->data, answer->size, 1), 0);
	ck_assert_int_eq(oe__feedback_apply(&feedback, 1, true, evaluation), 0);
}

/* A program is not lost for what a model says of it. */
START_TEST(test_feedback_beside_full_metrics)
{
	OE__AUTO(buffer) struct oe__buffer json = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(0);
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	oe__buffer_text(&json, "{\"metrics\": {\"combined_score\": 1, ");
	put_many(&json, "1", OE__METRICS_MAX - 3);
	oe__buffer_text(&json, "}}");
	evaluation = evaluated(&json);
	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_OK);
	oe__buffer_text(&answer, "{\"a\": 0.5, \"b\": 0.5, \"why\": \"plain\"}");
	read_feedback(&answer, evaluation);
	ck_assert_uint_eq(evaluation->metric_count, OE__METRICS_MAX - 2);
	ck_assert_double_eq(oe__evaluation_metric(evaluation, "combined_score")->value, 1);
	ck_assert_str_eq(oe__evaluation_artifact(evaluation, "why")->data, "plain");
	oe__buffer_clear(&answer);
	oe__buffer_text(&answer, "{\"a\": 0.5}"); /* with the average it fits exactly */
	read_feedback(&answer, evaluation);
	ck_assert_double_eq(oe__evaluation_metric(evaluation, "llm_a")->value, 0.5);
	ck_assert_double_lt(oe__evaluation_metric(evaluation, "combined_score")->value, 1);
}
END_TEST

START_TEST(test_feedback_without_end)
{
	OE__AUTO(buffer) struct oe__buffer answer = OE__BUFFER_INIT(0);
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	oe__buffer_text(&answer, "{");
	put_many(&answer, "\"r\"", OE__ARTIFACTS_MAX + 1);
	oe__buffer_text(&answer, "}");
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	read_feedback(&answer, evaluation);
	ck_assert_uint_eq(oe_evaluation_artifact_count(evaluation), OE__ARTIFACTS_MAX);
	oe__buffer_clear(&answer);
	oe__buffer_text(&answer, "{");
	put_many(&answer, "1", OE__METRICS_MAX + 1);
	oe__buffer_text(&answer, "}");
	ck_assert_int_eq(oe__feedback_add(&feedback, answer.data, answer.size, 1), OE_ERR_FORMAT);
}
END_TEST

TEST_MAIN("limits", test_frame_beyond_the_cap, test_too_many_metrics,
          test_exception_with_a_huge_text, test_feedback_beside_full_metrics,
          test_feedback_without_end)
