/* How a step of a flight ends for the owner, and how an iteration ends for good. */

#include "controller/controller_internal.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "config/config.h"
#include "llm/completion.h"

#define ASKS_MAX      3  /* a question that fails again and again while others succeed is hopeless */
#define HOPELESS_MAX  20 /* questions, or evaluations, that failed in a row: nothing works at all */

/* ---- the end ---- */

static void end_durable(struct oe__row *row, int status)
{
	struct oe__flight *flight = OE__CONTAINER(row, struct oe__flight, end_row);

	if (status < 0)
		atomic_store(&flight->controller->log_failed, true);
	oe__inbox_raise(&flight->controller->inbox); /* its events may be told now, or never */
	oe__flight_free(flight);
}

/* The flight leaves; its last row takes it along. */
static void write_end(struct oe__flight *flight, enum oe__row_kind kind, int outcome,
                      oe_program *program)
{
	oe_controller *controller = flight->controller;
	const struct oe__job *job = &flight->job;

	oe__flight_drop(flight);
	controller->unsaved = true;
	controller->budget.evaluations += job->evaluation != NULL;
	if (!controller->log) {
		oe__flight_free(flight);
		return;
	}
	flight->end_row = (struct oe__row){
		.kind = kind,
		.number = job->iteration ? job->iteration->number : 0,
		.attempt = job->iteration ? job->iteration->attempt : 0,
		.island = job->iteration ? job->iteration->island : 0,
		.outcome = outcome,
		.program = program,
		.message = job->message,
		.evaluation_ms = job->evaluation ? job->evaluation_ms : -1,
		.time = oe__clock_wall(),
		.done = end_durable,
	};
	oe__log_append(controller->log, &flight->end_row);
	/* Now, not at the end of the step: checkpoint_100 is the population after 100 iterations. */
	oe__controller_save_if_due(controller);
}

/* Of the call that write_end() is about to append: told when that is durable. */
static void tell(struct oe__flight *flight, int type, int outcome, oe_program *program)
{
	oe_controller *controller = flight->controller;
	const struct oe__job *job = &flight->job;

	oe__events_push_call(&controller->events,
	                &(oe_event){
						.type = type,
						.iteration = job->iteration ? job->iteration->number : 0,
						.attempt = job->iteration ? job->iteration->attempt : 0,
						.island = job->iteration ? job->iteration->island : OE_ISLAND_ALL,
						.outcome = outcome,
						.program = program,
						.parent = job->iteration ? job->iteration->parent : NULL,
						.text = job->message,
						.model = job->model,
						.llm_ms = job->answer ? job->llm_ms : -1,
						.evaluation_ms = job->evaluation ? job->evaluation_ms : -1,
						.tokens_in = job->answer ? job->tokens_in : -1,
						.tokens_out = job->answer ? job->tokens_out : -1,
					},
	                controller->log ? oe__log_next(controller->log) : 0);
}

static void count_end(oe_controller *controller)
{
	controller->numbers.since_best++;
}

/* Where iterations end in turn, all that ended within the call is told in order. What is written of it is in
   one transaction: a generation that the call closed for want of numbers is closed, or the call was not made. */
static void write_end_in_turn(struct oe__flight *flight, enum oe__row_kind kind, int outcome,
                              oe_program *program)
{
	oe_controller *controller = flight->controller;

	if (controller->log)
		oe__log_join(controller->log);
	write_end(flight, kind, outcome, program);
	oe__controller_tell_endings(controller);
	if (controller->log)
		oe__log_part(controller->log);
}

