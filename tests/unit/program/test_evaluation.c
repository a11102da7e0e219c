/* lib/program/evaluation.c and metric.c */

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "program/evaluation.h"
#include "test.h"

static oe_evaluation *fresh(void)
{
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	return evaluation;
}

START_TEST(test_metrics_keep_order_and_replace)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();
	double value = -1;

	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "b", 0.5), 0);
	ck_assert_int_eq(oe__evaluation_set_int(evaluation, "a", 3), 0);
	ck_assert_int_eq(oe__evaluation_set_bool(evaluation, "ok", true), 0);
	ck_assert_int_eq(oe_evaluation_set_metric_json(evaluation, "list", "[1, 2.5, \"x\", NaN]"), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "b", 0.25), 0);

	ck_assert_uint_eq(oe_evaluation_metric_count(evaluation), 4);
	ck_assert_str_eq(oe_evaluation_metric_at(evaluation, 0, &value), "b");
	ck_assert_double_eq(value, 0.25);
	ck_assert_str_eq(oe_evaluation_metric_json(evaluation, 0), "0.25");
	ck_assert_str_eq(oe_evaluation_metric_json(evaluation, 1), "3");
	ck_assert_str_eq(oe_evaluation_metric_json(evaluation, 2), "true");
	ck_assert_ptr_nonnull(strstr(oe_evaluation_metric_json(evaluation, 3), "null"));
	ck_assert_str_eq(oe_evaluation_metric_at(evaluation, 3, &value), "list");
	ck_assert(isnan(value));
	ck_assert_ptr_null(oe_evaluation_metric_at(evaluation, 4, &value));
}
END_TEST

START_TEST(test_json_numbers_are_numbers)
{
	static const struct {
		const char *json, *shown;
		enum oe__metric_kind kind;
	} cases[] = { { "7", "7", OE__METRIC_INT },
				  { "-1.5e3", "-1500.0", OE__METRIC_REAL },
				  { "false", "false", OE__METRIC_BOOL },
				  { "null", "null", OE__METRIC_JSON },
				  { "\"0.5\"", "\"0.5\"", OE__METRIC_JSON },
				  { "Infinity", "null", OE__METRIC_REAL },
				  { "123456789012345678901234567890", "1.2345678901234568e+29", OE__METRIC_REAL } };

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();

		ck_assert_int_eq(oe_evaluation_set_metric_json(evaluation, "m", cases[i].json), 0);
		ck_assert_int_eq(evaluation->metrics[0].kind, cases[i].kind);
		ck_assert_str_eq(oe_evaluation_metric_json(evaluation, 0), cases[i].shown);
	}
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();
	ck_assert_int_lt(oe_evaluation_set_metric_json(evaluation, "m", "[1,"), 0);
	ck_assert_uint_eq(oe_evaluation_metric_count(evaluation), 0);
}
END_TEST

START_TEST(test_nonfinite_is_flagged)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();

	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "m", NAN), 0);
	ck_assert(evaluation->nonfinite);
	ck_assert_str_eq(oe_evaluation_metric_json(evaluation, 0), "null");
}
END_TEST

START_TEST(test_limits)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();
	char name[OE__METRIC_NAME_MAX + 2];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, name, 1), OE_ERR_LIMIT);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, NULL, 1), OE_ERR_INVALID);
	for (int i = 0; i < OE__METRICS_MAX; i++) {
		name[0] = (char)('a' + i % 26);
		name[1] = (char)('a' + i / 26 % 26);
		name[2] = (char)('a' + i / 676);
		name[3] = '\0';
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, name, i), 0);
	}
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "one more", 1), OE_ERR_LIMIT);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "aaa", 7), 0);
}
END_TEST

