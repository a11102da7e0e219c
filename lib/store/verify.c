#include "store/verify.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "program/population.h"
#include "store/contradiction.h"
#include "store/load.h"
#include "store/snapshot.h"
#include "store/tail.h"

/* ---- run.db ---- */

static int check_pages(struct oe__database *database, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(database, "PRAGMA integrity_check(1)", &statement, err);
	if (status < 0)
		return status;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return oe__database_error(database, err);
	const char *found = (const char *)sqlite3_column_text(statement, 0);
	if (found && strcmp(found, "ok") == 0)
		return 0;
	return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "it is damaged: %s",
	                    found ? found : "out of memory");
}

/* ---- rows: what is in them can be read ---- */

static int check_programs(struct oe__database *database, oe_error *err)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;
	int64_t position = 0;
	int got = oe__program_cursor_open(database, 0, true, NULL, &cursor, err);

	while (got >= 0) {
		OE__AUTO(program) oe_program *program = NULL;
		got = oe__program_cursor_next(cursor, &position, &program, err);
		if (got == 0)
			return 0;
	}
	return got;
}

/* What an issue drew is JSON; other messages are anybody's. */
static int check_sample(const struct oe__database *database, const struct oe__log_entry *entry, oe_error *err)
{
	OE__AUTO(value) struct oe__value sample = { 0 };

	if (strcmp(entry->kind, "issue") != 0)
		return 0;
	int status = entry->message ? oe__json_parse(entry->message, strlen(entry->message), &sample, NULL)
	                            : OE_ERR_FORMAT;
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	if (status == 0 && sample.type == OE__VALUE_MAP && entry->program_id)
		return 0;
	return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "row %lld of the log: %s", (long long)entry->seq,
	                    entry->program_id ? "its sample is no JSON object" : "its parent is missing");
}

static int check_samples(struct oe__database *database, oe_error *err)
{
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;
	int status = oe__log_cursor_open(database, &cursor, err);

	while (status == 0) {
		int got = oe__log_cursor_next(cursor, &entry, err);
		if (got <= 0)
			return got;
		status = check_sample(database, &entry, err);
	}
	return status;
}

/* `sql` gives a number, an attempt, and two texts. */
static int check_texts(struct oe__database *database, const char *table, const char *sql, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	int code;

	int status = oe__database_prepare(database, sql, &row, err);
	if (status < 0)
		return status;
	while ((code = sqlite3_step(row)) == SQLITE_ROW)
		for (int column = 2; column <= 3; column++) {
			const char *text = (const char *)sqlite3_column_text(row, column);
			if (!text && sqlite3_errcode(database->handle) == SQLITE_NOMEM)
				return oe__error_nomem(err);
			if (!text || !oe__utf8_valid(text, (size_t)sqlite3_column_bytes(row, column)))
				return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0,
				                    "iteration %lld, attempt %d of the table %s: it is not UTF-8 text",
				                    (long long)sqlite3_column_int64(row, 0), sqlite3_column_int(row, 1), table);
		}
	return code == SQLITE_DONE ? 0 : oe__database_error(database, err);
}

/* Nobody needs it, but what it is damaged by may have damaged more. */
static int check_snapshot(struct oe__database *database, oe_error *err)
{
	OE__AUTO(snapshot) struct oe__snapshot snapshot = { 0 };
	oe_error detail = { .message = "" };

	int got = oe__snapshot_load(database, &snapshot, &detail);
	if (got == OE_ERR_FORMAT)
		return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "the table snapshot: %s", detail.message);
	if (got < 0 && err)
		*err = detail;
	return got < 0 ? got : 0;
}

static int check_contents(struct oe__database *database, oe_error *err)
{
	int status = check_programs(database, err);
	if (status == 0)
		status = check_samples(database, err);
	if (status == 0)
		status = check_texts(database, "answer", "SELECT number, attempt, text, model FROM answer", err);
	if (status == 0)
		status = check_texts(database, "prompt", "SELECT number, attempt, system, user FROM prompt", err);
	return status < 0 ? status : check_snapshot(database, err);
}

/* ---- the whole ---- */

/* First of all: pages of different times do not fit each other either. */
static int check_tail(struct oe__database *database, oe_error *err)
{
	oe_error cut;

	int status = oe__tail_check(database, &cut, err);
	if (status == 0 && cut.status < 0 && err)
		*err = cut;
	return status < 0 ? status : cut.status;
}

