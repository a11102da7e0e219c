#include "backends.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "ledger.h"
#include "model.h"
#include "script.h"
#include "world.h"

struct habits habits;

/* A question, or an evaluation, that is out. */
struct pending {
	struct happening happening;
	struct pending *next;
	oe_completion *completion; /* or */
	oe_evaluation *evaluation;
	char *text;
	size_t size;
	int finish;
	int64_t tokens_in, tokens_out;
	int failure; /* enum oe_llm_failure, or -1 */
	struct script_result result;
	bool breaks, deaf, never;
};

static struct pending *out; /* all of them */

static void leave(struct pending *pending)
{
	for (struct pending **at = &out; *at; at = &(*at)->next) {
		if (*at == pending) {
			*at = pending->next;
			break;
		}
	}
	(void)world_forget(&pending->happening);
}

static int64_t latency(int64_t min_ns, int64_t max_ns)
{
	int64_t takes_ns = world_time(min_ns, max_ns);

	return world_chance(habits.slow) ? 100 * takes_ns : takes_ns;
}

static struct pending *find(const oe_completion *completion, const oe_evaluation *evaluation)
{
	struct pending *at = out;

	while (at && (at->completion != completion || at->evaluation != evaluation))
		at = at->next;
	return at;
}

static int give_up(oe_error *err, int status, const char *message)
{
	err->status = status;
	(void)snprintf(err->message, sizeof(err->message), "%s", message);
	return status;
}

/* ---- the model ---- */

static void send(struct pending *pending)
{
	oe_completion *completion = pending->completion;
	int status = 0;

	for (size_t at = 0; status == 0 && at < pending->size;) { /* in pieces, as they come */
		size_t piece = 1 + (size_t)world_below(pending->size - at);
		status = oe_completion_append(completion, pending->text + at, piece);
		at += piece;
	}
	oe_completion_set_finish(completion, pending->finish);
	oe_completion_set_model(completion, "scripted");
	bool tells = world_below(4) > 0;
	if (tells)
		oe_completion_set_usage(completion, pending->tokens_in, pending->tokens_out);
	ledger_answers(completion, pending->tokens_in, pending->tokens_out,
	               tells ? pending->tokens_in : -1, tells ? pending->tokens_out : -1);
	oe_completion_finish(completion, status, NULL);
}

static void answer(struct happening *happening)
{
	struct pending *pending = OE__CONTAINER(happening, struct pending, happening);
	oe_error err = { 0 };

	leave(pending);
	if (pending->failure < 0) {
		send(pending);
	} else {
		oe_completion_set_failure(pending->completion, pending->failure,
		                          world_below(4) ? -1 : (int64_t)world_below(5000));
		oe_completion_finish(pending->completion, give_up(&err, OE_ERR_LLM, "the model says no"),
		                     &err);
	}
	oe__free(pending->text);
	oe__free(pending);
}

static int draw_failure(void)
{
	if (world.now_ns >= habits.outage_from_ns && world.now_ns < habits.outage_to_ns)
		return OE_LLM_FAILURE_TRANSIENT;
	if (world_chance(habits.transient))
		return OE_LLM_FAILURE_TRANSIENT;
	if (world_chance(habits.refused))
		return OE_LLM_FAILURE_REQUEST;
	return world_chance(habits.key_refused) ? OE_LLM_FAILURE_ACCESS : -1;
}

static int start_answer(void *self, const oe_llm_request *request, oe_completion *completion,
                        oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(1 << 20);

	(void)self;
	if (request->iteration)
		model_asked(request);
	else
		model_judges();
	ledger_asked(completion);
	int failure = draw_failure();
	if (failure >= 0 && world_below(4) == 0) { /* it does not even begin */
		oe_completion_set_failure(completion, failure, -1);
		return give_up(err, OE_ERR_LLM, "the model does not listen");
	}
	struct pending *pending = oe__calloc(1, sizeof(*pending));
	if (!pending)
		return OE_ERR_NOMEM;
	pending->completion = completion;
	pending->failure = failure;
	pending->deaf = world_chance(habits.deaf);
	pending->finish = request->iteration ? script_answer(request, &text)
	                                     : script_judge(request->seed, &text);
	pending->size = text.size;
	pending->tokens_in = (int64_t)(request->system_size + request->user_size) / 4;
	pending->tokens_out = 1 + (int64_t)text.size / 4;
	if (request->max_tokens > 0 && pending->tokens_out > request->max_tokens)
		pending->tokens_out = request->max_tokens;
	pending->text = oe__strndup(oe__buffer_string(&text), text.size);
	pending->happening.happen = answer;
	pending->next = out;
	out = pending;
	if (world_below(50) == 0) { /* at once */
		answer(&pending->happening);
		return 0;
	}
	world_happen(&pending->happening,
	             world.now_ns + latency(habits.answer_min_ns, habits.answer_max_ns));
	return 0;
}