START_TEST(test_artifacts)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();
	oe_bytes content;

	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "stderr", "oops", 4), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "raw", "\xff\x00", 2), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "none", NULL, 0), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "stderr", "better", 6), 0);
	ck_assert_uint_eq(oe_evaluation_artifact_count(evaluation), 3);
	ck_assert_str_eq(oe_evaluation_artifact_at(evaluation, 0, &content), "stderr");
	ck_assert_uint_eq(content.size, 6);
	ck_assert_mem_eq(content.data, "better", 7); /* its NUL included */
	ck_assert_int_eq(evaluation->artifacts[1].kind, OE__ARTIFACT_BYTES);
	ck_assert_uint_eq(evaluation->artifact_bytes, 8);
	OE__AUTO(memory) char *large = oe__calloc(1, OE__ARTIFACT_MAX);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "raw", large, OE__ARTIFACT_MAX),
					 OE_ERR_LIMIT); /* with the others */
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "raw", "", OE__ARTIFACT_MAX + 1),
					 OE_ERR_LIMIT); /* by itself, without a look at it */
	ck_assert_uint_eq(evaluation->artifact_bytes, 8);
}
END_TEST

static int finished, finish_status;

static void count_finish(oe_evaluation *evaluation, int status, const oe_error *err)
{
	(void)evaluation;
	(void)err;
	finished++;
	finish_status = status;
}

START_TEST(test_first_finish_wins)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();

	finished = 0;
	evaluation->on_finish = count_finish;
	oe__evaluation_lend(evaluation);
	ck_assert_int_eq(atomic_load(&evaluation->refs), 2);
	oe_evaluation_finish(evaluation, 0, NULL);
	oe_evaluation_finish(evaluation, OE_ERR_IO, NULL);
	ck_assert_int_eq(finished, 1);
	ck_assert_int_eq(finish_status, 0);
	ck_assert_int_eq(atomic_load(&evaluation->refs), 1);
	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_OK);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "late", 1), OE_ERR_STATE);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "late", "", 0), OE_ERR_STATE);
	ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXITED, NULL), OE_ERR_STATE);
	ck_assert(!oe__evaluation_abandon(evaluation));
}
END_TEST

START_TEST(test_abandoned_stays_harmless)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();

	finished = 0;
	evaluation->on_finish = count_finish;
	oe__evaluation_lend(evaluation);
	ck_assert(!oe_evaluation_cancelled(evaluation));
	ck_assert(oe__evaluation_abandon(evaluation));
	ck_assert(oe_evaluation_cancelled(evaluation));
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "late", 1), 0);
	oe_evaluation_finish(evaluation, 0, NULL);
	ck_assert_int_eq(finished, 0);
	ck_assert_int_eq(atomic_load(&evaluation->refs), 1);
	ck_assert(oe__evaluation_failed(evaluation));
}
END_TEST

START_TEST(test_broken_evaluator)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();
	oe_error err = { .message = "no connection" };

	oe_evaluation_finish(evaluation, OE_ERR_EVALUATOR, &err);
	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_SANDBOX_ERROR);
	ck_assert_str_eq(oe_evaluation_message(evaluation), "no connection");
	ck_assert(oe__evaluation_failed(evaluation));
}
END_TEST

START_TEST(test_failed)
{
	static const struct {
		const char *name, *json;
		bool failed;
	} cases[] = { { "combined_score", "0.5", false },
				  { "combined_score", "NaN", true },
				  { "combined_score", "\"x\"", true },
				  { "combined_score", "\"0.5\"", false },
				  { "error", "0.0", true },
				  { "timeout", "true", true },
				  { "ok", "true", false },
				  { "speed", "Infinity", true },
				  { "speed", "-3", false },
				  { "note", "\"text\"", true } };

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = fresh();

		ck_assert_int_eq(oe_evaluation_set_metric_json(evaluation, cases[i].name, cases[i].json),
						 0);
		ck_assert(oe__evaluation_failed(evaluation)); /* still open */
		oe__evaluation_freeze(evaluation);
		ck_assert_msg(oe__evaluation_failed(evaluation) == cases[i].failed, "%s: %s", cases[i].name,
					  cases[i].json);
	}
	OE__AUTO(evaluation) oe_evaluation *none = fresh();
	oe__evaluation_freeze(none);
	ck_assert(oe__evaluation_failed(none));
	OE__AUTO(evaluation) oe_evaluation *judged = fresh();
	ck_assert_int_eq(oe_evaluation_set_metric(judged, "score", 1), 0);
	ck_assert_int_eq(oe_evaluation_set_verdict(judged, OE_VERDICT_WALL_TIMEOUT, "too slow"), 0);
	oe__evaluation_freeze(judged);
	ck_assert(oe__evaluation_failed(judged));
	ck_assert_str_eq(oe_verdict_name(oe_evaluation_verdict(judged)), "wall_timeout");
	ck_assert_str_eq(oe_verdict_name(99), "unknown");
}
END_TEST

