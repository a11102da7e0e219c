#include "iteration/job.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "program/form.h"
#include "program/sample.h"

/* ---- states ---- */

static void set_state(struct oe__job *job, enum oe__job_state next)
{
	static const unsigned allowed[] = { /* from: to */
		[OE__JOB_ISSUED] = 1u << OE__JOB_ASKING | 1u << OE__JOB_ANSWERED | 1u << OE__JOB_EDITED,
		[OE__JOB_ASKING] = 1u << OE__JOB_ANSWERED | 1u << OE__JOB_ASK_FAILED,
		[OE__JOB_ANSWERED] = 1u << OE__JOB_EDITING,
		[OE__JOB_ASK_FAILED] = 1u << OE__JOB_ASKING,
		[OE__JOB_EDITING] = 1u << OE__JOB_EDITED,
		[OE__JOB_EDITED] = 1u << OE__JOB_EVALUATING,
		[OE__JOB_EVALUATING] = 1u << OE__JOB_EVALUATED,
		[OE__JOB_EVALUATED] = 1u << OE__JOB_EDITED,
	};
	assert(allowed[job->state] >> next & 1);
	job->state = next;
}

/* ---- life ---- */

int oe__job_init(struct oe__job *job, const struct oe__recipe *recipe, oe_iteration *iteration,
                 void (*reached)(struct oe__job *job))
{
	*job = (struct oe__job){ .recipe = recipe,
		                     .state = OE__JOB_ISSUED,
		                     .reached = reached,
		                     .iteration = iteration,
		                     .outcome = -1,
		                     .tokens_in = -1,
		                     .tokens_out = -1,
		                     .llm_ms = -1,
		                     .evaluation_ms = -1 };
	return 0;
}

int oe__job_init_initial(struct oe__job *job, const struct oe__recipe *recipe, oe_program *program,
                         void (*reached)(struct oe__job *job))
{
	(void)oe__job_init(job, recipe, NULL, reached);
	job->candidate = oe_program_ref(program);
	set_state(job, OE__JOB_EDITED);
	return 0;
}

void oe__job_done(struct oe__job *job)
{
	oe__llm_call_release(&job->call);
	oe__evaluation_call_release(&job->evaluation_call);
	oe_evaluation_unref(job->evaluation);
	oe__prompt_done(&job->prompt);
	oe_edit_free(job->edit);
	oe_program_unref(job->candidate);
	oe_program_unref(job->child);
	oe_iteration_unref(job->iteration);
	oe__free(job->restored);
	oe__free(job->restored_model);
	oe__free(job->message);
}

void oe__job_fail(struct oe__job *job, int outcome, const char *message)
{
	char *copy = message ? oe__strdup(message) : NULL;

	oe__free(job->message);
	job->message = copy;
	job->outcome = outcome;
}

/* ---- asking ---- */

static void answered(struct oe__llm_call *call)
{
	struct oe__job *job = OE__CONTAINER(call, struct oe__job, call);
	const oe_completion *completion = call->completion;

	job->llm_ms = (double)(oe__clock_ns() - job->asked_ns) / 1e6;
	job->requests = completion->requests;
	job->tokens_in = completion->tokens_in;
	job->tokens_out = completion->tokens_out;
	job->model = oe_completion_model(completion);
	job->finish = completion->finish;
	if (call->status < 0) {
		job->error = completion->error;
		job->failure = oe__llm_failure(call);
		set_state(job, OE__JOB_ASK_FAILED);
	} else {
		job->answer = oe_completion_text(completion, &job->answer_size);
		set_state(job, OE__JOB_ANSWERED);
	}
	job->reached(job); /* the job is somebody else's now */
}

static void ask_failed(struct oe__job *job, int status)
{
	if (job->error.status == 0)
		(void)oe__error(&job->error, status, "%s", oe_status_string(status));
	job->failure = status == OE_ERR_CANCELLED ? OE_LLM_FAILURE_TRANSIENT : OE_LLM_FAILURE_REQUEST;
	set_state(job, OE__JOB_ASK_FAILED);
	job->reached(job);
}