/* An iteration that came to no child. */
static void end_failed(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;
	OE__AUTO(program) oe_program *tried = NULL;
	oe_error err;

	/* What was evaluated and failed is shown to the next prompts of its parent. */
	if (job->evaluation && oe__job_child(job, &tried) < 0)
		tried = NULL;
	bool in_turn = controller->semantics != OE__SEMANTICS_STEADY;
	if (in_turn && oe__ending_expect(flight, tried) < 0)
		controller->events.status = OE_ERR_NOMEM; /* the caller cannot be told */
	int ended = oe_hub_fail(controller->hub, job->iteration, job->outcome, tried, job->message,
	                        &err);
	if (ended < 0)
		oe__controller_log(controller, 0, "iteration %lld: %s",
		                   (long long)job->iteration->number, err.message);
	/* The row's program must live until it is written: the job keeps it, instead of one that the hub refused. */
	oe_program_unref(job->child);
	job->child = tried ? oe_program_ref(tried) : NULL;
	if (in_turn && ended == 1) {
		write_end_in_turn(flight, OE__ROW_FAIL, job->outcome, job->child);
		return;
	}
	oe__ending_forget(controller, job->iteration->number);
	if (ended == 2)
		controller->numbers_ended = false; /* this one is given again */
	else
		count_end(controller);
	tell(flight, OE_EVENT_ITERATION, job->outcome, tried);
	write_end(flight, OE__ROW_FAIL, job->outcome, job->child);
}

static void tell_commit(struct oe__flight *flight, const oe_commit *commit)
{
	oe_controller *controller = flight->controller;

	/* It may have had to leave again at once, when its coming began a migration. */
	oe_program *program = commit->program ? commit->program : flight->job.child;

	tell(flight, OE_EVENT_ITERATION, commit->outcome, program);
	if (commit->best) {
		controller->numbers.since_best = 0;
		controller->numbers.best_iteration = flight->job.iteration->number;
		controller->save_again |= controller->save_each_best;
		tell(flight, OE_EVENT_BEST, commit->outcome, program);
	}
	if (commit->migrated > 0)
		oe__events_push(&controller->events,
		                &(oe_event){ .type = OE_EVENT_MIGRATION,
		                             .iteration = flight->job.iteration->number,
		                             .island = commit->island,
		                             .count = commit->migrated });
}

/* The hub took the child; a child that failed may be tried again. */
static void end_taken(struct oe__flight *flight, const oe_commit *commit)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;

	if (controller->semantics != OE__SEMANTICS_STEADY && !commit->repeated) {
		if (commit->staged)
			oe__ending_staged(controller, job->iteration->number);
		write_end_in_turn(flight, OE__ROW_COMMIT, commit->outcome, job->child);
		return;
	}
	oe__ending_forget(controller, job->iteration->number);
	if (commit->repeated)
		controller->numbers_ended = false;
	else
		count_end(controller);
	if (commit->outcome == OE_OUTCOME_COMMITTED)
		oe__rules_see(&controller->rules, job->child, false);
	tell_commit(flight, commit);
	write_end(flight, OE__ROW_COMMIT, commit->outcome, job->child);
}

static void end_committed(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;
	oe_commit commit = { .struct_size = sizeof(commit) };
	oe_error err;

	int status = oe__job_child(job, &job->child);
	if (status == 0 && controller->semantics != OE__SEMANTICS_STEADY)
		status = oe__ending_expect(flight, job->child);
	(void)oe__error(&err, status, "%s", oe_status_string(status));
	if (status == 0)
		status = oe_hub_commit(controller->hub, job->iteration, job->child, &commit, &err);
	if (status < 0) {
		/* The hub refused, for lack of memory for instance: the iteration still needs its end. */
		oe__ending_forget(controller, job->iteration->number);
		oe__job_fail(job, OE_OUTCOME_LOST, err.message);
		end_failed(flight);
		return;
	}
	end_taken(flight, &commit);
}

/* The run is ending and this one was cancelled: it stays open, and goes on at resume. */
static void leave_open(struct oe__flight *flight)
{
	oe__flight_drop(flight);
	oe__flight_free(flight);
}

/* ---- questions ---- */

static void free_slot(struct oe__flight *flight)
{
	if (!flight->holds_llm_slot)
		return;
	flight->holds_llm_slot = false;
	flight->controller->asking--;
}

