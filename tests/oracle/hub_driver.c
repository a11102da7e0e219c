/*
 * A hub that is told what to do line by line: reads one JSON command per line from stdin, does it,
 * and answers with one line of what happened and of everything the hub holds afterwards. Knows no
 * rule of evolution; the judgement is hub_model.py's.
 *
 *     {"op": "configure", "config": {...}}                                  a new hub
 *     {"op": "seed", "id", "code", "metrics", "verdict", "timestamp"}
 *     {"op": "next"}                                                        answers with a "handle"
 *     {"op": "commit", "handle", "code", "metrics", "verdict"}
 *     {"op": "fail", "handle", "outcome"}
 *     {"op": "place", "id", "code", "metrics", "timestamp", "island", "iteration"}
 *     {"op": "migrate"}
 *     {"op": "close"}                                     a generation
 *     {"op": "hold", "number"}                            nothing after it ends; null: everything may
 *     {"op": "reload", "open": [handle, ...]}             a new hub from what the old one was, with these
 *                                                         iterations opened again, in that order
 *     {"op": "population"}                                what the public view says
 *     {"op": "draw", "island", "from", "times"}           counts of many samples; changes nothing
 *
 * Numbers that are not finite are written as Python's json module does; other reals so that they
 * read back as the same.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "config/config.h"
#include "controller/rules.h"
#include "hub_state.h"

struct driver {
	oe_config *config;
	oe_hub *hub;
	struct oe__rules rules;
	oe_iteration **iterations; /* by handle; kept when they have ended, for late commits */
	size_t iteration_count, iteration_capacity;
	struct oe__buffer answer, migrants, settled;
	struct oe__json_writer out, copies, ends;
};

/* ---- reading commands ---- */

static const struct oe__value *member(const struct oe__value *command, const char *key)
{
	const struct oe__value *value = oe__value_get(command, key);

	if (!value)
		die(key);
	return value;
}

static int64_t integer(const struct oe__value *command, const char *key)
{
	return member(command, key)->integer;
}

static oe_evaluation *evaluation_of(const struct oe__value *command)
{
	const struct oe__value *metrics = member(command, "metrics");
	int verdict = (int)integer(command, "verdict");
	oe_evaluation *evaluation = NULL;

	if (oe_evaluation_new(&evaluation) < 0)
		die("no evaluation");
	for (size_t i = 0; i < metrics->size; i++)
		if (oe__evaluation_set_value(evaluation, metrics->keys[i].string, &metrics->items[i]) < 0)
			die("a metric was refused");
	if (verdict != OE_VERDICT_OK && oe_evaluation_set_verdict(evaluation, verdict, "failed") < 0)
		die("a verdict was refused");
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

static oe_program *program_of(const struct oe__value *command)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluation_of(command);
	const struct oe__value *code = member(command, "code");
	const struct oe__value *iteration = oe__value_get(command, "iteration");
	oe_program *program = NULL;

	if (oe__source_new(code->string, code->size, &source) < 0)
		die("code was refused");
	struct oe__program_spec spec = {
		.id = member(command, "id")->string,
		.source = source,
		.island = -1,
		.iteration = iteration ? iteration->integer : 0,
		.timestamp = member(command, "timestamp")->real,
		.evaluation = evaluation,
	};
	if (oe__program_build(&spec, &program) < 0)
		die("no program");
	return program;
}

static oe_iteration *iteration_of(const struct driver *driver, const struct oe__value *command)
{
	int64_t handle = integer(command, "handle");

	if (handle < 0 || (uint64_t)handle >= driver->iteration_count)
		die("no such handle");
	return driver->iterations[handle];
}

/* ---- commands ---- */

static void note_migrant(void *owner, oe_program *copy)
{
	struct driver *driver = owner;
	struct oe__json_writer *out = &driver->copies;

	oe__json_map(out);
	put_text(out, "id", copy->id);
	put_text(out, "parent", copy->parent_id);
	put_int(out, "island", copy->island);
	put_real(out, "timestamp", copy->timestamp);
	oe__json_map_end(out);
}

static void note_settled(void *owner, const oe_iteration *iteration, oe_program *child,
                         const oe_commit *commit)
{
	struct driver *driver = owner;
	struct oe__json_writer *out = &driver->ends;

	if (commit->outcome == OE_OUTCOME_COMMITTED)
		oe__rules_see(&driver->rules, child, false);
	oe__json_list(out);
	oe__json_int(out, iteration->number);
	oe__json_int(out, commit->outcome);
	oe__json_int(out, commit->best);
	oe__json_int(out, commit->new_cell);
	oe__json_int(out, commit->replaced);
	oe__json_int(out, commit->migrated);
	oe__json_list_end(out);
}

