/* lib/evaluator/cascade.c: how far a program climbs, what is added up, and that it can be stopped. */

#include "base/rng.h"
#include "evaluator/cascade.h"
#include "scripted.h"

#define STAGES_MAX 4

static struct scripted stages[STAGES_MAX];

static oe_evaluator *cascade_of(const struct oe__cascade_options *options,
								const struct eval_step *steps, const double *thresholds, size_t count)
{
	oe_evaluator *cascade = NULL;

	ck_assert_int_eq(oe__cascade_new(options, &cascade, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		OE__AUTO(evaluator) oe_evaluator *stage = scripted_evaluator(&stages[i], &steps[i], 1);
		ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, thresholds[i]), 0);
	}
	return cascade;
}

static const struct oe__cascade_options with_artifacts = { .artifacts = true };

/* As many stages are run as are reached: each but the last only if the one before was passed. */
START_TEST(test_how_far)
{
	static const double values[] = { -1, 0, 0.3, 0.5, 0.8, (double)NAN, (double)INFINITY,
									 -(double)INFINITY };
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int round = 0; round < 500; round++) {
		struct eval_step steps[STAGES_MAX] = { { .metric = NULL } };
		double thresholds[STAGES_MAX];
		size_t count = 1 + oe__rng_below(&rng, STAGES_MAX), reached = 0;

		for (size_t i = 0; i < count; i++) {
			steps[i].metric = "combined_score";
			steps[i].value = values[oe__rng_below(&rng, OE__COUNT(values))];
			thresholds[i] = values[oe__rng_below(&rng, 5)];
		}
		while (reached + 1 < count && steps[reached].value >= thresholds[reached])
			reached++;
		OE__AUTO(evaluator) oe_evaluator *cascade =
			cascade_of(&with_artifacts, steps, thresholds, count);
		OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);
		for (size_t i = 0; i < count; i++)
			ck_assert_uint_eq(stages[i].script.asked, i <= reached);
		double score = metric_of(evaluation, "combined_score");
		ck_assert(isnan(steps[reached].value) ? isnan(score) : score == steps[reached].value);
		ck_assert_int_eq(evaluation->verdict, isfinite(score) ? OE_VERDICT_OK : OE_VERDICT_NONFINITE);
	}
}
END_TEST

/* Every stage is asked the same. */
START_TEST(test_requests)
{
	static const struct eval_step steps[] = { { .metric = "a", .value = 1 }, { .metric = "a", .value = 2 } };
	static const double thresholds[] = { 0, 0 };
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, steps, thresholds, 2);
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);

	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(stages[i].seed, 7);
		ck_assert_int_eq(stages[i].timeout_ms, 1500);
	}
	ck_assert_double_eq(metric_of(evaluation, "a"), 2);
}
END_TEST

/* Later stages add to the earlier ones; where both have something of a name, the later one's stands. */
START_TEST(test_merged)
{
	static const struct eval_step steps[] = {
		{ .metric = "a", .value = 1, .artifact = "first" },
		{ .metric = "b", .value = 2, .artifact = "second" },
		{ .metric = "error", .value = 3 },
	};
	static const double thresholds[] = { 0.5, 0.5, 0.5 };
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, steps, thresholds, 3);
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);

	ck_assert_double_eq(metric_of(evaluation, "a"), 1);
	ck_assert_double_eq(metric_of(evaluation, "b"), 2);
	ck_assert_ptr_null(oe__evaluation_metric(evaluation, "error"));
	ck_assert_pstr_eq(artifact_of(evaluation, "said"), "second");
}
END_TEST

/* What an evaluation waits for, and what comes after it, is not its time. */
START_TEST(test_time)
{
	static const struct eval_step steps[] = { { .metric = "a", .value = 1, .wall_ms = 1e7 },
		                                      { .verdict = OE_VERDICT_WALL_TIMEOUT, .wall_ms = 2e7 } };
	static const double thresholds[] = { 0, 0 };
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, steps, thresholds, 2);
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);

	ck_assert_double_eq(evaluation->wall_ms, 3e7);
}
END_TEST

