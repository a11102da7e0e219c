#include "store/charge.h"

#include "base/error.h"
#include "store/load.h"

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS charge ("
	"  id INTEGER PRIMARY KEY, number INTEGER NOT NULL, model TEXT NOT NULL,"
	"  state TEXT NOT NULL,"
	"  tokens INTEGER NOT NULL," /* in and out */
	"  cost INTEGER,"            /* billionths of a dollar; NULL: without a price */
	"  time REAL NOT NULL) STRICT;";

const char *oe__charge_state_name(int state)
{
	static const char *const names[] = {
		[OE__CHARGE_RESERVED] = "reserved",
		[OE__CHARGE_SETTLED] = "settled",
		[OE__CHARGE_UNSETTLED] = "unsettled",
		[OE__CHARGE_FREE] = "free",
	};
	return names[state];
}

static int execute(struct oe__database *database, const char *sql, oe_error *err)
{
	return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK
	           ? 0
	           : oe__database_error(database, err);
}

int oe__charges_make(struct oe__database *database, oe_error *err)
{
	return execute(database, schema, err);
}

int oe__charges_close(struct oe__database *database, oe_error *err)
{
	return execute(database, "UPDATE charge SET state = 'unsettled' WHERE state = 'reserved'", err);
}

int oe__charges_sum(struct oe__database *database, struct oe__charges *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int64_t tables = 0;

	*out = (struct oe__charges){ 0 };
	int status = oe__database_number(
		database, "SELECT count(*) FROM sqlite_master WHERE name = 'charge'", &tables, err);
	if (status < 0 || tables == 0)
		return status;
	status = oe__database_prepare(
		database,
		"SELECT count(*), coalesce(max(id), 0), coalesce(sum(tokens), 0),"
		" coalesce(sum(tokens) FILTER (WHERE state IN ('reserved', 'unsettled')), 0),"
		" coalesce(sum(cost), 0),"
		" coalesce(sum(cost) FILTER (WHERE state IN ('reserved', 'unsettled')), 0),"
		" count(*) FILTER (WHERE cost IS NULL AND state <> 'free') FROM charge",
		&statement, err);
	if (status < 0)
		return status;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return oe__database_error(database, err);
	int64_t *const sums[] = { &out->count, &out->last_id,        &out->tokens, &out->tokens_unsettled,
		                      &out->cost,  &out->cost_unsettled, &out->unpriced };
	for (int i = 0; i < (int)OE__COUNT(sums); i++)
		*sums[i] = sqlite3_column_int64(statement, i);
	return 1;
}

int oe__charge_write(struct oe__database *database, const struct oe__row *row, oe_error *err)
{
	bool made = row->charge.made;
	sqlite3_stmt *statement = oe__database_statement(
		database, made ? OE__STATEMENT_CHARGE : OE__STATEMENT_SETTLE, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_int64(statement, 1, row->charge.id);
	sqlite3_bind_text(statement, 2, oe__charge_state_name(row->charge.state), -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, row->charge.tokens);
	if (row->charge.cost >= 0)
		sqlite3_bind_int64(statement, 4, row->charge.cost);
	sqlite3_bind_double(statement, 5, row->time);
	if (made) {
		sqlite3_bind_int64(statement, 6, row->number);
		sqlite3_bind_text(statement, 7, row->message ? row->message : "", -1, SQLITE_STATIC);
	}
	return oe__database_run(database, statement, err);
}
