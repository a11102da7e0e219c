/* lib/evaluator/judge.c: models that are asked about a program after it was evaluated. */

#include "config/config.h"
#include "llm/llm.h"
#include "scripted.h"

/* ---- models ---- */

struct model {
	const char *text; /* NULL: it fails */
	bool held;
	atomic_int asked, cancelled;
	oe_completion *completion;
	uint64_t seed;
	char prompt[20000];
};

static int model_start(void *self, const oe_llm_request *request, oe_completion *completion,
					   oe_error *err)
{
	struct model *model = self;

	atomic_fetch_add(&model->asked, 1);
	model->seed = request->seed;
	ck_assert_ptr_null(request->iteration);
	snprintf(model->prompt, sizeof(model->prompt), "%s\n%s", request->system, request->user);
	if (model->held) {
		model->completion = completion;
		return 0;
	}
	if (!model->text) {
		err->status = OE_ERR_LLM;
		return OE_ERR_LLM;
	}
	ck_assert_int_eq(oe_completion_append(completion, model->text, strlen(model->text)), 0);
	oe_completion_set_model(completion, "m");
	oe_completion_set_usage(completion, 30, model->text[0]);
	oe_completion_finish(completion, 0, NULL);
	return 0;
}

static void model_cancel(void *self, oe_completion *completion)
{
	struct model *model = self;

	atomic_fetch_add(&model->cancelled, 1);
	if (model->completion == completion) {
		model->completion = NULL;
		oe_completion_finish(completion, OE_ERR_CANCELLED, NULL);
	}
}

static oe_llm *ensemble_of(struct model *models, const double *weights, size_t count)
{
	oe_llm_vtable vtable = OE_LLM_VTABLE_INIT;
	oe_llm *ensemble = NULL;

	vtable.name = "model";
	vtable.start = model_start;
	vtable.cancel = model_cancel;
	ck_assert_int_eq(oe_llm_ensemble_new(&ensemble), 0);
	for (size_t i = 0; i < count; i++) {
		OE__AUTO(llm) oe_llm *model = NULL;
		ck_assert_int_eq(oe_llm_new(&vtable, &models[i], &model, NULL), 0);
		ck_assert_int_eq(oe_llm_ensemble_add(ensemble, model, weights[i]), 0);
	}
	return ensemble;
}

/* ---- judges ---- */

static struct scripted inner;
static const struct eval_step good = { .metric = "combined_score", .value = 1, .artifact = "printed" };

static oe_evaluator *judge_of(const char *yaml, const struct eval_step *step, oe_llm *models)
{
	OE__AUTO(evaluator) oe_evaluator *evaluator = scripted_evaluator(&inner, step, 1);
	oe_evaluator *judge = NULL;
	oe_config *config = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, yaml, strlen(yaml), "test", &err) == 0, "%s",
				  err.message);
	ck_assert_msg(oe_evaluator_judge_new(config, evaluator, models, &judge, &err) == 0, "%s",
				  err.message);
	oe_config_free(config);
	oe_llm_unref(models);
	return judge;
}

static const double weights[] = { 3, 1 };

START_TEST(test_feedback)
{
	struct model models[] = { { .text = "{\"a\": 0.8, \"why\": \"neat\"}" }, { .text = "{\"a\": 0.4}" } };
	OE__AUTO(evaluator) oe_evaluator *judge =
		judge_of("evaluator: {llm_feedback_weight: 0.5}", &good, ensemble_of(models, weights, 2));
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(judge);

	ck_assert_double_eq_tol(metric_of(evaluation, "llm_a"), 0.35, 1e-12);
	ck_assert_double_eq_tol(metric_of(evaluation, "combined_score"), 0.7 + 0.3 * 0.7, 1e-12);
	ck_assert_pstr_eq(artifact_of(evaluation, "why"), "neat");
	ck_assert_pstr_eq(artifact_of(evaluation, "said"), "printed");
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(atomic_load(&models[i].asked), 1);
		ck_assert_uint_eq(models[i].seed, 7);
		ck_assert_ptr_nonnull(strstr(models[i].prompt, "x = 1"));
	}
}
END_TEST

/* A model that fails, or says something else, costs the program nothing: there is no feedback then. */
START_TEST(test_no_feedback)
{
	static const char *const answers[] = { NULL, "I like it", "" };

	for (size_t i = 0; i < OE__COUNT(answers); i++) {
		struct model models[] = { { .text = "{\"a\": 1}" }, { .text = answers[i] } };
		OE__AUTO(evaluator) oe_evaluator *judge =
			judge_of("{}", &good, ensemble_of(models, weights, 2));
		OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(judge);
		ck_assert_double_eq(metric_of(evaluation, "combined_score"), 1);
		ck_assert_ptr_null(oe__evaluation_metric(evaluation, "llm_a"));
		ck_assert_pstr_eq(artifact_of(evaluation, "said"), "printed");
		ck_assert_int_eq(evaluation->verdict, OE_VERDICT_OK);
	}
}
END_TEST

/* A failed program is judged too, and stays a failed one; an evaluator that broke is not asked about. */
START_TEST(test_failed)
{
	static const struct eval_step failed = { .verdict = OE_VERDICT_WALL_TIMEOUT };
	static const struct eval_step broken = { .status = OE_ERR_EVALUATOR };
	struct model model = { .text = "{\"a\": 1}" };
	oe_error err = { 0 };

	OE__AUTO(evaluator) oe_evaluator *first = judge_of("{}", &failed, ensemble_of(&model, weights, 1));
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(first);
	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_WALL_TIMEOUT);
	ck_assert_str_eq(oe_evaluation_message(evaluation), "as told");
	ck_assert(oe__evaluation_failed(evaluation));
	int asked = atomic_load(&model.asked);
	OE__AUTO(evaluator) oe_evaluator *second =
		judge_of("{}", &broken, ensemble_of(&model, weights, 1));
	ck_assert_int_eq(evaluate_badly(second, &err), OE_ERR_EVALUATOR);
	ck_assert_int_eq(atomic_load(&model.asked), asked);
}
END_TEST

