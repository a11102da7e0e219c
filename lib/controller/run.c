/* Reading a run: oe_run of openevolve/run.h. */

#include "openevolve/run.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "config/config.h"
#include "controller/budget.h"
#include "controller/replay.h"
#include "controller/run_internal.h"
#include "hub/hub.h"
#include "prompt/prompt.h"
#include "store/directory.h"
#include "store/load.h"

/* ---- life ---- */

int oe_run_open(const char *directory, oe_run **out, oe_error *err)
{
	if (!directory || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_open: NULL argument");
	oe_run *run = oe__calloc(1, sizeof(*run));
	if (!run)
		return oe__error_nomem(err);
	run->path = oe__path_absolute(directory);
	run->file = run->path ? oe__path_join(run->path, "run.db") : NULL;
	int status = run->file ? 0 : oe__error_nomem(err);
	if (status == 0 && !oe__file_exists(run->file))
		status = oe__error_at(err, OE_ERR_STATE, directory, 0, 0, "there is no run in this directory");
	if (status == 0)
		status = oe__database_open_reader(run->file, &run->database, err);
	if (status < 0) {
		oe_run_close(run);
		return status;
	}
	*out = run;
	return 0;
}

static void forget_iteration(oe_run *run)
{
	oe__answer_done(&run->answer);
	oe__free(OE__STEAL(run->program_id));
	oe__free(OE__STEAL(run->parent_id));
	oe__free(OE__STEAL(run->message));
}

void oe_run_close(oe_run *run)
{
	if (!run)
		return;
	forget_iteration(run);
	oe__database_close(run->database);
	oe__free(run->property);
	oe__free(run->file);
	oe__free(run->path);
	oe__free(run);
}

void oe_run_free_text(char *text)
{
	oe__free(text);
}

/* ---- properties ---- */

const char *oe_run_property(oe_run *run, const char *name)
{
	if (!run || !name)
		return NULL;
	oe__free(OE__STEAL(run->property));
	if (oe__database_get(run->database, name, &run->property, NULL) < 0 || !run->property)
		return NULL;
	/* A run whose process is gone cannot have said so itself. */
	if (strcmp(name, "state") == 0 && strcmp(run->property, "running") == 0 &&
	    !oe__directory_is_locked(run->path)) {
		oe__free(run->property);
		run->property = oe__strdup("interrupted");
	}
	return run->property;
}

static int64_t number(oe_run *run, const char *sql)
{
	int64_t value = 0;
	(void)oe__database_number(run->database, sql, &value, NULL);
	return value;
}

/* A commit that waits for its turn has no outcome; neither has anything behind the number at which a
   run ended that ends in order. */
#define ENDED                                                                                      \
	"outcome IS NOT NULL AND number <= coalesce((SELECT CAST(nullif(value, '') AS INTEGER)"        \
	" FROM meta WHERE key = 'held_at'), 9223372036854775807)"

static void write_outcomes(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	oe__json_map(writer);
	if (oe__database_prepare(run->database,
	                         "SELECT outcome, count(*) FROM log WHERE " ENDED
	                         " GROUP BY outcome ORDER BY outcome",
	                         &statement, NULL) == 0)
		while (sqlite3_step(statement) == SQLITE_ROW) {
			oe__json_key(writer, (const char *)sqlite3_column_text(statement, 0));
			oe__json_int(writer, sqlite3_column_int64(statement, 1));
		}
	oe__json_map_end(writer);
}

static void write_count(struct oe__json_writer *writer, const char *key, int64_t value)
{
	oe__json_key(writer, key);
	oe__json_int(writer, value);
}

static void write_best(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(program) oe_program *best = NULL;

	oe__json_key(writer, "best");
	if (oe_run_program(run, "best", &best, NULL) < 0) {
		oe__json_null(writer);
		return;
	}
	oe__json_map(writer);
	oe__json_key(writer, "id");
	oe__json_string(writer, best->id);
	oe__json_key(writer, "fitness");
	oe__json_real(writer, best->fitness);
	write_count(writer, "iteration", best->iteration);
	oe__json_key(writer, "metrics");
	oe__evaluation_metrics_write(best->evaluation, writer);
	oe__json_map_end(writer);
}

/* Every question that was asked, whatever for. */
#define QUESTIONS                                                                                  \
	"SELECT model, requests, tokens_in, tokens_out FROM answer"                                    \
	" UNION ALL SELECT model, requests, 0, 0 FROM unanswered"
#define JUDGEMENTS " UNION ALL SELECT model, requests, tokens_in, tokens_out FROM judgement"

#define USAGE_OF(questions)                                                                        \
	"SELECT model, count(*), sum(requests), sum(max(tokens_in, 0)), sum(max(tokens_out, 0))"       \
	" FROM (" questions ") GROUP BY model ORDER BY model"

struct usage {
	int64_t requests, attempts, tokens_in, tokens_out;
};

static void write_usage(struct oe__json_writer *writer, const struct usage *usage)
{
	write_count(writer, "requests", usage->requests);
	write_count(writer, "attempts", usage->attempts);
	write_count(writer, "tokens_in", usage->tokens_in);
	write_count(writer, "tokens_out", usage->tokens_out);
}

static void write_models(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	OE__AUTO(buffer) struct oe__buffer models = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer each = { .out = &models };
	struct usage all = { 0, 0, 0, 0 };
	/* The table of judgements came after the first runs. */
	bool judged = number(run, "SELECT count(*) FROM sqlite_master WHERE name = 'judgement'") > 0;

	oe__json_map(&each);
	if (oe__database_prepare(run->database,
	                         judged ? USAGE_OF(QUESTIONS JUDGEMENTS) : USAGE_OF(QUESTIONS),
	                         &statement, NULL) == 0)
		while (sqlite3_step(statement) == SQLITE_ROW) {
			struct usage one = {
				sqlite3_column_int64(statement, 1),
				sqlite3_column_int64(statement, 2),
				sqlite3_column_int64(statement, 3),
				sqlite3_column_int64(statement, 4),
			};
			all.requests += one.requests;
			all.attempts += one.attempts;
			all.tokens_in += one.tokens_in;
			all.tokens_out += one.tokens_out;
			oe__json_key(&each, (const char *)sqlite3_column_text(statement, 0));
			oe__json_map(&each);
			write_usage(&each, &one);
			oe__json_map_end(&each);
		}
	oe__json_map_end(&each);
	write_usage(writer, &all);
	oe__json_key(writer, "models");
	oe__json_raw(writer, oe__buffer_string(&models), models.size);
}

static void write_counts(oe_run *run, struct oe__json_writer *writer)
{
	oe__json_key(writer, "llm");
	oe__json_map(writer);
	write_models(run, writer);
	oe__json_map_end(writer);

	/* Every evaluation left its verdict in the row that ended its iteration. */
	oe__json_key(writer, "evaluations");
	oe__json_map(writer);
	write_count(writer, "started", number(run, "SELECT count(*) FROM log WHERE evaluation_ms >= 0"));
	write_count(writer, "finished",
	            number(run, "SELECT count(*) FROM log WHERE evaluation_ms >= 0"));
	write_count(writer, "timed_out",
	            number(run, "SELECT count(*) FROM log WHERE outcome = 'timed_out'"));
	write_count(writer, "failed",
	            number(run, "SELECT count(*) FROM log WHERE outcome = 'evaluation_failed'"));
	oe__json_map_end(writer);
}

/* As the evaluator gave it; what is no JSON, in a database from somewhere, is not passed on. */
static void write_sandbox(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(value) struct oe__value report = { 0 };
	const char *text = oe_run_property(run, "sandbox");

	oe__json_key(writer, "sandbox");
	if (text && *text && oe__json_parse(text, strlen(text), &report, NULL) == 0)
		oe__json_put(writer, &report);
	else
		oe__json_null(writer);
}

static double rate(oe_run *run)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	if (oe__database_prepare(run->database,
	                         "SELECT count(*) / nullif(max(time) - min(time), 0) FROM log"
	                         " WHERE outcome IS NOT NULL",
	                         &statement, NULL) < 0 ||
	    sqlite3_step(statement) != SQLITE_ROW)
		return 0;
	return sqlite3_column_double(statement, 0);
}

