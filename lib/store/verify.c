#include "store/verify.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "program/population.h"
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

/* What must not be found: a query for the row (of the log) that proves it, and what that means. */
static const struct {
	const char *sql, *meaning;
} contradictions[] = {
	{ "SELECT l.seq FROM log l WHERE l.seq > 1 AND NOT EXISTS"
	  " (SELECT 1 FROM log b WHERE b.seq = l.seq - 1) LIMIT 1",
	  "the row before it is missing" },
	{ "SELECT e.seq FROM log e WHERE e.kind IN ('commit', 'fail') AND NOT EXISTS"
	  " (SELECT 1 FROM log i WHERE i.kind = 'issue' AND i.number = e.number"
	  "  AND i.attempt = e.attempt AND i.seq < e.seq) LIMIT 1",
	  "it ends an iteration that did not begin" },
	{ "SELECT max(seq) FROM log WHERE kind IN ('commit', 'fail') GROUP BY number, attempt"
	  " HAVING count(*) > 1 LIMIT 1",
	  "it ends an iteration for the second time" },
	{ "SELECT seq FROM log WHERE kind <> 'issue' AND program_id IS NOT NULL AND NOT EXISTS"
	  " (SELECT 1 FROM program p WHERE p.iteration = log.number AND p.id = program_id)"
	  " AND NOT EXISTS (SELECT 1 FROM program p WHERE p.id = program_id) LIMIT 1",
	  "its program is missing" },
	{ "SELECT seq FROM log WHERE kind = 'commit' AND NOT EXISTS (SELECT 1 FROM answer a"
	  " WHERE a.number = log.number AND a.attempt = log.attempt) LIMIT 1",
	  "the answer that it was made from is missing" },
};

static int check_rows(struct oe__database *database, oe_error *err)
{
	for (size_t i = 0; i < OE__COUNT(contradictions); i++) {
		OE__AUTO(statement) sqlite3_stmt *statement = NULL;
		int status = oe__database_prepare(database, contradictions[i].sql, &statement, err);
		if (status < 0)
			return status;
		int code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "row %lld of the log: %s",
			                    (long long)sqlite3_column_int64(statement, 0),
			                    contradictions[i].meaning);
		if (code != SQLITE_DONE)
			return oe__database_error(database, err);
	}
	return 0;
}

/* First of all: pages of different times do not fit each other either. */
static int check_tail(struct oe__database *database, oe_error *err)
{
	oe_error cut;

	int status = oe__tail_check(database, &cut, err);
	if (status == 0 && cut.status < 0 && err)
		*err = cut;
	return status < 0 ? status : cut.status;
}

int oe__database_verify(struct oe__database *database, oe_error *err)
{
	int status = check_tail(database, err);
	if (status == 0)
		status = check_pages(database, err);
	return status < 0 ? status : check_rows(database, err);
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
	if (oe_population_skipped(population) > 0)
		return oe__error_at(err, OE_ERR_FORMAT, checkpoint, 0, 0,
		                    "%zu of its programs cannot be read",
		                    oe_population_skipped(population));
	return check_metadata(path, population, err);
}
