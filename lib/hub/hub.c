/*
 * The public interface of the hub, and its life.
 */

#include "hub/hub.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/hub_internal.h"

/* ---- life ---- */

int oe__hub_make_islands(oe_hub *hub, int32_t count)
{
	/* Lists know where their islands are: nothing may live yet. */
	assert(hub->count == 0 && hub->attempts.count == 0 && count >= hub->island_count);
	struct oe__island *islands = oe__realloc(hub->islands, (size_t)count * sizeof(*hub->islands));

	if (!islands)
		return OE_ERR_NOMEM;
	memset(islands + hub->island_count, 0, (size_t)(count - hub->island_count) * sizeof(*islands));
	hub->islands = islands;
	hub->archive.islands = islands;
	hub->island_count = count;
	return 0;
}

static bool has_diversity(const struct oe__dimensions *dimensions)
{
	for (size_t i = 0; i < dimensions->count; i++)
		if (strcmp(dimensions->names[i], "diversity") == 0)
			return true;
	return false;
}

static int init(oe_hub *hub, const struct oe__hub_settings *settings)
{
	int status = oe__hub_settings_copy(settings, &hub->settings);
	if (status < 0)
		return status;

	const struct oe__dimensions *dimensions = &hub->settings.axes->dimensions;
	if (oe__hub_has_turns(hub))
		hub->settings.window = oe__effective_window(&hub->settings);
	hub->generation.first = 1;
	hub->archive.capacity = settings->archive_size;
	hub->attempts.per_list = settings->attempt_count;
	oe__slab_init(&hub->members, oe__member_size(dimensions->count));
	oe__diversity_init(&hub->diversity,
					   has_diversity(dimensions) ? settings->diversity_reference_size : 0,
					   settings->seed);
	status = oe__features_init(&hub->features, dimensions, hub->settings.bins);
	if (status == 0)
		status = oe__hub_make_islands(hub, settings->island_count);
	return status < 0 ? status : oe__ordered_init(hub);
}

int oe__hub_new(const struct oe__hub_settings *settings, oe_hub **out, oe_error *err)
{
	OE__AUTO(hub) oe_hub *hub = oe__calloc(1, sizeof(*hub));
	if (!hub)
		return oe__error_nomem(err);
#ifndef __OPTIMIZE__
	hub->checked = true;
#endif
	oe__ledger_init(&hub->ledger, settings->iterations);
	int status = init(hub, settings);
	if (status < 0)
		return oe__error(err, status, "cannot make a hub: %s", oe_status_string(status));
	*out = OE__STEAL(hub);
	return 0;
}

void oe_hub_free(oe_hub *hub)
{
	if (!hub)
		return;
	while (hub->newest)
		oe__hub_remove(hub, hub->newest);
	oe__ordered_done(hub);
	oe__generation_done(hub);
	for (int32_t i = 0; i < hub->island_count; i++) {
		oe__attempts_clear(&hub->attempts, &hub->islands[i].attempts);
		oe__island_done(&hub->islands[i]);
	}
	oe__attempts_clear(&hub->attempts, &hub->initial_attempts);
	oe__free(hub->islands);
	oe__ledger_done(&hub->ledger);
	oe_program_unref(hub->initial);
	oe__slab_done(&hub->members);
	oe__map_done(&hub->ids);
	oe__map_done(&hub->contents);
	oe__forms_done(&hub->forms);
	if (hub->features.dimensions)
		oe__features_done(&hub->features);
	oe__diversity_done(&hub->diversity);
	oe__hub_settings_done(&hub->settings);
	oe__free(hub);
}

void oe__hub_set_checked(oe_hub *hub, bool checked)
{
	hub->checked = checked;
}

/* ---- seeding ---- */

