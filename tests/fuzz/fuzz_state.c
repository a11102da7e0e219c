/*
 * States of hubs: what snapshots in run.db hold, which may come from anywhere. Input: which settings, how far
 * a hub with them has come, which programs are others than they were and how; then changes to the bytes of
 * that hub's state, each of them two bytes for the place, one for how many go, one for how many come, and
 * those.
 *
 * What is refused is refused with a sentence. What is accepted is a sound hub: it is written as it was read,
 * what was open in it ends, and it goes on.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/rng.h"
#include "hub/hub_internal.h"
#include "hub/state.h"
#include "program/population.h"
#include "small_hub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER_SIZE 4
#define KINDS       12 /* of settings */
#define OPEN_MAX    16
#define ENDS_MAX    12 /* of what was accepted */
#define CONTENTS    24 /* few, so that there are duplicates */
#define CODE_SIZE   32
#define ODD_OF      4  /* every so many programs are others, if any */

static const int ends_of_stage[] = { 0, 1, 3, 8, 16, 24, 40, 64 };
#define STAGES OE__COUNT(ends_of_stage)

/* ---- going on ---- */

struct evolution {
	oe_hub *hub;
	struct oe__map *programs; /* that were made; or NULL */
	struct oe__rng rng;
	oe_iteration *open[OPEN_MAX];
	size_t count, count_max;
};

static void keep(struct oe__map *programs, oe_program *program)
{
	if (programs && !oe__map_get(programs, program->id, strlen(program->id)))
		assert(oe__map_put(programs, program->id, strlen(program->id), oe_program_ref(program)) == 0);
}

static oe_evaluation *evaluation_of(int content)
{
	oe_evaluation *evaluation = NULL;

	assert(oe_evaluation_new(&evaluation) == 0);
	assert(oe_evaluation_set_metric(evaluation, "combined_score", (double)(content * 7 % 11) - 2) == 0);
	if (content % 8 == 5)
		assert(oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXCEPTION, "broke") == 0);
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

/* Half of them are the same as others, but for what they remark. */
static int code_of(int content, char out[CODE_SIZE])
{
	return snprintf(out, CODE_SIZE, "a = %d  #%0*d\n", content / 2, 1 + content % 9, content);
}

static bool is_known(oe_hub *hub, const oe_iteration *iteration, const oe_program *child)
{
	return oe_hub_find_content(hub, iteration, oe_program_content_hash(child)) ||
		   oe_hub_find_equivalent(hub, iteration, child);
}

static void end(struct evolution *evolution, oe_iteration *iteration)
{
	OE__AUTO(program) oe_program *child = NULL;
	oe_commit commit = OE_COMMIT_INIT;
	oe_error err = { 0 };
	char code[CODE_SIZE];
	int content = (int)oe__rng_below(&evolution->rng, CONTENTS), size = code_of(content, code), status;
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluation_of(content);

	assert(oe_iteration_child(iteration, code, (size_t)size, evaluation, "", &child) == 0);
	keep(evolution->programs, child);
	if (content % 6 == 0)
		status = oe_hub_fail(evolution->hub, iteration, OE_OUTCOME_NO_EDIT, NULL, "failed", &err);
	else if (is_known(evolution->hub, iteration, child))
		status = oe_hub_fail(evolution->hub, iteration, OE_OUTCOME_DUPLICATE, NULL, "known", &err);
	else
		status = oe_hub_commit(evolution->hub, iteration, child, &commit, &err);
	assert(status >= 0);
}

/* As many begin as may, and one of them ends. @return false: there is none. */
static bool step(struct evolution *evolution)
{
	int why;

	while (evolution->count < evolution->count_max &&
		   oe_hub_next_iteration(evolution->hub, &evolution->open[evolution->count], &why) == 1)
		evolution->count++;
	if (evolution->count == 0)
		return false;
	size_t pick = (size_t)oe__rng_below(&evolution->rng, evolution->count);
	OE__AUTO(iteration) oe_iteration *iteration = evolution->open[pick];
	evolution->open[pick] = evolution->open[--evolution->count];
	end(evolution, iteration);
	return true;
}

static void evolve(struct evolution *evolution, int ends)
{
	for (int i = 0; i < ends && step(evolution); i++)
		assert(oe__hub_check(evolution->hub) == NULL);
}

static void evolution_done(struct evolution *evolution)
{
	while (evolution->count > 0)
		oe_iteration_unref(evolution->open[--evolution->count]);
}

/* ---- worlds: states that are real ---- */

