/*
 * Going on with a run: its log is played to the new hub, and iterations that had not ended go on
 * where their last durable row left them: with their answer, or with their question. And beginning
 * one with the programs of a checkpoint.
 */

#include "controller/controller_internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "config/config.h"
#include "controller/recorded.h"
#include "controller/replay.h"
#include "controller/snapshot.h"
#include "hub/hub.h"
#include "llm/recording.h"
#include "store/checkpoint.h"
#include "store/database.h"
#include "store/directory.h"
#include "store/origin.h"

#define PASSED_MAX 10000000 /* numbers that are looked for in a recording: about a second */

static void joined(void *owner, const oe_program *program, bool initial, bool best)
{
	oe_controller *controller = owner;

	oe__rules_see(&controller->rules, program, initial);
	controller->seeded = true;
	if (initial && !(program->fitness <= controller->numbers.initial_fitness))
		controller->numbers.initial_fitness = program->fitness;
	if (best)
		controller->numbers.best_iteration = program->iteration;
	/* A rule that ended the run ends it at the same number again, unless it is another one now. */
	if (initial)
		oe__controller_hold_if_over_now(controller);
	else
		oe__controller_hold_if_over(controller, program->iteration);
}

static void unrecorded(void *owner, const oe_iteration *iteration, int outcome)
{
	oe__controller_record_outcome(owner, iteration, outcome);
}

/* Of all that a checkpoint brought, one program is where it began. */
static void note_initial(oe_controller *controller, const oe_population *alive)
{
	if (alive->initial)
		controller->numbers.initial_fitness = alive->initial->fitness;
}

/* What it began with, if that was a checkpoint. */
static int note_origin(oe_controller *controller, struct oe__database *database,
                       const oe_population *restored, oe_error *err)
{
	OE__AUTO(string) char *checkpoint = NULL;

	int status = oe__directory_origin(database, &checkpoint, err);
	if (checkpoint)
		controller->origin = restored->ended;
	note_initial(controller, restored);
	return status;
}

/* One that had not ended: with its answer if that is durable, else to be asked again. */
static int reopen(oe_controller *controller, const struct oe__replay *replay,
                  oe_iteration *iteration, oe_error *err)
{
	struct oe__flight *flight = NULL;
	OE__AUTO(answer) struct oe__answer answer = { 0 };

	int found = oe__answer_load(replay->database, iteration->number, iteration->attempt, &answer,
	                            err);
	if (found < 0)
		return found;
	int status = oe__flight_new(controller, oe_iteration_ref(iteration), NULL, &flight);
	if (status < 0) {
		oe_iteration_unref(iteration);
		return oe__error_nomem(err);
	}
	if (found == 0) {
		flight->place = OE__FLIGHT_PARKED;
		oe__queue_push(&controller->parked, flight);
		return 0;
	}
	status = oe__job_restore_answer(&flight->job, answer.text, answer.size, answer.model,
	                                answer.finish);
	if (status < 0) { /* nobody has it who would bring it back */
		oe__flight_drop(flight);
		oe__flight_free(flight);
		return oe__error_nomem(err);
	}
	flight->place = OE__FLIGHT_EDITING;
	oe__job_edit(&flight->job);
	return 0;
}

/* ---- what it had of a recording ---- */

static uint64_t seed_of(const oe_controller *controller, int64_t number, int32_t attempt)
{
	return oe__iteration_seed(controller->seed, number, attempt);
}

static void pass(void *owner, int64_t number, int32_t attempt, const uint8_t *prompt)
{
	const oe_controller *controller = owner;

	(void)oe__llm_replay_pass(controller->recipe->llm, prompt, seed_of(controller, number, attempt));
}

/* Sessions before this one had answers of it: they are not left for this one. */
static int pass_answered(oe_controller *controller, struct oe__database *database, oe_error *err)
{
	if (!oe__llm_is_replayer(controller->recipe->llm))
		return 0;
	return oe__answered_each(database, pass, controller, err);
}

/* Those of the numbers before the checkpoint are not asked for. It may claim to come after any number. */
static void pass_until(const oe_controller *controller, int64_t last)
{
	oe_llm *llm = controller->recipe->llm;
	bool replays = oe__llm_is_replayer(llm) && last <= PASSED_MAX;

	for (int64_t number = 1; number <= last && replays; number++)
		for (int32_t attempt = 0; oe__llm_replay_pass(llm, NULL, seed_of(controller, number, attempt));)
			attempt++;
}

/* ---- what it was configured with ---- */

static int read_recorded(const oe_controller *controller, oe_config **out, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;

	int status = oe__database_open_reader(controller->directory->database, &database, err);
	return status < 0 ? status : oe__recorded_config(database, out, err);
}

