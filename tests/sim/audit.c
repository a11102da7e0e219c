/* The rows that the disk has, against those that the log was given. */

#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "disk.h"
#include "ledger.h"
#include "store/contradiction.h"
#include "store/load.h"
#include "store/verify.h"
#include "store/wal.h"
#include "world.h"

/* Of a call: the one that it was given, or that was decided later. */
static void audit_outcome(const struct oe__log_entry *entry, const struct record *record,
                          bool *present, int64_t *cut)
{
	if (record->kind != OE__ROW_COMMIT && record->kind != OE__ROW_FAIL)
		return;
	bool later = record->given < 0 && record->decision != NONE && entry->outcome >= 0;
	int expected = later ? books.records[record->decision].given : record->given;
	if (entry->outcome != expected)
		violated("row %lld of the log has outcome %d, not %d", (long long)entry->seq,
		         entry->outcome, expected);
	if (!later)
		return;
	present[record->decision] = true;
	if (record->decision >= *cut)
		*cut = record->decision + 1;
}

/* The calls on the disk are the first ones of the books. @return how many there are. */
static int64_t audit_calls(struct oe__database *database, bool *present, int64_t *cut)
{
	OE__AUTO(log_cursor) struct oe__log_cursor *cursor = NULL;
	struct oe__log_entry entry;
	int64_t calls = 0, at = -1;
	oe_error err = { 0 };
	int got;

	if (oe__log_cursor_open(database, &cursor, &err) < 0)
		violated("the log cannot be read: %s", err.message);
	while ((got = oe__log_cursor_next(cursor, &entry, &err)) > 0) {
		do
			at++;
		while (at < books.count && books.records[at].call == 0);
		if (at >= books.count)
			violated("the log has more rows than it was given");
		const struct record *record = &books.records[at];
		if (entry.seq != record->call || entry.number != record->number ||
		    entry.attempt != record->attempt ||
		    strcmp(entry.kind, oe__row_kind_name(record->kind)) != 0)
			violated("row %lld of the log is %s %lld.%d, and was given as %s %lld.%d",
			         (long long)entry.seq, entry.kind, (long long)entry.number,
			         (int)entry.attempt, oe__row_kind_name(record->kind),
			         (long long)record->number, (int)record->attempt);
		*cut = at + 1 > *cut ? at + 1 : *cut;
		audit_outcome(&entry, record, present, cut);
		calls++;
	}
	if (got < 0)
		violated("the log cannot be read: %s", err.message);
	return calls;
}

static int64_t find_answer(int64_t number, int32_t attempt)
{
	const struct slot *slot = books_slot(number);

	if (number <= books.figures.issued && slot->answer != NONE &&
	    books.records[slot->answer].attempt == attempt)
		return slot->answer;
	for (int64_t i = books.count; i-- > 0;)
		if (books.records[i].kind == OE__ROW_ANSWER && books.records[i].number == number &&
		    books.records[i].attempt == attempt)
			return i;
	violated("the disk has an answer to %lld.%d, and it was given none", (long long)number,
	         (int)attempt);
}

/* Sets `present` of each answer that is there. */
static void audit_answers(struct oe__database *database, bool *present, int64_t *cut)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	oe_error err = { 0 };
	int code;

	if (oe__database_prepare(database, "SELECT number, attempt, text FROM answer", &row, &err) < 0)
		violated("the answers cannot be read: %s", err.message);
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		int64_t index = find_answer(sqlite3_column_int64(row, 0), sqlite3_column_int(row, 1));
		if (books.records[index].text != books_hash(sqlite3_column_text(row, 2),
		                                           (size_t)sqlite3_column_bytes(row, 2)))
			violated("the answer to number %lld has changed",
			         (long long)books.records[index].number);
		present[index] = true;
		if (index >= *cut)
			*cut = index + 1;
	}
	if (code != SQLITE_DONE)
		violated("the answers cannot be read: %s", sqlite3_errmsg(database->handle));
}

/* Each program that a row names is there, too. */
static void audit_programs(struct oe__database *database)
{
	int64_t missing = 0;
	oe_error err = { 0 };

	if (oe__database_number(database,
	                        "SELECT count(*) FROM log WHERE kind IN ('seed', 'commit') AND NOT EXISTS"
	                        " (SELECT 1 FROM program WHERE id = log.program_id AND"
	                        " iteration = log.number)",
	                        &missing, &err) < 0)
		violated("the programs cannot be read: %s", err.message);
	if (missing > 0)
		violated("%lld programs of the log are missing", (long long)missing);
}

/* A run that has some of those that it begins with cannot know which are still to come. */
static void audit_seeds(int64_t cut)
{
	int64_t there = 0;

	for (int64_t i = 0; i < cut; i++)
		there += books.records[i].initial;
	if (there > 0 && there < books.seeds)
		violated("of %lld initial programs the disk has %lld", (long long)books.seeds,
		         (long long)there);
	books.seeds = there;
}

/* Nobody takes what is left of a process that was killed for something that was lost. */
static void audit_wal(struct oe__database *database)
{
	struct oe__wal_damage damage;
	oe_error err = { 0 };

	int found = disk_has_lost_power() ? 0 : oe__wal_inspect(database, &damage, &err);
	if (found < 0)
		violated("the write-ahead log cannot be read: %s", err.message);
	if (found > 0)
		violated("frame %lld of the write-ahead log is damaged, and %lld come after it",
		         (long long)damage.frame, (long long)damage.whole);
}

/* Without power frames of the write-ahead log are lost, which verify says; its rows make sense all the same. */
static void audit_contents(struct oe__database *database)
{
	oe_error err = { 0 };
	int status = disk_has_lost_power() ? oe__contradiction_find(database, &err)
	                                   : oe__database_verify(database, &err);

	if (status < 0)
		violated("verify finds what is not so: %s", err.message);
}

bool model_audit(const char *path, bool kept)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	bool *present = calloc((size_t)books.count + 1, 1);
	int64_t cut = 0;
	oe_error err = { 0 };

	if (!present)
		abort();
	if (oe__database_open_reader(path, &database, &err) < 0)
		violated("run.db cannot be read: %s", err.message);
	audit_wal(database);
	int64_t calls = audit_calls(database, present, &cut);
	audit_answers(database, present, &cut);
	ledger_audit(database, present, &cut);
	audit_programs(database);
	audit_contents(database);
	for (int64_t i = 0; i < books.count; i++) {
		const struct record *record = &books.records[i];
		if (record->idle)
			continue;
		bool there = record->call > 0 ? record->call <= calls : present[i];
		if (i < cut && !there)
			violated("the disk has row %lld, but not %lld before it", (long long)cut - 1,
			         (long long)i);
		if (kept && record->durable && !there)
			violated("%s %lld.%d was durable, and is lost", oe__row_kind_name(record->kind),
			         (long long)record->number, (int)record->attempt);
	}
	free(present);
	audit_seeds(cut);
	note("the disk has %lld of %lld rows", (long long)cut, (long long)books.count);
	books_rewind(cut);
	for (int64_t i = 0; i < cut && !kept; i++)
		books.records[i].told = false; /* it may have hung on what was lost */
	return calls > 0;
}