START_TEST(test_merge_and_json)
{
	OE__AUTO(evaluation) oe_evaluation *first = fresh(), *second = fresh();
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	struct oe__json_writer writer = { .out = &text };

	ck_assert_int_eq(oe_evaluation_set_metric(first, "a", 1), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(first, "b", INFINITY), 0);
	ck_assert_int_eq(oe_evaluation_set_metric_json(second, "a", "\"t\""), 0);
	ck_assert_int_eq(oe_evaluation_set_metric_json(second, "c", "{\"k\":[1]}"), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(second, "log", "line", 4), 0);
	oe__evaluation_freeze(second);
	ck_assert_int_eq(oe__evaluation_merge(first, second), 0);
	ck_assert_uint_eq(oe_evaluation_metric_count(first), 3);
	ck_assert_uint_eq(oe_evaluation_artifact_count(first), 1);

	oe__evaluation_metrics_write(first, &writer);
	ck_assert_int_eq(text.status, 0);
	ck_assert_int_eq(oe__json_parse(text.data, text.size, &value, NULL), 0);
	OE__AUTO(evaluation) oe_evaluation *back = fresh();
	ck_assert_int_eq(oe__evaluation_metrics_read(back, &value), 0);
	ck_assert_uint_eq(oe_evaluation_metric_count(back), 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(oe_evaluation_metric_json(back, i), oe_evaluation_metric_json(first, i));
}
END_TEST

/* What JSON has no word for comes back as it was, from wherever it lies, if Python's dialect may be
   used; where it may not, it is null. */
START_TEST(test_nonfinite_round_trip)
{
	static const char *const given[] = { "NaN", "Infinity", "-Infinity", "[1, NaN, {\"k\": [-Infinity]}]" };
	static const char *const strict[] = { "null", "null", "null", "[1, null, {\"k\": [null]}]" };
	OE__AUTO(evaluation) oe_evaluation *first = fresh(), *copied = fresh(), *back = fresh();
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	struct oe__json_writer python = { .out = &text, .python = true };

	for (size_t i = 0; i < OE__COUNT(given); i++)
		ck_assert_int_eq(oe_evaluation_set_metric_json(first, (char[]){ (char)('a' + i), 0 }, given[i]), 0);
	oe__evaluation_freeze(first);
	ck_assert_int_eq(oe__evaluation_merge(copied, first), 0);
	oe__evaluation_metrics_write(copied, &python);
	ck_assert_int_eq(oe__json_parse(oe__buffer_string(&text), text.size, &value, NULL), 0);
	ck_assert_int_eq(oe__evaluation_metrics_read(back, &value), 0);
	for (size_t i = 0; i < OE__COUNT(given); i++) {
		ck_assert_int_eq(back->metrics[i].kind, first->metrics[i].kind);
		ck_assert_str_eq(oe__metric_exact(&back->metrics[i]), given[i]);
		ck_assert_str_eq(oe_evaluation_metric_json(back, i), strict[i]);
	}
	oe__buffer_clear(&text);
	struct oe__json_writer writer = { .out = &text };
	oe__evaluation_metrics_write(back, &writer);
	ck_assert_str_eq(oe__buffer_string(&text),
					 "{\"a\": null, \"b\": null, \"c\": null, \"d\": [1, null, {\"k\": [null]}]}");
	/* Nothing stays of it in the metric that takes its place. */
	ck_assert_int_eq(oe_evaluation_set_metric_json(back, "d", "\"t\""), 0);
	ck_assert_str_eq(oe__metric_exact(&back->metrics[3]), "\"t\"");
}
END_TEST

TEST_MAIN("evaluation", test_metrics_keep_order_and_replace, test_json_numbers_are_numbers,
		  test_nonfinite_is_flagged, test_limits, test_artifacts, test_first_finish_wins,
		  test_abandoned_stays_harmless, test_broken_evaluator, test_failed, test_merge_and_json,
		  test_nonfinite_round_trip)