struct world {
	bool made;
	struct oe__map programs;
	struct oe__buffer state;
	size_t beginning; /* of the state, which says whose it is */
};

static struct oe__hub_settings settings_of(int kind)
{
	struct oe__hub_settings settings = small_hub_settings();

	settings.semantics = (enum oe__semantics)(kind % 3);
	settings.window = settings.semantics == OE__SEMANTICS_STEADY ? 0 : 3 + kind % 4;
	settings.on_failure = kind / 3 % 2 ? OE__ON_FAILURE_REPLACE : OE__ON_FAILURE_COUNT;
	settings.island_count = 1 + kind / 3;
	settings.population_size += (size_t)kind;
	return settings;
}

static void seed(struct evolution *evolution, const char *id, int content)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluation_of(content);
	OE__AUTO(program) oe_program *program = NULL;

	assert(oe__source_new(id, strlen(id), &source) == 0);
	assert(oe__program_build(&(struct oe__program_spec){ .id = id,
														 .source = source,
														 .language = "python",
														 .island = -1,
														 .timestamp = 1,
														 .evaluation = evaluation },
							 &program) == 0);
	keep(evolution->programs, program);
	assert(oe_hub_seed(evolution->hub, program, NULL) == 0);
}

/* How many bytes the two have in common. */
static size_t common(const struct oe__buffer *one, const struct oe__buffer *other)
{
	size_t size = 0;

	while (size < one->size && size < other->size && one->data[size] == other->data[size])
		size++;
	return size;
}

static void make_world(struct world *world, int kind, size_t stage)
{
	OE__AUTO(hub) oe_hub *hub = small_hub(settings_of(kind)), *fresh = small_hub(settings_of(kind));
	OE__AUTO(buffer) struct oe__buffer empty = OE__BUFFER_INIT(0);
	struct evolution evolution = { .hub = hub, .programs = &world->programs, .count_max = 5 };

	world->made = true;
	oe__rng_init(&evolution.rng, (uint64_t)kind, "world", 0, 0);
	if (stage > 0) {
		seed(&evolution, "first", 1);
		seed(&evolution, "second", 2);
	}
	evolve(&evolution, ends_of_stage[stage]);
	if (stage % 2)
		seed(&evolution, "third", 3); /* waits, where there are barriers */
	assert(oe__hub_state_write(hub, &world->state) == 0 && oe__hub_state_write(fresh, &empty) == 0);
	world->beginning = common(&world->state, &empty);
	evolution_done(&evolution);
}

static struct world *world_of(int kind, size_t stage)
{
	static struct world worlds[KINDS][STAGES];
	struct world *world = &worlds[kind][stage];

	if (!world->made)
		make_world(world, kind, stage);
	return world;
}

/* ---- programs, which may be others than they were ---- */

struct finding {
	const struct world *world;
	unsigned which, how;
};

static oe_program *changed(const oe_program *program, unsigned how)
{
	OE__AUTO(evaluation) oe_evaluation *odd = NULL;
	OE__AUTO(source) struct oe__source *source = NULL;
	struct oe__program_spec spec;
	oe_program *out = NULL;

	oe__program_describe(program, &spec);
	assert(oe__source_new(program->source->text, program->source->size, &source) == 0);
	spec.source = source; /* what is told of its form stays its own */
	assert(oe_evaluation_new(&odd) == 0);
	switch (how) {
	case 1:
		spec.evaluation = NULL;
		break;
	case 2:
		spec.evaluation = odd; /* without a metric */
		break;
	case 3:
		assert(oe_evaluation_set_metric(odd, "combined_score", (double)NAN) == 0);
		spec.evaluation = odd;
		break;
	case 4:
		assert(oe_evaluation_set_metric(odd, "combined_score", (double)INFINITY) == 0);
		spec.evaluation = odd;
		break;
	case 5:
		spec.generation = INT64_MAX;
		break;
	case 6:
		spec.iteration = INT64_MAX;
		break;
	case 7:
		spec.timestamp = (double)NAN;
		break;
	case 8:
		spec.parent_id = spec.id;
		break;
	case 9:
		spec.migrant = true;
		break;
	case 10:
		spec.language = "text";
		break;
	case 11:
		spec.generation = INT64_MIN;
		spec.iteration = -1;
		break;
	default:
		break;
	}
	oe__evaluation_freeze(odd);
	assert(oe__program_build(&spec, &out) == 0);
	return out;
}

