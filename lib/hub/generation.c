/*
 * Semantics "generation": all samples of a generation are drawn from the population as it was when the
 * generation began. Its children are staged; when its last number has come to an end they join at the
 * barrier, in the order of their numbers, all of them, and the next generation begins. Nothing else
 * changes the population, so the population itself is the snapshot.
 *
 * A generation may be closed early, with what has been committed. Iterations that are under way then
 * stay open: nobody waits for them any more, and their children join at the barrier of the generation
 * in which they come. So what was paid for is not lost, and no straggler holds up the others.
 *
 * The barrier goes on until all have joined before anything else happens. Should memory run out on the
 * way, the next call goes on, and nobody gets to see the half of it.
 */

#include "base/alloc.h"
#include "hub/hub_internal.h"

static int64_t given(const oe_hub *hub)
{
	return hub->ledger.issued - hub->generation.first + 1;
}

bool oe__generation_is_under_way(const oe_hub *hub)
{
	return given(hub) > 0 || hub->ledger.staged_count > 0;
}

/* Has the last number of all been given, and is nothing under way? Nobody would close it then. */
static bool is_last(const oe_hub *hub)
{
	return hub->ledger.issued >= hub->ledger.last && hub->ledger.repeat_count == 0 &&
		   oe__ledger_open_count(&hub->ledger) == 0;
}

bool oe__generation_is_complete(const oe_hub *hub)
{
	if (hub->ledger.staged_count == 0)
		return false;
	return is_last(hub) || (hub->generation.awaited == 0 && given(hub) >= hub->settings.window);
}

/* ---- the barrier ---- */

int oe__generation_keep_seed(oe_hub *hub, oe_program *program)
{
	struct oe__generation *generation = &hub->generation;
	void *seeds = generation->seeds;
	int status = oe__grow(&seeds, &generation->seed_capacity, generation->seed_count + 1,
						  sizeof(oe_program *));

	if (status < 0)
		return status;
	generation->seeds = seeds;
	generation->seeds[generation->seed_count++] = oe_program_ref(program);
	return 0;
}

static void drop_seed(struct oe__generation *generation)
{
	oe_program_unref(generation->seeds[0]);
	for (size_t i = 1; i < generation->seed_count; i++)
		generation->seeds[i - 1] = generation->seeds[i];
	generation->seed_count--;
}

/* Initial programs that came meanwhile are there before the children. */
static int settle_seeds(oe_hub *hub)
{
	while (hub->generation.seed_count > 0) {
		int status = oe__hub_join_initial(hub, hub->generation.seeds[0], NULL);

		if (status == OE_ERR_NOMEM)
			return status;
		drop_seed(&hub->generation); /* joined, or of no use: its identifier is taken */
	}
	return 0;
}

static int settle_children(oe_hub *hub, struct oe__report *report)
{
	struct oe__rank_node *next;

	for (struct oe__rank_node *rank = oe__rank_first(&hub->turns.order); rank; rank = next) {
		struct oe__turn *turn = oe__turn_of_rank(rank);

		next = oe__rank_next(&hub->turns.order, rank);
		int status = turn->staged ? oe__turn_settle(hub, turn, report) : 0;
		if (status < 0)
			return status;
	}
	return 0;
}

static int pass_barrier(oe_hub *hub, struct oe__report *report)
{
	struct oe__generation *generation = &hub->generation;

	generation->closing = true;
	int status = settle_seeds(hub);
	if (status == 0)
		status = settle_children(hub, report);
	if (status < 0)
		return status;
	generation->closing = false;
	generation->first = hub->ledger.issued + 1;
	generation->awaited = 0;
	generation->closed++;
	return 0;
}

int oe__generation_advance(oe_hub *hub, struct oe__report *report)
{
	if (hub->generation.closing)
		return pass_barrier(hub, report);
	if (!oe__generation_is_complete(hub))
		return 0;
	hub->generation.cut = hub->generation.awaited > 0 || given(hub) < hub->settings.window;
	return pass_barrier(hub, report);
}

bool oe__hub_was_cut(oe_hub *hub)
{
	bool cut = hub->generation.cut && !hub->generation.closing;

	if (cut)
		hub->generation.cut = false;
	return cut;
}

static int close_now(oe_hub *hub)
{
	int status = oe__hub_recover(hub);

	if (status < 0 || !oe__generation_is_under_way(hub))
		return status;
	status = pass_barrier(hub, NULL);
	hub->turns.stalled = status < 0;
	return status;
}

int oe_hub_close_generation(oe_hub *hub, oe_error *err)
{
	if (!hub)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_close_generation: NULL argument");
	if (hub->settings.semantics != OE__SEMANTICS_GENERATION)
		return oe__error(err, OE_ERR_STATE,
						 "there are no generations: 'hub.semantics' is not 'generation'");
	int status = close_now(hub);
	if (status < 0)
		return oe__error(err, status, "the generation cannot be closed: %s",
						 oe_status_string(status));
	oe__hub_assert(hub);
	return 0;
}

void oe__generation_done(oe_hub *hub)
{
	while (hub->generation.seed_count > 0)
		drop_seed(&hub->generation);
	oe__free(hub->generation.seeds);
	hub->generation.seeds = NULL;
}

/* ---- opening and ending ---- */

int oe__generation_sample(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out,
						  int *why)
{
	if (number > hub->ledger.issued && given(hub) >= hub->settings.window) {
		*why = OE_HUB_BARRIER;
		return 0;
	}
	int status = oe__hub_sample(hub, number, attempt, out);
	return status < 0 ? status : 1;
}

/* What is opened again before anything new is given makes up the generation that was under way. */
void oe__generation_opened(oe_hub *hub, int64_t number)
{
	struct oe__generation *generation = &hub->generation;

	if (number < generation->first && !hub->turns.begun)
		generation->first = number;
	if (number >= generation->first)
		generation->awaited++;
}

void oe__generation_staged(oe_hub *hub, int64_t number)
{
	if (number >= hub->generation.first)
		hub->generation.awaited--;
}
