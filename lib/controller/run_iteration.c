/* The iterations of a run, with what was asked. */

#include "openevolve/run.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "controller/recipes.h"
#include "controller/replay.h"
#include "controller/run_internal.h"
#include "hub/hub.h"
#include "prompt/prompt.h"
#include "store/load.h"

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
	oe__run_forget_iteration(run);
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

/* What the log says of an iteration (?1), and of an attempt at it (?2). */
static int ask_log(oe_run *run, const char *sql, int64_t number, int32_t attempt, int64_t *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(run->database, sql, &statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	if (sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_int(statement, 2, attempt);
	if (sqlite3_step(statement) != SQLITE_ROW)
		return oe__database_error(run->database, err);
	*out = sqlite3_column_int64(statement, 0);
	return 0;
}

/* The last one that was given; -1: none was. */
static int last_attempt(oe_run *run, int64_t number, int32_t *out, oe_error *err)
{
	int64_t last = -1;

	int status = ask_log(run, "SELECT coalesce(max(attempt), -1) FROM log WHERE kind = 'issue' AND number = ?1",
	                     number, 0, &last, err);
	*out = (int32_t)last;
	return status;
}

/* The call of the hub that ended it; INT64_MAX: none did yet. */
static int find_end(oe_run *run, int64_t number, int32_t attempt, int64_t *out, oe_error *err)
{
	return ask_log(run,
	               "SELECT coalesce(min(seq), 9223372036854775807) FROM log"
	               " WHERE kind IN ('commit', 'fail') AND number = ?1 AND attempt = ?2",
	               number, attempt, out, err);
}

static int read_stored(oe_run *run, int64_t number, int32_t attempt, char **system, char **user, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(
		run->database, "SELECT system, user FROM prompt WHERE number = ? AND attempt = ?", &statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	sqlite3_bind_int(statement, 2, attempt);
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : oe__database_error(run->database, err);
	*system = oe__strdup((const char *)sqlite3_column_text(statement, 0));
	*user = oe__strdup((const char *)sqlite3_column_text(statement, 1));
	return *system && *user ? 1 : oe__error_nomem(err);
}

static int no_attempt(int64_t number, int32_t attempt, oe_error *err)
{
	if (attempt <= 0)
		return oe__error(err, OE_ERR_INVALID, "there is no iteration %lld", (long long)number);
	return oe__error(err, OE_ERR_INVALID, "iteration %lld has no attempt %d", (long long)number, (int)attempt);
}

/* With what it was made, its hash proves; of one that nobody answered, the session tells that ended it. */
static int render(oe_run *run, const struct oe__replay *replay, int64_t number, int32_t attempt,
                  struct oe__prompt *prompt, oe_error *err)
{
	const oe_iteration *iteration = oe__replay_find(replay, number, attempt);
	OE__AUTO(recipes) struct oe__recipes recipes = { 0 };
	OE__AUTO(answer) struct oe__answer answer = { 0 };
	int64_t end = INT64_MAX;

	int status = oe__recipes_read(run->database, &recipes, err);
	if (status == 0)
		status = oe__answer_load(run->database, number, attempt, &answer, err);
	if (status < 0)
		return status;
	if (!answer.has_prompt_hash) {
		status = find_end(run, number, attempt, &end, err);
		return status < 0 ? status : oe__recipes_render_at(&recipes, iteration, end, prompt, err);
	}
	status = oe__recipes_render(&recipes, iteration, answer.prompt_hash, prompt, err);
	if (status == 0)
		return oe__error(err, OE_ERR_FORMAT,
		                 "the prompt of iteration %lld comes out differently than it was", (long long)number);
	return status < 0 ? status : 0;
}

/* From the sample that the hub draws again. */
static int render_again(oe_run *run, int64_t number, int32_t attempt, struct oe__prompt *prompt, oe_error *err)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	oe_hub *hub = NULL;

	int status = oe__run_rebuild(run, number, attempt, &hub, &replay, err);
	if (status == 0)
		status = no_attempt(number, attempt, err);
	if (status > 0)
		status = render(run, &replay, number, attempt, prompt, err);
	oe_hub_free(hub);
	return status;
}

int oe_run_prompt(oe_run *run, int64_t number, int32_t attempt, char **system, char **user, oe_error *err)
{
	if (!run || !system || !user)
		return oe__error(err, OE_ERR_INVALID, "oe_run_prompt: NULL argument");
	struct oe__prompt prompt = OE__PROMPT_INIT;
	int status = attempt < 0 ? last_attempt(run, number, &attempt, err) : 0;
	if (status == 0 && (number < 1 || attempt < 0))
		status = no_attempt(number, attempt, err);
	if (status == 0)
		status = read_stored(run, number, attempt, system, user, err);
	if (status != 0)
		return status < 0 ? status : 0;
	status = render_again(run, number, attempt, &prompt, err);
	if (status == 0) {
		*system = oe__strndup(oe__buffer_string(&prompt.system), prompt.system.size);
		*user = oe__strndup(oe__buffer_string(&prompt.user), prompt.user.size);
		status = *system && *user ? 0 : oe__error_nomem(err);
	}
	oe__prompt_done(&prompt);
	return status;
}