/* The provider is there, whatever it says. */
static void hear(oe_controller *controller)
{
	if (!oe__breaker_success(&controller->breaker))
		return;
	oe__window_restart(&controller->window);
	oe__free(controller->outage);
	controller->outage = NULL;
	oe__events_push(&controller->events, &(oe_event){ .type = OE_EVENT_CONTINUED,
	                                                  .island = OE_ISLAND_ALL,
	                                                  .text = "the provider answers again" });
}

void oe__controller_answered(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	free_slot(flight);
	oe__flight_pass(flight);
	flight->place = OE__FLIGHT_EDITING;
	flight->cancelled = false; /* the answer was faster */
	flight->deadline_ns = INT64_MAX;
	controller->failures_in_a_row = 0;
	oe__window_answered(&controller->window, oe__clock_ns() - flight->asked_ns);
	hear(controller);
}

static void note_usage(struct oe__flight *flight)
{
	oe_statistics *numbers = &flight->controller->numbers;
	const struct oe__job *job = &flight->job;

	numbers->llm_attempts += job->requests;
	numbers->tokens_in += job->tokens_in > 0 ? job->tokens_in : 0;
	numbers->tokens_out += job->tokens_out > 0 ? job->tokens_out : 0;
}

/* The provider is down: keep the question, and say so once. */
static void park(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	bool known = controller->outage != NULL;

	flight->place = OE__FLIGHT_PARKED;
	oe__queue_push(&controller->parked, flight);
	oe__free(controller->outage);
	controller->outage = oe__strdup(flight->job.error.message);
	if (known)
		return;
	oe__events_push(&controller->events, &(oe_event){ .type = OE_EVENT_PAUSED,
	                                                  .island = OE_ISLAND_ALL,
	                                                  .text = flight->job.error.message });
}

/* Others were answered meanwhile: it was this question's bad luck. */
static void ask_again(struct oe__flight *flight)
{
	flight->place = OE__FLIGHT_PARKED;
	oe__queue_push(&flight->controller->parked, flight);
}

static void fail_question(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	oe__job_fail(&flight->job, OE_OUTCOME_LLM_FAILED, flight->job.error.message);
	bool hopeless = ++controller->failures_in_a_row >= HOPELESS_MAX;
	if (hopeless)
		oe__controller_stop_for(controller, OE_REASON_LLM, OE_STOP_CANCEL,
		                        flight->job.error.message);
	end_failed(flight);
}

void oe__controller_ask_failed(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;

	free_slot(flight);
	oe__flight_pass(flight);
	note_usage(flight);
	oe__controller_record_unanswered(controller, job);
	if (job->failure == OE__LLM_FAILURE_UNPAID)
		controller->numbers.llm_requests--; /* it was not asked; the budget says what follows */
	if (flight->cancelled || controller->state != OE__CONTROLLER_RUNNING ||
	    job->failure == OE__LLM_FAILURE_UNPAID) {
		oe__breaker_withdraw(&controller->breaker);
		leave_open(flight);
		return;
	}
	switch (job->failure) {
	case OE_LLM_FAILURE_ACCESS:
		oe__controller_stop_for(controller, OE_REASON_LLM, OE_STOP_CANCEL, job->error.message);
		leave_open(flight);
		break;
	case OE_LLM_FAILURE_TRANSIENT:
		if (oe__breaker_failure(&controller->breaker, flight->asked_at, flight->asked_ns,
		                        oe__clock_ns()))
			park(flight);
		else if (++job->asked < ASKS_MAX)
			ask_again(flight);
		else
			fail_question(flight);
		break;
	default:
		hear(controller); /* it was refused */
		fail_question(flight);
		break;
	}
}

/* ---- edits ---- */

/* What was evaluated before is not evaluated again. */
static void look_for_duplicates(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;

	if (oe_hub_find_content(controller->hub, job->iteration,
	                        oe_program_content_hash(job->candidate)))
		oe__job_fail(job, OE_OUTCOME_DUPLICATE, "the same program is there already");
	else if (controller->recipe->equivalents &&
	         oe_hub_find_equivalent(controller->hub, job->iteration, job->candidate))
		oe__job_fail(job, OE_OUTCOME_EQUIVALENT,
		             "the same program is there already, but for comments and white space");
}