/* A dimension that no program has ever had is a slip of the pen: say so before money is spent. */
static int check_dimensions(const oe_hub *hub, const oe_program *program, oe_error *err)
{
	const struct oe__dimensions *dimensions = &hub->settings.axes->dimensions;
	OE__AUTO(buffer) struct oe__buffer names = OE__BUFFER_INIT(0);

	for (size_t i = 0; i < dimensions->count; i++) {
		if (oe__feature_is_builtin(dimensions->names[i]) ||
			oe__evaluation_metric(program->evaluation, dimensions->names[i]))
			continue;
		for (size_t m = 0; m < oe_program_metric_count(program); m++)
			oe__buffer_printf(&names, "%s'%s'", m > 0 ? ", " : "",
							  oe_program_metric_at(program, m, NULL));
		return oe__error(err, OE_ERR_CONFIG,
						 "'database.feature_dimensions' names '%s', which is neither built in nor "
						 "among the metrics of the initial program: %s",
						 dimensions->names[i], oe__buffer_string(&names));
	}
	return 0;
}

static int set_initial(oe_hub *hub, oe_program *program)
{
	oe_program *initial = NULL;
	int status = oe__hub_adopt(hub, program, program->island, &initial);

	if (status < 0)
		return status;
	oe_program_unref(hub->initial);
	hub->initial = initial;
	return 0;
}

/* It does not join, but all islands can start from it. */
static int seed_failed(oe_hub *hub, oe_program *program)
{
	OE__AUTO(program) oe_program *outside = NULL;

	if (hub->initial)
		return 0;
	int status = oe__hub_adopt(hub, program, -1, &outside);
	return status < 0 ? status : set_initial(hub, outside);
}

static int seed_good(oe_hub *hub, oe_program *program, oe_error *err)
{
	OE__AUTO(program) oe_program *adopted = NULL;
	int32_t island = (int32_t)(hub->seeded % hub->island_count);
	struct oe__placement placement;

	if (oe__hub_find_hash(hub, program->source->hash))
		return 0;
	if (oe__hub_find(hub, program->id))
		return oe__error(err, OE_ERR_INVALID, "another program has the identifier '%s'",
						 program->id);
	int status = hub->count == 0 ? check_dimensions(hub, program, err) : 0;
	if (status < 0)
		return status;
	status = oe__hub_adopt(hub, program, island, &adopted);
	if (status == 0)
		status = oe__hub_place(hub, adopted, island, &placement);
	if (status == 0 && (!hub->initial || oe__evaluation_failed(hub->initial->evaluation)))
		status = set_initial(hub, adopted);
	if (status < 0)
		return oe__error(err, status, "cannot seed: %s", oe_status_string(status));
	hub->seeded++;
	return 0;
}

int oe__hub_join_initial(oe_hub *hub, oe_program *program, oe_error *err)
{
	return oe__evaluation_failed(program->evaluation) ? seed_failed(hub, program)
													  : seed_good(hub, program, err);
}

/* Where samples are drawn from the state before the generation it has to wait. */
static int seed(oe_hub *hub, oe_program *program, oe_error *err)
{
	const struct oe__member *same_id = oe__hub_find(hub, program->id);

	if (hub->settings.semantics != OE__SEMANTICS_GENERATION || !oe__generation_is_under_way(hub))
		return oe__hub_join_initial(hub, program, err);
	if (same_id && memcmp(same_id->program->source->hash, program->source->hash, OE__SHA256_SIZE) != 0)
		return oe__error(err, OE_ERR_INVALID, "another program has the identifier '%s'",
						 program->id);
	int status = oe__generation_keep_seed(hub, program);
	return status < 0 ? oe__error_nomem(err) : 0;
}

int oe_hub_seed(oe_hub *hub, oe_program *program, oe_error *err)
{
	if (!hub || !program)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_seed: NULL argument");
	if (!program->evaluation)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_seed: the program was not evaluated");
	int status = oe__hub_recover(hub);
	if (status < 0)
		return oe__error_nomem(err);
	status = seed(hub, program, err);
	oe__hub_assert(hub);
	return status;
}

