/* lib/evaluator/failure.c: what failed evaluations come to in OpenEvolve's words. */

#include "base/text.h"
#include "evaluator/failure.h"
#include "scripted.h"

static oe_evaluation *found(int verdict, const char *message, const char *const *artifacts,
							const char *metric)
{
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	if (verdict != OE_VERDICT_OK)
		ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, verdict, message), 0);
	for (; artifacts && artifacts[0]; artifacts += 2)
		ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, artifacts[0], artifacts[1],
													strlen(artifacts[1])),
						 0);
	if (metric)
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, metric, 1), 0);
	return evaluation;
}

static oe_evaluation *describe(int stage, const oe_evaluation *before, const oe_evaluation *failed)
{
	const struct oe__failure_context context = {
		.stage = stage, .timeout_ms = 2500, .thresholds = "[0.5]", .file = "evaluator.py"
	};
	oe_evaluation *out = NULL;

	ck_assert_int_eq(oe_evaluation_new(&out), 0);
	ck_assert_int_eq(oe__failure_describe(&context, before, failed, out), 0);
	return out;
}

START_TEST(test_exception)
{
	static const char *const artifacts[] = { "stderr", "no", "traceback", "line 1", "error_type",
											 "ValueError", "output", "printed", NULL };
	OE__AUTO(evaluation) oe_evaluation *failed =
		found(OE_VERDICT_EXCEPTION, "ValueError: no", artifacts, NULL);

	OE__AUTO(evaluation) oe_evaluation *direct = describe(0, NULL, failed);
	ck_assert_double_eq(metric_of(direct, "error"), 0);
	ck_assert_uint_eq(direct->metric_count, 1);
	ck_assert_pstr_eq(artifact_of(direct, "stderr"), "no");
	ck_assert_pstr_eq(artifact_of(direct, "traceback"), "line 1");
	ck_assert_pstr_eq(artifact_of(direct, "failure_stage"), "evaluation");
	ck_assert_pstr_eq(artifact_of(direct, "attempt"), "1");
	ck_assert_pstr_eq(artifact_of(direct, "output"), "printed");
	ck_assert_ptr_null(artifact_of(direct, "error_message"));

	OE__AUTO(evaluation) oe_evaluation *first = describe(1, NULL, failed);
	ck_assert_double_eq(metric_of(first, "stage1_passed"), 0);
	ck_assert_double_eq(metric_of(first, "error"), 0);
	ck_assert_pstr_eq(artifact_of(first, "error_type"), "ValueError");
	ck_assert_pstr_eq(artifact_of(first, "error_message"), "no");
	ck_assert_pstr_eq(artifact_of(first, "cascade_thresholds"), "[0.5]");
	ck_assert_pstr_eq(artifact_of(first, "timeout_config"), "2.5");
	ck_assert_pstr_eq(artifact_of(first, "evaluation_file"), "evaluator.py");

	OE__AUTO(evaluation) oe_evaluation *before = found(OE_VERDICT_OK, NULL, NULL, "score");
	OE__AUTO(evaluation) oe_evaluation *second = describe(2, before, failed);
	ck_assert_double_eq(metric_of(second, "score"), 1);
	ck_assert_double_eq(metric_of(second, "stage2_passed"), 0);
	ck_assert_ptr_null(oe__evaluation_metric(second, "error"));
	ck_assert_pstr_eq(artifact_of(second, "stage2_stderr"), "no");
	ck_assert_pstr_eq(artifact_of(second, "stage2_traceback"), "line 1");
	ck_assert_pstr_eq(artifact_of(second, "stage2_output"), "printed");
	ck_assert_pstr_eq(artifact_of(second, "failure_stage"), "stage2");
}
END_TEST

/* Ours, and that of the evaluator itself. */
START_TEST(test_timeouts)
{
	static const char *const raised[] = { "error_type", "TimeoutError", NULL };
	OE__AUTO(evaluation) oe_evaluation *killed = found(OE_VERDICT_WALL_TIMEOUT, "late", NULL, NULL);
	OE__AUTO(evaluation) oe_evaluation *own = found(OE_VERDICT_EXCEPTION, "late", raised, NULL);

	for (int stage = 0; stage < 4; stage++) {
		static const char *const names[] = { "evaluation", "stage1", "stage2", "stage3" };
		for (int which = 0; which < 2; which++) {
			OE__AUTO(evaluation) oe_evaluation *out = describe(stage, NULL, which ? own : killed);
			const struct oe__metric *timeout = oe__evaluation_metric(out, "timeout");
			ck_assert_int_eq(timeout->kind, OE__METRIC_BOOL);
			ck_assert_double_eq(timeout->value, 1);
			ck_assert_pstr_eq(artifact_of(out, "timeout"), "true");
			ck_assert_pstr_eq(artifact_of(out, "timeout_duration"), "2.5");
			ck_assert_pstr_eq(artifact_of(out, "failure_stage"), names[stage]);
			ck_assert_pstr_eq(artifact_of(out, "error_type"), "timeout");
			ck_assert((oe__evaluation_metric(out, "error") != NULL) == (stage < 2));
			ck_assert_pstr_eq(artifact_of(out, "stage2_timeout"), stage == 2 ? "true" : NULL);
			ck_assert_ptr_null(artifact_of(out, "stderr"));
		}
	}
}
END_TEST

