#include "store/load.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "openevolve/hub.h"
#include "store/origin.h"
#include "store/rows.h"

/* ---- columns ---- */

/* NULL where there is none. */
static const char *optional_at(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

/* Of a column that is always there; "" in a file that somebody else has made. */
static const char *text_at(sqlite3_stmt *statement, int column)
{
	const char *text = optional_at(statement, column);
	return text ? text : "";
}

static size_t size_at(sqlite3_stmt *statement, int column)
{
	return (size_t)sqlite3_column_bytes(statement, column);
}

static double real_at(sqlite3_stmt *statement, int column, double missing)
{
	if (sqlite3_column_type(statement, column) == SQLITE_NULL)
		return missing;
	return sqlite3_column_double(statement, column);
}

/* 1: a row; 0: no more. */
static int step(struct oe__database *database, sqlite3_stmt *statement, oe_error *err)
{
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : oe__database_error(database, err);
}

int oe__database_number(struct oe__database *database, const char *sql, int64_t *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int status = oe__database_prepare(database, sql, &statement, err);
	if (status == 0)
		status = step(database, statement, err);
	if (status > 0)
		*out = sqlite3_column_int64(statement, 0);
	return status < 0 ? status : 0;
}

/* ---- the log ---- */

int oe__log_has_begun(struct oe__database *database, oe_error *err)
{
	int64_t begun = 0;

	int status = oe__database_number(database,
	                                 "SELECT EXISTS (SELECT 1 FROM log) OR"
	                                 " EXISTS (SELECT 1 FROM meta WHERE key = '" OE__ORIGIN_META "')",
	                                 &begun, err);
	return status < 0 ? status : begun != 0;
}

struct oe__log_cursor {
	struct oe__database *database;
	sqlite3_stmt *statement;
};

static int outcome_of(const char *name)
{
	for (int outcome = 0; name && outcome < OE_OUTCOME_COUNT; outcome++)
		if (strcmp(oe_outcome_name(outcome), name) == 0)
			return outcome;
	return -1;
}

static bool is_call(const char *kind)
{
	for (int i = 0; i <= OE__ROW_CLOSE; i++)
		if (strcmp(oe__row_kind_name((enum oe__row_kind)i), kind) == 0)
			return true;
	return false;
}

/* Who plays the log relies on both; only a commit may wait for its outcome. */
static int check_words(const struct oe__database *database, const struct oe__log_entry *entry,
                       const char *outcome, oe_error *err)
{
	bool fails = strcmp(entry->kind, oe__row_kind_name(OE__ROW_FAIL)) == 0;
	const char *what = !is_call(entry->kind)                    ? "its kind is none that there is"
	                   : entry->outcome < 0 && (outcome || fails) ? "its outcome is none that there is"
	                                                              : NULL;

	return what ? oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "row %lld of the log: %s",
	                           (long long)entry->seq, what)
	            : 0;
}

int oe__log_cursor_open(struct oe__database *database, struct oe__log_cursor **out, oe_error *err)
{
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = oe__calloc(1, sizeof(*cursor));
	if (!cursor)
		return oe__error_nomem(err);
	cursor->database = database;
	int status = oe__database_prepare(
		database,
		"SELECT seq, kind, number, attempt, island, outcome, program_id, message, verdict,"
		" evaluation_ms, time FROM log WHERE seq > ? ORDER BY seq",
		&cursor->statement, err);
	if (status < 0)
		return status;
	oe__log_cursor_seek(cursor, INT64_MIN);
	*out = OE__STEAL(cursor);
	return 0;
}

void oe__log_cursor_seek(struct oe__log_cursor *cursor, int64_t seq)
{
	sqlite3_reset(cursor->statement);
	sqlite3_bind_int64(cursor->statement, 1, seq);
}

int oe__log_cursor_next(struct oe__log_cursor *cursor, struct oe__log_entry *entry, oe_error *err)
{
	sqlite3_stmt *row = cursor->statement;
	int status = step(cursor->database, row, err);
	if (status <= 0)
		return status;
	*entry = (struct oe__log_entry){
		.seq = sqlite3_column_int64(row, 0),
		.kind = text_at(row, 1),
		.number = sqlite3_column_int64(row, 2),
		.attempt = sqlite3_column_int(row, 3),
		.island = sqlite3_column_int(row, 4),
		.outcome = outcome_of(optional_at(row, 5)),
		.program_id = optional_at(row, 6),
		.message = optional_at(row, 7),
		.verdict = optional_at(row, 8),
		.evaluation_ms = real_at(row, 9, -1),
		.time = sqlite3_column_double(row, 10),
	};
	status = check_words(cursor->database, entry, optional_at(row, 5), err);
	return status < 0 ? status : 1;
}