int oe_run_status_json(oe_run *run, char **out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer writer = { .out = &text };

	if (!run || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_status_json: NULL argument");
	oe__json_map(&writer);
	oe__json_key(&writer, "schema");
	oe__json_string(&writer, "oe.status/1");
	oe__json_key(&writer, "state");
	oe__json_string(&writer, oe_run_property(run, "state"));
	oe__json_key(&writer, "reason");
	oe__json_string(&writer, oe_run_property(run, "reason"));
	oe__json_key(&writer, "iterations");
	oe__json_map(&writer);
	write_count(&writer, "issued",
	            number(run, "SELECT count(DISTINCT number) FROM log WHERE kind = 'issue'"));
	write_count(&writer, "done",
	            number(run, "SELECT count(*) FROM log WHERE kind IN ('commit', 'fail') AND " ENDED));
	oe__json_key(&writer, "outcomes");
	write_outcomes(run, &writer);
	oe__json_map_end(&writer);
	write_count(&writer, "programs", number(run, "SELECT count(*) FROM program"));
	const char *hash = oe_run_property(run, "archive_hash");
	oe__json_key(&writer, "archive_hash");
	oe__json_string(&writer, hash && *hash ? hash : NULL);
	write_best(run, &writer);
	write_counts(run, &writer);
	oe__budget_write(run->database, &writer);
	oe__json_key(&writer, "rate_per_s");
	oe__json_real(&writer, rate(run));
	write_sandbox(run, &writer);
	oe__json_map_end(&writer);
	*out = oe__buffer_steal(&text, NULL);
	return *out ? 0 : oe__error_nomem(err);
}

/* ---- programs ---- */

static int find_id(oe_run *run, const char *sql, const char *name, char **id, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(run->database, sql, &statement, err);
	if (status < 0)
		return status;
	if (name)
		sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : oe__database_error(run->database, err);
	*id = oe__strdup((const char *)sqlite3_column_text(statement, 0));
	if (!*id)
		return oe__error_nomem(err);
	return sqlite3_step(statement) == SQLITE_ROW ? 2 : 1;
}

static int resolve(oe_run *run, const char *name, char **id, oe_error *err)
{
	/* Those that joined, and those of a checkpoint, which no call names; a failed evaluation has no
	   place among the best. */
	if (strcmp(name, "best") == 0)
		return find_id(run,
		               "SELECT id FROM program WHERE id IN (SELECT program_id FROM log"
		               " WHERE kind = 'seed' OR outcome = 'committed') OR id NOT IN"
		               " (SELECT program_id FROM log WHERE kind <> 'issue' AND program_id IS NOT NULL)"
		               " AND island >= 0"
		               " ORDER BY fitness DESC, position LIMIT 1",
		               NULL, id, err);
	if (strcmp(name, "initial") == 0)
		return find_id(run,
		               "SELECT id FROM (SELECT program_id AS id, seq FROM log WHERE kind = 'seed'"
		               " UNION ALL SELECT value, 0 FROM meta WHERE key = 'initial')"
		               " ORDER BY seq LIMIT 1",
		               NULL, id, err);
	return find_id(run,
	               "SELECT id FROM (SELECT id FROM program UNION ALL SELECT id FROM migrant)"
	               " WHERE substr(id, 1, length(?1)) = ?1 LIMIT 2",
	               name, id, err);
}

/* A copy that migrated is its original with a place of its own. */
static int load_migrant(oe_run *run, struct oe__program_cursor *cursor, const char *id,
                        oe_program **out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	OE__AUTO(program) oe_program *original = NULL;
	struct oe__program_spec spec;

	int status = oe__database_prepare(
		run->database, "SELECT original_id, island FROM migrant WHERE id = ?", &statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : oe__database_error(run->database, err);
	status = oe__program_cursor_find(cursor, (const char *)sqlite3_column_text(statement, 0), -1,
	                                 &original, err);
	if (status == 0)
		status = oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0,
		                      "the original of the migrant '%s' is missing", id);
	if (status < 0)
		return status;
	oe__program_describe(original, &spec);
	spec.id = id;
	spec.parent_id = original->id;
	spec.island = sqlite3_column_int(statement, 1);
	spec.migrant = true;
	if (oe__program_build(&spec, out) < 0)
		return oe__error_nomem(err);
	(*out)->fitness = original->fitness; /* as it was recorded */
	return 1;
}

int oe_run_program(oe_run *run, const char *name, oe_program **out, oe_error *err)
{
	OE__AUTO(string) char *id = NULL;
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;

	if (!run || !name || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_program: NULL argument");
	int found = resolve(run, name, &id, err);
	if (found < 0)
		return found;
	if (found == 0)
		return oe__error(err, OE_ERR_INVALID, "there is no program '%s' in this run", name);
	if (found > 1)
		return oe__error(err, OE_ERR_INVALID, "'%s' is the beginning of several identifiers", name);
	int status = oe__program_cursor_open(run->database, 0, true, NULL, &cursor, err);
	if (status == 0)
		status = oe__program_cursor_find(cursor, id, -1, out, err);
	if (status == 0)
		status = load_migrant(run, cursor, id, out, err);
	return status < 0 ? status : 0;
}

int oe_run_next_program(oe_run *run, int64_t *position, oe_program **out, oe_error *err)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;

	if (!run || !position || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_next_program: NULL argument");
	int status = oe__program_cursor_open(run->database, *position, false, NULL, &cursor, err);
	return status < 0 ? status : oe__program_cursor_next(cursor, position, out, err);
}

/* ---- the hub, rebuilt ---- */

int oe__run_config(oe_run *run, oe_config **out, oe_error *err)
{
	OE__AUTO(string) char *text = NULL;
	OE__AUTO(config) oe_config *config = NULL;

	int status = oe__database_get(run->database, "config", &text, err);
	if (status == 0 && !text)
		status = oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0, "the run has no configuration");
	if (status == 0 && oe_config_new(&config) < 0)
		status = oe__error_nomem(err);
	if (status == 0)
		status = oe_config_load_text(config, text, strlen(text), run->file, err);
	if (status == 0)
		*out = OE__STEAL(config);
	return status;
}

static int rebuild(oe_run *run, int64_t until, oe_hub **hub, struct oe__replay *replay,
                   oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;

	int status = oe__run_config(run, &config, err);
	if (status == 0)
		status = oe_hub_new(config, hub, err);
	int64_t held = -1;
	if (status == 0)
		status = oe__database_number(
			run->database, "SELECT value FROM meta WHERE key = 'held_at' AND value <> ''", &held, err);
	if (status == 0 && held >= 0)
		oe__hub_hold(*hub, held); /* the run was over there, whatever came after */
	if (status == 0)
		status = oe__replay_begin(run->file, config, *hub, replay, err);
	return status < 0 ? status : oe__replay_run(replay, until, err);
}

int oe_run_population(oe_run *run, oe_population **out, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	oe_hub *hub = NULL;

	if (!run || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_population: NULL argument");
	int status = rebuild(run, 0, &hub, &replay, err);
	if (status >= 0)
		status = oe_hub_population(hub, out);
	oe_hub_free(hub);
	return status;
}

/* ---- iterations ---- */

static int copy_row(oe_run *run, sqlite3_stmt *row, oe_run_iteration *out)
{
	const char *program = (const char *)sqlite3_column_text(row, 4);
	const char *message = (const char *)sqlite3_column_text(row, 5);
	const char *outcome = (const char *)sqlite3_column_text(row, 6);

	run->parent_id = oe__strdup((const char *)sqlite3_column_text(row, 3));
	run->program_id = oe__strdup(program);
	run->message = oe__strdup(message ? message : "");
	if (!run->parent_id || (program && !run->program_id) || !run->message)
		return OE_ERR_NOMEM;
	out->number = sqlite3_column_int64(row, 0);
	out->attempt = sqlite3_column_int(row, 1);
	out->island = sqlite3_column_int(row, 2);
	out->parent_id = run->parent_id;
	out->program_id = run->program_id;
	out->message = run->message;
	out->outcome = -1;
	for (int i = 0; outcome && i < OE_OUTCOME_COUNT; i++)
		if (strcmp(outcome, oe_outcome_name(i)) == 0)
			out->outcome = i;
	out->evaluation_ms = sqlite3_column_type(row, 7) == SQLITE_NULL ? -1
	                                                                : sqlite3_column_double(row, 7);
	out->started = sqlite3_column_double(row, 8);
	out->ended = sqlite3_column_double(row, 9);
	return 0;
}

static int add_answer(oe_run *run, oe_run_iteration *out, oe_error *err)
{
	int found = oe__answer_load(run->database, out->number, out->attempt, &run->answer, err);

	out->model = "";
	out->tokens_in = out->tokens_out = -1;
	out->llm_ms = -1;
	if (found <= 0)
		return found;
	out->model = run->answer.model;
	out->answer = run->answer.text;
	out->answer_size = run->answer.size;
	out->tokens_in = run->answer.tokens_in;
	out->tokens_out = run->answer.tokens_out;
	out->llm_attempts = run->answer.requests;
	out->llm_ms = run->answer.llm_ms;
	return 0;
}

int oe_run_iteration_at(oe_run *run, int64_t number, oe_run_iteration *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	oe_run_iteration all = { 0 };

	if (!run || !out || out->struct_size < sizeof(size_t))
		return oe__error(err, OE_ERR_INVALID, "oe_run_iteration_at: NULL argument, or no struct_size");
	forget_iteration(run);
	int status = oe__database_prepare(
		run->database,
		"SELECT number, attempt, island, parent_id, program_id, message, outcome, evaluation_ms,"
		" started, ended FROM iteration WHERE number = ? ORDER BY attempt DESC LIMIT 1",
		&statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : oe__database_error(run->database, err);
	if (copy_row(run, statement, &all) < 0)
		return oe__error_nomem(err);
	status = add_answer(run, &all, err);
	if (status < 0)
		return status;
	size_t known = out->struct_size < sizeof(all) ? out->struct_size : sizeof(all);
	all.struct_size = known;
	memcpy(out, &all, known);
	return 1;
}

/* ---- prompts ---- */

static int read_stored(oe_run *run, int64_t number, char **system, char **user, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(run->database,
	                                  "SELECT system, user FROM prompt WHERE number = ?"
	                                  " ORDER BY attempt DESC LIMIT 1",
	                                  &statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	if (sqlite3_step(statement) != SQLITE_ROW)
		return 0;
	*system = oe__strdup((const char *)sqlite3_column_text(statement, 0));
	*user = oe__strdup((const char *)sqlite3_column_text(statement, 1));
	return *system && *user ? 1 : oe__error_nomem(err);
}

int oe__run_prompts(oe_run *run, struct oe__prompt_set **out, oe_error *err)
{
	OE__AUTO(string) char *text = NULL;
	OE__AUTO(value) struct oe__value value = { 0 };

	int status = oe__database_get(run->database, "templates", &text, err);
	if (status == 0 && !text)
		status = oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0, "the run has no templates");
	if (status == 0)
		status = oe__json_parse(text, strlen(text), &value, err);
	return status < 0 ? status : oe__prompt_set_read(&value, out, err);
}

/* Render it from the sample that the hub draws again, and prove it by its hash. */
static int render_again(oe_run *run, int64_t number, struct oe__prompt *prompt, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	OE__AUTO(answer) struct oe__answer answer = { 0 };
	struct oe__prompt_set *prompts = NULL;
	oe_hub *hub = NULL;

	int status = oe__run_prompts(run, &prompts, err);
	if (status == 0)
		status = rebuild(run, number, &hub, &replay, err);
	if (status == 0)
		status = oe__error(err, OE_ERR_INVALID, "there is no iteration %lld", (long long)number);
	if (status > 0)
		status = oe__prompt_render(prompts, oe__replay_find(&replay, number, 0), prompt, err);
	if (status == 0)
		status = oe__answer_load(run->database, number, 0, &answer, err);
	if (status > 0 && answer.has_prompt_hash &&
	    memcmp(answer.prompt_hash, prompt->hash, sizeof(prompt->hash)) != 0)
		status = oe__error(err, OE_ERR_FORMAT,
		                   "the prompt of iteration %lld comes out differently than it was",
		                   (long long)number);
	oe_hub_free(hub);
	oe__prompt_set_unref(prompts);
	return status < 0 ? status : 0;
}

int oe_run_prompt(oe_run *run, int64_t number, char **system, char **user, oe_error *err)
{
	if (!run || !system || !user)
		return oe__error(err, OE_ERR_INVALID, "oe_run_prompt: NULL argument");
	struct oe__prompt prompt = OE__PROMPT_INIT;
	int status = read_stored(run, number, system, user, err);
	if (status != 0)
		return status < 0 ? status : 0;
	status = render_again(run, number, &prompt, err);
	if (status == 0) {
		*system = oe__strndup(oe__buffer_string(&prompt.system), prompt.system.size);
		*user = oe__strndup(oe__buffer_string(&prompt.user), prompt.user.size);
		status = *system && *user ? 0 : oe__error_nomem(err);
	}
	oe__prompt_done(&prompt);
	return status;
}