/* A result of the wrong type has no words in OpenEvolve but an error. */
START_TEST(test_wrong_type)
{
	OE__AUTO(evaluation) oe_evaluation *failed = found(OE_VERDICT_BAD_RESULT, "a list", NULL, NULL);
	OE__AUTO(evaluation) oe_evaluation *out = describe(1, NULL, failed);

	ck_assert_uint_eq(out->metric_count, 1);
	ck_assert_double_eq(metric_of(out, "error"), 0);
	ck_assert_uint_eq(out->artifact_count, 0);
	/* But one that is too much is like any failure. */
	OE__AUTO(evaluation) oe_evaluation *much = found(OE_VERDICT_BAD_RESULT, "too many", NULL, "a");
	OE__AUTO(evaluation) oe_evaluation *told = describe(1, NULL, much);
	ck_assert_pstr_eq(artifact_of(told, "stderr"), "too many");
}
END_TEST

/* Every verdict leaves something that says so, and no score. */
START_TEST(test_all_verdicts)
{
	for (int verdict = OE_VERDICT_OK + 1; strcmp(oe_verdict_name(verdict), "unknown") != 0; verdict++) {
		OE__AUTO(evaluation) oe_evaluation *failed = found(verdict, "the reason", NULL, NULL);
		for (int stage = 0; stage < 4; stage++) {
			OE__AUTO(evaluation) oe_evaluation *out = describe(stage, NULL, failed);
			ck_assert_msg(out->metric_count > 0 || stage > 1, "%s", oe_verdict_name(verdict));
			ck_assert_ptr_null(oe__evaluation_metric(out, "combined_score"));
			ck_assert(oe__evaluation_failed(out));
		}
	}
}
END_TEST

START_TEST(test_own_timeout)
{
	OE__AUTO(evaluation) oe_evaluation *none = found(OE_VERDICT_OK, NULL, NULL, "timeout");
	OE__AUTO(evaluation) oe_evaluation *yes = found(OE_VERDICT_OK, NULL, NULL, "a");
	OE__AUTO(evaluation) oe_evaluation *no = found(OE_VERDICT_OK, NULL, NULL, "a");

	ck_assert_int_eq(oe__evaluation_set_bool(yes, "timeout", true), 0);
	ck_assert_int_eq(oe__evaluation_set_bool(no, "timeout", false), 0);
	ck_assert(!oe__failure_is_own_timeout(none)); /* a number is a number */
	ck_assert(oe__failure_is_own_timeout(yes));
	ck_assert(!oe__failure_is_own_timeout(no));
	OE__AUTO(evaluation) oe_evaluation *out = describe(0, yes, yes);
	ck_assert_double_eq(metric_of(out, "a"), 1);
	ck_assert_pstr_eq(artifact_of(out, "failure_stage"), "evaluation");
}
END_TEST

/* Between characters, and with a word about it. */
START_TEST(test_cut)
{
	static const char text[] = "a\xe2\x82\xac\xf0\x9f\x90\x9d";
	struct oe__artifact artifact = { .name = (char *)(uintptr_t) "x",
									 .data = (char *)(uintptr_t)text,
									 .size = sizeof(text) - 1 };

	for (size_t room = 0; room <= sizeof(text); room++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
		ck_assert_int_eq(oe__artifact_add_cut(evaluation, &artifact, room), 0);
		const char *cut = artifact_of(evaluation, "x");
		ck_assert(oe__utf8_valid(cut, strlen(cut)));
		ck_assert_ptr_nonnull(strstr(cut, "\n... (cut"));
		ck_assert(room == 0 || cut[0] == 'a');
		ck_assert_msg(!strstr(cut, "\xef\xbf\xbd"), "%zu: %s", room, cut);
	}
}
END_TEST

TEST_MAIN("failure", test_exception, test_timeouts, test_wrong_type, test_all_verdicts,
		  test_own_timeout, test_cut)