void oe__log_cursor_close(struct oe__log_cursor *cursor)
{
	if (!cursor)
		return;
	sqlite3_finalize(cursor->statement);
	oe__free(cursor);
}

int oe__log_find_end(struct oe__database *database, int64_t number, int32_t attempt, int64_t seq,
                     int *outcome, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int status = oe__database_prepare(database,
	                                  "SELECT outcome FROM log WHERE number = ? AND attempt = ?"
	                                  " AND kind IN ('commit', 'fail') AND seq <= ?",
	                                  &statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	sqlite3_bind_int(statement, 2, attempt);
	sqlite3_bind_int64(statement, 3, seq);
	status = step(database, statement, err);
	if (status > 0)
		*outcome = outcome_of(optional_at(statement, 0));
	return status;
}

int oe__log_has_issued(struct oe__database *database, int64_t seq, int64_t number, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int status = oe__database_prepare(
		database,
		"SELECT (SELECT count(*) FROM log WHERE number = ?1 AND kind = 'issue' AND seq <= ?2) > 0"
		" OR NOT EXISTS (SELECT 1 FROM log WHERE kind = 'issue' AND seq <= ?2),"
		" NOT EXISTS (SELECT 1 FROM log WHERE number = ?1 + 1 AND kind = 'issue' AND seq <= ?2)",
		&statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	sqlite3_bind_int64(statement, 2, seq);
	status = step(database, statement, err);
	if (status <= 0)
		return status;
	return sqlite3_column_int(statement, 0) && sqlite3_column_int(statement, 1);
}

/* ---- answers ---- */

void oe__answer_done(struct oe__answer *answer)
{
	oe__free(answer->text);
	oe__free(answer->model);
	*answer = (struct oe__answer){ 0 };
}

static int read_answer(sqlite3_stmt *row, struct oe__answer *out)
{
	OE__AUTO(answer) struct oe__answer answer = {
		.size = size_at(row, 0),
		.finish = sqlite3_column_int(row, 2),
		.tokens_in = sqlite3_column_int64(row, 3),
		.tokens_out = sqlite3_column_int64(row, 4),
		.requests = sqlite3_column_int(row, 5),
		.llm_ms = sqlite3_column_double(row, 6),
		.time = sqlite3_column_double(row, 8),
	};
	answer.text = oe__strndup(text_at(row, 0), answer.size);
	answer.model = oe__strdup(text_at(row, 1));
	if (!answer.text || !answer.model)
		return OE_ERR_NOMEM;
	if (size_at(row, 7) == OE__SHA256_SIZE) {
		memcpy(answer.prompt_hash, sqlite3_column_blob(row, 7), OE__SHA256_SIZE);
		answer.has_prompt_hash = true;
	}
	*out = answer;
	answer = (struct oe__answer){ 0 };
	return 1;
}

int oe__answer_load(struct oe__database *database, int64_t number, int32_t attempt,
                    struct oe__answer *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int status = oe__database_prepare(
		database,
		"SELECT text, model, finish, tokens_in, tokens_out, requests, llm_ms, prompt_hash,"
		" time FROM answer WHERE number = ? AND attempt = ?",
		&statement, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(statement, 1, number);
	sqlite3_bind_int(statement, 2, attempt);
	status = step(database, statement, err);
	return status > 0 ? read_answer(statement, out) : status;
}

int oe__answered_each(struct oe__database *database,
                      void (*tell)(void *owner, int64_t number, int32_t attempt, const uint8_t *prompt),
                      void *owner, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	int status = oe__database_prepare(
		database,
		"SELECT number, attempt, prompt_hash FROM answer UNION ALL SELECT number, attempt, NULL FROM log"
		" WHERE kind = 'fail' AND outcome = 'llm_failed' ORDER BY number, attempt",
		&row, err);
	if (status < 0)
		return status;
	while ((status = step(database, row, err)) > 0)
		tell(owner, sqlite3_column_int64(row, 0), sqlite3_column_int(row, 1),
		     size_at(row, 2) == OE__SHA256_SIZE ? sqlite3_column_blob(row, 2) : NULL);
	return status;
}

static void write_text(struct oe__json_writer *writer, sqlite3_stmt *row, int column)
{
	oe__json_string_sized(writer, (const char *)sqlite3_column_text(row, column),
	                      (size_t)sqlite3_column_bytes(row, column));
}

int oe__answer_write(struct oe__database *database, int64_t number, const char *key,
                     struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	struct oe__json_writer writer = { .out = out };

	int status = oe__database_prepare(
		database,
		"SELECT a.text, p.system, p.user FROM answer a LEFT JOIN prompt p USING (number, attempt)"
		" WHERE a.number = ? ORDER BY a.attempt DESC LIMIT 1",
		&row, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(row, 1, number);
	status = step(database, row, err);
	if (status <= 0)
		return status;
	oe__json_map(&writer);
	oe__json_key(&writer, key);
	oe__json_map(&writer);
	if (sqlite3_column_type(row, 1) != SQLITE_NULL) {
		oe__json_key(&writer, "system");
		write_text(&writer, row, 1);
		oe__json_key(&writer, "user");
		write_text(&writer, row, 2);
	}
	oe__json_key(&writer, "responses");
	oe__json_list(&writer);
	write_text(&writer, row, 0);
	oe__json_list_end(&writer);
	oe__json_map_end(&writer);
	oe__json_map_end(&writer);
	return out->status < 0 ? oe__error_nomem(err) : 1;
}

/* ---- programs ---- */

#define PROGRAM_COLUMNS                                                                            \
	"SELECT position, id, parent_id, island, generation, iteration, timestamp, language, code,"    \
	" changes, fitness, metrics, parent_metrics, verdict, message, wall_ms, cpu_ms FROM program "

struct oe__program_cursor {
	struct oe__database *database;
	sqlite3_stmt *walk, *find, *search, *artifacts;
	bool with_artifacts;
	const struct oe__dimensions *dimensions;
};

int oe__program_cursor_open(struct oe__database *database, int64_t after, bool artifacts,
                            const struct oe__dimensions *dimensions,
                            struct oe__program_cursor **out, oe_error *err)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = oe__calloc(1, sizeof(*cursor));
	if (!cursor)
		return oe__error_nomem(err);
	cursor->database = database;
	cursor->with_artifacts = artifacts;
	cursor->dimensions = dimensions;
	int status = oe__database_prepare(
		database, PROGRAM_COLUMNS "WHERE position > ? ORDER BY position", &cursor->walk, err);
	if (status == 0)
		status = oe__database_prepare(database, PROGRAM_COLUMNS "WHERE iteration = ? AND id = ?",
		                              &cursor->find, err);
	if (status == 0)
		status = oe__database_prepare(
			database, PROGRAM_COLUMNS "WHERE position = (SELECT position FROM program WHERE id = ?)",
			&cursor->search, err);
	if (status == 0)
		status = oe__database_prepare(
			database,
			database->format < 2 ? "SELECT name, kind, data FROM artifact WHERE program_id ="
								   " (SELECT id FROM program WHERE position = ?) ORDER BY position"
								 : "SELECT name, kind, data FROM artifact WHERE program = ?"
								   " ORDER BY position",
			&cursor->artifacts, err);
	if (status < 0)
		return status;
	sqlite3_bind_int64(cursor->walk, 1, after);
	*out = OE__STEAL(cursor);
	return 0;
}

void oe__program_cursor_close(struct oe__program_cursor *cursor)
{
	if (!cursor)
		return;
	sqlite3_finalize(cursor->walk);
	sqlite3_finalize(cursor->find);
	sqlite3_finalize(cursor->search);
	sqlite3_finalize(cursor->artifacts);
	oe__free(cursor);
}

/* One that we do not know is a failure of some kind. */
static int verdict_of(const char *name)
{
	for (int verdict = 0; verdict <= OE_VERDICT_CANCELLED; verdict++)
		if (strcmp(oe_verdict_name(verdict), name) == 0)
			return verdict;
	return OE_VERDICT_BAD_RESULT;
}

/* Of a row of the table "program": `what` is wrong with it, unless there is no memory to read it. */
static int damaged(const struct oe__program_cursor *cursor, sqlite3_stmt *row, int status, const char *what,
                   oe_error *err)
{
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	return oe__error_at(err, OE_ERR_FORMAT, cursor->database->path, 0, 0,
	                    "row %lld of the table program: %s", (long long)sqlite3_column_int64(row, 0), what);
}

static int read_metrics(const char *json, size_t size, oe_evaluation **out)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	int status = oe__json_parse(json, size, &value, NULL);
	if (status == 0)
		status = oe_evaluation_new(&evaluation);
	if (status == 0)
		status = oe__evaluation_metrics_read(evaluation, &value);
	if (status < 0)
		return status;
	*out = OE__STEAL(evaluation);
	return 0;
}

static int read_artifacts(struct oe__program_cursor *cursor, sqlite3_stmt *program,
                          oe_evaluation *evaluation, oe_error *err)
{
	sqlite3_stmt *row = cursor->artifacts;
	int status;

	sqlite3_reset(row);
	sqlite3_bind_int64(row, 1, sqlite3_column_int64(program, 0));
	while ((status = step(cursor->database, row, err)) > 0) {
		const void *data = sqlite3_column_blob(row, 2);
		status = oe__evaluation_add_artifact_kind(evaluation, text_at(row, 0),
		                                          (enum oe__artifact_kind)sqlite3_column_int(row, 1),
		                                          data ? data : "", size_at(row, 2));
		if (status < 0)
			return damaged(cursor, program, status, "its artifacts are too many, or too large", err);
	}
	return status;
}

static int read_evaluation(struct oe__program_cursor *cursor, sqlite3_stmt *row,
                           oe_evaluation **out, oe_error *err)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	int status = read_metrics(text_at(row, 11), size_at(row, 11), &evaluation);
	if (status < 0)
		return damaged(cursor, row, status, "its metrics are no JSON object", err);
	if (cursor->with_artifacts)
		status = read_artifacts(cursor, row, evaluation, err);
	if (status < 0)
		return status;
	const char *message = text_at(row, 14);
	status = oe_evaluation_set_verdict(evaluation, verdict_of(text_at(row, 13)),
	                                   message[0] ? message : NULL);
	if (status < 0)
		return damaged(cursor, row, status, "its verdict cannot be read", err);
	evaluation->wall_ms = sqlite3_column_double(row, 15);
	evaluation->cpu_ms = sqlite3_column_double(row, 16);
	oe__evaluation_freeze(evaluation);
	*out = OE__STEAL(evaluation);
	return 0;
}

static int read_program(struct oe__program_cursor *cursor, sqlite3_stmt *row, oe_program **out,
                        oe_error *err)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(evaluation) oe_evaluation *before = NULL;

	int status = oe__source_new(text_at(row, 8), size_at(row, 8), &source);
	if (status < 0)
		return damaged(cursor, row, status,
		               status == OE_ERR_LIMIT ? "its code is too large" : "its code is not UTF-8 text", err);
	if (*text_at(row, 13)) /* "": it was never evaluated */
		status = read_evaluation(cursor, row, &evaluation, err);
	if (status < 0)
		return status;
	if (optional_at(row, 12)) {
		status = read_metrics(text_at(row, 12), size_at(row, 12), &before);
		if (status < 0)
			return damaged(cursor, row, status, "the metrics of its parent are no JSON object", err);
		oe__evaluation_freeze(before);
	}

	struct oe__program_spec spec = {
		.id = text_at(row, 1),
		.parent_id = optional_at(row, 2),
		.source = source,
		.language = text_at(row, 7),
		.changes = text_at(row, 9),
		.generation = sqlite3_column_int64(row, 4),
		.iteration = sqlite3_column_int64(row, 5),
		.timestamp = sqlite3_column_double(row, 6),
		.island = sqlite3_column_int(row, 3),
		.evaluation = evaluation,
		.parent_evaluation = before,
		.dimensions = cursor->dimensions,
	};
	status = oe__program_build(&spec, out);
	if (status < 0)
		return damaged(cursor, row, status, "it cannot be read", err);
	if (!cursor->dimensions) /* nobody else has it yet */
		(*out)->fitness = real_at(row, 10, (*out)->fitness);
	return status;
}