static int begin(struct driver *driver, oe_error *err)
{
	int status = oe_hub_new(driver->config, &driver->hub, err);

	if (status < 0)
		return status;
	oe__hub_on_migrant(driver->hub, note_migrant, driver);
	oe__hub_on_settled(driver->hub, note_settled, driver);
	oe__hub_set_checked(driver->hub, true);
	return 0;
}

static void forget(struct driver *driver)
{
	for (size_t i = 0; i < driver->iteration_count; i++)
		oe_iteration_unref(driver->iterations[i]);
	driver->iteration_count = 0;
	oe_hub_free(driver->hub);
	driver->hub = NULL;
}

static int do_configure(struct driver *driver, const struct oe__value *command, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer yaml = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &yaml };

	forget(driver);
	oe_config_free(driver->config);
	driver->config = NULL;
	oe__json_put(&writer, member(command, "config"));
	if (oe_config_new(&driver->config) < 0)
		die("no configuration");
	int status = oe_config_load_text(driver->config, yaml.data, yaml.size, "oracle", err);
	if (status < 0)
		return status;
	status = begin(driver, err);
	if (status < 0)
		return status;
	oe__rules_done(&driver->rules);
	return oe__rules_init(&driver->rules, driver->config);
}

static int do_seed(struct driver *driver, const struct oe__value *command, oe_error *err)
{
	OE__AUTO(program) oe_program *program = program_of(command);
	int status = oe_hub_seed(driver->hub, program, err);
	const struct oe__member *joined = oe__hub_find(driver->hub, program->id);

	if (status == 0 && joined)
		oe__rules_see(&driver->rules, joined->program, true);
	return status;
}

static void put_programs(struct oe__json_writer *out, const char *key, oe_program *const *programs,
                         size_t count)
{
	oe__json_key(out, key);
	oe__json_list(out);
	for (size_t i = 0; i < count; i++)
		oe__json_string(out, programs[i]->id);
	oe__json_list_end(out);
}

static void put_sample(struct oe__json_writer *out, const oe_iteration *iteration)
{
	put_int(out, "number", iteration->number);
	put_int(out, "attempt", iteration->attempt);
	put_int(out, "island", iteration->island);
	put_text(out, "parent", id_of(oe_iteration_parent(iteration)));
	put_programs(out, "inspirations", iteration->inspirations, iteration->inspiration_count);
	put_programs(out, "top", iteration->top, iteration->top_count);
}

static int do_next(struct driver *driver)
{
	oe_iteration *iteration = NULL;
	int why = -1, status = oe_hub_next_iteration(driver->hub, &iteration, &why);

	put_int(&driver->out, "why", why);
	if (status != 1)
		return status;
	if (driver->iteration_count == driver->iteration_capacity) {
		driver->iteration_capacity = driver->iteration_capacity * 2 + 16;
		driver->iterations =
			realloc(driver->iterations, driver->iteration_capacity * sizeof(*driver->iterations));
		if (!driver->iterations)
			die("no memory");
	}
	put_int(&driver->out, "handle", (int64_t)driver->iteration_count);
	driver->iterations[driver->iteration_count++] = iteration;
	put_sample(&driver->out, iteration);
	return status;
}

static int do_commit(struct driver *driver, const struct oe__value *command, oe_error *err)
{
	struct oe__json_writer *out = &driver->out;
	oe_iteration *iteration = iteration_of(driver, command);
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluation_of(command);
	OE__AUTO(program) oe_program *child = NULL;
	const struct oe__value *code = member(command, "code");
	oe_commit commit = OE_COMMIT_INIT;

	if (oe_iteration_child(iteration, code->string, code->size, evaluation, "", &child) < 0)
		die("no child");
	oe_program *known = oe_hub_find_content(driver->hub, iteration, oe_program_content_hash(child));
	OE__AUTO(string) char *same = known ? oe__strdup(known->id) : NULL;
	int status = oe_hub_commit(driver->hub, iteration, child, &commit, err);
	if (status < 0)
		return status;
	if (commit.outcome == OE_OUTCOME_COMMITTED && !oe__hub_ends_in_turn(driver->hub))
		oe__rules_see(&driver->rules, child, false); /* it may be evicted again already */
	put_text(out, "same", same);
	put_text(out, "child", child->id);
	put_real(out, "timestamp", child->timestamp);
	put_int(out, "outcome", commit.outcome);
	put_int(out, "island", commit.island);
	put_int(out, "best", commit.best);
	put_int(out, "new_cell", commit.new_cell);
	put_int(out, "replaced", commit.replaced);
	put_int(out, "late", commit.late);
	put_int(out, "repeated", commit.repeated);
	put_int(out, "migrated", commit.migrated);
	put_int(out, "staged", commit.staged);
	put_text(out, "program", id_of(commit.program));
	return status;
}

