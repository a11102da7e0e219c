#include "store/database.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "store/tail.h"
#include "store/wal.h"

#define BUSY_MS 10000 /* a reader's checkpoint or backup may hold the file for a moment */

/* Small pages: a commit of few rows writes as many pages, whole. 4000 of them bound the WAL at 16 MB,
   and the stall of its checkpoint at some tens of milliseconds. */
static const char settings[] = "PRAGMA page_size = 4096;"
                               "PRAGMA journal_mode = WAL;"
                               "PRAGMA wal_autocheckpoint = 4000;"
                               "PRAGMA journal_size_limit = 67108864;"
                               "PRAGMA synchronous = FULL;"; /* what is there at the begin is there for good */

/* Of what models were asked about programs. It came while the format was 1 still. */
#define JUDGEMENT_TABLE                                                                            \
	"CREATE TABLE IF NOT EXISTS judgement ("                                                       \
	"  number INTEGER NOT NULL, attempt INTEGER NOT NULL, model TEXT NOT NULL,"                    \
	"  answered INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,"        \
	"  requests INTEGER NOT NULL, llm_ms REAL NOT NULL, time REAL NOT NULL) STRICT;"

/* `program` is a program's position. */
#define ARTIFACT_TABLE(name)                                                                       \
	"CREATE TABLE " name " ("                                                                      \
	"  program INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,"                   \
	"  kind INTEGER NOT NULL, data BLOB NOT NULL,"                                                 \
	"  PRIMARY KEY (program, position)) STRICT, WITHOUT ROWID;"

#define SNAPSHOT_TABLE                                                                             \
	"CREATE TABLE snapshot ("                                                                      \
	"  seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, data BLOB NOT NULL, time REAL NOT NULL)"      \
	"  STRICT;"

/* `seq` is the last call of the hub before the change. */
#define FORMER_TABLE                                                                               \
	"CREATE TABLE former ("                                                                        \
	"  id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL)"       \
	"  STRICT;"

