#include "controller/replay.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "config/config.h"
#include "hub/hub.h"
#include "program/population.h"
#include "store/origin.h"

struct key {
	int64_t number;
	int64_t attempt;
};

static void forget_open(struct oe__replay *replay)
{
	size_t cursor = 0;
	struct oe__map_entry *entry;

	while ((entry = oe__map_next(&replay->open, &cursor)) != NULL)
		oe_iteration_unref(entry->value);
	oe__map_done(&replay->open);
	oe__map_done(&replay->expected);
}

void oe__replay_done(struct oe__replay *replay)
{
	forget_open(replay);
	oe__log_cursor_close(replay->log);
	oe__program_cursor_close(replay->programs);
	oe__database_close(replay->database);
	oe__axes_unref(replay->axes);
	*replay = (struct oe__replay){ 0 };
}

oe_iteration *oe__replay_find(const struct oe__replay *replay, int64_t number, int32_t attempt)
{
	struct key key = { number, attempt };
	return oe__map_get(&replay->open, &key, sizeof(key));
}

/* ---- beginning ---- */

/* Fitness depends on which metrics are feature dimensions. */
static int find_axes(struct oe__replay *replay, const oe_config *config, oe_error *err)
{
	const struct oe__value *list = oe__config_value(config, "database.feature_dimensions");
	OE__AUTO(memory) const char **names = oe__calloc(list->size + 1, sizeof(*names));

	if (!names)
		return oe__error_nomem(err);
	for (size_t i = 0; i < list->size; i++)
		names[i] = list->items[i].string;
	return oe__axes_new(names, list->size, &replay->axes) < 0 ? oe__error_nomem(err) : 0;
}

static int restore(struct oe__replay *replay, oe_error *err)
{
	OE__AUTO(population) oe_population *population = NULL;

	int status = oe__origin_load(replay->database, replay->islands, &population, err);
	if (status < 0 || !population)
		return status;
	status = oe_hub_restore(replay->hub, population, err);
	/* What rules began with then: as if the best of it were the only initial program. */
	oe_program *best = status == 0 ? oe_population_best(population) : NULL;
	if (best && replay->joined)
		replay->joined(replay->owner, best, true, false);
	return status;
}

int oe__replay_open(const char *database, const oe_config *config, oe_hub *hub,
                    struct oe__replay *out, oe_error *err)
{
	out->hub = hub;
	out->islands = (int32_t)oe__config_int(config, "database.num_islands");
	int status = oe__database_open_reader(database, &out->database, err);
	if (status == 0)
		status = find_axes(out, config, err);
	if (status == 0)
		status = oe__program_cursor_open(out->database, 0, true, &out->axes->dimensions,
		                                 &out->programs, err);
	if (status == 0)
		status = oe__log_cursor_open(out->database, &out->log, err);
	return status;
}

int oe__replay_begin(const char *database, const oe_config *config, oe_hub *hub,
                     struct oe__replay *out, oe_error *err)
{
	int status = oe__replay_open(database, config, hub, out, err);
	return status < 0 ? status : restore(out, err);
}

int oe__replay_restart(struct oe__replay *replay, oe_hub *hub, oe_error *err)
{
	forget_open(replay);
	replay->hub = hub;
	replay->differs = 0;
	oe__log_cursor_seek(replay->log, INT64_MIN);
	return restore(replay, err);
}

/* It ends in turn: compare then. Without an outcome it had not when the log did. */
static int expect(struct oe__replay *replay, int64_t number, int outcome, oe_error *err)
{
	if (outcome < 0)
		return 0;
	return oe__map_put(&replay->expected, &number, sizeof(number),
	                   (void *)(uintptr_t)(1 + outcome)) < 0
	           ? oe__error_nomem(err)
	           : 0;
}

/* ---- from a row on ---- */

struct taking_up {
	struct oe__replay *replay;
	int64_t seq;
	oe_error *err;
};

static int contradict(const struct oe__replay *replay, oe_error *err)
{
	return oe__error_at(err, OE_ERR_FORMAT, replay->database->path, 0, 0,
	                    "it does not agree with the log");
}

