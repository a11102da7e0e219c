/*
 * Turns: in the semantics "generation" and "ordered" an iteration that comes to an end is staged, and
 * ends for good when its turn comes, by number. Until then nothing of it can be seen: neither the
 * child nor, in prompts, that its parent was tried.
 *
 * Which turns come is decided in ordered.c and generation.c.
 */

#include <assert.h>

#include "base/alloc.h"
#include "hub/hub_internal.h"

struct oe__turn *oe__turn_of_rank(struct oe__rank_node *rank)
{
	return rank ? OE__CONTAINER(rank, struct oe__turn, rank) : NULL;
}

struct oe__turn *oe__turn_first(oe_hub *hub)
{
	return oe__turn_of_rank(oe__rank_first(&hub->turns.order));
}

/* ---- life ---- */

static void forget_end(struct oe__turn *turn)
{
	oe_iteration_unref(turn->iteration);
	oe_program_unref(turn->child);
	oe__free(turn->message);
	turn->iteration = NULL;
	turn->child = NULL;
	turn->message = NULL;
}

static void forget_failed(struct oe__turn *turn)
{
	for (size_t i = 0; i < turn->failed_count; i++)
		oe__attempt_unref(turn->failed[i]);
	turn->failed_count = 0;
}

void oe__turn_free(struct oe__turn *turn)
{
	if (!turn)
		return;
	forget_end(turn);
	forget_failed(turn);
	oe__free(turn->failed);
	oe__free(turn);
}

int oe__turn_open(oe_hub *hub, oe_iteration *iteration)
{
	struct oe__turn *turn = NULL;
	int64_t number = iteration->number;
	bool again = oe__ledger_has(&hub->ledger, number);

	if (oe__hub_has_turns(hub) && !again) {
		turn = oe__calloc(1, sizeof(*turn));
		if (!turn)
			return OE_ERR_NOMEM;
		turn->number = number;
	}
	int status = oe__ledger_open(&hub->ledger, iteration, turn);
	if (status < 0) {
		oe__turn_free(turn);
		return status;
	}
	if (!turn)
		return 0;
	oe__rank_insert(&hub->turns.order, &turn->rank, 0, (uint64_t)number);
	if (hub->settings.semantics == OE__SEMANTICS_ORDERED)
		oe__ordered_opened(hub, number);
	else
		oe__generation_opened(hub, number);
	return 0;
}

/* ---- staging ---- */

int oe__turn_stage(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
				   const char *message)
{
	struct oe__turn *turn = oe__ledger_turn(&hub->ledger, iteration->number);
	char *copy = message ? oe__strdup(message) : NULL;

	assert(turn && !turn->staged);
	if (message && !copy)
		return OE_ERR_NOMEM;
	forget_end(turn);
	turn->iteration = oe_iteration_ref(iteration);
	turn->child = child ? oe_program_ref(child) : NULL;
	turn->outcome = outcome;
	turn->message = copy;
	turn->staged = true;
	oe__ledger_stage(&hub->ledger, iteration->number);
	if (hub->settings.semantics == OE__SEMANTICS_GENERATION)
		oe__generation_staged(hub, iteration->number);
	return 0;
}

int oe__turn_repeat(oe_hub *hub, oe_iteration *iteration, int outcome, oe_program *child,
					const char *message)
{
	struct oe__turn *turn = oe__ledger_turn(&hub->ledger, iteration->number);
	void *failed = turn->failed;
	int status = oe__grow(&failed, &turn->failed_capacity, turn->failed_count + 1,
						  sizeof(struct oe__attempt *));

	if (status < 0)
		return status;
	turn->failed = failed;
	status = oe__attempt_new(iteration->number, outcome, child, message,
							 &turn->failed[turn->failed_count]);
	if (status < 0)
		return status;
	turn->failed_count++;
	oe_iteration_ref(iteration);
	forget_end(turn);
	turn->iteration = iteration;
	oe__ledger_repeat(&hub->ledger, iteration->number);
	return 0;
}

/* ---- settling ---- */

/* Attempts that came to nothing were made before the one that ended. */
static void note_failed(oe_hub *hub, struct oe__turn *turn)
{
	for (size_t i = 0; i < turn->failed_count; i++)
		if (oe__hub_is_instructive(turn->failed[i]->outcome))
			oe__hub_note(hub, turn->iteration->island, turn->iteration->parent->id,
						 turn->failed[i]);
	forget_failed(turn);
}

static int settle_child(oe_hub *hub, struct oe__turn *turn, oe_commit *commit)
{
	int status = oe__hub_end_with(hub, turn->iteration, turn->child, commit);

	if (status != OE_ERR_INVALID)
		return status;
	/* Another program took the child's identifier meanwhile. */
	commit->outcome = OE_OUTCOME_LOST;
	oe__hub_end_without(hub, turn->iteration, OE_OUTCOME_LOST, NULL, NULL);
	return 0;
}

int oe__turn_settle(oe_hub *hub, struct oe__turn *turn, struct oe__report *report)
{
	oe_commit commit = OE_COMMIT_INIT;

	assert(turn->staged);
	commit.island = turn->iteration->island;
	commit.outcome = turn->outcome;
	note_failed(hub, turn);
	if (turn->outcome == OE_OUTCOME_COMMITTED) {
		int status = settle_child(hub, turn, &commit);
		if (status < 0)
			return status;
	} else {
		oe__hub_end_without(hub, turn->iteration, turn->outcome, turn->child, turn->message);
	}
	oe__rank_remove(&hub->turns.order, &turn->rank);
	if (hub->settled)
		hub->settled(hub->settled_owner, turn->iteration, turn->child, &commit);
	if (report && report->number == turn->number) {
		report->settled = true;
		*report->commit = commit;
	}
	oe__turn_free(turn);
	return 0;
}

int oe__hub_advance(oe_hub *hub, struct oe__report *report)
{
	int status = 0;

	if (hub->settings.semantics == OE__SEMANTICS_ORDERED)
		status = oe__ordered_advance(hub, report);
	if (hub->settings.semantics == OE__SEMANTICS_GENERATION)
		status = oe__generation_advance(hub, report);
	hub->turns.stalled = status < 0;
	return status;
}

bool oe__hub_ends_in_turn(const oe_hub *hub)
{
	return oe__hub_has_turns(hub);
}

void oe__hub_on_settled(oe_hub *hub, oe__settled_fn *settled, void *owner)
{
	hub->settled = settled;
	hub->settled_owner = owner;
}