/* A failure ends the climb; what was found before stays, and the verdict is the stage's. */
START_TEST(test_failures)
{
	static const struct eval_step steps[] = {
		{ .metric = "a", .value = 1, .artifact = "first" },
		{ .verdict = OE_VERDICT_SIGNALLED },
		{ .metric = "b", .value = 2 },
	};
	static const double thresholds[] = { 0.5, 0.5, 0.5 };
	struct oe__cascade_options staged = with_artifacts;

	staged.staged = true;
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&staged, steps, thresholds, 3);
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);
	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_SIGNALLED);
	ck_assert_str_eq(oe_evaluation_message(evaluation), "as told");
	ck_assert_double_eq(metric_of(evaluation, "a"), 1);
	ck_assert_double_eq(metric_of(evaluation, "stage2_passed"), 0);
	ck_assert_pstr_eq(artifact_of(evaluation, "said"), "first");
	ck_assert_pstr_eq(artifact_of(evaluation, "failure_stage"), "stage2");
	ck_assert_pstr_eq(artifact_of(evaluation, "stage2_stderr"), "as told");
	ck_assert_uint_eq(stages[2].script.asked, 0);
	ck_assert(oe__evaluation_failed(evaluation));
}
END_TEST

START_TEST(test_plain)
{
	static const struct eval_step step = { .metric = "a", .value = 1, .verdict = OE_VERDICT_WALL_TIMEOUT,
										   .artifact = "printed" };
	static const double threshold = -INFINITY;
	struct oe__cascade_options plain = { .plain = true, .artifacts = true };
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&plain, &step, &threshold, 1);
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);

	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_WALL_TIMEOUT);
	ck_assert_double_eq(metric_of(evaluation, "a"), 1);
	ck_assert_pstr_eq(artifact_of(evaluation, "said"), "printed");
	ck_assert_pstr_eq(artifact_of(evaluation, "verdict"), "wall_timeout: as told");
	ck_assert_ptr_null(artifact_of(evaluation, "error_type"));
}
END_TEST

/* An evaluator that breaks is no verdict about the program. */
START_TEST(test_broken)
{
	static const struct eval_step steps[] = { { .metric = "a", .value = 1 },
											  { .status = OE_ERR_EVALUATOR } };
	static const struct eval_step refused = { .status = OE_ERR_IO, .refuses = true };
	static const double thresholds[] = { 0, 0 };
	OE__AUTO(evaluator) oe_evaluator *first = cascade_of(&with_artifacts, steps, thresholds, 2);
	oe_error err = { 0 };

	ck_assert_int_eq(evaluate_badly(first, &err), OE_ERR_EVALUATOR);
	ck_assert_ptr_nonnull(strstr(err.message, "step failed"));
	OE__AUTO(evaluator) oe_evaluator *second = cascade_of(&with_artifacts, &refused, thresholds, 1);
	ck_assert_int_eq(evaluate_badly(second, &err), OE_ERR_IO);
	OE__AUTO(evaluator) oe_evaluator *empty = cascade_of(&with_artifacts, NULL, NULL, 0);
	ck_assert_int_eq(evaluate_badly(empty, &err), OE_ERR_EVALUATOR);
	ck_assert_ptr_nonnull(strstr(err.message, "no stages"));
}
END_TEST

START_TEST(test_artifacts)
{
	static const struct eval_step steps[] = { { .metric = "a", .value = 1, .artifact = "0123456789" } };
	static const double threshold = 0;
	struct oe__cascade_options none = { .artifacts = false };
	struct oe__cascade_options little = { .artifacts = true, .artifact_bytes = 4 };

	OE__AUTO(evaluator) oe_evaluator *first = cascade_of(&none, steps, &threshold, 1);
	OE__AUTO(evaluation) oe_evaluation *without = evaluate(first);
	ck_assert_uint_eq(without->artifact_count, 0);
	OE__AUTO(evaluator) oe_evaluator *second = cascade_of(&little, steps, &threshold, 1);
	OE__AUTO(evaluation) oe_evaluation *cut = evaluate(second);
	ck_assert_int_eq(strncmp(artifact_of(cut, "said"), "0123\n... (cut", 13), 0);
}
END_TEST

