/*
 * Iterations: each is opened with its sample, and ends exactly once, by a commit or a failure.
 */

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/hub_internal.h"

/* ---- opening ---- */

static int refuse(int *why, int reason)
{
	*why = reason;
	return 0;
}

/* The sample of the number to give next: 1; 0 and the reason; or a status. */
static int sample_next(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out, int *why)
{
	switch (hub->settings.semantics) {
	case OE__SEMANTICS_ORDERED:
		return oe__ordered_sample(hub, number, attempt, out, why);
	case OE__SEMANTICS_GENERATION:
		return oe__generation_sample(hub, number, attempt, out, why);
	default:
		break;
	}
	int status = oe__hub_sample(hub, number, attempt, out);
	return status < 0 ? status : 1;
}

static bool is_window_full(const oe_hub *hub)
{
	int64_t open = (int64_t)oe__ledger_open_count(&hub->ledger);

	return !oe__hub_has_turns(hub) && hub->settings.window > 0 && open >= hub->settings.window;
}

static int next_iteration(oe_hub *hub, oe_iteration **iteration, int *why)
{
	OE__AUTO(iteration) oe_iteration *made = NULL;
	int64_t number;
	int32_t attempt;

	if (is_window_full(hub))
		return refuse(why, OE_HUB_WINDOW_FULL);
	int status = oe__hub_advance(hub, NULL);
	if (status < 0)
		return status;
	if (!oe__ledger_next(&hub->ledger, &number, &attempt))
		return refuse(why, OE_HUB_FINISHED);
	if (!hub->initial)
		return refuse(why, OE_HUB_EMPTY);
	status = sample_next(hub, number, attempt, &made, why);
	if (status <= 0)
		return status;
	status = oe__turn_open(hub, made);
	if (status < 0)
		return status;
	hub->turns.begun = true;
	*iteration = OE__STEAL(made);
	*why = OE_HUB_READY;
	return 1;
}

int oe_hub_next_iteration(oe_hub *hub, oe_iteration **iteration, int *why)
{
	int reason = OE_HUB_READY;

	if (!hub || !iteration)
		return OE_ERR_INVALID;
	int got = next_iteration(hub, iteration, why ? why : &reason);
	oe__hub_assert(hub);
	return got;
}

/* Can a number be opened again? Only one that was given and has not ended, or the next one. */
static int check_reopen(const oe_hub *hub, int64_t number, int32_t attempt, int32_t island,
						oe_error *err)
{
	const struct oe__ledger *ledger = &hub->ledger;

	if (number < 1 || number > ledger->issued + 1 || attempt < 0 || island < 0 ||
		island >= hub->island_count)
		return oe__error(err, OE_ERR_INVALID,
						 "iteration %lld, attempt %d, island %d cannot be opened again",
						 (long long)number, (int)attempt, (int)island);
	if (number <= ledger->issued && (oe__ledger_has(ledger, number) ||
									 oe__ledger_accounted(ledger) >= ledger->issued))
		return oe__error(err, OE_ERR_STATE, "iteration %lld is open or has ended",
						 (long long)number);
	if (number <= ledger->issued && hub->turns.begun &&
		hub->settings.semantics == OE__SEMANTICS_ORDERED)
		return oe__error(err, OE_ERR_STATE,
						 "iteration %lld cannot be opened again: later ones have begun, and they "
						 "end in order",
						 (long long)number);
	return 0;
}

int oe_hub_reopen(oe_hub *hub, int64_t number, int32_t attempt, int32_t island, oe_program *parent,
				  oe_program *const *inspirations, size_t count, oe_iteration **iteration,
				  oe_error *err)
{
	OE__AUTO(iteration) oe_iteration *made = NULL;

	if (!hub || !parent || (!inspirations && count > 0) || !iteration)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_reopen: NULL argument");
	int status = check_reopen(hub, number, attempt, island, err);
	if (status < 0)
		return status;
	status = oe__hub_sample_again(hub,
								  &(struct oe__sample_spec){ .number = number,
															 .attempt = attempt,
															 .island = island,
															 .parent = parent,
															 .inspirations = inspirations,
															 .inspiration_count = count },
								  &made);
	if (status == 0)
		status = oe__turn_open(hub, made);
	if (status < 0)
		return oe__error(err, status, "iteration %lld cannot be opened again: %s",
						 (long long)number, oe_status_string(status));
	*iteration = OE__STEAL(made);
	oe__hub_assert(hub);
	return 0;
}

/* ---- ending ---- */

/* Attempts are remarks for prompts: without memory for one the iteration ends all the same. */
void oe__hub_note(oe_hub *hub, int32_t island, const char *parent_id, struct oe__attempt *attempt)
{
	struct oe__member *parent = oe__hub_find(hub, parent_id);
	struct oe__attempt_list *list = NULL;

	if (parent)
		list = &parent->attempts;
	else if (hub->initial && strcmp(hub->initial->id, parent_id) == 0)
		list = &hub->initial_attempts;
	if (list)
		(void)oe__attempts_add(&hub->attempts, list, attempt);
	(void)oe__attempts_add(&hub->attempts, &hub->islands[island].attempts, attempt);
}

