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

/* A report being written. What cannot be read would be a figure that is wrong: the first failure ends it. */
struct report {
	oe_run *run;
	struct oe__json_writer *writer;
	int status;
	oe_error *err;
};

static int64_t number(struct report *report, const char *sql)
{
	int64_t value = 0;

	if (report->status == 0)
		report->status = oe__database_number(report->run->database, sql, &value, report->err);
	return value;
}

static sqlite3_stmt *prepare(struct report *report, const char *sql)
{
	sqlite3_stmt *statement = NULL;

	if (report->status == 0)
		report->status = oe__database_prepare(report->run->database, sql, &statement, report->err);
	return statement;
}

/* Borrowed until the next one; NULL if there is none. */
static const char *property(struct report *report, const char *name)
{
	const char *value = NULL;

	if (report->status == 0) {
		int found = oe_run_get_property(report->run, name, &value, report->err);
		report->status = found < 0 ? found : 0;
	}
	return value;
}

/* Is there a row? A statement that could not be prepared has none. */
static bool next(struct report *report, sqlite3_stmt *statement)
{
	if (report->status < 0)
		return false;
	int code = sqlite3_step(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		report->status = oe__database_error(report->run->database, report->err);
	return code == SQLITE_ROW;
}

static void write_count(struct oe__json_writer *writer, const char *key, int64_t value)
{
	oe__json_key(writer, key);
	oe__json_int(writer, value);
}

/* How many ended, and how. */
static void write_ended(struct report *report)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	OE__AUTO(buffer) struct oe__buffer sql = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer outcomes = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer each = { .out = &outcomes };
	int64_t done = 0;

	oe__json_map(&each);
	oe__buffer_text(&sql, "SELECT outcome, count(*) FROM log WHERE kind IN ('commit', 'fail') AND ");
	if (report->status == 0)
		report->status = oe__run_write_ended(report->run, &sql, report->err);
	oe__buffer_text(&sql, " GROUP BY outcome ORDER BY outcome");
	statement = prepare(report, oe__buffer_string(&sql));
	while (next(report, statement)) {
		write_count(&each, (const char *)sqlite3_column_text(statement, 0),
		            sqlite3_column_int64(statement, 1));
		done += sqlite3_column_int64(statement, 1);
	}
	oe__json_map_end(&each);
	write_count(report->writer, "done", done);
	oe__json_key(report->writer, "outcomes");
	oe__json_raw(report->writer, oe__buffer_string(&outcomes), outcomes.size);
}

static void write_best(struct report *report)
{
	OE__AUTO(program) oe_program *best = NULL;
	struct oe__json_writer *writer = report->writer;

	oe__json_key(writer, "best");
	if (report->status == 0) {
		int found = oe_run_program(report->run, "best", &best, report->err);
		if (found < 0 && found != OE_ERR_INVALID) /* that one: there is none */
			report->status = found;
	}
	if (!best) {
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

static void write_models(struct report *report)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;
	OE__AUTO(buffer) struct oe__buffer models = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer each = { .out = &models };
	struct usage all = { 0, 0, 0, 0 };
	/* The table of judgements came after the first runs. */
	bool judged = number(report, "SELECT count(*) FROM sqlite_master WHERE name = 'judgement'") > 0;

	oe__json_map(&each);
	statement = prepare(report, judged ? USAGE_OF(QUESTIONS JUDGEMENTS) : USAGE_OF(QUESTIONS));
	while (next(report, statement)) {
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
	write_usage(report->writer, &all);
	oe__json_key(report->writer, "models");
	oe__json_raw(report->writer, oe__buffer_string(&models), models.size);
}

static void write_counts(struct report *report)
{
	struct oe__json_writer *writer = report->writer;

	oe__json_key(writer, "llm");
	oe__json_map(writer);
	write_models(report);
	oe__json_map_end(writer);

	/* Every evaluation left its verdict in the row that ended its iteration. */
	int64_t evaluated = number(report, "SELECT count(*) FROM log WHERE evaluation_ms >= 0");
	oe__json_key(writer, "evaluations");
	oe__json_map(writer);
	write_count(writer, "started", evaluated);
	write_count(writer, "finished", evaluated);
	write_count(writer, "timed_out",
	            number(report, "SELECT count(*) FROM log WHERE outcome = 'timed_out'"));
	write_count(writer, "failed",
	            number(report, "SELECT count(*) FROM log WHERE outcome = 'evaluation_failed'"));
	oe__json_map_end(writer);
}

/* As the evaluator gave it; what is no JSON, in a database from somewhere, is not passed on. */
static void write_sandbox(struct report *report)
{
	OE__AUTO(value) struct oe__value told = { 0 };
	const char *text = property(report, "sandbox");

	oe__json_key(report->writer, "sandbox");
	if (text && *text && oe__json_parse(text, strlen(text), &told, NULL) == 0)
		oe__json_put(report->writer, &told);
	else
		oe__json_null(report->writer);
}

static double rate(struct report *report)
{
	OE__AUTO(statement) sqlite3_stmt *statement =
		prepare(report, "SELECT count(*) / nullif(max(time) - min(time), 0) FROM log"
	                    " WHERE outcome IS NOT NULL");

	return next(report, statement) ? sqlite3_column_double(statement, 0) : 0;
}

static void write_all(struct report *report)
{
	struct oe__json_writer *writer = report->writer;

	oe__json_map(writer);
	oe__json_key(writer, "schema");
	oe__json_string(writer, "oe.status/1");
	oe__json_key(writer, "state");
	oe__json_string(writer, property(report, "state"));
	oe__json_key(writer, "reason");
	oe__json_string(writer, property(report, "reason"));
	oe__json_key(writer, "iterations");
	oe__json_map(writer);
	write_count(writer, "issued",
	            number(report, "SELECT count(DISTINCT number) FROM log WHERE kind = 'issue'"));
	write_ended(report);
	oe__json_map_end(writer);
	write_count(writer, "programs", number(report, "SELECT count(*) FROM program"));
	const char *hash = property(report, "archive_hash");
	oe__json_key(writer, "archive_hash");
	oe__json_string(writer, hash && *hash ? hash : NULL);
	write_best(report);
	write_counts(report);
	if (report->status == 0)
		report->status = oe__budget_write(report->run->database, writer, report->err);
	oe__json_key(writer, "rate_per_s");
	oe__json_real(writer, rate(report));
	write_sandbox(report);
	oe__json_map_end(writer);
}

int oe_run_status_json(oe_run *run, char **out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__FILE_MAX);
	struct oe__json_writer writer = { .out = &text };
	struct report report = { .run = run, .writer = &writer, .err = err };

	if (!run || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_run_status_json: NULL argument");
	write_all(&report);
	if (report.status < 0)
		return report.status;
	*out = oe__buffer_steal(&text, NULL);
	return *out ? 0 : oe__error_nomem(err);
}