/* Without dimensions the cursor gives what is recorded. Fitness that is not finite is not. */
int oe__database_verify_fitness(struct oe__database *database, const struct oe__dimensions *dimensions,
                                oe_error *err)
{
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;
	int64_t position = 0;

	int got = oe__first_made(database, &position, err);
	if (got == 0)
		got = oe__program_cursor_open(database, position - 1, false, NULL, &cursor, err);
	while (got >= 0) {
		OE__AUTO(program) oe_program *program = NULL;
		got = oe__program_cursor_next(cursor, &position, &program, err);
		if (got <= 0)
			return got;
		double fitness = oe__fitness(program->evaluation, dimensions);
		if (isfinite(fitness) && fitness != program->fitness)
			return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0,
			                    "row %lld of the table program: its fitness is not that of its metrics",
			                    (long long)position);
	}
	return got;
}

int oe__database_verify_islands(struct oe__database *database, int32_t count, oe_error *err)
{
	static const char sql[] =
		"SELECT 'row ' || seq || ' of the log' FROM log WHERE island NOT BETWEEN 0 AND ?1 - 1"
		" UNION ALL SELECT 'row ' || position || ' of the table program' FROM program"
		"  WHERE island NOT BETWEEN -1 AND ?1 - 1"
		" UNION ALL SELECT 'migrant ''' || id || ''' of the table migrant' FROM migrant"
		"  WHERE island NOT BETWEEN 0 AND ?1 - 1 LIMIT 1";
	OE__AUTO(statement) sqlite3_stmt *row = NULL;

	int status = oe__database_prepare(database, sql, &row, err);
	if (status < 0)
		return status;
	sqlite3_bind_int(row, 1, count);
	int code = sqlite3_step(row);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? 0 : oe__database_error(database, err);
	const char *place = (const char *)sqlite3_column_text(row, 0);
	return place ? oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "%s: there is no such island", place)
	             : oe__error_nomem(err);
}

int oe__database_verify(struct oe__database *database, oe_error *err)
{
	int status = check_tail(database, err);
	if (status == 0)
		status = check_pages(database, err);
	if (status == 0)
		status = oe__contradiction_find(database, err);
	return status < 0 ? status : check_contents(database, err);
}

/* ---- checkpoints ---- */

/* Every identifier in a part of the metadata: lists and maps of them, to any depth. */
static int check_ids(const struct oe__value *value, const oe_population *population,
                     const char *path, oe_error *err)
{
	if (!value)
		return 0;
	if (value->type == OE__VALUE_STRING && !oe_population_find(population, value->string))
		return oe__error_at(err, OE_ERR_FORMAT, path, value->line, value->column,
		                    "the program '%s' is missing", value->string);
	if (value->type != OE__VALUE_LIST && value->type != OE__VALUE_MAP)
		return 0;
	for (size_t i = 0; i < value->size; i++) {
		int status = check_ids(&value->items[i], population, path, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int check_metadata(const char *path, const oe_population *population, oe_error *err)
{
	static const char *const parts[] = { "islands", "archive", "best_program_id",
		                                 "island_best_programs", "island_feature_maps" };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	OE__AUTO(value) struct oe__value metadata = { 0 };

	int status = oe__file_read(path, &text, err);
	if (status == 0)
		status = oe__json_parse(text.data, text.size, &metadata, err);
	for (size_t i = 0; status == 0 && i < OE__COUNT(parts); i++)
		status = check_ids(oe__value_get(&metadata, parts[i]), population, path, err);
	return status;
}

int oe_population_verify(const char *checkpoint, oe_error *err)
{
	OE__AUTO(population) oe_population *population = NULL;

	if (!checkpoint)
		return oe__error(err, OE_ERR_INVALID, "oe_population_verify: NULL argument");
	OE__AUTO(string) char *path = oe__path_join(checkpoint, "metadata.json");
	if (!path)
		return oe__error_nomem(err);
	int status = oe_population_load(checkpoint, &population, err);
	if (status < 0)
		return status;
	const oe_error *problem = oe_population_problem(population);
	if (problem)
		return oe__error_at(err, OE_ERR_FORMAT, problem->where, problem->line, problem->column, "%s",
		                    problem->message);
	status = check_metadata(path, population, err);
	if (status < 0 || oe_population_size(population, OE_ISLAND_ALL) > 0)
		return status;
	return oe__error_at(err, OE_ERR_FORMAT, checkpoint, 0, 0,
	                    "the checkpoint has no programs: no run can begin with it");
}
