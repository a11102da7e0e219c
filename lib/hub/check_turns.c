/*
 * The invariants of iterations that end in turn. As in check.c everything is walked.
 */

#include "hub/check.h"

/* ---- all numbers that have not ended ---- */

static bool waits_for_attempt(const struct oe__ledger *ledger, const struct oe__turn *turn)
{
	for (const struct oe__ledger_entry *entry = ledger->repeats; entry; entry = entry->next)
		if (entry->turn == turn)
			return entry->number == turn->number;
	return false;
}

static const char *check_turn(const oe_hub *hub, const struct oe__turn *turn)
{
	bool known = oe__ledger_turn(&hub->ledger, turn->number) == turn;

	HOLD(known != waits_for_attempt(&hub->ledger, turn), "a number has one turn");
	HOLD(turn->number >= 1 && turn->number <= hub->ledger.issued, "a turn is of a given number");
	HOLD(!turn->staged || known, "what is staged is not given again");
	HOLD(!turn->staged || (turn->iteration && turn->iteration->number == turn->number),
		 "what is staged ended the iteration of that number");
	HOLD(!turn->staged || turn->outcome != OE_OUTCOME_COMMITTED || turn->child,
		 "what is staged for a commit has a child");
	return NULL;
}

static const char *check_order(oe_hub *hub)
{
	const struct oe__ledger *ledger = &hub->ledger;
	size_t staged = 0, turns = 0;
	int64_t awaited = 0, before = 0;

	for (struct oe__rank_node *rank = oe__rank_first(&hub->turns.order); rank;
		 rank = oe__rank_next(&hub->turns.order, rank)) {
		const struct oe__turn *turn = oe__turn_of_rank(rank);
		const char *broken = check_turn(hub, turn);

		if (broken)
			return broken;
		HOLD(turn->number > before, "turns are in the order of their numbers");
		before = turn->number;
		awaited += !turn->staged && turn->number >= hub->generation.first;
		staged += turn->staged;
		turns++;
	}
	HOLD(turns == (oe__hub_has_turns(hub) ? ledger->open.count + ledger->repeat_count : 0),
		 "each number that has not ended has a turn");
	HOLD(staged == ledger->staged_count, "staged ends are counted");
	HOLD(hub->settings.semantics != OE__SEMANTICS_GENERATION ||
			 awaited == hub->generation.awaited,
		 "a generation counts the numbers that it waits for");
	return NULL;
}

/* ---- ordered ---- */

static const char *check_ahead(const oe_hub *hub, const struct oe__turn *first)
{
	const struct oe__ordered *ordered = &hub->ordered;
	size_t window = (size_t)hub->settings.window;
	int64_t ended = first ? first->number - 1 : hub->ledger.issued;
	int64_t drawn = oe__ordered_drawn(hub), wanted = ended + hub->settings.window;

	HOLD(ordered->count <= window, "no more samples are drawn than the distance allows");
	for (size_t i = 0; i < ordered->count; i++)
		HOLD(ordered->ahead[(ordered->head + i) % window]->number ==
				 hub->ledger.issued + 1 + (int64_t)i,
			 "samples are drawn for the numbers to come, in order");
	if (!hub->turns.begun || hub->turns.stalled)
		return NULL;
	/* Numbers that were opened again after a restart may be farther apart. */
	HOLD(ordered->count > 0 ? drawn == wanted : drawn >= wanted,
		 "the sample of a number is drawn when the one that is W before it ends");
	HOLD(!first || !first->staged || first->number > ordered->limit,
		 "nothing waits whose turn has come");
	return NULL;
}

static const char *check_departed(const oe_hub *hub)
{
	const struct oe__ordered *ordered = &hub->ordered;
	int64_t before = 0;
	size_t contents = 0;

	for (const struct oe__departure *one = ordered->departed.oldest; one; one = one->next) {
		HOLD(one->joined < one->left && one->left <= ordered->position,
			 "what left had come before");
		HOLD(one->left >= before, "departures are in order");
		HOLD(one->left > ordered->position - hub->settings.window,
			 "what nobody may see any more is forgotten");
		HOLD(one->next || one == ordered->departed.newest, "the newest departure is the last");
		before = one->left;
		contents += one->earlier == NULL;
	}
	HOLD(contents == ordered->departed.contents.count, "departures are found by content");
	for (const struct oe__member *member = hub->oldest; member; member = member->newer)
		HOLD(member->joined <= ordered->position, "members joined at a number that ended");
	return NULL;
}

/* ---- generation ---- */

static const char *check_generation(const oe_hub *hub)
{
	const struct oe__generation *generation = &hub->generation;

	HOLD(generation->first >= 1 && generation->first <= hub->ledger.issued + 1,
		 "a generation has the latest numbers");
	HOLD(generation->seed_count == 0 || oe__generation_is_under_way(hub),
		 "initial programs wait for the barrier only");
	if (hub->turns.stalled)
		return NULL;
	HOLD(!generation->closing, "a barrier is passed at once");
	HOLD(!oe__generation_is_complete(hub), "a complete generation is closed");
	return NULL;
}

const char *oe__hub_check_turns(const oe_hub *hub)
{
	/* Looking into a tree counts as a visit. */
	oe_hub *open = (oe_hub *)(uintptr_t)hub;
	const char *broken = check_order(open);

	if (!broken && hub->settings.semantics == OE__SEMANTICS_ORDERED)
		broken = check_ahead(hub, oe__turn_first(open));
	if (!broken && hub->settings.semantics == OE__SEMANTICS_ORDERED)
		broken = check_departed(hub);
	if (!broken && hub->settings.semantics == OE__SEMANTICS_GENERATION)
		broken = check_generation(hub);
	return broken;
}