static oe_program *find_one(const struct finding *finding, const struct oe__wanted_program *wanted)
{
	size_t size = strlen(wanted->id);
	oe_program *program = oe__map_get(&finding->world->programs, wanted->id, size);
	bool odd = oe__hash64(wanted->id, size, 0) % ODD_OF == finding->which;

	/* The iteration speeds up the search, and is not what decides. */
	return program && !wanted->migrant ? changed(program, odd ? finding->how : 0) : NULL;
}

static int find(void *owner, struct oe__wanted_program *wanted, size_t count, oe_error *err)
{
	const struct finding *finding = owner;

	(void)err;
	for (size_t i = 0; i < count; i++)
		wanted[i].found = find_one(finding, &wanted[i]);
	return 0;
}

/* ---- changes ---- */

static void splice(struct oe__buffer *state, size_t at, size_t gone, const uint8_t *come, size_t count)
{
	OE__AUTO(buffer) struct oe__buffer rest = OE__BUFFER_INIT(0);

	if (gone > state->size - at)
		gone = state->size - at;
	oe__buffer_append(&rest, state->data + at + gone, state->size - at - gone);
	oe__buffer_truncate(state, at);
	oe__buffer_append(state, come, count);
	oe__buffer_append(state, rest.data, rest.size);
	assert(rest.status == 0 && state->status == 0);
}

static void change(struct oe__buffer *state, size_t beginning, const uint8_t *data, size_t size)
{
	while (size >= 4) {
		size_t place = data[0] | (size_t)data[1] << 8, come = data[3];

		place = beginning + place % (state->size - beginning + 1);
		if (come > size - 4)
			come = size - 4;
		splice(state, place, data[2], data + 4, come);
		data += 4 + come;
		size -= 4 + come;
	}
}

/* ---- what comes of it ---- */

static int read_state(oe_hub *hub, const struct oe__buffer *state, struct finding *finding)
{
	struct oe__program_finder finder = { find, finding };
	oe_error err = { 0 };

	int status = oe__hub_state_read(hub, state->data, state->size, &finder, &err);
	assert(status == 0 || (status == OE_ERR_FORMAT && err.message[0]));
	return status;
}

static void check_again(const oe_hub *hub, int kind, struct finding *finding)
{
	OE__AUTO(hub) oe_hub *other = small_hub(settings_of(kind));
	OE__AUTO(buffer) struct oe__buffer state = OE__BUFFER_INIT(0), again = OE__BUFFER_INIT(0);

	assert(oe__hub_state_write(hub, &state) == 0);
	assert(read_state(other, &state, finding) == 0);
	assert(oe__hub_state_write(other, &again) == 0);
assert(common(&state, &again) == state.size && state.size == again.size);
}

static void check_population(oe_hub *hub)
{
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(buffer) struct oe__buffer metadata = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &metadata };
	char hash[65];

	assert(oe_hub_population(hub, &population) == 0);
	assert(oe_population_hash(population, hash) == 0);
	oe__population_write_metadata(population, NULL, &writer);
	assert(metadata.status == 0);
}

/* What was open goes on as in a controller: no more of it than has room here. */
static void go_on(oe_hub *hub)
{
	struct evolution evolution = { .hub = hub, .count_max = 3 };
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	oe__rng_init(&evolution.rng, 1, "going on", 0, 0);
	while ((entry = oe__map_next(&hub->ledger.open, &cursor)) != NULL) {
		const struct oe__ledger_entry *open = entry->value;
		if (!open->staged && evolution.count < OPEN_MAX)
			evolution.open[evolution.count++] = oe_iteration_ref(open->iteration);
	}
	evolve(&evolution, ENDS_MAX);
	evolution_done(&evolution);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEADER_SIZE)
		return 0;
	int kind = data[0] % KINDS;
	struct world *world = world_of(kind, data[1] % STAGES);
	struct finding finding = { .world = world, .which = data[2] % ODD_OF, .how = data[3] % KINDS };
	OE__AUTO(hub) oe_hub *hub = small_hub(settings_of(kind));
	OE__AUTO(buffer) struct oe__buffer state = OE__BUFFER_INIT(0);

	oe__buffer_append(&state, world->state.data, world->state.size);
	change(&state, world->beginning, data + HEADER_SIZE, size - HEADER_SIZE);
	/* A block of exactly that size, so that reading past the end is seen. */
	OE__AUTO(memory) void *exact = oe__memdup(state.data, state.size);
	struct oe__buffer bytes = { .data = exact, .size = state.size };
	assert(exact);
	if (read_state(hub, &bytes, &finding) < 0)
		return 0;
	assert(oe__hub_check(hub) == NULL);
	check_again(hub, kind, &finding);
	check_population(hub);
	go_on(hub);
	check_population(hub);
	return 0;
}
