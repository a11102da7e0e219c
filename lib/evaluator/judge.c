/*
 * An evaluator that asks models what they think of a program, after another one has judged it:
 * OpenEvolve's LLM feedback. Composite: continuations, no thread waits.
 *
 *     inner evaluation -> one question per model, in order -> everything into the caller's
 *
 * A model that fails, or answers something else, costs the program nothing: then there is no
 * feedback at all.
 */

#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "config/config.h"
#include "evaluator/evaluator.h"
#include "evaluator/feedback.h"
#include "llm/completion.h"
#include "llm/ensemble.h"
#include "llm/llm.h"
#include "prompt/prompt.h"

struct judge {
	oe_evaluator *inner;
	oe_llm *models;
	struct oe__prompt_set *prompts;
	double weight;
	bool artifacts;
	pthread_mutex_t mutex;
	struct judging *judgings; /* under way; guarded by mutex */
};

struct judging {
	struct judge *judge;
	struct judging *next;      /* guarded by the judge's mutex, as the next two */
	bool cancelled, asking;
	oe_evaluation *evaluation; /* of the caller: to be written and finished */
	oe_evaluation *found;      /* what the inner evaluator did              */
	struct oe__evaluation_call call;
	struct oe__llm_call question;
	struct oe__prompt prompt;
	struct oe__feedback feedback;
	size_t model;
	uint64_t seed;
	int64_t asked_ns;
};

/* Out of the list first: from then on nobody cancels it. */
static void judging_free(struct judging *judging)
{
	struct judge *judge = judging->judge;

	pthread_mutex_lock(&judge->mutex);
	for (struct judging **link = &judge->judgings; *link; link = &(*link)->next)
		if (*link == judging) {
			*link = judging->next;
			break;
		}
	pthread_mutex_unlock(&judge->mutex);
	oe__evaluation_call_release(&judging->call);
	oe__llm_call_release(&judging->question);
	oe__prompt_done(&judging->prompt);
	oe__feedback_done(&judging->feedback);
	oe_evaluation_unref(judging->found);
	oe__free(judging);
}

/* ---- the end ---- */

static void fail(struct judging *judging, int status, const oe_error *given)
{
	oe_evaluation *evaluation = judging->evaluation;
	oe_error err = given ? *given : (oe_error){ 0 };

	judging_free(judging);
	oe_evaluation_finish(evaluation, status, &err);
}

static void finish(struct judging *judging, bool feedback)
{
	oe_evaluation *evaluation = judging->evaluation;
	const oe_evaluation *found = judging->found;
	const struct judge *judge = judging->judge;

	int status = oe__evaluation_merge(evaluation, found);
	if (status == 0 && feedback)
		status = oe__feedback_apply(&judging->feedback, judge->weight, judge->artifacts, evaluation);
	if (status == 0 && found->verdict != OE_VERDICT_OK)
		status = oe_evaluation_set_verdict(evaluation, found->verdict,
		                                   oe_evaluation_message(found));
	oe__evaluation_copy_usage(evaluation, found);
	judging_free(judging);
	oe_evaluation_finish(evaluation, status, NULL);
}

/* ---- questions ---- */

static void answered(struct oe__llm_call *call);

static void ask(struct judging *judging)
{
	struct judge *judge = judging->judge;
	double share = 0;
	oe_llm *model = oe__ensemble_member(judge->models, judging->model, &share);

	if (!model) {
		finish(judging, true);
		return;
	}
	/* Whoever cancels sees the old call or the new one, never one in the making. */
	pthread_mutex_lock(&judge->mutex);
	oe__llm_call_release(&judging->question);
	judging->asking = true;
	judging->question = (struct oe__llm_call){
		.request = {
			.system = oe__buffer_string(&judging->prompt.system),
			.system_size = judging->prompt.system.size,
			.user = oe__buffer_string(&judging->prompt.user),
			.user_size = judging->prompt.user.size,
			.edit_mode = OE_EDIT_REWRITE,
			.seed = judging->seed,
			.language = judging->call.program->language,
		},
		.done = answered,
		.meter = oe__evaluation_meter(judging->evaluation),
	};
	bool unwanted = judging->cancelled || oe_evaluation_cancelled(judging->evaluation);
	int status = unwanted ? OE_ERR_CANCELLED : oe__llm_prepare(model, &judging->question);
	pthread_mutex_unlock(&judge->mutex);
	judging->asked_ns = oe__clock_ns();
	if (status < 0)
		fail(judging, status, NULL);
	else
		oe__llm_submit(&judging->question); /* it may be answered, and gone, by now */
}

/* What it cost counts, whatever came of it. Without memory for that it is forgotten. */
static void note_usage(struct judging *judging)
{
	const oe_completion *completion = judging->question.completion;

	if (!completion || completion->requests == 0)
		return;
	struct oe__question question = {
		.model = completion->model,
		.requests = completion->requests,
		.tokens_in = completion->tokens_in,
		.tokens_out = completion->tokens_out,
		.llm_ms = (double)(oe__clock_ns() - judging->asked_ns) / 1e6,
		.answered = judging->question.status == 0,
	};
	(void)oe__evaluation_add_question(judging->evaluation, &question);
}

