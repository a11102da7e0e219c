/*
 * A flight: one iteration under way, as it goes from thread to thread.
 *
 *   owner: issue row -> store: durable -> pool: render -> reactor: ask ... answered
 *   -> store: durable -> pool: edit -> owner: known already? -> evaluator ... -> owner: end
 *
 * Whoever has the job may touch it; the lists and counters are the owner's.
 */

#include "controller/controller_internal.h"

#include "base/alloc.h"
#include "base/clock.h"

static void reached(struct oe__job *job);

/* ---- life ---- */

int oe__flight_new(oe_controller *controller, oe_iteration *iteration, oe_program *program,
                   struct oe__flight **out)
{
	struct oe__flight *flight = oe__calloc(1, sizeof(*flight));
	if (!flight)
		return OE_ERR_NOMEM;
	int status = iteration ? oe__job_init(&flight->job, controller->recipe, iteration, reached)
	                       : oe__job_init_initial(&flight->job, controller->recipe, program,
	                                              reached);
	if (status < 0) {
		oe__free(flight);
		return status;
	}
	flight->controller = controller;
	flight->deadline_ns = INT64_MAX;
	flight->started = oe__clock_wall();
	flight->next = controller->flights;
	if (flight->next)
		flight->next->previous = flight;
	controller->flights = flight;
	controller->flight_count++;
	*out = flight;
	return 0;
}

void oe__flight_pass(struct oe__flight *flight)
{
	/* A run that is closed has no purse, and no turns. */
	if (flight->turn.number > 0 && flight->controller->budget.purse)
		oe__purse_pass(flight->controller->budget.purse, &flight->turn);
	flight->turn.number = 0;
}

void oe__flight_drop(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	oe__flight_pass(flight);

	if (flight->previous)
		flight->previous->next = flight->next;
	else
		controller->flights = flight->next;
	if (flight->next)
		flight->next->previous = flight->previous;
	flight->next = flight->previous = NULL;
	controller->flight_count--;
}

void oe__flight_free(struct oe__flight *flight)
{
	oe__job_done(&flight->job);
	oe__free(flight);
}

void oe__queue_push(struct oe__flight_queue *queue, struct oe__flight *flight)
{
	flight->queue_next = NULL;
	if (queue->tail)
		queue->tail->queue_next = flight;
	else
		queue->head = flight;
	queue->tail = flight;
	queue->count++;
}

struct oe__flight *oe__queue_pop(struct oe__flight_queue *queue)
{
	struct oe__flight *flight = queue->head;
	if (flight) {
		queue->head = flight->queue_next;
		if (!queue->head)
			queue->tail = NULL;
		queue->count--;
	}
	return flight;
}

/* ---- to the owner ---- */

static void run_answered(struct oe__task *task)
{
	oe__controller_answered(OE__CONTAINER(task, struct oe__flight, answered_task));
}

static void run_reached(struct oe__task *task)
{
	struct oe__job *job = OE__CONTAINER(task, struct oe__job, task);
	struct oe__flight *flight = OE__CONTAINER(job, struct oe__flight, job);

	if (job->state == OE__JOB_ASK_FAILED)
		oe__controller_ask_failed(flight);
	else if (job->state == OE__JOB_EDITED)
		oe__controller_edited(flight);
	else
		oe__controller_evaluated(flight);
}

static void post(struct oe__flight *flight)
{
	flight->job.task.run = run_reached;
	oe__inbox_post(&flight->controller->inbox, &flight->job.task);
}

/* A row that could not be written: the run cannot go on, and this flight stays where it is until
   the owner drops it. */
static void lose_log(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	atomic_store(&flight->stranded, true); /* the owner may drop it at once */
	atomic_store(&controller->log_failed, true);
	oe__inbox_wake(&controller->inbox);
}

/* ---- the question ---- */

static void issue_durable(struct oe__row *row, int status)
{
	struct oe__flight *flight = OE__CONTAINER(row, struct oe__flight, issue_row);

	if (status < 0)
		lose_log(flight);
	else
		oe__job_ask(&flight->job);
}