static int do_place(struct driver *driver, const struct oe__value *command)
{
	OE__AUTO(program) oe_program *outside = program_of(command), *program = NULL;
	int32_t island = (int32_t)integer(command, "island");
	struct oe__placement placement;
	int status = oe__hub_adopt(driver->hub, outside, island, &program);

	if (status == 0)
		status = oe__hub_place(driver->hub, program, island, &placement);
	if (status < 0)
		return status;
	put_int(&driver->out, "best", placement.best);
	put_int(&driver->out, "new_cell", placement.new_cell);
	put_int(&driver->out, "replaced", placement.replaced);
	return 0;
}

/* Its handle stays; the old hub is gone, the old sample lives as long as it is needed. */
static int reopen(struct driver *driver, int64_t handle, oe_error *err)
{
	oe_iteration *before = driver->iterations[handle], *after = NULL;
	int status = oe_hub_reopen(driver->hub, before->number, before->attempt, before->island,
	                           before->parent, before->inspirations, before->inspiration_count,
	                           &after, err);

	if (status < 0)
		return status;
	driver->iterations[handle] = after;
	oe__json_map(&driver->out);
	put_sample(&driver->out, after);
	oe__json_map_end(&driver->out);
	oe_iteration_unref(before);
	return 0;
}

static int do_reload(struct driver *driver, const struct oe__value *command, oe_error *err)
{
	OE__AUTO(population) oe_population *population = NULL;
	const struct oe__value *open = member(command, "open");
	int status = oe_hub_population(driver->hub, &population);

	if (status < 0)
		return status;
	oe_hub_free(OE__STEAL(driver->hub));
	status = begin(driver, err);
	if (status == 0)
		status = oe_hub_restore(driver->hub, population, err);
	oe__json_key(&driver->out, "opened");
	oe__json_list(&driver->out);
	for (size_t i = 0; i < open->size && status == 0; i++)
		status = reopen(driver, open->items[i].integer, err);
	oe__json_list_end(&driver->out);
	return status;
}

static int do_population(struct driver *driver)
{
	struct oe__json_writer *out = &driver->out;
	OE__AUTO(population) oe_population *population = NULL;
	int status = oe_hub_population(driver->hub, &population);
	oe_program *program;

	if (status < 0)
		return status;
	put_text(out, "view_best", id_of(oe_population_best(population)));
	oe__json_key(out, "ranked"); /* all, then each island */
	oe__json_list(out);
	for (int32_t i = OE_ISLAND_ALL; i < oe_population_island_count(population); i++) {
		oe__json_list(out);
		for (size_t k = 0; (program = oe_population_ranked(population, i, k)) != NULL; k++)
			oe__json_string(out, program->id);
		oe__json_list_end(out);
	}
	oe__json_list_end(out);
	oe__json_key(out, "archived");
	oe__json_list(out);
	for (size_t k = 0; (program = oe_population_archived(population, k)) != NULL; k++)
		oe__json_string(out, program->id);
	oe__json_list_end(out);
	oe__json_key(out, "elites"); /* of each program's cell */
	oe__json_list(out);
	for (const struct oe__member *one = driver->hub->oldest; one; one = one->newer)
		oe__json_string(out, id_of(oe_population_elite(population, one->island, one->bins)));
	oe__json_list_end(out);
	return 0;
}

/* ---- many samples ---- */

static void put_counts(struct driver *driver, const char *key, const int64_t *counts)
{
	oe__json_key(&driver->out, key);
	oe__json_list(&driver->out);
	for (size_t i = 0; i < driver->hub->count; i++)
		oe__json_int(&driver->out, counts[i]);
	oe__json_list_end(&driver->out);
}

/* Position in order of joining; strangers are fatal. */
static size_t position_of(const oe_hub *hub, const oe_program *program)
{
	size_t position = 0;

	for (const struct oe__member *one = hub->oldest; one; one = one->newer, position++)
		if (strcmp(one->program->id, program->id) == 0)
			return position;
	die("a program was drawn that does not live");
	return 0;
}

