/* The programs of a run: by name, and one after the other. */

#include "openevolve/run.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "controller/run_internal.h"
#include "program/program.h"
#include "store/load.h"

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
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return oe__database_error(run->database, err);
	return code == SQLITE_ROW ? 2 : 1;
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
	if (status == 0)
		return oe__error_at(err, OE_ERR_FORMAT, run->file, 0, 0, "the program '%s' is missing", id);
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