/* More than one evaluation may hold is the stages' fault. */
static int give_many(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
					 oe_error *err)
{
	(void)request, (void)err;
	for (int i = 0; i < OE__METRICS_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%s%d", (const char *)self, i);
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, name, 1), 0);
	}
	return 0;
}

START_TEST(test_too_much)
{
	static char names[][2] = { "a", "b" };
	OE__AUTO(evaluator) oe_evaluator *cascade = NULL;
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;

	vtable.name = "many";
	vtable.evaluate = give_many;
	ck_assert_int_eq(oe_evaluator_cascade_new(&cascade), 0);
	for (size_t i = 0; i < 2; i++) {
		OE__AUTO(evaluator) oe_evaluator *stage = NULL;
		ck_assert_int_eq(oe_evaluator_new(&vtable, names[i], &stage, NULL), 0);
		ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, 0), 0);
	}
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(cascade);
	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_BAD_RESULT);
	ck_assert(oe__evaluation_failed(evaluation));
}
END_TEST

/* ---- stopping ---- */

START_TEST(test_cancel_stage)
{
	static const struct eval_step steps[] = { { .metric = "a", .value = 1 }, { .held = true },
											  { .metric = "a", .value = 1 } };
	static const double thresholds[] = { 0, 0, 0 };
	struct tasks all;
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, steps, thresholds, 3);

	tasks_start(&all, cascade, 20);
	ck_assert_uint_eq(stages[1].script.asked, 20);
	for (size_t i = 0; i < 20; i++)
		oe__evaluator_cancel(&all.items[i].call);
	tasks_check_cancelled(&all);
	ck_assert_uint_eq(stages[1].script.cancelled, 20);
	ck_assert_uint_eq(stages[2].script.asked, 0);
}
END_TEST

/* A stage that does not look and finishes all the same: the next one is not begun. */
START_TEST(test_cancel_between)
{
	static const struct eval_step steps[] = { { .held = true }, { .metric = "a", .value = 1 } };
	static const struct eval_step good = { .metric = "a", .value = 1 };
	static const double thresholds[] = { 0, 0 };
	struct tasks all;
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, steps, thresholds, 2);

	tasks_start(&all, cascade, 1);
	oe_evaluation *held = script_take(&stages[0].script, NULL);
	oe__evaluator_cancel(&all.items[0].call);
	scripted_finish(&good, held);
	tasks_check_cancelled(&all);
	ck_assert_uint_eq(stages[1].script.asked, 0);
}
END_TEST

/* Cancelled after it was submitted, but before the cascade had heard of it: then only the evaluation
   says so. */
START_TEST(test_cancel_unlisted)
{
	static const struct eval_step step = { .metric = "a", .value = 1 };
	static const double threshold = 0;
	OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, &step, &threshold, 1);
	struct tasks all;

	tasks_prepare(&all, cascade, 1);
	oe__evaluation_unwant(all.items[0].call.sink);
	oe__evaluator_submit(&all.items[0].call);
	tasks_check_cancelled(&all);
	ck_assert_uint_eq(stages[0].script.asked, 0);
}
END_TEST

static void *cancel_all(void *argument)
{
	struct tasks *all = argument;

	for (size_t i = 0; i < all->count; i++)
		oe__evaluator_cancel(&all->items[i].call);
	return NULL;
}

static void *let_all_go(void *argument)
{
	static const struct eval_step good = { .metric = "a", .value = 1 };
	atomic_bool *over = argument;

	while (!atomic_load(over))
		for (size_t i = 0; i < 2; i++) {
			oe_evaluation *held = script_take(&stages[i].script, NULL);
			if (held)
				scripted_finish(&good, held);
		}
	return NULL;
}