/* How often each program, by position, is the parent; the first inspiration; any inspiration. */
static int do_draw(struct driver *driver, const struct oe__value *command)
{
	oe_hub *hub = driver->hub;
	int64_t island = integer(command, "island"), from = integer(command, "from");
	int64_t times = integer(command, "times"), foreign = 0;
	int64_t *counts = calloc(3 * hub->count + 1, sizeof(*counts));

	if (!counts)
		die("no memory");
	for (int64_t i = 0; i < times; i++) {
		OE__AUTO(iteration) oe_iteration *iteration = NULL;
		int64_t number = (from + i) * hub->island_count + island + 1;

		if (oe__hub_sample(hub, number, 0, &iteration) < 0)
			die("no sample");
		foreign += iteration->island != island;
		counts[position_of(hub, iteration->parent)]++;
		for (size_t k = 0; k < iteration->inspiration_count; k++) {
			size_t position = position_of(hub, iteration->inspirations[k]);

			counts[2 * hub->count + position]++;
			if (k == 0)
				counts[hub->count + position]++;
		}
	}
	put_counts(driver, "parents", counts);
	put_counts(driver, "firsts", counts + hub->count);
	put_counts(driver, "inspirations", counts + 2 * hub->count);
	put_int(&driver->out, "foreign", foreign);
	free(counts);
	return 0;
}

static int run(struct driver *driver, const struct oe__value *command, oe_error *err)
{
	const char *op = member(command, "op")->string;

	if (strcmp(op, "configure") == 0)
		return do_configure(driver, command, err);
	if (!driver->hub)
		die("a command before a hub");
	if (strcmp(op, "seed") == 0)
		return do_seed(driver, command, err);
	if (strcmp(op, "next") == 0)
		return do_next(driver);
	if (strcmp(op, "commit") == 0)
		return do_commit(driver, command, err);
	if (strcmp(op, "fail") == 0)
		return oe_hub_fail(driver->hub, iteration_of(driver, command),
		                   (int)integer(command, "outcome"), NULL, NULL, err);
	if (strcmp(op, "place") == 0)
		return do_place(driver, command);
	if (strcmp(op, "migrate") == 0)
		return oe__hub_migrate(driver->hub);
	if (strcmp(op, "reload") == 0)
		return do_reload(driver, command, err);
	if (strcmp(op, "close") == 0)
		return oe_hub_close_generation(driver->hub, err);
	if (strcmp(op, "hold") == 0) {
		const struct oe__value *number = member(command, "number");

		oe__hub_hold(driver->hub,
		             number->type == OE__VALUE_INT ? number->integer : INT64_MAX);
		return oe__hub_recover(driver->hub);
	}
	if (strcmp(op, "population") == 0)
		return do_population(driver);
	if (strcmp(op, "draw") == 0)
		return do_draw(driver, command);
	die("an unknown command");
	return 0;
}

static void answer(struct driver *driver, const char *line, size_t size)
{
	OE__AUTO(value) struct oe__value command = { 0 };
	oe_error err = { .message = "" };

	if (oe__json_parse(line, size, &command, &err) < 0)
		die(err.message);
	oe__buffer_clear(&driver->answer);
	oe__buffer_clear(&driver->migrants);
	oe__buffer_clear(&driver->settled);
	driver->out = (struct oe__json_writer){ .out = &driver->answer, .python = true };
	driver->copies = (struct oe__json_writer){ .out = &driver->migrants, .python = true };
	driver->ends = (struct oe__json_writer){ .out = &driver->settled, .python = true };
	oe__json_map(&driver->out);
	oe__json_list(&driver->copies);
	oe__json_list(&driver->ends);
	int status = run(driver, &command, &err);
	oe__json_list_end(&driver->copies);
	oe__json_list_end(&driver->ends);
	put_int(&driver->out, "status", status);
	put_text(&driver->out, "message", err.message);
	oe__json_key(&driver->out, "migrants");
	oe__json_raw(&driver->out, driver->migrants.data, driver->migrants.size);
	oe__json_key(&driver->out, "settled");
	oe__json_raw(&driver->out, driver->settled.data, driver->settled.size);
	if (driver->hub)
		put_state(&driver->out, driver->hub, &driver->rules);
	oe__json_map_end(&driver->out);
	oe__buffer_char(&driver->answer, '\n');
	if (driver->answer.status < 0 || driver->migrants.status < 0 || driver->settled.status < 0)
		die("no memory");
	fwrite(driver->answer.data, 1, driver->answer.size, stdout);
	fflush(stdout);
}

int main(void)
{
	struct driver driver = { .answer = OE__BUFFER_INIT(0),
		                     .migrants = OE__BUFFER_INIT(0),
		                     .settled = OE__BUFFER_INIT(0) };
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size;

	while ((size = getline(&line, &capacity, stdin)) > 0)
		answer(&driver, line, (size_t)size);
	free(line);
	forget(&driver);
	free(driver.iterations);
	oe__rules_done(&driver.rules);
	oe_config_free(driver.config);
	oe__buffer_done(&driver.answer);
	oe__buffer_done(&driver.migrants);
	oe__buffer_done(&driver.settled);
	return EXIT_SUCCESS;
}