static int prepare_question(struct oe__job *job)
{
	const struct oe__recipe *recipe = job->recipe;
	struct oe__llm_call *call = &job->call;

	/* Once is enough: asked again, it is the same question. */
	if (!job->rendered) {
		int status = oe__prompt_render(recipe->prompts, job->iteration, &job->prompt, &job->error);
		if (status < 0)
			return status;
		job->rendered = true;
	}
	oe__llm_call_release(call);
	/* What the answer before it said went with it. */
	job->requests = 0;
	job->model = NULL;
	job->tokens_in = job->tokens_out = -1;
	job->llm_ms = -1;
	*call = (struct oe__llm_call){
		.request = {
			.system = oe__buffer_string(&job->prompt.system),
			.system_size = job->prompt.system.size,
			.user = oe__buffer_string(&job->prompt.user),
			.user_size = job->prompt.user.size,
			.iteration = job->iteration,
			.edit_mode = recipe->edit_mode,
			.seed = job->iteration->seed,
			.language = job->iteration->parent->language,
		},
		.done = answered,
		.meter = recipe->meter,
	};
	return oe__llm_prepare(recipe->llm, call);
}

static void ask(struct oe__task *task)
{
	struct oe__job *job = OE__CONTAINER(task, struct oe__job, task);

	set_state(job, OE__JOB_ASKING);
	job->error.status = 0;
	job->asked_ns = oe__clock_ns();
	int status = prepare_question(job);
	if (status < 0) {
		ask_failed(job, status);
		return;
	}
	/* Either the canceller sees that there is something to cancel, or we see that it was here. */
	atomic_store(&job->cancellable, true);
	if (atomic_load(&job->unwanted))
		oe__completion_unwant(job->call.completion);
	oe__llm_submit(&job->call); /* it may be answered, and gone, by the time this returns */
}

void oe__job_ask(struct oe__job *job)
{
	atomic_store(&job->cancellable, false);
	job->task.run = ask;
	oe__scheduler_compute(job->recipe->scheduler, &job->task);
}

int oe__job_restore_answer(struct oe__job *job, const char *text, size_t size, const char *model,
                           int finish)
{
	job->restored = oe__strndup(text, size);
	job->restored_model = oe__strdup(model);
	if (!job->restored || !job->restored_model)
		return OE_ERR_NOMEM;
	job->answer = job->restored;
	job->answer_size = size;
	job->model = job->restored_model;
	job->finish = finish;
	set_state(job, OE__JOB_ANSWERED);
	return 0;
}

/* ---- editing ---- */

/* An answer that is none needs no reading. */
static bool is_unusable(struct oe__job *job)
{
	if (job->finish == OE_FINISH_REFUSAL)
		oe__job_fail(job, OE_OUTCOME_LLM_FAILED, "the model declined to answer");
	else if (job->finish == OE_FINISH_EMPTY || job->answer_size == 0)
		oe__job_fail(job, OE_OUTCOME_NO_EDIT, "the answer is empty");
	return job->outcome >= 0;
}

static int make_candidate(struct oe__job *job)
{
	oe_bytes code = oe_edit_code(job->edit);
	const char *language = job->iteration->parent->language;

	int status = oe_program_new(code.data, code.size, language, &job->candidate);
	if (status == 0 && job->recipe->equivalents)
		(void)oe__form(job->candidate); /* here, and not where the owner asks for it */
	return status;
}

void oe__job_read(struct oe__job *job)
{
	const struct oe__source *parent = job->iteration->parent->source;
	oe_bytes before = { parent->text, parent->size }, answer = { job->answer, job->answer_size };
	int status = 0;

	set_state(job, OE__JOB_EDITING);
	if (!is_unusable(job)) {
		status = oe__edit_apply(job->recipe->rules, before, answer, job->finish, &job->edit,
		                        &job->error);
		if (status == 0 && oe_edit_outcome(job->edit) >= 0)
			oe__job_fail(job, oe_edit_outcome(job->edit), oe_edit_message(job->edit));
		else if (status == 0)
			status = make_candidate(job);
		if (status < 0)
			oe__job_fail(job, OE_OUTCOME_NO_EDIT,
			             job->error.status < 0 ? job->error.message : oe_status_string(status));
	}
	set_state(job, OE__JOB_EDITED);
}

static void edit(struct oe__task *task)
{
	struct oe__job *job = OE__CONTAINER(task, struct oe__job, task);

	oe__job_read(job);
	job->reached(job);
}

bool oe__job_abandon_question(struct oe__job *job)
{
	if (!atomic_load(&job->cancellable) || !oe__llm_abandon(&job->call))
		return false;
	(void)oe__error(&job->error, OE_ERR_CANCELLED, "the model did not come back in time");
	job->failure = OE_LLM_FAILURE_TRANSIENT;
	set_state(job, OE__JOB_ASK_FAILED);
	return true;
}

