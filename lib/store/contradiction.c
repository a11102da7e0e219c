#include "store/contradiction.h"

#include "base/error.h"
#include "openevolve/hub.h"
#include "openevolve/program.h"
#include "store/charge.h"
#include "store/load.h"
#include "store/origin.h"
#include "store/rows.h"

/* Where a row is, as SQL. */
#define CALL(row)     "'row ' || " row ".seq || ' of the log'"
#define PROGRAM(row)  "'row ' || " row ".position || ' of the table program'"
#define OF(row, name) "'iteration ' || " row ".number || ', attempt ' || " row ".attempt || ' of the table " name "'"

#define NO_ISSUE(row)                                                                              \
	" NOT EXISTS (SELECT 1 FROM log i WHERE i.kind = 'issue' AND i.number = " row ".number"         \
	" AND i.attempt = " row ".attempt)"
#define NEVER_BEGAN "it belongs to an iteration that did not begin"

/* A call, but no issue, that names a program; it mostly has its number. */
#define IS_NAMED                                                                                   \
	"EXISTS (SELECT 1 FROM log l WHERE l.number = p.iteration AND l.program_id = p.id"             \
	" AND l.kind <> 'issue')"

/* The position of the first program that is not from a checkpoint, which came before all that the log names. */
#define FIRST_MADE                                                                                 \
	"SELECT CASE WHEN EXISTS (SELECT 1 FROM meta WHERE key = '" OE__ORIGIN_META "') THEN"           \
	" (SELECT coalesce(min(p.position), 9223372036854775807) FROM program p WHERE " IS_NAMED ")"   \
	" ELSE 1 END"

/* What must not be found: a query for where it is, and what that means. */
struct contradiction {
	const char *table; /* that may not be there; NULL: all are */
	const char *sql, *meaning;
};

static const struct contradiction contradictions[] = {
	{ NULL,
	  "SELECT " CALL("l") " FROM log l WHERE l.seq > 1 AND NOT EXISTS"
	  " (SELECT 1 FROM log b WHERE b.seq = l.seq - 1) LIMIT 1",
	  "the row before it is missing" },
	{ NULL,
	  "SELECT 'row ' || max(seq) || ' of the log' FROM log WHERE kind = 'issue' GROUP BY number, attempt"
	  " HAVING count(*) > 1 LIMIT 1",
	  "it begins an iteration for the second time" },
	{ NULL,
	  "SELECT " CALL("e") " FROM log e WHERE e.kind IN ('commit', 'fail') AND NOT EXISTS"
	  " (SELECT 1 FROM log i WHERE i.kind = 'issue' AND i.number = e.number"
	  "  AND i.attempt = e.attempt AND i.seq < e.seq) LIMIT 1",
	  "it ends an iteration that did not begin" },
	{ NULL,
	  "SELECT " CALL("l") " FROM log l WHERE l.kind = 'issue' AND l.attempt = 0"
	  " AND l.number > (SELECT min(number) FROM log WHERE kind = 'issue') AND NOT EXISTS"
	  " (SELECT 1 FROM log b WHERE b.kind = 'issue' AND b.number = l.number - 1) LIMIT 1",
	  "the number before its own was never given" },
	{ NULL,
	  "SELECT " CALL("l") " FROM log l WHERE l.kind = 'issue' AND l.attempt > 0 AND NOT EXISTS"
	  " (SELECT 1 FROM log b WHERE b.kind = 'issue' AND b.number = l.number AND b.attempt = l.attempt - 1)"
	  " LIMIT 1",
	  "the attempt before it was never made" },
	{ NULL,
	  "SELECT " CALL("e") " FROM log e JOIN log i ON i.number = e.number AND i.attempt = e.attempt"
	  " AND i.kind = 'issue' WHERE e.kind IN ('commit', 'fail') AND e.island <> i.island LIMIT 1",
	  "it ends an iteration that began on another island" },
	{ NULL,
	  "SELECT 'row ' || max(seq) || ' of the log' FROM log WHERE kind IN ('commit', 'fail')"
	  " GROUP BY number, attempt HAVING count(*) > 1 LIMIT 1",
	  "it ends an iteration for the second time" },
	{ NULL,
	  "SELECT " CALL("log") " FROM log WHERE kind <> 'issue' AND program_id IS NOT NULL AND NOT EXISTS"
	  " (SELECT 1 FROM program p WHERE p.iteration = log.number AND p.id = program_id)"
	  " AND NOT EXISTS (SELECT 1 FROM program p WHERE p.id = program_id) LIMIT 1",
	  "its program is missing" },
	/* Of what failed, these may have had none. */
	{ NULL,
	  "SELECT " CALL("log") " FROM log WHERE (kind = 'commit' OR (kind = 'fail' AND outcome NOT IN"
	  " ('llm_failed', 'cancelled', 'lost'))) AND NOT EXISTS (SELECT 1 FROM answer a"
	  " WHERE a.number = log.number AND a.attempt = log.attempt) LIMIT 1",
	  "the answer that it was made from is missing" },
	{ NULL,
	  "SELECT " PROGRAM("p") " FROM program p WHERE NOT " IS_NAMED
	  " AND NOT EXISTS (SELECT 1 FROM log WHERE program_id = p.id AND kind <> 'issue')"
	  " AND p.position >= (" FIRST_MADE ") LIMIT 1",
	  "no row of the log names it" },
	{ NULL, "SELECT " OF("a", "answer") " FROM answer a WHERE" NO_ISSUE("a") " LIMIT 1", NEVER_BEGAN },
	{ NULL, "SELECT " OF("a", "prompt") " FROM prompt a WHERE" NO_ISSUE("a") " LIMIT 1", NEVER_BEGAN },
	/* 0 is that of programs that no iteration made. */
	{ NULL,
	  "SELECT " OF("a", "unanswered") " FROM unanswered a WHERE a.number > 0 AND" NO_ISSUE("a") " LIMIT 1",
	  NEVER_BEGAN },
	{ "judgement",
	  "SELECT " OF("a", "judgement") " FROM judgement a WHERE a.number > 0 AND" NO_ISSUE("a") " LIMIT 1",
	  NEVER_BEGAN },
	{ "charge",
	  "SELECT 'row ' || c.id || ' of the table charge' FROM charge c WHERE c.number > 0 AND NOT EXISTS"
	  " (SELECT 1 FROM log WHERE kind = 'issue' AND number = c.number) LIMIT 1",
	  NEVER_BEGAN },
	{ NULL,
	  "SELECT " OF("a", "answer") " FROM answer a WHERE a.finish NOT BETWEEN 0 AND 4"
	  " OR length(a.prompt_hash) <> 32 LIMIT 1",
	  "how it ended, or the hash of its prompt, means nothing" },
	/* Nothing is said of migrants: the child that closes a generation may travel at once, and its copies are
	   written before the call that brings it. */
};