int oe__program_cursor_next(struct oe__program_cursor *cursor, int64_t *position, oe_program **out,
                            oe_error *err)
{
	int status = step(cursor->database, cursor->walk, err);
	if (status <= 0)
		return status;
	*position = sqlite3_column_int64(cursor->walk, 0);
	status = read_program(cursor, cursor->walk, out, err);
	return status < 0 ? status : 1;
}

/* The program of a statement that gives one, or none. */
static int read_one(struct oe__program_cursor *cursor, sqlite3_stmt *row, oe_program **out,
                    oe_error *err)
{
	int status = step(cursor->database, row, err);
	if (status > 0) {
		status = read_program(cursor, row, out, err);
		status = status < 0 ? status : 1;
	}
	sqlite3_reset(row);
	return status;
}

int oe__program_cursor_find(struct oe__program_cursor *cursor, const char *id, int64_t iteration,
                            oe_program **out, oe_error *err)
{
	/* They are copied; without memory nothing would be bound, and nothing found. */
	if (sqlite3_bind_int64(cursor->find, 1, iteration) != SQLITE_OK ||
	    sqlite3_bind_text(cursor->find, 2, id, -1, SQLITE_TRANSIENT) != SQLITE_OK ||
	    sqlite3_bind_text(cursor->search, 1, id, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		return oe__database_error(cursor->database, err);
	int status = iteration >= 0 ? read_one(cursor, cursor->find, out, err) : 0;
	return status != 0 ? status : read_one(cursor, cursor->search, out, err);
}
