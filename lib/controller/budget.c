#include "controller/budget.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "config/config.h"
#include "hub/settings.h"
#include "store/load.h"

#define TIME_MAX_S  9e9
#define EVALUATIONS "SELECT count(*) FROM log WHERE evaluation_ms >= 0"
#define MICROSECONDS "CAST(time * 1e6 AS INTEGER)"

static int64_t whole(const oe_config *config, const char *name)
{
	return oe__config_is_null(config, name) ? INT64_MAX : oe__config_int(config, name);
}

/* A number of seconds, or dollars, in billionths. */
static int64_t billionths(const oe_config *config, const char *name)
{
	if (oe__config_is_null(config, name))
		return INT64_MAX;
	double value = oe__config_real(config, name);
	return value < TIME_MAX_S ? (int64_t)(value * 1e9) : INT64_MAX;
}

int oe__budget_init(struct oe__budget *budget, const oe_config *config, oe_scheduler *scheduler,
					struct oe__inbox *inbox, oe_error *err)
{
	OE__AUTO(prices) struct oe__prices *prices = NULL;
	const char *path = oe__config_string(config, "budget.prices");
	struct oe__purse_options options = {
		.scheduler = scheduler,
		.inbox = inbox,
		.in_order = oe__config_choice(config, "hub.semantics") == OE__SEMANTICS_ORDERED,
		.tokens_max = whole(config, "budget.tokens"),
		.cost_max = billionths(config, "budget.cost_usd"),
	};
	int status = path ? oe__prices_load(path, &prices, err) : 0;

	budget->evaluations_max = whole(config, "budget.evaluations");
	budget->time_max_ns = billionths(config, "budget.seconds");
	budget->counting = prices || options.tokens_max < INT64_MAX || options.cost_max < INT64_MAX;
	if (status < 0)
		return status;
	options.prices = prices;
	if (oe__purse_new(&options, &budget->purse) < 0)
		return oe__error_nomem(err);
	(void)OE__STEAL(prices);
	return 0;
}

void oe__budget_done(struct oe__budget *budget)
{
	oe__purse_close(budget->purse);
	budget->purse = NULL;
}

/* ---- over several sessions ---- */

/* What the last session wrote down. Clocks are set, so only its own rows tell when it was still at work. */
struct session {
	double before_s, began_s;
	int64_t rows, answers_us; /* what there was before it: the last row of the log, and the time of the
	                             latest answer; -1: an older one, which did not say so */
	bool ended;               /* well: its time is in before_s */
};

/* From word to word; false if it was the last one. */
static bool next_word(const char **word, size_t *size)
{
	*word += *size;
	*word += **word == ' ';
	*size = strcspn(*word, " ");
	return *size > 0;
}

/* "before" of one that ended, "before began rows answers" of one that goes on, or was killed; "before began"
   of older ones. */
static bool parse_session(const char *text, struct session *out)
{
	const char *word = text;
	size_t size = 0;

	*out = (struct session){ .rows = -1, .answers_us = -1 };
	if (!next_word(&word, &size) || !oe__parse_real(word, size, &out->before_s))
		return false;
	out->ended = !next_word(&word, &size);
	if (out->ended)
		return true;
	if (!oe__parse_real(word, size, &out->began_s))
		return false;
	if (!next_word(&word, &size))
		return true;
	return oe__parse_int(word, size, &out->rows) && next_word(&word, &size) &&
	       oe__parse_int(word, size, &out->answers_us);
}

/* When it wrote last, in microseconds; 0 if it wrote nothing. Answers have no order but that of time: those
   to questions that it asked are its own, and those to older ones if they are later than all before. */
static int read_last(struct oe__database *database, const struct session *session, int64_t *last_us,
                     oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer sql = OE__BUFFER_INIT(0);

	if (oe__buffer_printf(&sql,
	                      "SELECT max(coalesce((SELECT max(" MICROSECONDS ") FROM log WHERE seq > %lld), 0),"
	                      " coalesce((SELECT max(CAST(a.time * 1e6 AS INTEGER)) FROM log i JOIN answer a"
	                      " ON a.number = i.number AND a.attempt = i.attempt"
	                      " WHERE i.seq > %lld AND i.kind = 'issue'), 0),"
	                      " coalesce((SELECT max(" MICROSECONDS ") FROM answer WHERE " MICROSECONDS
	                      " > %lld), 0))",
	                      (long long)session->rows, (long long)session->rows,
	                      (long long)session->answers_us) < 0)
		return oe__error_nomem(err);
	return oe__database_number(database, sql.data, last_us, err);
}