/* Since they hang on positions. */
static const struct contradiction of_artifacts[] = {
	{ NULL,
	  "SELECT 'artifact ' || a.position || ' of program ' || a.program || ' of the table artifact'"
	  " FROM artifact a WHERE NOT EXISTS (SELECT 1 FROM program p WHERE p.position = a.program) LIMIT 1",
	  "its program is missing" },
	{ NULL,
	  "SELECT 'artifact ' || a.position || ' of program ' || a.program || ' of the table artifact'"
	  " FROM artifact a WHERE a.kind NOT BETWEEN 0 AND 2 LIMIT 1",
	  "it is of a kind that there is not" },
};

/* @return 1: the query gives no row. */
static int check_query(struct oe__database *database, const char *sql, const char *meaning, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(database, sql, &statement, err);
	if (status < 0)
		return status;
	int code = sqlite3_step(statement);
	if (code == SQLITE_DONE)
		return 0;
	if (code != SQLITE_ROW)
		return oe__database_error(database, err);
	const char *place = (const char *)sqlite3_column_text(statement, 0);
	if (!place)
		return oe__error_nomem(err);
	return oe__error_at(err, OE_ERR_FORMAT, database->path, 0, 0, "%s: %s", place, meaning);
}

static int has_table(struct oe__database *database, const char *name, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer sql = OE__BUFFER_INIT(0);
	int64_t count = 0;

	if (oe__buffer_printf(&sql, "SELECT count(*) FROM sqlite_master WHERE name = '%s'", name) < 0)
		return oe__error_nomem(err);
	int status = oe__database_number(database, sql.data, &count, err);
	return status < 0 ? status : count > 0;
}

static int check_all(struct oe__database *database, const struct contradiction *all, size_t count,
                     oe_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int there = all[i].table ? has_table(database, all[i].table, err) : 1;
		int status = there > 0 ? check_query(database, all[i].sql, all[i].meaning, err) : there;
		if (status < 0)
			return status;
	}
	return 0;
}

/* ---- words ---- */

static const char *call_name(int kind)
{
	return oe__row_kind_name((enum oe__row_kind)kind);
}

static const struct words {
	const char *table, *place, *column;
	const char *(*name)(int number);
	int count;
	bool empty; /* "" is one of them */
} words[] = {
	{ "log", CALL("log"), "kind", call_name, OE__ROW_CLOSE + 1, false },
	{ "log", CALL("log"), "outcome", oe_outcome_name, OE_OUTCOME_COUNT, false },
	{ "log", CALL("log"), "verdict", oe_verdict_name, OE_VERDICT_CANCELLED + 1, false },
	{ "program", PROGRAM("program"), "verdict", oe_verdict_name, OE_VERDICT_CANCELLED + 1, true },
	{ "charge", "'row ' || id || ' of the table charge'", "state", oe__charge_state_name,
	  OE__CHARGE_FREE + 1, false },
};

static int check_words(struct oe__database *database, const struct words *all, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer sql = OE__BUFFER_INIT(0), meaning = OE__BUFFER_INIT(0);

	oe__buffer_printf(&sql, "SELECT %s FROM %s WHERE %s NOT IN (", all->place, all->table, all->column);
	for (int i = 0; i < all->count; i++)
		oe__buffer_printf(&sql, "%s'%s'", i > 0 ? ", " : "", all->name(i));
	oe__buffer_printf(&sql, "%s) LIMIT 1", all->empty ? ", ''" : "");
	oe__buffer_printf(&meaning, "its %s is none that there is", all->column);
	if (sql.status < 0 || meaning.status < 0)
		return oe__error_nomem(err);
	int there = has_table(database, all->table, err);
	return there > 0 ? check_query(database, sql.data, meaning.data, err) : there;
}

int oe__first_made(struct oe__database *database, int64_t *position, oe_error *err)
{
	return oe__database_number(database, FIRST_MADE, position, err);
}

int oe__contradiction_find(struct oe__database *database, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < OE__COUNT(words); i++)
		status = check_words(database, &words[i], err);
	if (status == 0)
		status = check_all(database, contradictions, OE__COUNT(contradictions), err);
	if (status == 0 && database->format >= 2)
		status = check_all(database, of_artifacts, OE__COUNT(of_artifacts), err);
	return status;
}