/* From several threads, while the stages end one after the other. */
START_TEST(test_cancel_anywhere)
{
	static const struct eval_step steps[] = { { .held = true }, { .held = true } };
	static const double thresholds[] = { 0, 0 };

	for (int round = 0; round < 100; round++) {
		struct tasks all;
		pthread_t canceller, finisher;
		atomic_bool over = false;
		OE__AUTO(evaluator) oe_evaluator *cascade = cascade_of(&with_artifacts, steps, thresholds, 2);

		tasks_start(&all, cascade, 30);
		ck_assert_int_eq(pthread_create(&finisher, NULL, let_all_go, &over), 0);
		ck_assert_int_eq(pthread_create(&canceller, NULL, cancel_all, &all), 0);
		cancel_all(&all);
		tasks_wait(&all);
		pthread_join(canceller, NULL);
		atomic_store(&over, true);
		pthread_join(finisher, NULL);
		for (size_t i = 0; i < 30; i++)
			ck_assert(all.items[i].call.status == 0 ||
					  all.items[i].call.status == OE_ERR_CANCELLED);
		tasks_done(&all);
	}
}
END_TEST

/* ---- what it is made of ---- */

static int never(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
				 oe_error *err)
{
	(void)self, (void)request, (void)evaluation, (void)err;
	return OE_ERR_EVALUATOR;
}

START_TEST(test_what_is_no_cascade)
{
	static const struct eval_step step = { .metric = "a" };
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	OE__AUTO(evaluator) oe_evaluator *cascade = NULL, *namesake = NULL,
									 *stage = scripted_evaluator(&stages[0], &step, 1);
	int own = 0;

	vtable.name = "cascade"; /* which is anybody's to choose */
	vtable.start = never;
	ck_assert_int_eq(oe_evaluator_new(&vtable, &own, &namesake, NULL), 0);
	ck_assert_int_eq(oe_evaluator_cascade_new(&cascade), 0);
	ck_assert_int_eq(oe_evaluator_cascade_new(NULL), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(namesake, stage, 0), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(stage, cascade, 0), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, NULL, 0), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(NULL, stage, 0), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, cascade, 0), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, (double)NAN), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, 0), 0);
}
END_TEST

/* It keeps deadlines as well as all of its stages do, whatever the order. */
START_TEST(test_deadlines)
{
	for (int keeps = 0; keeps < 8; keeps++) {
		static const struct eval_step step = { .metric = "a" };
		OE__AUTO(evaluator) oe_evaluator *cascade = NULL;
		ck_assert_int_eq(oe_evaluator_cascade_new(&cascade), 0);
		ck_assert(!oe__evaluator_keeps_deadlines(cascade));
		for (int i = 0; i < 3; i++) {
			OE__AUTO(evaluator) oe_evaluator *stage = scripted_evaluator(&stages[i], &step, 1);
			oe__evaluator_set_keeps_deadlines(stage, keeps >> i & 1);
			ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, 0), 0);
		}
		ck_assert(oe__evaluator_keeps_deadlines(cascade) == (keeps == 7));
	}
}
END_TEST

static const char *confined(void *self)
{
	return self;
}

START_TEST(test_confinement)
{
	static char one[] = "{1}", same[] = "{1}", two[] = "{2}";
	static char *const cases[][2] = { { one, same }, { one, two }, { one, NULL }, { NULL, one } };

	for (size_t c = 0; c < OE__COUNT(cases); c++) {
		OE__AUTO(evaluator) oe_evaluator *cascade = NULL;
		oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
		vtable.name = "confined";
		vtable.start = never;
		vtable.confinement = confined;
		ck_assert_int_eq(oe_evaluator_cascade_new(&cascade), 0);
		ck_assert_ptr_null(oe_evaluator_confinement(cascade));
		for (size_t i = 0; i < 2; i++) {
			OE__AUTO(evaluator) oe_evaluator *stage = NULL;
			ck_assert_int_eq(oe_evaluator_new(&vtable, cases[c][i], &stage, NULL), 0);
			ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, 0), 0);
		}
		ck_assert_pstr_eq(oe_evaluator_confinement(cascade), c == 0 ? "{1}" : NULL);
	}
}
END_TEST

TEST_MAIN("cascade", test_how_far, test_requests, test_time, test_merged, test_failures, test_plain, test_broken,
		  test_artifacts, test_too_much, test_cancel_stage, test_cancel_between, test_cancel_unlisted,
		  test_cancel_anywhere, test_what_is_no_cascade, test_deadlines, test_confinement)
