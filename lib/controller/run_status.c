/* The numbers of a run, from its rows: oe_run_status_json(). */

#include "openevolve/run.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "controller/budget.h"
#include "controller/run_internal.h"
#include "program/program.h"
#include "store/load.h"

static int64_t number(oe_run *run, const char *sql)
{
	int64_t value = 0;
	(void)oe__database_number(run->database, sql, &value, NULL);
	return value;
}

static void write_count(struct oe__json_writer *writer, const char *key, int64_t value)
{
	oe__json_key(writer, key);
	oe__json_int(writer, value);
}

/* How many ended, and how. */
static void write_ended(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	OE__AUTO(buffer) struct oe__buffer sql = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer outcomes = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer each = { .out = &outcomes };
	int64_t done = 0;

	oe__json_map(&each);
	oe__buffer_text(&sql, "SELECT outcome, count(*) FROM log WHERE kind IN ('commit', 'fail') AND ");
	(void)oe__run_write_ended(run, &sql);
	oe__buffer_text(&sql, " GROUP BY outcome ORDER BY outcome");
	if (sql.status == 0 && oe__database_prepare(run->database, sql.data, &statement, NULL) == 0)
		while (sqlite3_step(statement) == SQLITE_ROW) {
			write_count(&each, (const char *)sqlite3_column_text(statement, 0),
			            sqlite3_column_int64(statement, 1));
			done += sqlite3_column_int64(statement, 1);
		}
	oe__json_map_end(&each);
	write_count(writer, "done", done);
	oe__json_key(writer, "outcomes");
	oe__json_raw(writer, oe__buffer_string(&outcomes), outcomes.size);
}

static void write_best(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(program) oe_program *best = NULL;

	oe__json_key(writer, "best");
	if (oe_run_program(run, "best", &best, NULL) < 0) {
		oe__json_null(writer);
		return;
	}
	oe__json_map(writer);
	oe__json_key(writer, "id");
	oe__json_string(writer, best->id);
	oe__json_key(writer, "fitness");
	oe__json_real(writer, best->fitness);
	write_count(writer, "iteration", best->iteration);
	oe__json_key(writer, "metrics");
	oe__evaluation_metrics_write(best->evaluation, writer);
	oe__json_map_end(writer);
}

/* Every question that was asked, whatever for. */
#define QUESTIONS                                                                                  \
	"SELECT model, requests, tokens_in, tokens_out FROM answer"                                    \
	" UNION ALL SELECT model, requests, 0, 0 FROM unanswered"
#define JUDGEMENTS " UNION ALL SELECT model, requests, tokens_in, tokens_out FROM judgement"

#define USAGE_OF(questions)                                                                        \
	"SELECT model, count(*), sum(requests), sum(max(tokens_in, 0)), sum(max(tokens_out, 0))"       \
	" FROM (" questions ") GROUP BY model ORDER BY model"

struct usage {
	int64_t requests, attempts, tokens_in, tokens_out;
};

static void write_usage(struct oe__json_writer *writer, const struct usage *usage)
{
	write_count(writer, "requests", usage->requests);
	write_count(writer, "attempts", usage->attempts);
	write_count(writer, "tokens_in", usage->tokens_in);
	write_count(writer, "tokens_out", usage->tokens_out);
}