void oe__controller_edited(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;

	if (controller->started_ns == 0) { /* it was opened again, and does not go on after all */
		leave_open(flight);
		return;
	}
	if (job->iteration) {
		if (job->answer && job->requests > 0)
			note_usage(flight);
		if (job->outcome < 0)
			look_for_duplicates(flight);
		if (flight->issued_ns > 0)
			oe__window_made(&controller->window, oe__clock_ns() - flight->issued_ns,
			                job->outcome < 0);
		if (job->outcome >= 0) {
			end_failed(flight);
			return;
		}
		bool evaluates = controller->how < OE_STOP_CANCEL ||
		                 (controller->how < OE_STOP_KILL && !oe__controller_in_a_hurry(controller));
		if (!evaluates) {
			leave_open(flight); /* its answer is durable: nothing paid is lost */
			return;
		}
	}
	oe__controller_enqueue(controller, flight);
}

/* ---- evaluations ---- */

static void count_evaluation(oe_controller *controller, const struct oe__job *job)
{
	oe_statistics *numbers = &controller->numbers;

	numbers->evaluations_finished++;
	if (job->status < 0 || !job->evaluation)
		numbers->evaluations_failed++;
	else if (job->evaluation->verdict == OE_VERDICT_WALL_TIMEOUT)
		numbers->evaluations_timed_out++;
	else if (oe__evaluation_failed(job->evaluation))
		numbers->evaluations_failed++;
}

/* What judges were asked about the program costs like all other questions. */
static void count_judges(oe_controller *controller, const struct oe__job *job)
{
	oe_statistics *numbers = &controller->numbers;
	const oe_evaluation *evaluation = oe__job_verdict(job);

	for (size_t i = 0; evaluation && i < evaluation->question_count; i++) {
		const struct oe__question *question = &evaluation->questions[i];
		numbers->llm_requests++;
		numbers->llm_attempts += question->requests;
		numbers->tokens_in += question->tokens_in > 0 ? question->tokens_in : 0;
		numbers->tokens_out += question->tokens_out > 0 ? question->tokens_out : 0;
	}
	oe__controller_record_judgements(controller, job);
}

/* An initial program joins, or the run is over before it began. */
static void end_initial(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;
	oe_error err = { 0 };
	int status = job->outcome >= 0 ? OE_ERR_EVALUATOR : oe__job_child(job, &job->child);

	if (status == 0)
		status = oe_hub_seed(controller->hub, job->child, &err);
	controller->seeds_pending -= flight->initial;
	if (status < 0) {
		const char *why = job->message ? job->message : err.message[0] ? err.message
		                                                               : oe_status_string(status);
		oe__controller_log(controller, 0, "an initial program cannot be used: %s", why);
		if (!controller->seeded && controller->seeds_pending == 0)
			oe__controller_stop_for(controller, OE_REASON_EVALUATOR, OE_STOP_CANCEL, why);
		leave_open(flight);
		return;
	}
	controller->seeded = true;
	if (isnan(controller->numbers.initial_fitness) ||
	    job->child->fitness > controller->numbers.initial_fitness)
		controller->numbers.initial_fitness = job->child->fitness;
	oe__rules_see(&controller->rules, job->child, true);
	oe__controller_hold_if_over_now(controller);
	tell(flight, OE_EVENT_SEEDED, OE_OUTCOME_COMMITTED, job->child);
	write_end(flight, OE__ROW_SEED, OE_OUTCOME_COMMITTED, job->child);
}

/* They join in the order in which they were given, whichever was evaluated first: what follows must not
   depend on how quick somebody was. What was added meanwhile comes behind them: a log that begins with it
   would be one of a run that needs no initial programs. */