/* Where one waits for its turn, its row says what it came to, if that was written since. */
static int take_up_one(void *owner, int64_t number, int32_t attempt, oe_iteration *iteration)
{
	const struct taking_up *taking_up = owner;
	struct oe__replay *replay = taking_up->replay;
	struct key key = { number, attempt };
	int outcome = -1;

	int ended = oe__log_find_end(replay->database, number, attempt, taking_up->seq, &outcome,
	                             taking_up->err);
	if (ended < 0 || ended != !iteration)
		return ended < 0 ? ended : contradict(replay, taking_up->err);
	if (!iteration)
		return expect(replay, number, outcome, taking_up->err);
	if (oe__map_put(&replay->open, &key, sizeof(key), oe_iteration_ref(iteration)) < 0) {
		oe_iteration_unref(iteration);
		return oe__error_nomem(taking_up->err);
	}
	return 0;
}

int oe__replay_take_up(struct oe__replay *replay, int64_t seq, oe_error *err)
{
	struct taking_up taking_up = { replay, seq, err };

	int agrees = oe__log_has_issued(replay->database, seq, oe_hub_issued(replay->hub), err);
	if (agrees <= 0)
		return agrees < 0 ? agrees : contradict(replay, err);
	oe__log_cursor_seek(replay->log, seq);
	return oe__hub_walk_open(replay->hub, take_up_one, &taking_up);
}

/* ---- calls ---- */

static int damaged(const struct oe__replay *replay, const struct oe__log_entry *entry,
                   const char *what, oe_error *err)
{
	return oe__error_at(err, OE_ERR_FORMAT, replay->database->path, 0, 0, "row %lld of the log: %s",
	                    (long long)entry->seq, what);
}

static int find_program(struct oe__replay *replay, const struct oe__log_entry *entry,
                        oe_program **out, oe_error *err)
{
	int found = entry->program_id
	                ? oe__program_cursor_find(replay->programs, entry->program_id,
	                                          entry->number, out, err)
	                : 0;
	if (found < 0)
		return found;
	return found ? 0 : damaged(replay, entry, "its program is missing", err);
}

static int play_seed(struct oe__replay *replay, const struct oe__log_entry *entry, oe_error *err)
{
	OE__AUTO(program) oe_program *program = NULL;

	int status = find_program(replay, entry, &program, err);
	if (status == 0 && replay->repeat)
		status = replay->repeat(replay->owner, entry, NULL, program, err);
	if (status == 0)
		status = oe_hub_seed(replay->hub, program, err);
	if (status == 0 && replay->joined)
		replay->joined(replay->owner, program, true, false);
	return status;
}

static int play_issue(struct oe__replay *replay, const struct oe__log_entry *entry, oe_error *err)
{
	OE__AUTO(iteration) oe_iteration *iteration = NULL;
	struct key key = { entry->number, entry->attempt };
	int why = 0;

	int got = oe_hub_next_iteration(replay->hub, &iteration, &why);
	if (got < 0)
		return oe__error(err, got, "%s", oe_status_string(got));
	if (got == 0)
		return damaged(replay, entry, "the hub gives no iteration here", err);
	if (iteration->number != entry->number || iteration->attempt != entry->attempt ||
	    strcmp(oe_program_id(iteration->parent), entry->program_id) != 0)
		return damaged(replay, entry,
		               "another program is drawn here; the configuration or the version differ",
		               err);
	if (oe__map_put(&replay->open, &key, sizeof(key), iteration) < 0)
		return oe__error_nomem(err);
	(void)OE__STEAL(iteration);
	return 0;
}

static void settled(void *owner, const oe_iteration *iteration, oe_program *child,
                    const oe_commit *commit)
{
	struct oe__replay *replay = owner;
	uintptr_t recorded = (uintptr_t)oe__map_remove(&replay->expected, &iteration->number,
	                                               sizeof(iteration->number));

	if (recorded > 0 && commit->outcome != (int)recorded - 1)
		replay->differs = iteration->number;
	if (recorded == 0 && replay->unrecorded)
		replay->unrecorded(replay->owner, iteration, commit->outcome);
	if (commit->outcome == OE_OUTCOME_COMMITTED && replay->joined)
		replay->joined(replay->owner, child, false, commit->best != 0);
}