static void answered(struct oe__llm_call *call)
{
	struct judging *judging = OE__CONTAINER(call, struct judging, question);
	double share = 0;
	size_t size = 0;

	note_usage(judging);
	/* Where there is no money for it the program is not judged without it either. */
	if (call->status == OE_ERR_CANCELLED || oe__llm_failure(call) == OE__LLM_FAILURE_UNPAID) {
		fail(judging, call->status, &call->completion->error);
		return;
	}
	(void)oe__ensemble_member(judging->judge->models, judging->model, &share);
	const char *text = call->status < 0 ? "" : oe_completion_text(call->completion, &size);
	int status = oe__feedback_add(&judging->feedback, text, size, share);
	if (status == OE_ERR_NOMEM) {
		fail(judging, status, NULL);
	} else if (status < 0) {
		finish(judging, false);
	} else {
		judging->model++;
		ask(judging);
	}
}

static void judged(struct oe__evaluation_call *call)
{
	struct judging *judging = OE__CONTAINER(call, struct judging, call);
	oe_error err = { 0 };

	if (call->status < 0) {
		fail(judging, call->status, &call->error);
		return;
	}
	judging->found = oe_evaluation_ref(call->evaluation);
	int status =
		oe__prompt_render_judge(judging->judge->prompts, call->program, &judging->prompt, &err);
	if (status < 0)
		fail(judging, status, &err);
	else
		ask(judging);
}

/* ---- the table ---- */

static int start(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
                 oe_error *err)
{
	struct judge *judge = self;
	struct judging *judging = oe__calloc(1, sizeof(*judging));

	if (!judging)
		return oe__error_nomem(err);
	judging->judge = judge;
	judging->evaluation = evaluation;
	judging->prompt = (struct oe__prompt)OE__PROMPT_INIT;
	judging->seed = request->seed;
	judging->call.program = request->program;
	judging->call.iteration = (oe_iteration *)(uintptr_t)request->iteration;
	judging->call.seed = request->seed;
	judging->call.timeout_ms = request->timeout_ms;
	judging->call.meter = oe__evaluation_meter(evaluation);
	judging->call.done = judged;
	pthread_mutex_lock(&judge->mutex);
	judging->next = judge->judgings;
	judge->judgings = judging;
	/* Cancelled before it was in the list: nobody has found it there. */
	int status = oe_evaluation_cancelled(evaluation)
	                 ? OE_ERR_CANCELLED
	                 : oe__evaluator_prepare(judge->inner, &judging->call);
	pthread_mutex_unlock(&judge->mutex);
	if (status < 0) {
		judging_free(judging);
		return oe__error(err, status, "%s", oe_status_string(status));
	}
	oe__evaluator_submit(&judging->call);
	return 0;
}

static void cancel(void *self, oe_evaluation *evaluation)
{
	struct judge *judge = self;
	struct oe__evaluation_hold hold = { NULL, NULL };
	struct oe__llm_hold question = { NULL, NULL };

	pthread_mutex_lock(&judge->mutex);
	for (struct judging *judging = judge->judgings; judging; judging = judging->next) {
		if (judging->evaluation != evaluation)
			continue;
		judging->cancelled = true;
		if (!judging->asking && judging->call.sink)
			hold = oe__evaluation_call_hold(&judging->call);
		else if (judging->question.completion)
			question = oe__llm_call_hold(&judging->question);
		break;
	}
	pthread_mutex_unlock(&judge->mutex);
	/* Without the lock: either may finish in its cancel(), which comes back here. */
	oe__evaluation_hold_cancel(&hold);
	oe__llm_hold_cancel(&question);
}

static const char *confinement(void *self)
{
	const struct judge *judge = self;
	return oe_evaluator_confinement(judge->inner);
}

static void judge_free(void *self)
{
	struct judge *judge = self;

	oe_evaluator_unref(judge->inner);
	oe_llm_unref(judge->models);
	oe__prompt_set_unref(judge->prompts);
	pthread_mutex_destroy(&judge->mutex);
	oe__free(judge);
}

int oe_evaluator_judge_new(const oe_config *config, oe_evaluator *inner, oe_llm *models,
                           oe_evaluator **out, oe_error *err)
{
	static const oe_evaluator_vtable vtable = {
		.struct_size = sizeof(oe_evaluator_vtable),
		.name = "judge",
		.start = start,
		.cancel = cancel,
		.free = judge_free,
		.confinement = confinement,
	};

	if (!config || !inner || !models || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_evaluator_judge_new: NULL argument");
	struct judge *judge = oe__calloc(1, sizeof(*judge));
	if (!judge)
		return oe__error_nomem(err);
	pthread_mutex_init(&judge->mutex, NULL);
	judge->inner = oe_evaluator_ref(inner);
	judge->models = oe_llm_ref(models);
	judge->weight = oe__config_real(config, "evaluator.llm_feedback_weight");
	judge->artifacts = oe__config_bool(config, "evaluator.enable_artifacts");
	int status = oe__prompt_set_new(config, &judge->prompts, err);
	if (status == 0)
		status = oe_evaluator_new(&vtable, judge, out, err);
	if (status < 0)
		judge_free(judge);
	else
		/* The time that models take is their own; the inner one has to keep the evaluation's. */
		oe__evaluator_set_keeps_deadlines(*out, oe__evaluator_keeps_deadlines(inner));
	return status;
}