static void keep_seed(struct oe__flight *flight)
{
	struct oe__flight_queue *queue = &flight->controller->evaluated;
	struct oe__flight **at = &queue->head;

	while (*at && (*at)->order <= flight->order)
		at = &(*at)->queue_next;
	flight->queue_next = *at;
	*at = flight;
	if (!flight->queue_next)
		queue->tail = flight;
	queue->count++;
	flight->controller->budget.evaluations_kept++;
}

void oe__controller_leave_seed(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;

	controller->seeds_pending -= flight->initial;
	controller->seeds_left |= flight->initial;
}

static int64_t count_kept_seeds(const oe_controller *controller)
{
	int64_t count = 0;

	for (const struct oe__flight *at = controller->evaluated.head; at; at = at->queue_next)
		count += at->initial;
	return count;
}

/* All of them or none: the log of a run has no place for one that is still to come. */
void oe__controller_end_seeds(oe_controller *controller)
{
	struct oe__flight *flight;

	if (count_kept_seeds(controller) < controller->seeds_pending)
		return;
	/* A run that was begun with some of them, and then killed, would go on without the others. */
	if (controller->log)
		oe__log_join(controller->log);
	while ((flight = oe__queue_pop(&controller->evaluated)) != NULL) {
		controller->budget.evaluations_kept--;
		if (!controller->seeds_left) {
			end_initial(flight);
			continue;
		}
		oe__controller_leave_seed(flight);
		leave_open(flight);
	}
	if (controller->log)
		oe__log_part(controller->log);
}

/* Our side failed: the same attempt is worth repeating, but not for ever. */
static bool repeat(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	const struct oe__job *job = &flight->job;
	bool broke = job->status < 0 || (job->evaluation &&
	                                 job->evaluation->verdict == OE_VERDICT_SANDBOX_ERROR);

	if (!broke) {
		controller->evaluator_failures_in_a_row = 0;
		return false;
	}
	if (++controller->evaluator_failures_in_a_row >= HOPELESS_MAX)
		oe__controller_stop_for(controller, OE_REASON_EVALUATOR, OE_STOP_CANCEL,
		                        job->status < 0 ? job->error.message
		                                        : oe_evaluation_message(job->evaluation));
	if (flight->repeats >= controller->repeats_max || controller->state != OE__CONTROLLER_RUNNING)
		return false;
	flight->repeats++;
	oe__job_reset_evaluation(&flight->job);
	oe__controller_enqueue(controller, flight);
	return true;
}

/* There was no money to ask them. A fitness without theirs could not be compared, so the iteration stays
   open: it is judged when the run goes on with more. */
static bool lacks_judges(oe_controller *controller, const struct oe__job *job)
{
	if (job->status != OE_ERR_LIMIT || !oe__purse_is_empty(controller->budget.purse, NULL))
		return false;
	oe__controller_log(controller, 1,
	                   "%s %lld was evaluated, but the budget has nothing left for its judges: it stays "
	                   "open, and goes on at a resume with a larger budget",
	                   job->iteration ? "iteration" : "initial program, iteration",
	                   (long long)(job->iteration ? job->iteration->number : 0));
	return true;
}

void oe__controller_evaluated(struct oe__flight *flight)
{
	oe_controller *controller = flight->controller;
	struct oe__job *job = &flight->job;

	controller->evaluating--;
	flight->place = OE__FLIGHT_EDITING;
	oe__window_evaluated(&controller->window, oe__clock_ns() - flight->evaluating_ns);
	count_evaluation(controller, job);
	count_judges(controller, job);
	if (flight->cancelled || lacks_judges(controller, job)) {
		oe__controller_leave_seed(flight);
		leave_open(flight);
		return;
	}
	if (repeat(flight))
		return;
	oe__job_judge(job);
	if (flight->initial || (!job->iteration && controller->seeds_pending > 0))
		keep_seed(flight);
	else if (!job->iteration)
		end_initial(flight);
	else if (job->outcome >= 0)
		end_failed(flight);
	else
		end_committed(flight);
}
