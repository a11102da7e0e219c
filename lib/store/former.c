#include "store/former.h"

#include "base/alloc.h"
#include "base/error.h"

int oe__former_write(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_FORMER, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->seq);
	sqlite3_bind_text(statement, 2, row->message, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, row->answer.text, -1, SQLITE_STATIC);
	int status = oe__database_run(database, statement, err);
	return status < 0 ? status
	                  : oe__database_set(database, row->message, row->answer.text, err);
}

/* All but the value of now. */
static int read_former(struct oe__database *database, const char *key,
                       int (*each)(void *owner, int64_t until, const char *value, oe_error *err),
                       void *owner, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	int code, status;

	if (database->format < 4)
		return 0;
	status = oe__database_prepare(
		database, "SELECT seq, value FROM former WHERE key = ? ORDER BY id", &row, err);
	if (status < 0)
		return status;
	sqlite3_bind_text(row, 1, key, -1, SQLITE_STATIC);
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		const char *value = (const char *)sqlite3_column_text(row, 1);
		if (!value)
			return oe__database_error(database, err);
		status = each(owner, sqlite3_column_int64(row, 0), value, err);
		if (status < 0)
			return status;
	}
	return code == SQLITE_DONE ? 0 : oe__database_error(database, err);
}

int oe__former_read(struct oe__database *database, const char *key,
                    int (*each)(void *owner, int64_t until, const char *value, oe_error *err),
                    void *owner, oe_error *err)
{
	OE__AUTO(string) char *now = NULL;

	int status = read_former(database, key, each, owner, err);
	if (status == 0)
		status = oe__database_get(database, key, &now, err);
	if (status < 0)
		return status;
	if (!now)
		return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "the run has no '%s'", key);
	return each(owner, INT64_MAX, now, err);
}