static int play_commit(struct oe__replay *replay, const struct oe__log_entry *entry,
                       oe_iteration *iteration, oe_program *program, oe_error *err)
{
	oe_commit commit = { .struct_size = sizeof(commit) };
	bool in_turn = oe__hub_ends_in_turn(replay->hub);

	int status = in_turn ? expect(replay, entry->number, entry->outcome, err) : 0;
	if (status == 0)
		status = oe_hub_commit(replay->hub, iteration, program, &commit, err);
	if (status < 0)
		return status;
	if (in_turn && !commit.repeated)
		return 0;
	oe__map_remove(&replay->expected, &entry->number, sizeof(entry->number));
	if (commit.outcome != entry->outcome)
		return damaged(replay, entry, "the hub decides otherwise; the version differs", err);
	if (commit.outcome == OE_OUTCOME_COMMITTED && replay->joined)
		replay->joined(replay->owner, program, false, commit.best != 0);
	return 0;
}

/* Its outcome is in its row, whenever its turn comes. */
static int play_fail(struct oe__replay *replay, const struct oe__log_entry *entry,
                     oe_iteration *iteration, oe_program *program, oe_error *err)
{
	int status = oe__hub_ends_in_turn(replay->hub)
	                 ? expect(replay, entry->number, entry->outcome, err)
	                 : 0;

	if (status == 0)
		status = oe_hub_fail(replay->hub, iteration, entry->outcome, program, entry->message, err);
	if (status == 2) /* its number is given again: it has not ended */
		oe__map_remove(&replay->expected, &entry->number, sizeof(entry->number));
	return status < 0 ? status : 0;
}

static int play_end(struct oe__replay *replay, const struct oe__log_entry *entry, oe_error *err)
{
	struct key key = { entry->number, entry->attempt };
	OE__AUTO(program) oe_program *program = NULL;
	OE__AUTO(iteration) oe_iteration *iteration = oe__map_remove(&replay->open, &key, sizeof(key));
	int status = 0;

	if (!iteration)
		return damaged(replay, entry, "it ends an iteration that was not open", err);
	if (entry->program_id)
		status = find_program(replay, entry, &program, err);
	if (status == 0 && replay->repeat)
		status = replay->repeat(replay->owner, entry, iteration, program, err);
	if (status < 0)
		return status;
	if (strcmp(entry->kind, "commit") == 0)
		return play_commit(replay, entry, iteration, program, err);
	return play_fail(replay, entry, iteration, program, err);
}

static int play_one(struct oe__replay *replay, const struct oe__log_entry *entry, oe_error *err)
{
	if (strcmp(entry->kind, "seed") == 0)
		return play_seed(replay, entry, err);
	if (strcmp(entry->kind, "issue") == 0)
		return play_issue(replay, entry, err);
	if (strcmp(entry->kind, "close") == 0)
		return oe_hub_close_generation(replay->hub, err);
	return play_end(replay, entry, err);
}

static int play(struct oe__replay *replay, int64_t number, int32_t attempt, oe_error *err)
{
	struct oe__log_entry entry;
	int got;

	while ((got = oe__log_cursor_next(replay->log, &entry, err)) > 0) {
		bool issue = strcmp(entry.kind, "issue") == 0;
		int status = play_one(replay, &entry, err);
		if (status == 0 && replay->differs > 0)
			status = damaged(replay, &entry, "the hub decides otherwise; the version differs", err);
		if (status < 0)
			return status;
		if (issue && number > 0 && entry.number == number && entry.attempt == attempt)
			return 1;
	}
	return got;
}

/* What was given was given: limits of now that are lower than those of then say what comes next. */
int oe__replay_run(struct oe__replay *replay, int64_t number, int32_t attempt, oe_error *err)
{
	int64_t last = oe__hub_last(replay->hub), window = oe__hub_window(replay->hub);

	oe__hub_set_last(replay->hub, INT64_MAX);
	oe__hub_set_window(replay->hub, 0);
	oe__hub_on_settled(replay->hub, settled, replay);
	int status = play(replay, number, attempt, err);
	oe__hub_on_settled(replay->hub, NULL, NULL);
	oe__hub_set_last(replay->hub, last);
	oe__hub_set_window(replay->hub, window);
	return status;
}