/* The seed that the run drew for itself when it began. */
static int adopt_seed(oe_controller *controller, const oe_config *recorded, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(64);

	if (!oe__config_seed(recorded, &controller->seed))
		return 0;
	oe__buffer_printf(&text, "%llu", (unsigned long long)controller->seed);
	int status = oe_config_set_as(controller->config, "random_seed", oe__buffer_string(&text),
	                              OE_ORIGIN_FLAG, "of the run", err);
	if (status < 0)
		return status;
	oe_hub_free(controller->hub);
	controller->hub = NULL;
	return oe_hub_new(controller->config, &controller->hub, err);
}

/* The log tells what the hub was asked, not what it answered: it has to answer the same again. */
static int check_config(oe_controller *controller, oe_error *err)
{
	OE__AUTO(config) oe_config *recorded = NULL;

	int status = read_recorded(controller, &recorded, err);
	if (status == 0 && controller->seed_drawn)
		status = adopt_seed(controller, recorded, err);
	if (status < 0)
		return status;
	const char *name = oe__hub_changed_option(recorded, controller->config), *was = name;
	if (!name)
		return 0;
	if (strcmp(name, oe__config_seed_option(controller->config)) == 0)
		was = oe__config_seed_option(recorded); /* two options give a seed */
	return oe__error(err, OE_ERR_CONFIG,
	                 "'%s' is %s, but the run began with %s: only a run of its own, from a "
	                 "checkpoint of this one, can have another value",
	                 name, oe_config_get(controller->config, name), oe_config_get(recorded, was));
}

static int play_all(oe_controller *controller, struct oe__replay *replay, oe_error *err)
{
	OE__AUTO(population) oe_population *restored = NULL;

	int status = oe__replay_restart(replay, controller->hub, err);
	if (status == 0)
		status = oe_hub_population(controller->hub, &restored);
	if (status == 0)
		status = note_origin(controller, replay->database, restored, err);
	return status < 0 ? status : oe__replay_run(replay, 0, 0, err);
}

/* What a session said of it as it ended well; 0: nothing. */
static int read_passed(struct oe__database *database, int64_t *out, oe_error *err)
{
	OE__AUTO(string) char *said = NULL;

	*out = 0;
	int status = oe__database_get(database, OE__PASSED_META, &said, err);
	if (status == 0 && said)
		(void)oe__parse_int(said, strlen(said), out);
	return status;
}

/* How far turns had come, also of a process that was killed since: a commit was told behind all before it, and a
   sample is drawn as the number `hub.window` before its own ends. */
static int find_passed(oe_controller *controller, struct oe__database *database, oe_error *err)
{
	int64_t said = 0, told = 0, drawn = 0;

	if (controller->semantics != OE__SEMANTICS_ORDERED)
		return 0;
	int status = read_passed(database, &said, err);
	if (status == 0)
		status = oe__database_number(
			database,
			"SELECT coalesce(max(number), 0) FROM log WHERE kind = 'commit' AND outcome IS NOT NULL", &told,
			err);
	if (status == 0)
		status = oe__database_number(
			database, "SELECT coalesce(max(number), 0) FROM log WHERE kind = 'issue'", &drawn, err);
	drawn -= oe__hub_window(controller->hub);
	controller->endings.passed = drawn > told ? drawn : told;
	if (said > controller->endings.passed)
		controller->endings.passed = said;
	return status;
}

int oe__controller_replay(oe_controller *controller, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { .joined = joined,
		                                           .unrecorded = unrecorded,
		                                           .owner = controller };
	struct oe__map_entry *entry;
	size_t cursor = 0;

	int status = check_config(controller, err);
	if (status == 0)
		status = oe__replay_open(controller->directory->database, controller->config,
		                         controller->hub, &replay, err);
	if (status == 0)
		status = find_passed(controller, replay.database, err);
	int played = status < 0 ? status : oe__controller_play_snapshot(controller, &replay, err);
	status = played == 0 ? play_all(controller, &replay, err) : played < 0 ? played : 0;
	controller->endings.passed = 0;
	if (status == 0)
		oe__controller_hold_if_over_now(controller);
	while (status == 0 && (entry = oe__map_next(&replay.open, &cursor)) != NULL)
		status = reopen(controller, &replay, entry->value, err);
	if (status == 0)
		status = pass_answered(controller, replay.database, err);
	controller->saved_at = oe_hub_ended(controller->hub);
	return status;
}

/* ---- from a checkpoint ---- */

/* Does it begin with the checkpoint where that lies? Not if files elsewhere belong to it: they come and go,
   and somebody's checkpoint is not written anew, so that the copy has a place of its own. */
static int find_place(const oe_controller *controller, const oe_population *population,
                      const char *original, char **path, bool *lies_there, oe_error *err)
{
	*lies_there = false;
	*path = oe__directory_checkpoint_path(controller->directory, population->ended);
	if (*path && oe__file_is_same(*path, original) && !oe__file_is_link(*path)) {
		*lies_there = !population->outside;
		if (population->outside) {
			oe__free(*path);
			*path = oe__directory_begin_path(controller->directory);
		}
	}
	return *path ? 0 : oe__error_nomem(err);
}