static const char schema[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE log ("
	"  seq INTEGER PRIMARY KEY,"
	"  kind TEXT NOT NULL," /* seed, issue, commit, fail, close */
	"  number INTEGER NOT NULL, attempt INTEGER NOT NULL, island INTEGER NOT NULL,"
	"  outcome TEXT," /* of a commit that waits for its turn: none yet */
	"  program_id TEXT," /* the child; of an issue: the parent */
	"  message TEXT,"    /* of an issue: the sample, as JSON   */
	"  evaluation_ms REAL, verdict TEXT,"
	"  time REAL NOT NULL) STRICT;"
	"CREATE INDEX log_number ON log (number, attempt);"
	"CREATE TABLE answer ("
	"  number INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	"  text TEXT NOT NULL, model TEXT NOT NULL, finish INTEGER NOT NULL,"
	"  tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,"
	"  requests INTEGER NOT NULL, llm_ms REAL NOT NULL, prompt_hash BLOB, time REAL NOT NULL,"
	"  PRIMARY KEY (number, attempt)) STRICT, WITHOUT ROWID;"
	/* Questions that brought no answer, asked again or not. */
	"CREATE TABLE unanswered ("
	"  number INTEGER NOT NULL, attempt INTEGER NOT NULL, model TEXT NOT NULL,"
	"  requests INTEGER NOT NULL, llm_ms REAL NOT NULL, error TEXT NOT NULL,"
	"  time REAL NOT NULL) STRICT;"
	"CREATE TABLE program ("
	"  position INTEGER PRIMARY KEY,"
	"  id TEXT NOT NULL, parent_id TEXT, island INTEGER NOT NULL,"
	"  generation INTEGER NOT NULL, iteration INTEGER NOT NULL, timestamp REAL NOT NULL,"
	"  language TEXT NOT NULL, code TEXT NOT NULL, changes TEXT NOT NULL,"
	"  fitness REAL, metrics TEXT NOT NULL, parent_metrics TEXT,"
	"  verdict TEXT NOT NULL, message TEXT NOT NULL,"
	"  wall_ms REAL NOT NULL, cpu_ms REAL NOT NULL) STRICT;"
	/* Identifiers are random. Sorted by them alone each row would change another page of the index,
	   and the longer the run, the more of them; so the newest ones lie together. */
	"CREATE UNIQUE INDEX program_id ON program (iteration, id);"
	/* Copies that migrated: their programs are those of the originals. */
	"CREATE TABLE migrant ("
	"  id TEXT PRIMARY KEY, original_id TEXT NOT NULL, island INTEGER NOT NULL)"
	"  STRICT, WITHOUT ROWID;"
	ARTIFACT_TABLE("artifact")
	JUDGEMENT_TABLE
	SNAPSHOT_TABLE
	FORMER_TABLE
	"CREATE TABLE prompt ("
	"  number INTEGER NOT NULL, attempt INTEGER NOT NULL, system TEXT NOT NULL, user TEXT NOT NULL,"
	"  PRIMARY KEY (number, attempt)) STRICT, WITHOUT ROWID;"
	"CREATE VIEW iteration AS"
	"  SELECT i.number, i.attempt, i.island, i.program_id AS parent_id, e.program_id, e.outcome,"
	"    e.message, e.evaluation_ms, e.verdict, a.model, a.tokens_in, a.tokens_out, a.requests,"
	"    a.llm_ms, i.time AS started, e.time AS ended"
	"  FROM log i"
	"  LEFT JOIN log e ON e.number = i.number AND e.attempt = i.attempt"
	"    AND e.kind IN ('commit', 'fail')"
	"  LEFT JOIN answer a ON a.number = i.number AND a.attempt = i.attempt"
	"  WHERE i.kind = 'issue';";

/* From each format to the next; what a run of before has is kept. */
static const char *const migrations[OE__STORE_FORMAT] = {
	/* Artifacts hung on identifiers, in random order: pages that are full of holes. */
	[1] = JUDGEMENT_TABLE ARTIFACT_TABLE("artifact_2")
		"INSERT INTO artifact_2 SELECT p.position, a.position, a.name, a.kind, a.data"
		"  FROM program p JOIN artifact a ON a.program_id = p.id ORDER BY p.position, a.position;"
		"DROP TABLE artifact;"
		"ALTER TABLE artifact_2 RENAME TO artifact;",
	[2] = SNAPSHOT_TABLE,
	[3] = FORMER_TABLE,
};

static const char *const statements[OE__STATEMENT_COUNT] = {
	[OE__STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[OE__STATEMENT_COMMIT] = "COMMIT",
	[OE__STATEMENT_ROLLBACK] = "ROLLBACK",
	[OE__STATEMENT_LOG] = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[OE__STATEMENT_ANSWER] =
		"INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[OE__STATEMENT_UNANSWERED] = "INSERT INTO unanswered VALUES (?, ?, ?, ?, ?, ?, ?)",
	[OE__STATEMENT_JUDGEMENT] = "INSERT INTO judgement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[OE__STATEMENT_CHARGE] = "INSERT INTO charge (id, state, tokens, cost, time, number, model)"
							 " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[OE__STATEMENT_SETTLE] = "UPDATE charge SET state = ?2, tokens = ?3, cost = ?4, time = ?5"
							 " WHERE id = ?1",
	[OE__STATEMENT_PROGRAM] =
		"INSERT INTO program (id, parent_id, island, generation, iteration, timestamp,"
		" language, code, changes, fitness, metrics, parent_metrics, verdict, message, wall_ms,"
		" cpu_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO NOTHING", /* which of the columns are unique is the schema's business */
	[OE__STATEMENT_ARTIFACT] = "INSERT OR REPLACE INTO artifact VALUES (?, ?, ?, ?, ?)",
	[OE__STATEMENT_PROMPT] = "INSERT OR REPLACE INTO prompt VALUES (?, ?, ?, ?)",
	[OE__STATEMENT_META] = "INSERT OR REPLACE INTO meta VALUES (?, ?)",
	[OE__STATEMENT_FORMER] = "INSERT INTO former (seq, key, value)"
							 " SELECT ?1, key, value FROM meta WHERE key = ?2 AND value <> ?3",
	[OE__STATEMENT_MIGRANT] = "INSERT OR REPLACE INTO migrant VALUES (?, ?, ?)",
	[OE__STATEMENT_OUTCOME] =
		"UPDATE log SET outcome = ? WHERE number = ? AND attempt = ? AND kind = 'commit'",
	[OE__STATEMENT_SNAPSHOT] = "INSERT INTO snapshot VALUES (?, ?, ?, ?)",
	[OE__STATEMENT_NO_SNAPSHOT] = "DELETE FROM snapshot",
};

/* "disk I/O error" alone helps nobody, nor does "disk image". */
static const char *what_failed(int code)
{
	if ((code & 0xff) == SQLITE_CORRUPT)
		return "it is damaged: ";
	switch (code) {
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_TRUNCATE:
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_DIR_FSYNC:
	case SQLITE_IOERR_SHMSIZE:
		return "it cannot be written: ";
	case SQLITE_IOERR_READ:
	case SQLITE_IOERR_SHORT_READ:
	case SQLITE_IOERR_FSTAT:
		return "it cannot be read: ";
	default:
		return "";
	}
}

int oe__database_error(struct oe__database *database, oe_error *err)
{
	int code = sqlite3_errcode(database->handle) & 0xff;
	int status = code == SQLITE_NOMEM                             ? OE_ERR_NOMEM
	             : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? OE_ERR_FORMAT
	                                                               : OE_ERR_IO;
	return oe__error_at(err, status, database->path, 0, 0, "%s%s",
	                    what_failed(sqlite3_extended_errcode(database->handle)),
	                    sqlite3_errmsg(database->handle));
}

int oe__database_prepare(struct oe__database *database, const char *sql, sqlite3_stmt **out,
                         oe_error *err)
{
	if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) !=
	    SQLITE_OK)
		return oe__database_error(database, err);
	return 0;
}

sqlite3_stmt *oe__database_statement(struct oe__database *database, enum oe__statement which,
                                     oe_error *err)
{
	sqlite3_stmt **statement = &database->statements[which];
	if (*statement) {
		sqlite3_reset(*statement);
		sqlite3_clear_bindings(*statement);
	} else if (oe__database_prepare(database, statements[which], statement, err) < 0) {
		return NULL;
	}
	return *statement;
}

int oe__database_run(struct oe__database *database, sqlite3_stmt *statement, oe_error *err)
{
	if (!statement)
		return OE_ERR_IO; /* already reported */
	int code = sqlite3_step(statement);
	int status = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : oe__database_error(database, err);
	sqlite3_reset(statement);
	return status;
}

static int execute(struct oe__database *database, const char *sql, oe_error *err)
{
	if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return oe__database_error(database, err);
	return 0;
}

int oe__database_set(struct oe__database *database, const char *key, const char *value,
                     oe_error *err)
{
	sqlite3_stmt *statement = oe__database_statement(database, OE__STATEMENT_META, err);
	if (!statement)
		return OE_ERR_IO;
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
	return oe__database_run(database, statement, err);
}

int oe__database_get(struct oe__database *database, const char *key, char **out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int status = oe__database_prepare(database, "SELECT value FROM meta WHERE key = ?", &statement,
	                                  err);
	if (status < 0)
		return status;
	sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	int code = sqlite3_step(statement);
	if (code == SQLITE_DONE)
		return 0;
	if (code != SQLITE_ROW)
		return oe__database_error(database, err);
	*out = oe__strndup((const char *)sqlite3_column_text(statement, 0),
	                   (size_t)sqlite3_column_bytes(statement, 0));
	return *out ? 0 : oe__error_nomem(err);
}

/* Its checkpoints bear it, and so are told from those of others (store/tail.h). */
static int name_run(struct oe__database *database, oe_error *err)
{
	OE__AUTO(string) char *known = NULL;
	char name[OE__UUID_SIZE];

	int status = oe__database_get(database, "run", &known, err);
	if (status < 0 || known)
		return status;
	if (oe__uuid_random(name) < 0)
		return oe__error_errno(err, "cannot draw an identifier");
	return oe__database_set(database, "run", name, err);
}

/* The end of a transaction that has made the schema what it is now. */
static int commit_format(struct oe__database *database, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer format = OE__BUFFER_INIT(16);

	if (oe__buffer_printf(&format, "%d", OE__STORE_FORMAT) < 0)
		return oe__error_nomem(err);
	int status = oe__database_set(database, "format", oe__buffer_string(&format), err);
	if (status == 0)
		status = name_run(database, err);
	if (status == 0)
		status = execute(database, "COMMIT", err);
	if (status == 0)
		database->format = OE__STORE_FORMAT;
	return status;
}

static int make_schema(struct oe__database *database, oe_error *err)
{
	int status = execute(database, "BEGIN IMMEDIATE", err);
	if (status == 0)
		status = execute(database, schema, err);
	return status < 0 ? status : commit_format(database, err);
}

/* All of it or nothing. Also where nothing is left to do: what a process before us wrote, and was killed
   before it synced, can be read, and is lost when the power fails; a commit of ours takes it along to
   the disk, before anybody relies on it. */
static int migrate(struct oe__database *database, oe_error *err)
{
	int status = execute(database, "BEGIN IMMEDIATE", err);
	for (int format = database->format; status == 0 && format < OE__STORE_FORMAT; format++)
		status = execute(database, migrations[format], err);
	if (status == 0)
		status = commit_format(database, err);
	if (status < 0)
		(void)execute(database, "ROLLBACK", NULL);
	return status;
}

/* Before anything is written to it: a file of somebody else's stays as it is. */
static int check_format(struct oe__database *database, oe_error *err)
{
	OE__AUTO(string) char *format = NULL;
	oe_error detail;
	int64_t number = 0;

	int status = oe__database_get(database, "format", &format, &detail);
	bool readable = status == 0 || sqlite3_errcode(database->handle) == SQLITE_ERROR ||
	                status == OE_ERR_FORMAT; /* no such table, or no database at all */
	if (!readable) {
		if (err)
			*err = detail;
		return status;
	}
	if (!format || !oe__parse_int(format, strlen(format), &number) || number < 1)
		return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0,
		                    "this is not the database of a run, or it is damaged");
	if (number > OE__STORE_FORMAT)
		return oe__error_at(err, OE_ERR_VERSION, database->path, 0, 0,
		                    "made by a newer version (format %lld, this one reads %d)",
		                    (long long)number, OE__STORE_FORMAT);
	database->format = (int)number;
	return 0;
}

