#ifndef OE__STORE_DATABASE_H
#define OE__STORE_DATABASE_H

/*
 * run.db: the schema, and a connection with its prepared statements. A connection belongs to one
 * thread at a time: the writer's to the store thread, readers' to whoever opened them.
 *
 * The tables are append-only (but for `meta`, `snapshot`, and the outcome of a commit that waits for its
 * turn):
 *
 *   meta      what the run is: format, run key, configuration, templates, state, reason, counters
 *   former    what settings in meta were before, and until which call (store/former.h)
 *   log       one row per call of the hub, in order: the truth, from which a run is rebuilt
 *   answer    what a model answered to (number, attempt), and what it cost
 *   judgement what models were asked about programs, and what that cost
 *   charge    what requests to models may cost, and did (store/charge.h)
 *   program   every program ever made, with its metrics
 *   artifact  its artifacts
 *   prompt    texts of prompts, only with "store.prompts: full"
 *   snapshot  what the run had become after some row of the log (store/snapshot.h)
 *
 * The view `iteration` joins them for people.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "openevolve/common.h"

#define OE__STORE_FORMAT 4

/* Of one with nothing in it yet, or nothing of a run: who was killed at its begin left it so. */
#define OE__NOT_BEGUN "the run did not begin: 'oe run' begins it"

enum oe__statement {
	OE__STATEMENT_BEGIN,
	OE__STATEMENT_COMMIT,
	OE__STATEMENT_ROLLBACK,
	OE__STATEMENT_LOG,
	OE__STATEMENT_ANSWER,
	OE__STATEMENT_UNANSWERED,
	OE__STATEMENT_JUDGEMENT,
	OE__STATEMENT_CHARGE,
	OE__STATEMENT_SETTLE,
	OE__STATEMENT_PROGRAM,
	OE__STATEMENT_ARTIFACT,
	OE__STATEMENT_PROMPT,
	OE__STATEMENT_META,
	OE__STATEMENT_FORMER,
	OE__STATEMENT_MIGRANT,
	OE__STATEMENT_OUTCOME,
	OE__STATEMENT_SNAPSHOT,
	OE__STATEMENT_NO_SNAPSHOT,
	OE__STATEMENT_COUNT
};

struct oe__database {
	sqlite3 *handle;
	sqlite3_stmt *statements[OE__STATEMENT_COUNT]; /* prepared on first use */
	char *path;
	int format; /* of the file: a reader may find an older one */
	oe_error cut; /* of one that is written: what it was cut off, if it was (store/tail.h)   */
};

/* Open for writing, and make the schema if the file is new, or what it is now if it is older.
   OE_ERR_VERSION: made by a newer version. OE_ERR_FORMAT: not a run's database, or damaged, or without its
   end: then nothing was changed. */
int oe__database_open(const char *path, bool full_sync, struct oe__database **out, oe_error *err);

/* Open an existing one to read; also while another process writes. It changes nothing: of a process that was
   killed, what it wrote stays where it is (store/wal.h). OE_ERR_STATE: nothing was made in it yet. */
int oe__database_open_reader(const char *path, struct oe__database **out, oe_error *err);
void oe__database_close(struct oe__database *database);

/* A reader sees the file as it is at its next look, whatever is written, until it lets go. */
int oe__database_hold(struct oe__database *database, oe_error *err);
void oe__database_release(struct oe__database *database);

/* A prepared statement, reset and unbound; NULL with `err` set. */
sqlite3_stmt *oe__database_statement(struct oe__database *database, enum oe__statement which,
                                     oe_error *err);
int oe__database_prepare(struct oe__database *database, const char *sql, sqlite3_stmt **out,
                         oe_error *err);

/* Step a statement that gives no rows. */
int oe__database_run(struct oe__database *database, sqlite3_stmt *statement, oe_error *err);
int oe__database_error(struct oe__database *database, oe_error *err);

/* meta: set, or read as a new string (*out stays NULL if there is none). */
int oe__database_set(struct oe__database *database, const char *key, const char *value,
                     oe_error *err);
int oe__database_get(struct oe__database *database, const char *key, char **out, oe_error *err);

static inline void oe__auto_statement(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

OE__AUTO_POINTER(database, struct oe__database *, oe__database_close)

#endif /* OE__STORE_DATABASE_H */
