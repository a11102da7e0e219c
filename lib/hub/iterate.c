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
	if (why)
		*why = reason;
	return 0;
}

int oe_hub_next_iteration(oe_hub *hub, oe_iteration **iteration, int *why)
{
	OE__AUTO(iteration) oe_iteration *made = NULL;
	int64_t number;
	int32_t attempt;

	if (!hub || !iteration)
		return OE_ERR_INVALID;
	if (hub->settings.window > 0 &&
		(int64_t)oe__ledger_open_count(&hub->ledger) >= hub->settings.window)
		return refuse(why, OE_HUB_WINDOW_FULL);
	if (!oe__ledger_next(&hub->ledger, &number, &attempt))
		return refuse(why, OE_HUB_FINISHED);
	if (!hub->initial)
		return refuse(why, OE_HUB_EMPTY);

	int status = oe__hub_sample(hub, number, attempt, &made);
	if (status == 0)
		status = oe__ledger_open(&hub->ledger, number, attempt);
	if (status < 0)
		return status;
	*iteration = OE__STEAL(made);
	(void)refuse(why, OE_HUB_READY);
	oe__hub_assert(hub);
	return 1;
}

/* Can a number be opened again? Only one that was given and has not ended, or the next one. */
static int check_reopen(const oe_hub *hub, int64_t number, int32_t attempt, int32_t island,
						oe_error *err)
{
	const struct oe__ledger *ledger = &hub->ledger;
	int64_t accounted =
		ledger->ended + (int64_t)(oe__ledger_open_count(ledger) + ledger->repeat_count);

	if (number < 1 || number > ledger->issued + 1 || attempt < 0 || island < 0 ||
		island >= hub->island_count)
		return oe__error(err, OE_ERR_INVALID,
						 "iteration %lld, attempt %d, island %d cannot be opened again",
						 (long long)number, (int)attempt, (int)island);
	if (number <= ledger->issued && (oe__ledger_has(ledger, number) || accounted >= ledger->issued))
		return oe__error(err, OE_ERR_STATE, "iteration %lld is open or has ended",
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
		status = oe__ledger_open(&hub->ledger, number, attempt);
	if (status < 0)
		return oe__error(err, status, "iteration %lld cannot be opened again: %s",
						 (long long)number, oe_status_string(status));
	*iteration = OE__STEAL(made);
	oe__hub_assert(hub);
	return 0;
}

int oe__hub_reopen_sample(oe_hub *hub, const oe_iteration *sample, oe_error *err)
{
	int status = check_reopen(hub, sample->number, sample->attempt, sample->island, err);

	if (status < 0)
		return status;
	status = oe__ledger_open(&hub->ledger, sample->number, sample->attempt);
	if (status < 0)
		return oe__error_nomem(err);
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
	return outcome <= OE_OUTCOME_TIMED_OUT;
}

static void remember_iteration(oe_hub *hub, const oe_iteration *iteration, int outcome,
							   oe_program *program, const char *message)
{
	OE__AUTO(attempt) struct oe__attempt *attempt = NULL;

	if (oe__hub_is_instructive(outcome) &&
		oe__attempt_new(iteration->number, outcome, program, message, &attempt) == 0)
		oe__hub_note(hub, iteration->island, iteration->parent->id, attempt);
}

/* The program's own failure, which "on_failure: replace" does not count as an iteration. */
static bool is_program_failure(int outcome)
{
	return outcome >= OE_OUTCOME_NOOP_EDIT && outcome <= OE_OUTCOME_TIMED_OUT;
}

/* @return whether the number is given again. */
static bool end_failed(oe_hub *hub, const oe_iteration *iteration, int outcome, oe_program *program,
					   const char *message)
{
	remember_iteration(hub, iteration, outcome, program, message);
	if (hub->settings.on_failure == OE__ON_FAILURE_REPLACE && is_program_failure(outcome) &&
		oe__ledger_repeat(&hub->ledger, iteration->number))
		return true;
	oe__ledger_end(&hub->ledger, iteration->number, outcome);
	return false;
}

int oe_hub_fail(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
				const char *message, oe_error *err)
{
	if (!hub || !iteration)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_fail: NULL argument");
	if (outcome <= OE_OUTCOME_COMMITTED || outcome >= OE_OUTCOME_COUNT)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_fail: %d is no outcome of a failure",
						 outcome);
	if (!oe__ledger_is_open(&hub->ledger, iteration->number, iteration->attempt))
		return 0;
	bool repeated = end_failed(hub, iteration, outcome, child, message);
	oe__hub_assert(hub);
	return repeated ? 2 : 1;
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

static int commit_open(oe_hub *hub, const oe_iteration *iteration, oe_program *child,
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
		commit->repeated = end_failed(hub, iteration, commit->outcome, child,
									  oe_evaluation_message(child->evaluation));
		return 0;
	}
	return commit_good(hub, iteration, child, commit);
}

int oe_hub_commit(oe_hub *hub, oe_iteration *iteration, oe_program *child, oe_commit *result,
				  oe_error *err)
{
	oe_commit commit = OE_COMMIT_INIT;

	if (!hub || !iteration || !child || (result && result->struct_size < sizeof(size_t)))
		return oe__error(err, OE_ERR_INVALID, "oe_hub_commit: missing argument, or 'struct_size'");
	if (!child->evaluation)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_commit: the child was not evaluated");
	commit.island = iteration->island;
	if (oe__ledger_is_open(&hub->ledger, iteration->number, iteration->attempt)) {
		int status = commit_open(hub, iteration, child, &commit);
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