/* What was written to it first may be what is lost: then it is as if nothing had been made. */
static int check_begin(struct oe__database *database, oe_error *err)
{
	struct oe__wal_damage damage;

	int found = oe__wal_inspect(database, &damage, err);
	return found > 0 ? oe__wal_error(database, &damage, err) : found;
}

/* Nothing was ever made in it? So it is too if the process that made it was killed just then. */
static int is_empty(struct oe__database *database, bool *out, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	int status = oe__database_prepare(database, "SELECT 1 FROM sqlite_master LIMIT 1", &statement,
	                                  err);
	if (status < 0)
		return status;
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return oe__database_error(database, err);
	*out = code == SQLITE_DONE;
	return 0;
}

/* Whoever closes a database as the last one writes its write-ahead log into it, and removes that: what of it
   could not be read is gone then. Only who may write does so. */
static void keep_wal(struct oe__database *database, bool keep)
{
	(void)sqlite3_db_config(database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep, NULL);
}

static int open_handle(const char *path, int flags, struct oe__database **out, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = oe__calloc(1, sizeof(*database));
	if (!database)
		return oe__error_nomem(err);
	database->path = oe__strdup(path);
	if (!database->path)
		return oe__error_nomem(err);
	/* A connection is used by one thread at a time: no mutex of SQLite's is needed. */
	if (sqlite3_open_v2(path, &database->handle, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return database->handle ? oe__database_error(database, err) : oe__error_nomem(err);
	sqlite3_busy_timeout(database->handle, BUSY_MS);
	keep_wal(database, true);
	*out = OE__STEAL(database);
	return 0;
}

int oe__database_open(const char *path, bool full_sync, struct oe__database **out, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	bool empty = false;

	int status = open_handle(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &database, err);
	if (status == 0)
		status = is_empty(database, &empty, err);
	if (status == 0)
		status = empty ? check_begin(database, err) : check_format(database, err);
	if (status == 0 && !empty)
		status = oe__tail_check(database, &database->cut, err);
	if (status == 0)
		status = execute(database, settings, err);
	if (status == 0)
		status = empty ? make_schema(database, err) : migrate(database, err);
	if (status == 0 && !full_sync)
		status = execute(database, "PRAGMA synchronous = NORMAL", err);
	if (status < 0)
		return status;
	keep_wal(database, false);
	*out = OE__STEAL(database);
	return 0;
}

/* `status` is what is wrong with one that is no run's, unless nothing was made in it yet. */
static int check_empty(struct oe__database *database, int status, oe_error *err)
{
	bool empty = false;

	int begun = check_begin(database, err);
	if (begun < 0)
		return begun;
	if (is_empty(database, &empty, NULL) < 0 || !empty)
		return status;
	return oe__error_at(err, OE_ERR_STATE, database->path, 0, 0, OE__NOT_BEGUN);
}

static int try_reader(const char *path, int flags, struct oe__database **out, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;

	int status = open_handle(path, flags, &database, err);
	if (status == 0)
		status = execute(database, "PRAGMA query_only = ON", err);
	if (status == 0)
		status = check_format(database, err);
	if (status == OE_ERR_FORMAT)
		status = check_empty(database, status, err);
	if (status < 0)
		return status;
	*out = OE__STEAL(database);
	return 0;
}

/* Was it closed well, so that all of it is in the one file? */
static bool is_whole(const char *path)
{
	OE__AUTO(buffer) struct oe__buffer wal = OE__BUFFER_INIT(8192);
	struct stat info;

	oe__buffer_printf(&wal, "%s-wal", path);
	return wal.status == 0 && (stat(wal.data, &info) < 0 || info.st_size == 0);
}

/* Where nothing can be written (another user's run, an archive), the file that a reader shares with the
   writer cannot be made. Nobody writes there either: then the database is opened as one that does
   not change. */
static int open_unchanging(const char *path, struct oe__database **out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer uri = OE__BUFFER_INIT(32768);

	oe__buffer_text(&uri, "file:");
	for (const char *c = path; *c; c++)
		oe__buffer_printf(&uri, strchr("%?#", *c) ? "%%%02x" : "%c", (unsigned char)*c);
	oe__buffer_text(&uri, "?immutable=1");
	OE__AUTO(string) char *name = oe__strdup(path);
	if (uri.status < 0 || !name)
		return oe__error_nomem(err);
	int status = try_reader(uri.data, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, out, err);
	if (status == 0) { /* messages name the file */
		oe__free((*out)->path);
		(*out)->path = OE__STEAL(name);
	}
	return status;
}

/* Nothing can be made beside it, which is what is wrong then: its name says nothing of that. */
static bool is_closed_in(const char *path)
{
	OE__AUTO(string) char *directory = oe__path_directory(path);

	return directory && access(directory, W_OK) < 0;
}

int oe__database_open_reader(const char *path, struct oe__database **out, oe_error *err)
{
	oe_error other;

	/* Read-write, as a reader of a WAL must be able to make its shared-memory file. */
	int status = try_reader(path, SQLITE_OPEN_READWRITE, out, err);
	if (status != OE_ERR_IO || !oe__file_exists(path))
		return status;
	if (!is_whole(path))
		return is_closed_in(path)
		           ? oe__error_at(err, OE_ERR_IO, path, 0, 0,
		                          "its write-ahead log cannot be read where nothing can be written: "
		                          "copy the run to where it can")
		           : status;
	return open_unchanging(path, out, &other) == 0 ? 0 : status;
}

int oe__database_hold(struct oe__database *database, oe_error *err)
{
	return execute(database, "BEGIN", err);
}

void oe__database_release(struct oe__database *database)
{
	(void)execute(database, "ROLLBACK", NULL);
}

void oe__database_close(struct oe__database *database)
{
	if (!database)
		return;
	for (int i = 0; i < OE__STATEMENT_COUNT; i++)
		sqlite3_finalize(database->statements[i]);
	/* The files that a reader made to read a database that was whole are nobody's. */
	if (database->handle && oe__wal_size(database) == 0)
		keep_wal(database, false);
	sqlite3_close(database->handle);
	oe__free(database->path);
	oe__free(database);
}