static void write_models(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	OE__AUTO(buffer) struct oe__buffer models = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer each = { .out = &models };
	struct usage all = { 0, 0, 0, 0 };
	/* The table of judgements came after the first runs. */
	bool judged = number(run, "SELECT count(*) FROM sqlite_master WHERE name = 'judgement'") > 0;

	oe__json_map(&each);
	if (oe__database_prepare(run->database,
	                         judged ? USAGE_OF(QUESTIONS JUDGEMENTS) : USAGE_OF(QUESTIONS),
	                         &statement, NULL) == 0)
		while (sqlite3_step(statement) == SQLITE_ROW) {
			struct usage one = {
				sqlite3_column_int64(statement, 1),
				sqlite3_column_int64(statement, 2),
				sqlite3_column_int64(statement, 3),
				sqlite3_column_int64(statement, 4),
			};
			all.requests += one.requests;
			all.attempts += one.attempts;
			all.tokens_in += one.tokens_in;
			all.tokens_out += one.tokens_out;
			oe__json_key(&each, (const char *)sqlite3_column_text(statement, 0));
			oe__json_map(&each);
			write_usage(&each, &one);
			oe__json_map_end(&each);
		}
	oe__json_map_end(&each);
	write_usage(writer, &all);
	oe__json_key(writer, "models");
	oe__json_raw(writer, oe__buffer_string(&models), models.size);
}

static void write_counts(oe_run *run, struct oe__json_writer *writer)
{
	oe__json_key(writer, "llm");
	oe__json_map(writer);
	write_models(run, writer);
	oe__json_map_end(writer);

	/* Every evaluation left its verdict in the row that ended its iteration. */
	oe__json_key(writer, "evaluations");
	oe__json_map(writer);
	write_count(writer, "started", number(run, "SELECT count(*) FROM log WHERE evaluation_ms >= 0"));
	write_count(writer, "finished",
	            number(run, "SELECT count(*) FROM log WHERE evaluation_ms >= 0"));
	write_count(writer, "timed_out",
	            number(run, "SELECT count(*) FROM log WHERE outcome = 'timed_out'"));
	write_count(writer, "failed",
	            number(run, "SELECT count(*) FROM log WHERE outcome = 'evaluation_failed'"));
	oe__json_map_end(writer);
}

/* As the evaluator gave it; what is no JSON, in a database from somewhere, is not passed on. */
static void write_sandbox(oe_run *run, struct oe__json_writer *writer)
{
	OE__AUTO(value) struct oe__value report = { 0 };
	const char *text = oe_run_property(run, "sandbox");

	oe__json_key(writer, "sandbox");
	if (text && *text && oe__json_parse(text, strlen(text), &report, NULL) == 0)
		oe__json_put(writer, &report);
	else
		oe__json_null(writer);
}

static double rate(oe_run *run)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	if (oe__database_prepare(run->database,
	                         "SELECT count(*) / nullif(max(time) - min(time), 0) FROM log"
	                         " WHERE outcome IS NOT NULL",
	                         &statement, NULL) < 0 ||
	    sqlite3_step(statement) != SQLITE_ROW)
		return 0;
	return sqlite3_column_double(statement, 0);
}

int oe_run_status_json(oe_run *run, char **out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer writer = { .out = &text };

	if (!run || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_status_json: NULL argument");
	oe__json_map(&writer);
	oe__json_key(&writer, "schema");
	oe__json_string(&writer, "oe.status/1");
	oe__json_key(&writer, "state");
	oe__json_string(&writer, oe_run_property(run, "state"));
	oe__json_key(&writer, "reason");
	oe__json_string(&writer, oe_run_property(run, "reason"));
	oe__json_key(&writer, "iterations");
	oe__json_map(&writer);
	write_count(&writer, "issued",
	            number(run, "SELECT count(DISTINCT number) FROM log WHERE kind = 'issue'"));
	write_ended(run, &writer);
	oe__json_map_end(&writer);
	write_count(&writer, "programs", number(run, "SELECT count(*) FROM program"));
	const char *hash = oe_run_property(run, "archive_hash");
	oe__json_key(&writer, "archive_hash");
	oe__json_string(&writer, hash && *hash ? hash : NULL);
	write_best(run, &writer);
	write_counts(run, &writer);
	oe__budget_write(run->database, &writer);
	oe__json_key(&writer, "rate_per_s");
	oe__json_real(&writer, rate(run));
	write_sandbox(run, &writer);
	oe__json_map_end(&writer);
	*out = oe__buffer_steal(&text, NULL);
	return *out ? 0 : oe__error_nomem(err);
}
