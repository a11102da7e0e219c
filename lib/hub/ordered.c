/*
 * Semantics "ordered": iterations end in the order of their numbers, through a buffer, and the sample
 * of number i is drawn as soon as number i - W has ended, whether or not anybody wants it yet. So
 * what is drawn, what joins and what it displaces depend on the answers alone: not on how many
 * iterations are under way, nor on which of them is fast.
 *
 * An attempt that follows a failure ("on_failure: replace") may not wait for its number's turn, or
 * everything would wait with it, and the state that its number may see is gone. So it has the sample
 * of the attempt before, and is shown how that failed.
 *
 * Iteration i may see the state in which number i - W had just ended. That its content was there, the
 * state of now does not tell: it may have joined later, or have left again. Members know when they
 * joined, and those that left are remembered for as long as somebody may ask.
 */

#include <assert.h>

#include "base/alloc.h"
#include "hub/hub_internal.h"

int oe__ordered_init(oe_hub *hub)
{
	hub->ordered.limit = INT64_MAX;
	if (hub->settings.semantics != OE__SEMANTICS_ORDERED)
		return 0;
	hub->ordered.ahead = oe__calloc((size_t)hub->settings.window, sizeof(oe_iteration *));
	return hub->ordered.ahead ? 0 : OE_ERR_NOMEM;
}

static oe_iteration *take_ahead(struct oe__ordered *ordered, int64_t window)
{
	oe_iteration *iteration = ordered->ahead[ordered->head];

	ordered->head = (ordered->head + 1) % (size_t)window;
	ordered->count--;
	return iteration;
}

void oe__ordered_done(oe_hub *hub)
{
	while (hub->ordered.count > 0)
		oe_iteration_unref(take_ahead(&hub->ordered, hub->settings.window));
	oe__free(hub->ordered.ahead);
	hub->ordered.ahead = NULL;
	oe__departed_done(&hub->ordered.departed);
}

/* ---- turns ---- */

int64_t oe__ordered_drawn(const oe_hub *hub)
{
	return hub->ledger.issued + (int64_t)hub->ordered.count;
}

/* The samples of all numbers that are not farther than W from the last one that ended. */
static int draw_ahead(oe_hub *hub)
{
	struct oe__ordered *ordered = &hub->ordered;
	const struct oe__turn *first = oe__turn_first(hub);
	int64_t window = hub->settings.window;
	int64_t last = (first ? first->number - 1 : hub->ledger.issued) + window;

	if (!hub->initial)
		return 0;
	hub->turns.begun = true;
	for (int64_t number = oe__ordered_drawn(hub) + 1; number <= last; number++) {
		size_t place = (ordered->head + ordered->count) % (size_t)window;
		int status = oe__hub_sample(hub, number, 0, &ordered->ahead[place]);

		if (status < 0)
			return status;
		ordered->count++;
	}
	return 0;
}

int oe__ordered_advance(oe_hub *hub, struct oe__report *report)
{
	struct oe__turn *turn;
	int status;

	while ((status = draw_ahead(hub)) == 0) {
		turn = oe__turn_first(hub);
		if (!turn || !turn->staged || turn->number > hub->ordered.limit)
			return 0;
		int64_t number = turn->number;
		hub->ordered.position = number;
		status = oe__turn_settle(hub, turn, report);
		if (status < 0)
			return status;
		/* The next to end may see the state after number + 1 - W, and so may all later ones. */
		oe__departed_forget(&hub->ordered.departed, number + 1 - hub->settings.window);
	}
	return status;
}

void oe__hub_hold(oe_hub *hub, int64_t number)
{
	hub->turns.stalled |= number > hub->ordered.limit; /* what waited follows with the next call */
	hub->ordered.limit = number;
}

/* ---- opening ---- */

/* As the attempt before, with the failures of this number in front of those it showed. */
static int sample_again(oe_hub *hub, const struct oe__turn *turn, int32_t attempt,
						oe_iteration **out)
{
	const oe_iteration *before = turn->iteration;
	size_t most = hub->settings.attempt_count, count = 0;
	OE__AUTO(memory) void *memory = oe__calloc(most + 1, sizeof(struct oe__attempt *));
	struct oe__attempt **attempts = memory;

	if (!attempts)
		return OE_ERR_NOMEM;
	if (most > 0 && turn->failed_count > 0)
		attempts[count++] = turn->failed[turn->failed_count - 1];
	for (size_t i = 0; i < before->attempt_count && count < most; i++)
		attempts[count++] = before->attempts[i];
	return oe__sample_build(&(struct oe__sample_spec){ .number = before->number,
													   .attempt = attempt,
													   .island = before->island,
													   .run_seed = before->run_seed,
													   .version = before->version,
													   .parent = before->parent,
													   .inspirations = before->inspirations,
													   .inspiration_count =
														   before->inspiration_count,
													   .top = before->top,
													   .top_count = before->top_count,
													   .attempts = attempts,
													   .attempt_count = count,
													   .axes = before->axes,
													   .coordinates = before->coordinates },
							out);
}

int oe__ordered_sample(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out, int *why)
{
	const struct oe__ledger_entry *repeat = hub->ledger.repeats;

	if (repeat && repeat->number == number) {
		int status = sample_again(hub, repeat->turn, attempt, out);
		return status < 0 ? status : 1;
	}
	if (hub->ordered.count == 0) {
		*why = OE_HUB_WINDOW_FULL;
		return 0;
	}
	*out = oe_iteration_ref(hub->ordered.ahead[hub->ordered.head]);
	assert((*out)->number == number);
	return 1;
}

/* A number was given, so its sample is not ahead any more. The ledger counts it as given by now. */
void oe__ordered_opened(oe_hub *hub, int64_t number)
{
	struct oe__ordered *ordered = &hub->ordered;

	if (ordered->count > 0 && ordered->ahead[ordered->head]->number == number)
		oe_iteration_unref(take_ahead(ordered, hub->settings.window));
}

/* ---- what may be seen ---- */

int64_t oe__ordered_view(const oe_hub *hub, int64_t number)
{
	/* Before the first number ended, and whatever a restart brought along, was there from the start. */
	return number > hub->settings.window ? number - hub->settings.window : 0;
}

oe_program *oe__ordered_find(const oe_hub *hub, int64_t number, const uint8_t hash[OE__SHA256_SIZE])
{
	int64_t view = oe__ordered_view(hub, number);
	const struct oe__member *oldest = oe__hub_find_hash(hub, hash);

	if (oldest && oldest->joined <= view)
		return oldest->program;
	return oe__departed_find(&hub->ordered.departed, hash, view);
}

void oe__ordered_leave(oe_hub *hub, const struct oe__member *member)
{
	oe__departed_add(&hub->ordered.departed, member->program, member->joined,
					 hub->ordered.position);
}