static void take_slot(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	flight->place = OE__FLIGHT_ASKING;
	flight->holds_llm_slot = true;
	flight->asked_at = controller->breaker.successes;
	flight->asked_ns = oe__clock_ns();
	controller->asking++;
	controller->numbers.llm_requests++;
	if (controller->budget.counting)
		oe__purse_await(controller->budget.purse, &flight->turn, flight->job.iteration->number);
}

void oe__flight_ask(struct oe__flight *flight)
{
	take_slot(flight);
	oe__job_ask(&flight->job);
}

void oe__flight_issue(struct oe__flight *flight)
{
	const oe_iteration *iteration = flight->job.iteration;

	take_slot(flight);
	flight->issued_ns = flight->asked_ns;
	if (!flight->controller->log) {
		oe__job_ask(&flight->job);
		return;
	}
	flight->issue_row = (struct oe__row){
		.kind = OE__ROW_ISSUE,
		.number = iteration->number,
		.attempt = iteration->attempt,
		.island = iteration->island,
		.iteration = iteration,
		.time = flight->started,
		.evaluation_ms = -1,
		.done = issue_durable,
	};
	oe__log_append(flight->controller->log, &flight->issue_row);
}

/* ---- the answer ---- */

static void answer_durable(struct oe__row *row, int status)
{
	struct oe__flight *flight = OE__CONTAINER(row, struct oe__flight, answer_row);

	if (status < 0)
		lose_log(flight);
	else
		oe__job_edit(&flight->job);
}

static void keep_answer(struct oe__flight *flight)
{
	const struct oe__job *job = &flight->job;
	bool full = job->recipe->keep_prompts;

	flight->answer_row = (struct oe__row){
		.kind = OE__ROW_ANSWER,
		.number = job->iteration->number,
		.attempt = job->iteration->attempt,
		.time = oe__clock_wall(),
		.evaluation_ms = -1,
		.answer = {
			.text = job->answer,
			.size = job->answer_size,
			.model = job->model ? job->model : "",
			.finish = job->finish,
			.tokens_in = job->tokens_in,
			.tokens_out = job->tokens_out,
			.requests = job->requests,
			.llm_ms = job->llm_ms,
			.prompt_hash = job->prompt.hash,
			.system = full ? oe__buffer_string(&job->prompt.system) : NULL,
			.user = full ? oe__buffer_string(&job->prompt.user) : NULL,
		},
		.done = answer_durable,
	};
	oe__log_append(flight->controller->log, &flight->answer_row);
}

static void answered(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	/* Two things at once: the owner gets the slot back, the answer goes on to the store. */
	flight->answered_task.run = run_answered;
	oe__inbox_post(&controller->inbox, &flight->answered_task);
	if (controller->log)
		keep_answer(flight);
	else
		oe__job_edit(&flight->job);
}

/* The end of a step, on whatever thread took it. */
static void reached(struct oe__job *job)
{
	struct oe__flight *flight = OE__CONTAINER(job, struct oe__flight, job);

	if (job->state == OE__JOB_ANSWERED)
		answered(flight);
	else
		post(flight);
}

/* ---- the evaluation ---- */

void oe__flight_evaluate(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	const struct oe__recipe *recipe = controller->recipe;

	flight->place = OE__FLIGHT_EVALUATING;
	flight->evaluating_ns = oe__clock_ns();
	controller->evaluating++;
	controller->numbers.evaluations_started++;
	flight->deadline_ns = INT64_MAX;
	if (recipe->evaluation_timeout_ms > 0 &&
	    !oe__evaluator_keeps_deadlines(recipe->evaluator))
		oe__flight_leave_by(flight, oe__clock_ns() + recipe->evaluation_timeout_ms * 1000000);
	oe__job_evaluate(&flight->job, controller->seed);
}

void oe__flight_leave_by(struct oe__flight *flight, int64_t deadline_ns)
{
	oe_controller *controller = flight->controller;

	flight->deadline_ns = deadline_ns;
	if (deadline_ns < controller->late_ns)
		controller->late_ns = deadline_ns;
}

void oe__flight_cancel(struct oe__flight *flight)
{
	flight->cancelled = true;
	oe__flight_leave_by(flight, oe__clock_ns() + OE__LEAVE_NS);
	if (flight->place == OE__FLIGHT_ASKING || flight->place == OE__FLIGHT_EVALUATING)
		oe__job_cancel(&flight->job, flight->place == OE__FLIGHT_EVALUATING);
}