/* The time of all sessions: of one that was killed, until the last thing that it did. */
static int read_time(struct oe__budget *budget, struct oe__database *database, oe_error *err)
{
	OE__AUTO(string) char *text = NULL;
	struct session session;
	int64_t last_us = 0;

	int status = oe__database_get(database, OE__BUDGET_SESSION, &text, err);
	if (status < 0 || !text || !parse_session(text, &session))
		return status;
	if (!session.ended)
		status = read_last(database, &session, &last_us, err);
	double took_s = session.ended ? 0 : (double)last_us / 1e6 - session.began_s;
	if (took_s > 0 && took_s < TIME_MAX_S)
		session.before_s += took_s;
	budget->time_before_ns =
		session.before_s > 0 && session.before_s < TIME_MAX_S ? (int64_t)(session.before_s * 1e9) : 0;
	return status;
}

static int read_rows(struct oe__budget *budget, struct oe__database *database, oe_error *err)
{
	int status = oe__database_number(database, "SELECT coalesce(max(seq), 0) FROM log",
	                                 &budget->rows_before, err);
	return status < 0 ? status
	                  : oe__database_number(database, "SELECT coalesce(max(" MICROSECONDS "), 0) FROM answer",
	                                        &budget->answers_before_us, err);
}

void oe__budget_session_begin(const struct oe__budget *budget, double now, struct oe__buffer *out)
{
	oe__buffer_printf(out, "%.9f %.6f %lld %lld", (double)budget->time_before_ns / 1e9, now,
	                  (long long)budget->rows_before, (long long)budget->answers_before_us);
}

void oe__budget_session_end(const struct oe__budget *budget, int64_t elapsed_ns, struct oe__buffer *out)
{
	oe__buffer_printf(out, "%.9f", (double)(budget->time_before_ns + elapsed_ns) / 1e9);
}

int oe__budget_open(struct oe__budget *budget, struct oe__database *database, oe_error *err)
{
	struct oe__charges charges;

	int status = oe__database_number(database, EVALUATIONS, &budget->evaluations, err);
	if (status == 0)
		status = read_time(budget, database, err);
	if (status == 0)
		status = read_rows(budget, database, err);
	if (status == 0)
		status = oe__charges_sum(database, &charges, err);
	if (status < 0)
		return status;
	/* What has once been counted is counted on, or there would be a gap. */
	budget->counting |= status == 1 && charges.count > 0;
	return budget->counting ? oe__purse_open(budget->purse, database, err) : 0;
}

/* ---- for reports ---- */

static void write_limit(struct oe__json_writer *writer, const oe_config *config, const char *name)
{
	oe__json_key(writer, "limit");
	if (!config || oe__config_is_null(config, name))
		oe__json_null(writer);
	else
		oe__json_real(writer, oe__config_real(config, name));
}

static void write_whole(struct oe__json_writer *writer, const oe_config *config, const char *name,
						int64_t used, int64_t unsettled)
{
	oe__json_map(writer);
	oe__json_key(writer, "used");
	oe__json_int(writer, used);
	if (unsettled >= 0) {
		oe__json_key(writer, "unsettled");
		oe__json_int(writer, unsettled);
	}
	oe__json_key(writer, "limit");
	if (!config || oe__config_is_null(config, name))
		oe__json_null(writer);
	else
		oe__json_int(writer, oe__config_int(config, name));
	oe__json_map_end(writer);
}

static void write_cost(struct oe__json_writer *writer, const oe_config *config,
					   const struct oe__charges *charges)
{
	bool priced = config && !oe__config_is_null(config, "budget.prices");

	oe__json_map(writer);
	oe__json_key(writer, "used");
	if (priced)
		oe__json_real(writer, (double)charges->cost / OE__CHARGE_PER_USD);
	else
		oe__json_null(writer);
	oe__json_key(writer, "unsettled");
	oe__json_real(writer, (double)charges->cost_unsettled / OE__CHARGE_PER_USD);
	write_limit(writer, config, "budget.cost_usd");
	oe__json_key(writer, "unpriced_requests");
	oe__json_int(writer, charges->unpriced);
	oe__json_map_end(writer);
}