/* Does this outcome say anything about how to change the parent? */
bool oe__hub_is_instructive(int outcome)
{
	return outcome <= OE_OUTCOME_TIMED_OUT || outcome == OE_OUTCOME_EQUIVALENT;
}

static void remember_iteration(oe_hub *hub, const oe_iteration *iteration, int outcome,
							   oe_program *program, const char *message)
{
	OE__AUTO(attempt) struct oe__attempt *attempt = NULL;

	if (oe__hub_is_instructive(outcome) &&
		oe__attempt_new(iteration->number, outcome, program, message, &attempt) == 0)
		oe__hub_note(hub, iteration->island, iteration->parent->id, attempt);
}

bool oe__hub_is_program_failure(int outcome)
{
	return outcome >= OE_OUTCOME_NOOP_EDIT && outcome <= OE_OUTCOME_TIMED_OUT;
}

static bool is_repeated(const oe_hub *hub, int64_t number, int outcome)
{
	return hub->settings.on_failure == OE__ON_FAILURE_REPLACE &&
		   oe__hub_is_program_failure(outcome) && oe__ledger_may_repeat(&hub->ledger, number);
}

void oe__hub_end_without(oe_hub *hub, const oe_iteration *iteration, int outcome, oe_program *child,
						 const char *message)
{
	remember_iteration(hub, iteration, outcome, child, message);
	oe__ledger_end(&hub->ledger, iteration->number, outcome);
}

/* @return 2 if the number is given again, 1 if it ended or waits for its turn to end, or a status. */
static int end_failed(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
					  const char *message)
{
	bool repeated = is_repeated(hub, iteration->number, outcome);
	int status = 0;

	if (oe__hub_has_turns(hub)) {
		status = repeated ? oe__turn_repeat(hub, iteration, outcome, child, message)
						  : oe__turn_stage(hub, iteration, outcome, child, message);
	} else if (repeated) {
		remember_iteration(hub, iteration, outcome, child, message);
		oe__ledger_repeat(&hub->ledger, iteration->number);
	} else {
		oe__hub_end_without(hub, iteration, outcome, child, message);
	}
	return status < 0 ? status : repeated ? 2 : 1;
}

/* Was this one given by this hub, or by the one of which it is the continuation? */
static int check_known(const oe_hub *hub, const oe_iteration *iteration, oe_error *err)
{
	if (iteration->run_seed == hub->settings.seed && iteration->number >= 1 &&
		iteration->number <= hub->ledger.issued)
		return 0;
	return oe__error(err, OE_ERR_INVALID, "iteration %lld is none of this run",
					 (long long)iteration->number);
}

int oe_hub_fail(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
				const char *message, oe_error *err)
{
	if (!hub || !iteration)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_fail: NULL argument");
	if (outcome <= OE_OUTCOME_COMMITTED || outcome >= OE_OUTCOME_COUNT)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_fail: %d is no outcome of a failure",
						 outcome);
	int status = check_known(hub, iteration, err);
	if (status < 0)
		return status;
	if (!oe__ledger_is_open(&hub->ledger, iteration->number, iteration->attempt))
		return 0;
	status = oe__hub_recover(hub);
	int ended = status < 0 ? status : end_failed(hub, iteration, outcome, child, message);
	if (ended < 0)
		return oe__error(err, ended, "iteration %lld cannot end: %s",
						 (long long)iteration->number, oe_status_string(ended));
	/* What cannot follow now does so with the next call: this one has ended. */
	if (ended == 1)
		(void)oe__hub_advance(hub, NULL);
	oe__hub_assert(hub);
	return ended;
}

static int outcome_of(const oe_evaluation *evaluation)
{
	switch (oe_evaluation_verdict(evaluation)) {
	case OE_VERDICT_WALL_TIMEOUT:
	case OE_VERDICT_CPU_TIMEOUT:
		return OE_OUTCOME_TIMED_OUT;
	case OE_VERDICT_CANCELLED:
		return OE_OUTCOME_CANCELLED;
	default:
		return OE_OUTCOME_EVALUATION_FAILED;
	}
}

/* A good child joins. Fails before anything has changed, so the caller may try again. */
static int commit_good(oe_hub *hub, const oe_iteration *iteration, oe_program *child,
					   oe_commit *commit)
{
	OE__AUTO(program) oe_program *adopted = NULL;
	struct oe__island *island = &hub->islands[iteration->island];
	struct oe__placement placement;
	int status = oe__hub_adopt(hub, child, iteration->island, &adopted);

	if (status == 0)
		status = oe__hub_place(hub, adopted, iteration->island, &placement);
	if (status < 0)
		return status;
	if (++island->generation > hub->generation_max)
		hub->generation_max = island->generation;
	remember_iteration(hub, iteration, OE_OUTCOME_COMMITTED, adopted, NULL);
	oe__ledger_end(&hub->ledger, iteration->number, OE_OUTCOME_COMMITTED);
	commit->outcome = OE_OUTCOME_COMMITTED;
	commit->best = placement.best;
	commit->new_cell = placement.new_cell;
	commit->replaced = placement.replaced;
	/* The child has joined: a migration that runs out of memory is made up for by the next one. */
	int migrated = oe__hub_migrate_if_due(hub);
	commit->migrated = migrated > 0 ? migrated : 0;
	struct oe__member *member = oe__hub_find(hub, child->id);
	commit->program = member ? member->program : NULL;
	return 0;
}

