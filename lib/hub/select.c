/*
 * Samples: which program an iteration starts from, and what its prompt shows beside it.
 *
 * All draws of an attempt come from two streams of its own: "select" for the parent (one real
 * number for the way, one draw for the program) and "inspire" for the inspirations. So neither the
 * order of commits nor a restart changes how the dice fall, only what they fall upon.
 */

#include <assert.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "hub/hub_internal.h"

/* ---- parent ---- */

/* Rank under linear ranking of `count` members, the best of which weighs `count`: the first rank
   whose share ends behind `at`. */
static uint32_t linear_rank(uint64_t count, uint64_t at)
{
	uint64_t low = 0, high = count - 1;

	while (low < high) {
		uint64_t middle = (low + high) / 2, ranks = middle + 1;
		uint64_t end = ranks * count - ranks * middle / 2;

		if (at < end)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

static struct oe__member *draw_by_fitness(struct oe__island *island, struct oe__rng *rng)
{
	if (oe__island_ranks(island)) {
		uint64_t count = island->count;
		uint64_t at = oe__rng_below(rng, count * (count + 1) / 2);

		return oe__member_of_island(oe__rank_at(&island->ranks, linear_rank(count, at)));
	}
	double at = oe__rng_real(rng) * oe__sum_tree_total(&island->weights);
	return island->members[oe__sum_tree_find(&island->weights, at, island->count)];
}

struct oe__member *oe__hub_draw_parent(oe_hub *hub, int32_t island_index, int64_t number,
                                       int32_t attempt, enum oe__choice *choice)
{
	struct oe__island *island = &hub->islands[island_index];
	const struct oe__hub_settings *settings = &hub->settings;
	struct oe__rng rng;

	*choice = OE__CHOICE_INITIAL;
	if (island->count == 0)
		return NULL;
	oe__rng_init(&rng, settings->seed, "select", (uint64_t)number, (uint64_t)attempt);
	double way = oe__rng_real(&rng);
	if (way < settings->exploration_ratio) {
		*choice = OE__CHOICE_UNIFORM;
		return island->members[oe__rng_below(&rng, island->count)];
	}
	if (way < settings->exploration_ratio + settings->exploitation_ratio &&
	    island->archived_count > 0) {
		*choice = OE__CHOICE_ARCHIVE;
		return island->archived[oe__rng_below(&rng, island->archived_count)];
	}
	*choice = OE__CHOICE_FITNESS;
	return draw_by_fitness(island, &rng);
}

/* ---- what is shown ---- */

/* `count` distinct members other than `parent`, uniformly (Floyd's algorithm; Bentley, Floyd: A
   sample of brilliance, 1987). Marks tell which were taken. Floyd takes the low slots first, and a
   prompt that is too long leaves out the last ones shown: so each goes to a random place among
   those before it. */
static void draw_inspirations(oe_hub *hub, struct oe__island *island,
                              const struct oe__member *parent, size_t count, struct oe__rng *rng,
                              oe_program **out)
{
	size_t others = island->count - 1;
	uint64_t mark = ++hub->draw;

	for (size_t taken = 0; taken < count; taken++) {
		size_t i = others - count + taken, pick = (size_t)oe__rng_below(rng, i + 1);
		struct oe__member *member = island->members[pick + (pick >= parent->slot)];

		if (member->mark == mark)
			member = island->members[i + (i >= parent->slot)];
		member->mark = mark;
		size_t place = (size_t)oe__rng_below(rng, taken + 1);
		out[taken] = out[place];
		out[place] = member->program;
	}
}

static size_t take_top(struct oe__island *island, size_t count, oe_program **out)
{
	struct oe__rank_node *node = oe__rank_first(&island->ranks);

	for (size_t i = 0; i < count; i++, node = oe__rank_next(&island->ranks, node))
		out[i] = oe__member_of_island(node)->program;
	return count;
}

/* Recent attempts on the parent, else on its island. */
static const struct oe__attempt_list *attempts_on(const oe_hub *hub,
                                                  const struct oe__member *parent, int32_t island)
{
	const struct oe__attempt_list *list = parent ? &parent->attempts : &hub->initial_attempts;

	return list->count > 0 ? list : &hub->islands[island].attempts;
}

/* ---- samples ---- */

/* The arrays of a sample, while it is being built; their items are borrowed. */
struct shown {
	oe_program **programs;
	struct oe__attempt **attempts;
};

static void shown_done(struct shown *shown)
{
	oe__free(shown->programs);
	oe__free(shown->attempts);
}

OE__AUTO_VALUE(shown, struct shown, shown_done)

static int show_attempts(struct oe__sample_spec *spec, const struct oe__attempt_list *list,
                         struct shown *shown)
{
	shown->attempts = oe__calloc(list->count + 1, sizeof(struct oe__attempt *));
	if (!shown->attempts)
		return OE_ERR_NOMEM;
	spec->attempt_count = oe__attempts_get(list, shown->attempts, list->count);
	spec->attempts = shown->attempts;
	return 0;
}

/* The top list of the island behind `inspirations` other programs. */
static int show_top(const oe_hub *hub, struct oe__sample_spec *spec, size_t inspirations,
                    struct shown *shown)
{
	struct oe__island *island = &hub->islands[spec->island];
	size_t top = hub->settings.top_count < island->count ? hub->settings.top_count : island->count;

	shown->programs = oe__calloc(inspirations + top + 1, sizeof(oe_program *));
	if (!shown->programs)
		return OE_ERR_NOMEM;
	spec->top = shown->programs + inspirations;
	spec->top_count = take_top(island, top, shown->programs + inspirations);
	return 0;
}

/* The sample of an island without members: nothing but the program where all began. */
static int sample_initial(oe_hub *hub, struct oe__sample_spec *spec, oe_iteration **out)
{
	const struct oe__member *alive = oe__hub_find(hub, hub->initial->id);
	OE__AUTO(shown) struct shown shown = { NULL, NULL };

	spec->parent = hub->initial;
	spec->coordinates = alive ? alive->coordinates : NULL;
	if (hub->settings.top_count > 0 && hub->initial->evaluation) {
		spec->top = &hub->initial;
		spec->top_count = 1;
	}
	int status = show_attempts(spec, attempts_on(hub, alive, spec->island), &shown);
	return status < 0 ? status : oe__sample_build(spec, out);
}

static int sample_island(oe_hub *hub, struct oe__sample_spec *spec, struct oe__member *parent,
                         oe_iteration **out)
{
	struct oe__island *island = &hub->islands[spec->island];
	size_t inspirations = island->count - 1;
	OE__AUTO(shown) struct shown shown = { NULL, NULL };
	struct oe__rng rng;

	if (inspirations > hub->settings.inspiration_count)
		inspirations = hub->settings.inspiration_count;
	int status = show_top(hub, spec, inspirations, &shown);
	if (status == 0)
		status = show_attempts(spec, attempts_on(hub, parent, spec->island), &shown);
	if (status < 0)
		return status;
	oe__rng_init(&rng, hub->settings.seed, "inspire", (uint64_t)spec->number,
	             (uint64_t)spec->attempt);
	draw_inspirations(hub, island, parent, inspirations, &rng, shown.programs);
	spec->inspirations = shown.programs;
	spec->inspiration_count = inspirations;
	spec->parent = parent->program;
	spec->coordinates = parent->coordinates;
	return oe__sample_build(spec, out);
}

int oe__hub_sample(oe_hub *hub, int64_t number, int32_t attempt, oe_iteration **out)
{
	struct oe__sample_spec spec = {
		.number = number,
		.attempt = attempt,
		.island = (int32_t)((number - 1) % hub->island_count),
		.run_seed = hub->settings.seed,
		.version = hub->version,
		.axes = hub->settings.axes,
	};
	enum oe__choice choice;
	struct oe__member *parent = oe__hub_draw_parent(hub, spec.island, number, attempt, &choice);

	assert(parent || hub->initial);
	return parent ? sample_island(hub, &spec, parent, out) : sample_initial(hub, &spec, out);
}

int oe__hub_sample_again(oe_hub *hub, struct oe__sample_spec *spec, oe_iteration **out)
{
	const struct oe__member *parent = oe__hub_find(hub, spec->parent->id);
	OE__AUTO(shown) struct shown shown = { NULL, NULL };

	spec->run_seed = hub->settings.seed;
	spec->version = hub->version;
	spec->axes = hub->settings.axes;
	spec->coordinates = parent ? parent->coordinates : NULL;
	int status = show_top(hub, spec, 0, &shown);
	if (status == 0)
		status = show_attempts(spec, attempts_on(hub, parent, spec->island), &shown);
	return status < 0 ? status : oe__sample_build(spec, out);
}