START_TEST(test_without_artifacts)
{
	struct model model = { .text = "{\"a\": 1, \"why\": \"neat\"}" };
	OE__AUTO(evaluator) oe_evaluator *judge =
		judge_of("evaluator: {enable_artifacts: false}", &good, ensemble_of(&model, weights, 1));
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(judge);

	ck_assert_ptr_null(artifact_of(evaluation, "why"));
}
END_TEST

/* While the program is evaluated, and while a model is asked: both end in their cancel(). */
START_TEST(test_cancel)
{
	static const struct eval_step held = { .held = true };
	struct model models[] = { { .text = "{\"a\": 1}" }, { .held = true } };
	struct tasks all;

	OE__AUTO(evaluator) oe_evaluator *first = judge_of("{}", &held, ensemble_of(models, weights, 2));
	tasks_start(&all, first, 5);
	for (size_t i = 0; i < 5; i++)
		oe__evaluator_cancel(&all.items[i].call);
	tasks_check_cancelled(&all);
	ck_assert_int_eq(atomic_load(&models[0].asked), 0);

	OE__AUTO(evaluator) oe_evaluator *second = judge_of("{}", &good, ensemble_of(models, weights, 2));
	tasks_start(&all, second, 1);
	ck_assert_int_eq(atomic_load(&models[1].asked), 1);
	oe__evaluator_cancel(&all.items[0].call);
	tasks_check_cancelled(&all);
	ck_assert_int_eq(atomic_load(&models[1].cancelled), 1);
}
END_TEST

/* Cancelled before the judge had heard of it, and between two of its steps. */
START_TEST(test_cancel_between)
{
	static const struct eval_step held = { .held = true };
	struct model model = { .text = "{\"a\": 1}" };
	struct tasks all;

	OE__AUTO(evaluator) oe_evaluator *first = judge_of("{}", &good, ensemble_of(&model, weights, 1));
	tasks_prepare(&all, first, 1);
	oe__evaluation_unwant(all.items[0].call.sink);
	oe__evaluator_submit(&all.items[0].call);
	tasks_check_cancelled(&all);
	ck_assert_uint_eq(inner.script.asked, 0);

	OE__AUTO(evaluator) oe_evaluator *second = judge_of("{}", &held, ensemble_of(&model, weights, 1));
	tasks_start(&all, second, 1);
	oe_evaluation *evaluation = script_take(&inner.script, NULL);
	oe__evaluator_cancel(&all.items[0].call);
	scripted_finish(&good, evaluation); /* it came through all the same */
	tasks_check_cancelled(&all);
	ck_assert_int_eq(atomic_load(&model.asked), 0);
}
END_TEST

/* Every question is noted with what it cost, answered or not; also where nobody wants the answer. */
START_TEST(test_usage)
{
	struct model models[] = { { .text = "{\"a\": 0.8}" }, { .text = NULL } };
	struct tasks all;
	OE__AUTO(evaluator) oe_evaluator *judge = judge_of("{}", &good, ensemble_of(models, weights, 2));
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(judge);

	ck_assert_uint_eq(evaluation->question_count, 2);
	const struct oe__question *first = &evaluation->questions[0], *second = first + 1;
	ck_assert_str_eq(first->model, "m");
	ck_assert_int_eq(first->tokens_in, 30);
	ck_assert_int_eq(first->tokens_out, '{');
	ck_assert_int_eq(first->requests, 1);
	ck_assert(first->answered && !second->answered);
	ck_assert_int_eq(second->tokens_in, -1);
	ck_assert_int_eq(second->requests, 1);

	struct model held = { .text = "{}", .held = true };
	OE__AUTO(evaluator) oe_evaluator *other = judge_of("{}", &good, ensemble_of(&held, weights, 1));
	tasks_start(&all, other, 1);
	oe__evaluator_cancel(&all.items[0].call);
	tasks_wait(&all);
	ck_assert_uint_eq(all.items[0].call.sink->question_count, 1);
	ck_assert(!all.items[0].call.sink->questions[0].answered);
	tasks_check_cancelled(&all);
}
END_TEST

/* It keeps deadlines only if what it asks first does. */
START_TEST(test_deadlines)
{
	for (int keeps = 0; keeps < 2; keeps++) {
		OE__AUTO(evaluator) oe_evaluator *evaluator = scripted_evaluator(&inner, &good, 1);
		OE__AUTO(evaluator) oe_evaluator *judge = NULL;
		OE__AUTO(llm) oe_llm *models = ensemble_of(NULL, NULL, 0);
		oe_config *config = NULL;
		ck_assert_int_eq(oe_config_new(&config), 0);
		oe__evaluator_set_keeps_deadlines(evaluator, keeps);
		ck_assert_int_eq(oe_evaluator_judge_new(config, evaluator, models, &judge, NULL), 0);
		ck_assert(oe__evaluator_keeps_deadlines(judge) == keeps);
		oe_config_free(config);
	}
}
END_TEST

TEST_MAIN("judge", test_feedback, test_no_feedback, test_failed, test_without_artifacts, test_cancel,
		  test_cancel_between, test_usage, test_deadlines)
