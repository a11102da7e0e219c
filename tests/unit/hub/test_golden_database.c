/*
 * Recorded scenarios of OpenEvolve's database, driven through the internals of the hub call by
 * call.
 *
 * Where we differ from what was recorded (or `wanted`), and why:
 *
 * - A displaced elite leaves the population: each live program is on exactly one island. OpenEvolve
 *   keeps it on none. So `outside_islands` is empty, `size` counts the islands' members only, and,
 * as its strays take places of the population limit, the hub is given the places that are left.
 * - A child goes to the island that it was sampled for. OpenEvolve asks its parent or the current
 *   island; the reader takes the island that came out of that.
 * - Programs are immutable and their identifiers unique: an identifier that comes again ends the
 *   scenario.
 * - The choice of the reference set is random: the recorded one is put in its place.
 * - A ranking by a metric other than the fitness, and statistics of islands for a log, are not
 * offered.
 */

#include <math.h>

#include "hub/hub_internal.h"
#include "vectors.h"

struct scenario {
	const char *name;
	const struct oe__value *config;
	oe_hub *hub;
	struct oe__map names; /* our identifiers of migrants to the recorded ones */
	size_t step;
	uint64_t sequence; /* before the step */
	double clock;
	int failures;
};

/* ---- expectations: the state with `wanted` laid over it ---- */

static const struct oe__value *expected(const struct oe__value *op, const char *key)
{
	const struct oe__value *wanted = oe__value_get(op, "wanted");
	const struct oe__value *value = wanted ? oe__value_get(wanted, key) : NULL;

	return value ? value : oe__value_get(oe__value_get(op, "state"), key);
}

static void complain(struct scenario *scenario, const struct oe__value *op, const char *what,
					 const char *got)
{
	const struct oe__value *value = expected(op, what);
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &text };

	if (value)
		oe__json_put(&writer, value);
	fprintf(stderr, "%s, step %zu (%s): %s is %s, expected %s\n", scenario->name, scenario->step,
			(const char *)golden_text(op, "op").data, what, got, oe__buffer_string(&text));
	scenario->failures++;
}

static double number(const struct oe__value *value)
{
	double out = NAN;

	return value && golden_number(value, &out) ? out : NAN;
}

/* ---- our state as text, in the recorded form ---- */

