#include "store/snapshot.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "store/load.h"

void oe__snapshot_done(struct oe__snapshot *snapshot)
{
	oe__free(snapshot->data);
	*snapshot = (struct oe__snapshot){ 0 };
}

/* Of the row as well: it is of no use at another one. */
static int digest(int64_t seq, const void *data, size_t size, uint8_t out[OE__SHA256_SIZE])
{
	struct oe__sha256 *sha = oe__sha256_new();
	uint8_t bytes[sizeof(seq)];

	if (!sha)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((uint64_t)seq >> 8 * i);
	oe__sha256_add(sha, bytes, sizeof(bytes));
	oe__sha256_add(sha, data, size);
	oe__sha256_end(sha, out);
	return 0;
}

int oe__snapshot_write(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	const struct oe__answer_row *content = &row->answer;
	uint8_t hash[OE__SHA256_SIZE];

	if (digest(row->seq, content->text, content->size, hash) < 0)
		return oe__error_nomem(err);
	/* Its pages go to the next one, in the same transaction. */
	int status = oe__database_run(
		database, oe__database_statement(database, OE__STATEMENT_NO_SNAPSHOT, err), err);
	sqlite3_stmt *statement =
		status == 0 ? oe__database_statement(database, OE__STATEMENT_SNAPSHOT, err) : NULL;
	if (!statement)
		return status < 0 ? status : OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->seq);
	sqlite3_bind_blob(statement, 2, hash, sizeof(hash), SQLITE_STATIC);
	sqlite3_bind_blob64(statement, 3, content->text, content->size, SQLITE_STATIC);
	sqlite3_bind_double(statement, 4, row->time);
	return oe__database_run(database, statement, err);
}

static int damaged(const struct oe__database *database, const char *what, oe_error *err)
{
	return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "%s", what);
}

static int read(struct oe__database *database, sqlite3_stmt *row, struct oe__snapshot *out,
                oe_error *err)
{
	OE__AUTO(snapshot) struct oe__snapshot snapshot = {
		.seq = sqlite3_column_int64(row, 0),
		.size = (size_t)sqlite3_column_bytes(row, 2),
	};
	const void *wanted = sqlite3_column_blob(row, 1), *data = sqlite3_column_blob(row, 2);
	uint8_t hash[OE__SHA256_SIZE];

	if (sqlite3_column_bytes(row, 1) != sizeof(hash) || !wanted || !data)
		return damaged(database, "it is damaged", err);
	if (digest(snapshot.seq, data, snapshot.size, hash) < 0)
		return oe__error_nomem(err);
	if (memcmp(hash, wanted, sizeof(hash)) != 0)
		return damaged(database, "it is damaged", err);
	snapshot.data = oe__strndup(data, snapshot.size);
	if (!snapshot.data)
		return oe__error_nomem(err);
	*out = snapshot;
	snapshot = (struct oe__snapshot){ 0 };
	return 1;
}

int oe__snapshot_load(struct oe__database *database, struct oe__snapshot *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	int64_t last = 0;

	if (database->format < 3)
		return 0;
	int status = oe__database_prepare(
		database, "SELECT seq, digest, data FROM snapshot ORDER BY seq DESC LIMIT 1", &row, err);
	if (status < 0)
		return status;
	int code = sqlite3_step(row);
	if (code == SQLITE_DONE)
		return 0;
	if (code != SQLITE_ROW)
		return oe__database_error(database, err);
	status = oe__database_number(database, "SELECT coalesce(max(seq), 0) FROM log", &last, err);
	if (status == 0 && sqlite3_column_int64(row, 0) > last)
		status = damaged(database, "it is of a longer log than this one", err);
	return status < 0 ? status : read(database, row, out, err);
}