void oe__job_edit(struct oe__job *job)
{
	job->task.run = edit;
	oe__scheduler_compute(job->recipe->scheduler, &job->task);
}

/* ---- evaluating ---- */

static void evaluated(struct oe__evaluation_call *call)
{
	struct oe__job *job = OE__CONTAINER(call, struct oe__job, evaluation_call);

	job->evaluation_ms = (double)(call->finished_ns - call->started_ns) / 1e6;
	job->status = call->status;
	if (call->status < 0)
		job->error = call->error;
	else
		job->evaluation = oe_evaluation_ref(call->evaluation);
	set_state(job, OE__JOB_EVALUATED);
	job->reached(job);
}

void oe__job_evaluate(struct oe__job *job, uint64_t run_seed)
{
	const struct oe__source *source = job->candidate->source;

	set_state(job, OE__JOB_EVALUATING);
	oe__evaluation_call_release(&job->evaluation_call);
	job->evaluation_call = (struct oe__evaluation_call){
		.program = job->candidate,
		.iteration = job->iteration,
		/* The same program gets the same random numbers, whenever and wherever it is judged. */
		.seed = oe__hash64(source->hash, sizeof(source->hash), run_seed),
		.timeout_ms = job->recipe->evaluation_timeout_ms,
		.done = evaluated,
		.meter = job->recipe->meter,
	};
	oe__evaluator_start(job->recipe->evaluator, &job->evaluation_call);
}

void oe__job_reset_evaluation(struct oe__job *job)
{
	oe_evaluation_unref(job->evaluation);
	job->evaluation = NULL;
	job->status = 0;
	set_state(job, OE__JOB_EDITED);
}

bool oe__job_abandon_evaluation(struct oe__job *job)
{
	oe_evaluation *evaluation = NULL;

	if (!oe__evaluator_abandon(&job->evaluation_call))
		return false;
	job->evaluation_ms = (double)(oe__clock_ns() - job->evaluation_call.started_ns) / 1e6;
	job->status = oe_evaluation_new(&evaluation);
	if (job->status == 0) {
		job->status = oe_evaluation_set_verdict(evaluation, OE_VERDICT_WALL_TIMEOUT,
		                                        "the evaluator did not come back in time");
		oe__evaluation_freeze(evaluation);
		job->evaluation = evaluation;
	}
	set_state(job, OE__JOB_EVALUATED);
	return true;
}

const oe_evaluation *oe__job_verdict(const struct oe__job *job)
{
	const oe_evaluation *sink = job->evaluation_call.sink;

	if (job->evaluation || !sink)
		return job->evaluation;
	/* One that was abandoned still belongs to its evaluator. */
	return oe__evaluation_writable(sink) ? NULL : sink;
}

static void fail_evaluation(struct oe__job *job)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(1024);

	if (oe_evaluation_verdict(job->evaluation) == OE_VERDICT_OK)
		oe__buffer_text(&text, "the evaluation gave no score: ");
	oe__buffer_text(&text, oe_evaluation_problem(job->evaluation));
	oe__job_fail(job, OE_OUTCOME_EVALUATION_FAILED, oe__buffer_string(&text));
}

void oe__job_judge(struct oe__job *job)
{
	const oe_evaluation *evaluation = job->evaluation;

	if (job->status < 0 || !evaluation)
		oe__job_fail(job, OE_OUTCOME_EVALUATION_FAILED, job->error.message);
	else if (evaluation->verdict == OE_VERDICT_WALL_TIMEOUT)
		oe__job_fail(job, OE_OUTCOME_TIMED_OUT, oe_evaluation_message(evaluation));
	else if (oe__evaluation_failed(evaluation))
		fail_evaluation(job);
}

int oe__job_child(const struct oe__job *job, oe_program **out)
{
	if (!job->iteration)
		return oe_program_evaluated(job->candidate, job->evaluation, out);
	OE__AUTO(source) struct oe__source *source = NULL;
	int status = oe__source_copy(job->candidate->source, &source);
	if (status < 0)
		return status;
	return oe__iteration_child_of(job->iteration, source, job->evaluation,
	                              job->edit ? oe_edit_summary(job->edit) : NULL, out);
}

void oe__job_cancel(struct oe__job *job, bool evaluating)
{
	if (evaluating) {
		oe__evaluator_cancel(&job->evaluation_call);
		return;
	}
	atomic_store(&job->unwanted, true);
	if (atomic_load(&job->cancellable))
		oe__llm_cancel(&job->call);
}