static void cancel_answer(void *self, oe_completion *completion)
{
	struct pending *pending = find(completion, NULL);
	oe_error err = { 0 };

	(void)self;
	if (!pending || pending->deaf)
		return;
	if (world_below(2)) { /* later */
		(void)world_forget(&pending->happening);
		pending->failure = OE_LLM_FAILURE_TRANSIENT;
		world_happen(&pending->happening, world.now_ns + world_time(MS / 10, 2 * S));
		return;
	}
	leave(pending);
	oe_completion_finish(completion, give_up(&err, OE_ERR_CANCELLED, "cancelled"), &err);
	oe__free(pending->text);
	oe__free(pending);
}

/* ---- the evaluator ---- */

static int tell(oe_evaluation *evaluation, const struct script_result *result)
{
	int status = 0;

	switch (result->end) {
	case SCRIPT_RAISES:
		status = oe_evaluation_add_artifact(evaluation, "stderr", "ZeroDivisionError: no", 21);
		return status < 0 ? status
		                  : oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXCEPTION,
		                                              "it divides by zero");
	case SCRIPT_NO_NUMBER:
		return oe_evaluation_set_metric(evaluation, "combined_score", (double)NAN);
	case SCRIPT_NO_METRICS:
		return 0;
	default:
		break;
	}
	status = oe_evaluation_set_metric(evaluation, "combined_score", result->score);
	if (status == 0)
		status = oe_evaluation_set_metric(evaluation, "place", result->x - result->y);
	if (status == 0 && result->score > 0.5)
		status = oe_evaluation_add_artifact(evaluation, "remark", "close", 5);
	return status;
}

static void judge(struct happening *happening)
{
	struct pending *pending = OE__CONTAINER(happening, struct pending, happening);
	oe_evaluation *evaluation = pending->evaluation;
	oe_error err = { 0 };
	int status = 0;

	leave(pending);
	if (pending->breaks && world_below(2))
		status = give_up(&err, OE_ERR_IO, "the evaluator broke");
	else if (pending->breaks)
		status = oe_evaluation_set_verdict(evaluation, OE_VERDICT_SANDBOX_ERROR, "no sandbox");
	else
		status = tell(evaluation, &pending->result);
	oe_evaluation_finish(evaluation, status, &err);
	oe__free(pending);
}

static int start_evaluation(void *self, const oe_evaluation_request *request,
                            oe_evaluation *evaluation, oe_error *err)
{
	struct pending *pending = NULL;

	(void)self;
	model_evaluated(request);
	if (world_chance(habits.breaks) && world_below(3) == 0)
		return give_up(err, OE_ERR_IO, "the evaluator does not start");
	pending = oe__calloc(1, sizeof(*pending));
	if (!pending)
		return OE_ERR_NOMEM;
	pending->evaluation = evaluation;
	pending->deaf = world_chance(habits.deaf);
	pending->breaks = world_chance(habits.breaks);
	script_evaluate(request->program, request->seed, &pending->result);
	pending->never = pending->result.end == SCRIPT_HANGS && request->iteration;
	pending->happening.happen = judge;
	pending->next = out;
	out = pending;
	if (!pending->never)
		world_happen(&pending->happening,
		             world.now_ns + latency(habits.evaluation_min_ns, habits.evaluation_max_ns));
	return 0;
}

static void cancel_evaluation(void *self, oe_evaluation *evaluation)
{
	struct pending *pending = find(NULL, evaluation);

	(void)self;
	if (!pending || pending->deaf)
		return;
	leave(pending);
	oe_evaluation_finish(evaluation, OE_ERR_CANCELLED, NULL);
	oe__free(pending);
}

/* ---- life ---- */

int backends_new(oe_llm **llm, oe_evaluator **evaluator)
{
	oe_llm_vtable model = OE_LLM_VTABLE_INIT;
	oe_evaluator_vtable judge_table = OE_EVALUATOR_VTABLE_INIT;

	model.name = "scripted";
	model.start = start_answer;
	model.cancel = cancel_answer;
	judge_table.name = "optimum";
	judge_table.start = start_evaluation;
	judge_table.cancel = cancel_evaluation;
	int status = oe_llm_new(&model, NULL, llm, NULL);
	return status < 0 ? status : oe_evaluator_new(&judge_table, NULL, evaluator, NULL);
}

void backends_end(void)
{
	while (out) {
		struct pending *pending = out;
		if (pending->completion)
			answer(&pending->happening);
		else
			judge(&pending->happening);
	}
}