/* The log begins with this population: a copy of it belongs into the run's own directory, so that the
   run can be resumed when the original is gone. Artifacts stay in the records: as files they would come in
   another order, and by other names, and be other prompts then. */
static int keep_checkpoint(oe_controller *controller, const oe_population *population,
                           const char *original, char **path, oe_error *err)
{
	struct oe__checkpoint_options options = { .extension = controller->extension,
		                                      .inline_max = OE__ARTIFACT_MAX,
		                                      .synced = true };
	bool lies_there = true;

	int status = controller->directory
	                 ? find_place(controller, population, original, path, &lies_there, err)
	                 : 0;
	if (status < 0 || lies_there)
		return status;
	status = oe__directory_make(controller->directory->checkpoints, err);
	return status < 0 ? status : oe__checkpoint_save(population, *path, &options, err);
}

/* What reports know of programs is in the database: as the hub sees them, and then those that live on
   no island, which may be ancestors. Last, as programs without a run are none of any. */
static int record_rows(oe_controller *controller, const oe_population *population,
                       const oe_population *alive, const char *path, const char *files)
{
	const char *config = NULL;
	int status = 0;

	if (alive->initial)
		status = oe__controller_set_meta(controller, "initial", alive->initial->id);
	/* With the checkpoint there is a run, which cannot be resumed without its configuration. */
	if (status == 0)
		status = oe_config_text(controller->config, OE_CONFIG_CHANGED, &config);
	if (status == 0)
		status = oe__controller_set_meta(controller, "config", config);
	if (status == 0)
		status = oe__controller_set_meta(controller, OE__ORIGIN_FILES, files);
	if (status == 0)
		status = oe__controller_set_meta(controller, OE__ORIGIN_META, oe__path_base(path));
	if (status < 0)
		return status;
	oe__controller_record_import(controller, alive);
	oe__controller_record_import(controller, population);
	return 0;
}

/* All at once: one that is killed here has a run, or leaves none behind. */
static int record(oe_controller *controller, const oe_population *population, const char *path,
                  oe_error *err)
{
	OE__AUTO(population) oe_population *alive = NULL;
	OE__AUTO(buffer) struct oe__buffer files = OE__BUFFER_INIT(OE__FILE_MAX);

	int status = controller->log ? oe__origin_files(path, &files, err) : 0;
	if (status < 0)
		return status;
	status = oe_hub_population(controller->hub, &alive);
	if (status < 0)
		return oe__error(err, status, "%s", oe_status_string(status));
	note_initial(controller, alive);
	if (!controller->log)
		return 0;
	oe__log_join(controller->log);
	status = record_rows(controller, population, alive, path, oe__buffer_string(&files));
	oe__log_part(controller->log);
	return status < 0 ? oe__error(err, status, "%s", oe_status_string(status)) : 0;
}

static int no_programs(const char *checkpoint, const oe_population *population, oe_error *err)
{
	const oe_error *problem = oe_population_problem(population);

	if (!problem)
		return oe__error_at(err, OE_ERR_FORMAT, checkpoint, 0, 0, "the checkpoint has no programs");
	return oe__error_at(err, OE_ERR_FORMAT, problem->where, problem->line, problem->column,
	                    "the checkpoint has no programs that can be read: %s", problem->message);
}

/* It begins without them, which somebody should know. */
static void log_skipped(oe_controller *controller, const char *checkpoint, const oe_population *population)
{
	const oe_error *problem = oe_population_problem(population);

	if (problem)
		oe__controller_log(controller, 0, "%s: %zu of its programs cannot be read; the first: %s: %s",
		                   checkpoint, oe_population_skipped(population), problem->where,
		                   problem->message);
}

int oe__controller_restore(oe_controller *controller, const char *checkpoint, oe_error *err)
{
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(string) char *kept = NULL;

	int32_t islands = (int32_t)oe__config_int(controller->config, "database.num_islands");
	int status = oe__checkpoint_load(checkpoint, islands, &population, err);
	if (status < 0)
		return status;
	if (oe_population_size(population, OE_ISLAND_ALL) == 0)
		return no_programs(checkpoint, population, err);
	status = oe_hub_restore(controller->hub, population, err);
	if (status == 0)
		status = keep_checkpoint(controller, population, checkpoint, &kept, err);
	if (status < 0)
		return status;
	log_skipped(controller, checkpoint, population);
	oe_program *best = oe_population_best(population);
	if (best)
		oe__rules_see(&controller->rules, best, true);
	oe__controller_hold_if_over_now(controller);
	controller->seeded = true;
	controller->origin = controller->saved_at = oe_hub_ended(controller->hub);
	pass_until(controller, controller->origin);
	return record(controller, population, kept ? kept : checkpoint, err);
}