static const char *name_of(const struct scenario *scenario, const char *id)
{
	const char *name = oe__map_get(&scenario->names, id, strlen(id));

	return name ? name : id;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_sorted(struct oe__buffer *out, const char **texts, size_t count)
{
	if (count > 0)
		qsort(texts, count, sizeof(*texts), by_text);
	for (size_t i = 0; i < count; i++)
		oe__buffer_printf(out, "%s%s", i > 0 ? " " : "", texts[i]);
}

/* The recorded list, sorted, in the same form. */
static void put_recorded(struct oe__buffer *out, const struct oe__value *list)
{
	const char **texts = calloc(list->size + 1, sizeof(*texts));

	for (size_t i = 0; i < list->size; i++)
		texts[i] = list->items[i].string;
	put_sorted(out, texts, list->size);
	free(texts);
}

static void compare(struct scenario *scenario, const struct oe__value *op, const char *what,
					struct oe__buffer *got, struct oe__buffer *want)
{
	if (strcmp(oe__buffer_string(got), oe__buffer_string(want)) != 0)
		complain(scenario, op, what, oe__buffer_string(got));
}

static void check_islands(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *islands = expected(op, "islands");
	oe_hub *hub = scenario->hub;
	OE__AUTO(buffer) struct oe__buffer got = OE__BUFFER_INIT(0), want = OE__BUFFER_INIT(0);

	for (int32_t i = 0; i < hub->island_count; i++) {
		const char **texts = calloc(hub->islands[i].count + 1, sizeof(*texts));

		for (size_t k = 0; k < hub->islands[i].count; k++)
			texts[k] = name_of(scenario, hub->islands[i].members[k]->program->id);
		put_sorted(&got, texts, hub->islands[i].count);
		oe__buffer_text(&got, " | ");
		free(texts);
		put_recorded(&want, &islands->items[i]);
		oe__buffer_text(&want, " | ");
	}
	compare(scenario, op, "islands", &got, &want);
}

static void put_cells(const struct scenario *scenario, int32_t island, struct oe__buffer *out)
{
	oe_hub *hub = scenario->hub;
	const struct oe__map *cells = &hub->islands[island].cells;
	const struct oe__map_entry *entry;
	size_t cursor = 0, count = 0;
	const char **texts = calloc(cells->count + 1, sizeof(*texts));

	while ((entry = oe__map_next(cells, &cursor)) != NULL) {
		const struct oe__member *elite = entry->value;
		struct oe__buffer text = OE__BUFFER_INIT(0);

		for (size_t d = 0; d < oe__hub_dimensions(hub); d++)
			oe__buffer_printf(&text, "%s%d", d > 0 ? "-" : "", (int)elite->bins[d]);
		oe__buffer_printf(&text, "=%s", name_of(scenario, elite->program->id));
		texts[count++] = oe__buffer_steal(&text, NULL);
	}
	put_sorted(out, texts, count);
	for (size_t i = 0; i < count; i++)
		oe__free((void *)(uintptr_t)texts[i]);
	free(texts);
	oe__buffer_text(out, " | ");
}

static void put_recorded_cells(const struct oe__value *map, struct oe__buffer *out)
{
	const char **texts = calloc(map->size + 1, sizeof(*texts));

	for (size_t i = 0; i < map->size; i++) {
		struct oe__buffer text = OE__BUFFER_INIT(0);

		oe__buffer_printf(&text, "%s=%s", map->keys[i].string, map->items[i].string);
		texts[i] = oe__buffer_steal(&text, NULL);
	}
	put_sorted(out, texts, map->size);
	for (size_t i = 0; i < map->size; i++)
		oe__free((void *)(uintptr_t)texts[i]);
	free(texts);
	oe__buffer_text(out, " | ");
}

static void check_cells(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *cells = expected(op, "cells");
	OE__AUTO(buffer) struct oe__buffer got = OE__BUFFER_INIT(0), want = OE__BUFFER_INIT(0);

	for (int32_t i = 0; i < scenario->hub->island_count; i++) {
		put_cells(scenario, i, &got);
		put_recorded_cells(&cells->items[i], &want);
	}
	compare(scenario, op, "cells", &got, &want);
}

static void check_archive(struct scenario *scenario, const struct oe__value *op)
{
	oe_hub *hub = scenario->hub;
	const char **texts = calloc(hub->count + 1, sizeof(*texts));
	size_t count = 0;
	OE__AUTO(buffer) struct oe__buffer got = OE__BUFFER_INIT(0), want = OE__BUFFER_INIT(0);

	for (struct oe__member *member = hub->oldest; member; member = member->newer)
		if (oe__archive_has(member))
			texts[count++] = name_of(scenario, member->program->id);
	put_sorted(&got, texts, count);
	free(texts);
	put_recorded(&want, expected(op, "archive"));
	compare(scenario, op, "archive", &got, &want);
}

static void put_member(const struct scenario *scenario, const struct oe__member *member,
					   struct oe__buffer *out)
{
	oe__buffer_printf(out, "%s ", member ? name_of(scenario, member->program->id) : "none");
}

static void put_id(const struct oe__value *id, struct oe__buffer *out)
{
	oe__buffer_printf(out, "%s ", id->type == OE__VALUE_STRING ? id->string : "none");
}

static void check_bests(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *bests = expected(op, "island_best");
	OE__AUTO(buffer) struct oe__buffer got = OE__BUFFER_INIT(0), want = OE__BUFFER_INIT(0);

	put_member(scenario, scenario->hub->best, &got);
	put_id(expected(op, "best"), &want);
	compare(scenario, op, "best", &got, &want);
	for (size_t i = 0; i < bests->size; i++) {
		put_member(scenario, scenario->hub->islands[i].best, &got);
		put_id(&bests->items[i], &want);
	}
	compare(scenario, op, "island_best", &got, &want);
}

static void check_counters(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *generations = expected(op, "island_generations");
	oe_hub *hub = scenario->hub;
	size_t size = 0;

	for (int32_t i = 0; i < hub->island_count; i++) {
		if (hub->islands[i].generation != generations->items[i].integer)
			complain(scenario, op, "island_generations", "something else");
		size += expected(op, "islands")->items[i].size;
	}
	if (hub->count != size)
		complain(scenario, op, "islands", "of another size");
	if (hub->last_iteration != expected(op, "last_iteration")->integer)
		complain(scenario, op, "last_iteration", "something else");
	if (hub->last_migration != expected(op, "last_migration_generation")->integer)
		complain(scenario, op, "last_migration_generation", "something else");
}

static void check_features(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *recorded = expected(op, "feature_stats");
	oe_hub *hub = scenario->hub;

	for (size_t d = 0; d < oe__hub_dimensions(hub); d++) {
		const struct oe__feature_stats *stats = &hub->features.stats[d];
		const struct oe__value *one =
			oe__value_get(recorded, hub->settings.axes->dimensions.names[d]);

		if (!one && !stats->known)
			continue;
		if (!one || !stats->known || stats->min != number(oe__value_get(one, "min")) ||
			stats->max != number(oe__value_get(one, "max")) ||
			stats->value_count != (size_t)oe__value_get(one, "count")->integer) {
			char text[100];

			snprintf(text, sizeof(text), "[%.17g, %.17g] of %zu", stats->min, stats->max,
					 stats->value_count);
			complain(scenario, op, "feature_stats", text);
		}
	}
}

static void check_references(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *ids = expected(op, "reference_set");

	if (ids && ids->size != scenario->hub->diversity.reference_count)
		complain(scenario, op, "reference_set", "of another size");
}

static void check_state(struct scenario *scenario, const struct oe__value *op)
{
	const char *broken = oe__hub_check(scenario->hub);

	check_islands(scenario, op);
	check_cells(scenario, op);
	check_archive(scenario, op);
	check_bests(scenario, op);
	check_counters(scenario, op);
	check_features(scenario, op);
	check_references(scenario, op);
	if (broken) {
		fprintf(stderr, "%s, step %zu: not true: %s\n", scenario->name, scenario->step, broken);
		scenario->failures++;
	}
}

/* ---- steps ---- */

/* The source of a program that some step added. */
static struct oe__source *source_of(const struct oe__value *ops, const char *id)
{
	struct oe__source *source = NULL;

	for (size_t i = 0; i < ops->size && !source; i++) {
		const struct oe__value *program = oe__value_get(&ops->items[i], "program");

		if (!program || strcmp(golden_text(program, "id").data, id) != 0)
			continue;
		oe_bytes code = golden_text(program, "code");
		(void)oe__source_new(code.data, code.size, &source);
	}
	return source;
}

/* Put the recorded reference set in place where the choice would be random. */
static void prescribe_references(struct scenario *scenario, const struct oe__value *ops,
								 const struct oe__value *op)
{
	const struct oe__value *ids = expected(op, "reference_set");
	struct oe__diversity *diversity = &scenario->hub->diversity;

	if (!ids || oe__diversity_frozen(diversity) || ids->size < diversity->size ||
		diversity->candidate_count + 1 <= diversity->size)
		return;
	struct oe__source *sources[16];
	size_t count = 0;
	for (size_t i = 0; i < ids->size && count < OE__COUNT(sources); i++)
		sources[count++] = source_of(ops, ids->items[i].string);
	(void)oe__diversity_load(diversity, sources, count);
	for (size_t i = 0; i < count; i++)
		oe__source_unref(sources[i]);
}

static void check_placed(struct scenario *scenario, const struct oe__value *op,
						 const struct oe__member *member)
{
	const struct oe__value *coords = expected(op, "coords");
	const struct oe__value *values = expected(op, "feature_values");
	const struct oe__dimensions *dimensions = &scenario->hub->settings.axes->dimensions;

	for (size_t d = 0; d < dimensions->count; d++) {
		const struct oe__value *value = oe__value_get(values, dimensions->names[d]);
		char text[64];

		snprintf(text, sizeof(text), "%.17g", member->coordinates[d]);
		if (member->bins[d] != coords->items[d].integer)
			complain(scenario, op, "coords", "something else");
		if (value ? member->coordinates[d] != number(value) : isfinite(member->coordinates[d]))
			complain(scenario, op, "feature_values", text);
	}
	if (member->program->fitness != number(expected(op, "fitness")))
		complain(scenario, op, "fitness", "something else");
}

/* False: the identifier comes again. */
static bool step_add(struct scenario *scenario, const struct oe__value *ops,
					 const struct oe__value *op)
{
	const struct oe__value *record = oe__value_get(op, "program");
	const struct oe__value *iteration = oe__value_get(op, "iteration");
	int32_t island = (int32_t)expected(op, "island")->integer;
	OE__AUTO(program) oe_program *outside = NULL, *program = NULL;
	struct oe__placement placement;

	if (oe__hub_find(scenario->hub, golden_text(record, "id").data))
		return false;
	prescribe_references(scenario, ops, op);
	outside = vector_program(record, scenario->clock++, iteration ? iteration->integer : 0, NULL);
	if (oe__hub_adopt(scenario->hub, outside, island, &program) < 0 ||
		oe__hub_place(scenario->hub, program, island, &placement) < 0) {
		fprintf(stderr, "%s, step %zu: not added\n", scenario->name, scenario->step);
		scenario->failures++;
		return false;
	}
	check_placed(scenario, op, placement.member);
	return true;
}

/* The copies, oldest first, and their recorded names. */
static void check_migrants(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *migrants = expected(op, "migrants");
	struct oe__member *member = scenario->hub->oldest;

	for (size_t i = 0; i < migrants->size; i++) {
		const struct oe__value *recorded = &migrants->items[i];
		const struct oe__value *coords = oe__value_get(recorded, "coords");

		if (oe__value_get(recorded, "copy_of")->type == OE__VALUE_NULL)
			continue; /* gone again before the step was over */
		while (member && (member->sequence <= scenario->sequence || !member->program->migrant))
			member = member->newer;
		if (!member) {
			complain(scenario, op, "migrants", "fewer");
			return;
		}
		const oe_program *copy = member->program;
		(void)oe__map_put(&scenario->names, copy->id, strlen(copy->id),
						  (void *)(uintptr_t)golden_text(recorded, "id").data);
		if (strcmp(name_of(scenario, copy->parent_id), golden_text(recorded, "copy_of").data) !=
				0 ||
			member->island != oe__value_get(recorded, "island")->integer ||
			copy->generation != oe__value_get(recorded, "generation")->integer)
			complain(scenario, op, "migrants", "other copies");
		for (size_t d = 0; d < coords->size; d++)
			if (member->bins[d] != coords->items[d].integer)
				complain(scenario, op, "migrants", "in other cells");
		member = member->newer;
	}
}

static void step_migrate(struct scenario *scenario, const struct oe__value *op, bool if_due)
{
	oe_hub *hub = scenario->hub;
	bool due = hub->generation_max - hub->last_migration >= hub->settings.migration_interval;

	if (if_due && due != expected(op, "should_migrate")->boolean)
		complain(scenario, op, "should_migrate", due ? "true" : "false");
	int migrated = if_due ? oe__hub_migrate_if_due(hub) : oe__hub_migrate(hub);
	if (migrated != (int)expected(op, "migrants")->size)
		complain(scenario, op, "migrants", "another number");
	check_migrants(scenario, op);
}

static void step_top(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *island = oe__value_get(op, "island"), *top = expected(op, "top");
	const struct oe__value *metric = oe__value_get(op, "metric");
	int32_t index = island && island->type == OE__VALUE_INT ? (int32_t)island->integer : -1;
	OE__AUTO(population) oe_population *population = NULL;

	if (metric && metric->type == OE__VALUE_STRING && strcmp(metric->string, "combined_score") != 0)
		return; /* not offered */
	if (oe_hub_population(scenario->hub, &population) < 0)
		scenario->failures++;
	if (!top || top->type != OE__VALUE_LIST) { /* no such island */
		if (oe_population_ranked(population, index, 0))
			complain(scenario, op, "top", "somebody");
		return;
	}
	for (size_t i = 0; i < top->size; i++) {
		oe_program *program = oe_population_ranked(population, index, i);

		if (!program || strcmp(name_of(scenario, program->id), top->items[i].string) != 0)
			complain(scenario, op, "top", program ? program->id : "shorter");
	}
}

static void step_best(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *metric = oe__value_get(op, "metric");
	oe_program *best = oe_hub_best(scenario->hub);

	if (metric && metric->type == OE__VALUE_STRING)
		return; /* not offered */
	if (!best || strcmp(name_of(scenario, best->id),
						golden_text(expected(op, "best_program") ? oe__value_get(op, "state") : op,
									"best_program")
							.data) != 0)
		complain(scenario, op, "best_program", best ? best->id : "none");
}

/* What is left of the population limit when strays take places of it. */
static size_t places_left(struct scenario *scenario, const struct oe__value *op)
{
	const struct oe__value *limit = oe__value_get(scenario->config, "population_size");

	return (size_t)limit->integer - expected(op, "outside_islands")->size;
}

static bool run_step(struct scenario *scenario, const struct oe__value *ops,
					 const struct oe__value *op)
{
	const char *kind = golden_text(op, "op").data;
	oe_hub *hub = scenario->hub;

	scenario->sequence = hub->sequence;
	hub->settings.population_size = places_left(scenario, op);
	if (strcmp(kind, "add") == 0) {
		if (!step_add(scenario, ops, op))
			return false;
	} else if (strcmp(kind, "increment_generation") == 0) {
		struct oe__island *island = &hub->islands[oe__value_get(op, "island")->integer];

		if (++island->generation > hub->generation_max)
			hub->generation_max = island->generation;
	} else if (strcmp(kind, "migrate") == 0 || strcmp(kind, "migrate_if_due") == 0) {
		step_migrate(scenario, op, kind[strlen("migrate")] != '\0');
	} else if (strcmp(kind, "top") == 0) {
		step_top(scenario, op);
	} else if (strcmp(kind, "best") == 0) {
		step_best(scenario, op);
	} else if (strcmp(kind, "stats") != 0 && strcmp(kind, "set_current_island") != 0) {
		fprintf(stderr, "%s: unknown step '%s'\n", scenario->name, kind);
		scenario->failures++;
	}
	check_state(scenario, op);
	return true;
}

/* ---- scenarios ---- */

static int64_t int_option(const struct oe__value *config, const char *key, int64_t otherwise)
{
	const struct oe__value *value = oe__value_get(config, key);

	return value ? value->integer : otherwise;
}

static int read_settings(const struct oe__value *config, const struct oe__value *bins,
						 struct oe__hub_settings *out)
{
	const struct oe__value *names = oe__value_get(config, "feature_dimensions");
	const struct oe__value *rate = oe__value_get(config, "migration_rate");
	int64_t archive_size = int_option(config, "archive_size", 100);
	const char *texts[OE__DIMENSIONS_MAX];

	for (size_t i = 0; i < names->size; i++)
		texts[i] = names->items[i].string;
	*out = (struct oe__hub_settings){
		.iterations = -1,
		.seed = 7,
		.island_count = (int32_t)int_option(config, "num_islands", 5),
		.population_size = (size_t)int_option(config, "population_size", 1000),
		.archive_size = archive_size > 0 ? (size_t)archive_size : 1,
		.migration_interval = int_option(config, "migration_interval", 50),
		.migration_rate = rate ? rate->real : 0.1,
		.diversity_reference_size = (size_t)int_option(config, "diversity_reference_size", 20),
		.inspiration_count = 3,
		.top_count = 5,
		.attempt_count = 3,
	};
	out->bins = oe__calloc(names->size, sizeof(*out->bins));
	for (size_t i = 0; i < names->size; i++)
		out->bins[i] = (int32_t)int_option(bins, texts[i], 0);
	return oe__axes_new(texts, names->size, &out->axes);
}

static int run_scenario(const char *path)
{
	OE__AUTO(value) struct oe__value file = { 0 };
	OE__AUTO(hub_settings) struct oe__hub_settings settings = { 0 };
	OE__AUTO(hub) oe_hub *hub = NULL;
	struct scenario scenario = { .clock = 1000 };
	oe_error err;

	if (golden_read(path, &file) != 0)
		return 1;
	const struct oe__value *ops = oe__value_get(&file, "ops");
	scenario.name = golden_text(&file, "name").data;
	scenario.config = oe__value_get(&file, "config");
	if (read_settings(scenario.config, oe__value_get(&file, "effective_bins"), &settings) < 0 ||
		oe__hub_new(&settings, &hub, &err) < 0) {
		fprintf(stderr, "%s: no hub\n", scenario.name);
		return 1;
	}
	scenario.hub = hub;
	/* Programs come without a seed: empty islands are not asked for samples here. */
	OE__AUTO(program)
	oe_program *nobody = vector_program(oe__value_get(&ops->items[0], "program"), 1, 0, NULL);
	hub->initial = oe_program_ref(nobody);
	for (; scenario.step < ops->size; scenario.step++)
		if (!run_step(&scenario, ops, &ops->items[scenario.step]))
			break;
	oe__map_done(&scenario.names);
	return scenario.failures;
}

int main(void)
{
	OE__AUTO(string) char *directory = NULL;
	char **names = NULL;
	size_t count = 0, failed = 0;
	oe_error err;
	int status = golden_path("database", &directory);

	if (status != 0)
		return status;
	if (oe__directory_list(directory, &names, &count, &err) < 0 || count == 0) {
		fprintf(stderr, "%s: no scenarios\n", directory);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < count; i++) {
		OE__AUTO(string) char *path = oe__path_join(directory, names[i]);

		failed += run_scenario(path) > 0;
	}
	printf("%zu scenarios, %zu failed\n", count, failed);
	oe__directory_list_free(names, count);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