int oe_hub_restore(oe_hub *hub, const oe_population *population, oe_error *err)
{
	if (!hub || !population)
		return oe__error(err, OE_ERR_INVALID, "oe_hub_restore: NULL argument");
	if (hub->count > 0 || hub->initial || hub->ledger.issued > 0)
		return oe__error(err, OE_ERR_STATE, "oe_hub_restore: the hub is in use already");
	int status = oe__hub_thaw(hub, population);
	if (status < 0)
		return oe__error(err, status, "the population cannot be restored: %s",
						 oe_status_string(status));
	oe__hub_assert(hub);
	return 0;
}

/* ---- looking ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

oe_program *oe_hub_find_content(const oe_hub *hub, const oe_iteration *iteration,
								const char *content_hash)
{
	uint8_t hash[OE__SHA256_SIZE];

	if (!hub || !content_hash)
		return NULL;
	for (size_t i = 0; i < sizeof(hash); i++) {
		int high = digit_of(content_hash[2 * i]);
		int low = high < 0 ? -1 : digit_of(content_hash[2 * i + 1]);

		if (low < 0)
			return NULL;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	if (content_hash[2 * sizeof(hash)] != '\0')
		return NULL;
	if (iteration && hub->settings.semantics == OE__SEMANTICS_ORDERED)
		return oe__ordered_find(hub, iteration->number, hash);
	struct oe__member *member = oe__hub_find_hash(hub, hash);
	return member ? member->program : NULL;
}

int oe_hub_population(oe_hub *hub, oe_population **out)
{
	if (!hub || !out)
		return OE_ERR_INVALID;
	int status = oe__hub_recover(hub);
	return status < 0 ? status : oe__hub_freeze(hub, out);
}

int64_t oe_hub_issued(const oe_hub *hub)
{
	return hub->ledger.issued;
}

int64_t oe_hub_ended(const oe_hub *hub)
{
	return hub->ledger.ended;
}

int64_t oe_hub_outcome_count(const oe_hub *hub, int outcome)
{
	return outcome >= 0 && outcome < OE_OUTCOME_COUNT ? hub->ledger.outcomes[outcome] : 0;
}

oe_program *oe_hub_best(const oe_hub *hub)
{
	return hub->best ? hub->best->program : NULL;
}

/* ---- for other layers ---- */

void oe__hub_set_last(oe_hub *hub, int64_t number)
{
	hub->ledger.last = number;
}

int64_t oe__hub_last(const oe_hub *hub)
{
	return hub->ledger.last;
}

void oe__hub_set_window(oe_hub *hub, int64_t window)
{
	if (hub->settings.semantics == OE__SEMANTICS_STEADY)
		hub->settings.window = window;
}

int64_t oe__hub_window(const oe_hub *hub)
{
	return hub->settings.window;
}

size_t oe__hub_open_count(const oe_hub *hub)
{
	return oe__ledger_open_count(&hub->ledger);
}

void oe__hub_figures(const oe_hub *hub, struct oe__hub_figures *out)
{
	*out = (struct oe__hub_figures){
		.programs = hub->count,
		.islands = (size_t)hub->island_count,
		.archive = oe__rank_count(&hub->archive.ranks),
		.version = hub->version,
		.last_iteration = hub->last_iteration,
		.position = hub->ordered.position,
		.staged = (int64_t)hub->ledger.staged_count,
		.generation = hub->generation.closed,
		.generation_given = hub->ledger.issued - hub->generation.first + 1,
		.next_migration = hub->island_count < 2 ? -1
												: hub->last_migration +
													  hub->settings.migration_interval -
													  hub->generation_max,
		.visits = hub->archive.ranks.visits + hub->turns.order.visits,
	};
	out->generation_ended = out->generation_given - hub->generation.awaited;
	for (int32_t i = 0; i < hub->island_count; i++) {
		out->cells += hub->islands[i].cells.count;
		out->visits += hub->islands[i].ranks.visits + hub->islands[i].weights.visits;
	}
}