int oe__hub_end_with(oe_hub *hub, const oe_iteration *iteration, oe_program *child,
					 oe_commit *commit)
{
	struct oe__member *same = oe__hub_find_hash(hub, child->source->hash);

	if (!same && oe__hub_find(hub, child->id))
		return OE_ERR_INVALID;
	if (same) {
		commit->outcome = OE_OUTCOME_DUPLICATE;
		commit->program = same->program;
		remember_iteration(hub, iteration, OE_OUTCOME_DUPLICATE, child, NULL);
		oe__ledger_end(&hub->ledger, iteration->number, OE_OUTCOME_DUPLICATE);
		return 0;
	}
	if (oe__evaluation_failed(child->evaluation)) {
		commit->outcome = outcome_of(child->evaluation);
		oe__hub_end_without(hub, iteration, commit->outcome, child,
							oe_evaluation_message(child->evaluation));
		return 0;
	}
	return commit_good(hub, iteration, child, commit);
}

/* Its number is given again, with nothing said about whether the content was there already: where
   turns count that is not known yet. */
static int commit_repeated(oe_hub *hub, oe_iteration *iteration, oe_program *child,
						   oe_commit *commit)
{
	commit->outcome = outcome_of(child->evaluation);
	int ended = end_failed(hub, iteration, commit->outcome, child,
						   oe_evaluation_message(child->evaluation));

	commit->repeated = ended == 2;
	return ended < 0 ? ended : 0;
}

/* In the end its program may be gone again, for one that ended after it within the same call. */
static void look_again(oe_hub *hub, const oe_program *child, oe_commit *commit)
{
	struct oe__member *member = commit->outcome == OE_OUTCOME_DUPLICATE
									? oe__hub_find_hash(hub, child->source->hash)
									: oe__hub_find(hub, child->id);

	commit->program = member ? member->program : NULL;
}

static int commit_in_turn(oe_hub *hub, oe_iteration *iteration, oe_program *child,
						  oe_commit *commit)
{
	struct oe__report report = { .number = iteration->number, .commit = commit };
	const struct oe__member *same_id = oe__hub_find(hub, child->id);

	if (same_id && memcmp(same_id->program->source->hash, child->source->hash, OE__SHA256_SIZE) != 0)
		return OE_ERR_INVALID;
	int status = oe__turn_stage(hub, iteration, OE_OUTCOME_COMMITTED, child, NULL);
	if (status < 0)
		return status;
	(void)oe__hub_advance(hub, &report); /* it is staged: what is left follows with the next call */
	if (report.settled) {
		look_again(hub, child, commit);
		return 0;
	}
	commit->staged = 1;
	commit->outcome = -1;
	return 0;
}

static int commit_open(oe_hub *hub, oe_iteration *iteration, oe_program *child, oe_commit *commit)
{
	bool failed = oe__evaluation_failed(child->evaluation);
	bool known = !oe__hub_has_turns(hub) && oe__hub_find_hash(hub, child->source->hash);
	int status = oe__hub_recover(hub);

	if (status < 0)
		return status;
	if (failed && !known &&
		is_repeated(hub, iteration->number, outcome_of(child->evaluation)))
		return commit_repeated(hub, iteration, child, commit);
	return oe__hub_has_turns(hub) ? commit_in_turn(hub, iteration, child, commit)
								  : oe__hub_end_with(hub, iteration, child, commit);
}

int oe_hub_commit(oe_hub *hub, oe_iteration *iteration, oe_program *child, oe_commit *result,
				  oe_error *err)
{
	oe_commit commit = OE_COMMIT_INIT;

	if (!hub || !iteration || !child || (result && result->struct_size < sizeof(size_t)))
		return oe__error(err, OE_ERR_INVALID, "oe_hub_commit: missing argument, or 'struct_size'");
	if (!child->evaluation)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_commit: the child was not evaluated");
	int status = check_known(hub, iteration, err);
	if (status < 0)
		return status;
	commit.island = iteration->island;
	if (oe__ledger_is_open(&hub->ledger, iteration->number, iteration->attempt)) {
		status = commit_open(hub, iteration, child, &commit);
		if (status < 0)
			return oe__error(err, status, "iteration %lld cannot be committed: %s",
							 (long long)iteration->number, oe_status_string(status));
		oe__hub_assert(hub);
	} else {
		commit.late = 1;
		commit.outcome = -1;
	}
	if (result) {
		size_t size = result->struct_size < sizeof(commit) ? result->struct_size : sizeof(commit);

		commit.struct_size = result->struct_size;
		memcpy(result, &commit, size);
	}
	return 0;
}