/* Of a run without a budget nothing is reserved: it has used what was reported. */
static int sum_answers(struct oe__database *database, struct oe__charges *charges, oe_error *err)
{
	int64_t tables = 0, judged = 0;

	int status = oe__database_number(database,
	                                 "SELECT coalesce(sum(max(tokens_in, 0) + max(tokens_out, 0)), 0)"
	                                 " FROM answer", &charges->tokens, err);
	if (status == 0) /* it came after the first runs */
		status = oe__database_number(
			database, "SELECT count(*) FROM sqlite_master WHERE name = 'judgement'", &tables, err);
	if (status == 0 && tables > 0)
		status = oe__database_number(
			database, "SELECT coalesce(sum(max(tokens_in, 0) + max(tokens_out, 0)), 0) FROM judgement",
			&judged, err);
	charges->tokens += judged;
	return status;
}

/* The limits of the last session; *out stays NULL if nobody understands them. */
static int read_limits(struct oe__database *database, oe_config **out, oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(string) char *text = NULL;

	int status = oe__database_get(database, "config", &text, err);
	if (status < 0 || !text)
		return status;
	if (oe_config_new(&config) < 0)
		return oe__error_nomem(err);
	if (oe_config_load_text(config, text, strlen(text), database->path, NULL) == 0)
		*out = OE__STEAL(config);
	return 0;
}

static int read_uses(struct oe__database *database, struct oe__budget *budget,
                     struct oe__charges *charges, oe_error *err)
{
	int status = oe__database_number(database, EVALUATIONS, &budget->evaluations, err);
	if (status == 0)
		status = read_time(budget, database, err);
	if (status == 0)
		status = oe__charges_sum(database, charges, err);
	if (status < 0)
		return status;
	return charges->count > 0 ? 0 : sum_answers(database, charges, err);
}

int oe__budget_write(struct oe__database *database, struct oe__json_writer *writer, oe_error *err)
{
	OE__AUTO(config) oe_config *config = NULL;
	struct oe__budget budget = { 0 };
	struct oe__charges charges = { 0 };

	int status = read_limits(database, &config, err);
	if (status == 0)
		status = read_uses(database, &budget, &charges, err);
	if (status < 0)
		return status;
	oe__json_key(writer, "budget");
	oe__json_map(writer);
	oe__json_key(writer, "tokens");
	write_whole(writer, config, "budget.tokens", charges.tokens, charges.tokens_unsettled);
	oe__json_key(writer, "cost_usd");
	write_cost(writer, config, &charges);
	oe__json_key(writer, "evaluations");
	write_whole(writer, config, "budget.evaluations", budget.evaluations, -1);
	oe__json_key(writer, "seconds");
	oe__json_map(writer);
	oe__json_key(writer, "used");
	oe__json_real(writer, (double)budget.time_before_ns / 1e9);
	write_limit(writer, config, "budget.seconds");
	oe__json_map_end(writer);
	oe__json_map_end(writer);
	return 0;
}

void oe__budget_count(const struct oe__budget *budget, oe_statistics *out)
{
	struct oe__charges spent;

	oe__purse_look(budget->purse, &spent);
	out->budget_tokens = spent.tokens;
	out->budget_tokens_unsettled = spent.tokens_unsettled;
	out->budget_cost_usd = budget->counting ? (double)spent.cost / OE__CHARGE_PER_USD : NAN;
	out->budget_unpriced = spent.unpriced;
	out->budget_evaluations = budget->evaluations;
}

/* ---- deciding ---- */

bool oe__budget_admits(const struct oe__budget *budget, int64_t under_way)
{
	return under_way < budget->evaluations_max - budget->evaluations - budget->evaluations_kept;
}

int oe__budget_check(const struct oe__budget *budget, int64_t elapsed_ns, int64_t evaluating,
					 struct oe__buffer *text)
{
	if (oe__purse_is_empty(budget->purse, text))
		return OE_REASON_BUDGET;
	if (evaluating == 0 && !oe__budget_admits(budget, 0)) {
		oe__buffer_printf(text, "budget.evaluations: %lld of %lld are used",
						  (long long)(budget->evaluations + budget->evaluations_kept),
						  (long long)budget->evaluations_max);
		return OE_REASON_BUDGET;
	}
	if (budget->time_max_ns < INT64_MAX &&
		elapsed_ns >= budget->time_max_ns - budget->time_before_ns) {
		oe__buffer_printf(text, "budget.seconds: %.0f of %.0f s are used",
						  (double)(budget->time_before_ns + elapsed_ns) / 1e9,
						  (double)budget->time_max_ns / 1e9);
		return OE_REASON_TIME;
	}
	return OE_REASON_NONE;
}
