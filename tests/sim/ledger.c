#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "books.h"
#include "controller/controller_internal.h"
#include "llm/completion.h"
#include "llm/meter.h"
#include "store/load.h"
#include "world.h"

#define ALLOWANCE 512 /* that a provider may add to the bytes of a prompt */

/* A question that was paid for. Its charge has the number of its place, from 1. */
struct charge {
	int64_t made, settled;  /* records; NONE: not yet          */
	int64_t reserved, cost_reserved;
	int state;              /* enum oe__charge_state           */
	int64_t tokens, cost;   /* as they count now               */
	int64_t used;           /* what the model did take         */
	bool asked;
};

/* From the wish to ask until the end. */
struct question {
	struct question *next;
	struct oe__fare *fare;
	const oe_completion *completion;
	int64_t tokens, cost;       /* at most           */
	int64_t told_in, told_out;  /* -1: nothing       */
	int64_t charge;             /* 0: not paid yet   */
	bool asked;
};

/* Between the questions of a process and its purse. */
struct watch {
	struct oe__meter meter;
	struct oe__meter *purse;
};

static struct {
	struct charge *charges;
	int64_t count, capacity;
	int64_t tokens_max, cost_max;
	int64_t tokens, cost, tokens_open, cost_open, used;
	int64_t largest; /* reservation */
	struct question *questions;
	struct question *settling; /* this moment: one within another */
	struct watch *watch; /* of this process; NULL: nobody counts */
} ledger;

/* ---- life ---- */

static void free_questions(struct question **list)
{
	while (*list) {
		struct question *next = (*list)->next;
		free(*list);
		*list = next;
	}
}

/* Those that are being settled too: their process may have died of that. */
static void forget_questions(void)
{
	free_questions(&ledger.questions);
	free_questions(&ledger.settling);
}

void ledger_begin(void)
{
	ledger_end();
	ledger_limit(INT64_MAX, INT64_MAX);
}

void ledger_end(void)
{
	forget_questions();
	free(ledger.charges);
	memset(&ledger, 0, sizeof(ledger));
}

void ledger_limit(int64_t tokens_max, int64_t cost_max)
{
	ledger.tokens_max = tokens_max;
	ledger.cost_max = cost_max;
}

/* ---- sums ---- */

static int64_t price(int64_t in, int64_t out)
{
	return 1000 * (LEDGER_PRICE_IN * in + LEDGER_PRICE_OUT * out);
}

static bool is_open(int state)
{
	return state == OE__CHARGE_RESERVED || state == OE__CHARGE_UNSETTLED;
}

static void count(const struct charge *charge, int sign)
{
	ledger.tokens += sign * charge->tokens;
	ledger.cost += sign * charge->cost;
	ledger.used += sign * charge->used;
	if (is_open(charge->state)) {
		ledger.tokens_open += sign * charge->tokens;
		ledger.cost_open += sign * charge->cost;
	}
}

/* ---- between a question and the purse ---- */

static void reserve(struct oe__meter *meter, struct oe__fare *fare)
{
	struct watch *watch = OE__CONTAINER(meter, struct watch, meter);
	struct question *question = calloc(1, sizeof(*question));

	if (!question)
		abort();
	if (fare->output_max != LEDGER_OUTPUT_MAX)
		violated("an answer may have %lld tokens, and %d were said", (long long)fare->output_max,
		         LEDGER_OUTPUT_MAX);
	question->fare = fare;
	question->completion = fare->completion;
	question->tokens = fare->bytes + ALLOWANCE + fare->output_max;
	question->cost = price(fare->bytes + ALLOWANCE, fare->output_max);
	question->told_in = question->told_out = -1;
	question->next = ledger.questions;
	ledger.questions = question;
	if (question->tokens > ledger.largest)
		ledger.largest = question->tokens;
	watch->purse->reserve(watch->purse, fare);
}

static struct question *take_question(const struct oe__fare *fare)
{
	for (struct question **at = &ledger.questions; *at; at = &(*at)->next) {
		struct question *question = *at;
		if (question->fare != fare)
			continue;
		*at = question->next;
		return question;
	}
	return NULL; /* of a process that is gone */
}

static void settle(struct oe__meter *meter, struct oe__fare *fare, const oe_completion *completion)
{
	struct watch *watch = OE__CONTAINER(meter, struct watch, meter);

	struct question *question = take_question(fare);

	if (question) {
		question->next = ledger.settling;
		ledger.settling = question;
	}
	watch->purse->settle(watch->purse, fare, completion);
	if (question)
		ledger.settling = question->next;
	free(question);
}

static void recall(struct oe__meter *meter, const oe_completion *completion)
{
	struct watch *watch = OE__CONTAINER(meter, struct watch, meter);

	watch->purse->recall(watch->purse, completion);
}

static void watch_free(struct oe__meter *meter)
{
	struct watch *watch = OE__CONTAINER(meter, struct watch, meter);

	oe__meter_unref(watch->purse);
	free(watch);
}

void ledger_watch(oe_controller *controller)
{
	struct oe__recipe *recipe = controller->recipe;
	struct watch *watch = NULL;

	forget_questions();
	if (!recipe->meter)
		return;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		abort();
	atomic_init(&watch->meter.refs, 1);
	watch->meter.reserve = reserve;
	watch->meter.settle = settle;
	watch->meter.recall = recall;
	watch->meter.free = watch_free;
	watch->purse = oe__meter_ref(recipe->meter);
	recipe->meter = &watch->meter;
	ledger.watch = watch;
}

void ledger_leave(void)
{
	if (ledger.watch)
		oe__meter_unref(&ledger.watch->meter);
	ledger.watch = NULL;
}

/* ---- rows ---- */

static struct question *find_payer(const struct oe__row *row)
{
	for (struct question *at = ledger.questions; at; at = at->next)
		if (at->charge == 0 && at->fare->entry == row)
			return at;
	violated("a charge is written that no question is about");
}

static void make_charge(const struct oe__row *row, int64_t record)
{
	struct question *question = find_payer(row);

	ledger.charges = books_grow(ledger.charges, &ledger.capacity, ledger.count,
	                            sizeof(*ledger.charges));
	struct charge *charge = &ledger.charges[ledger.count++];
	*charge = (struct charge){ .made = record,
		                       .settled = NONE,
		                       .state = OE__CHARGE_RESERVED,
		                       .reserved = question->tokens,
		                       .cost_reserved = question->cost,
		                       .tokens = question->tokens,
		                       .cost = question->cost };
	question->charge = ledger.count;
	if (row->charge.id != ledger.count || row->charge.state != OE__CHARGE_RESERVED ||
	    row->charge.tokens != charge->tokens || row->charge.cost != charge->cost)
		violated("charge %lld reserves %lld tokens for a question that may take %lld",
		         (long long)row->charge.id, (long long)row->charge.tokens,
		         (long long)charge->tokens);
	count(charge, 1);
	if (ledger.tokens > ledger.tokens_max || ledger.cost > ledger.cost_max)
		violated("%lld tokens of %lld are spent, or reserved, and %lld of %lld",
		         (long long)ledger.tokens, (long long)ledger.tokens_max, (long long)ledger.cost,
		         (long long)ledger.cost_max);
}

static bool end_charge(const struct oe__row *row, int64_t record)
{
	const struct question *question = ledger.settling;

	if (!question || question->charge != row->charge.id)
		violated("charge %lld is settled by another question's end", (long long)row->charge.id);
	struct charge *charge = &ledger.charges[question->charge - 1];
	int expected = !question->asked        ? OE__CHARGE_FREE
	               : question->told_in < 0 ? OE__CHARGE_UNSETTLED
	                                       : OE__CHARGE_SETTLED;
	if (row->charge.state != expected)
		violated("charge %lld is %s, and should be %s", (long long)row->charge.id,
		         oe__charge_state_name(row->charge.state), oe__charge_state_name(expected));
	count(charge, -1);
	charge->state = expected;
	charge->settled = record;
	if (expected == OE__CHARGE_FREE) {
		charge->tokens = charge->cost = 0;
	} else if (expected == OE__CHARGE_SETTLED) {
		charge->tokens = question->told_in + question->told_out;
		charge->cost = price(question->told_in, question->told_out);
	}
	if (row->charge.tokens != charge->tokens || row->charge.cost != charge->cost)
		violated("charge %lld is settled at %lld tokens, and the model took %lld",
		         (long long)row->charge.id, (long long)row->charge.tokens,
		         (long long)charge->tokens);
	count(charge, 1);
	return expected != OE__CHARGE_UNSETTLED;
}

bool ledger_row(const struct oe__row *row, int64_t record)
{
	if (!row->charge.made)
		return end_charge(row, record);
	make_charge(row, record);
	return true;
}

/* ---- the model ---- */

static struct question *find_question(const oe_completion *completion)
{
	struct question *at = ledger.questions;

	while (at && at->completion != completion)
		at = at->next;
	return at;
}

void ledger_asked(const oe_completion *completion)
{
	if (world.dead || !ledger.watch)
		return;
	struct question *question = find_question(completion);
	if (!question || question->charge == 0)
		violated("a question is sent that nobody paid for");
	struct charge *charge = &ledger.charges[question->charge - 1];
	if (!books.records[charge->made].durable)
		violated("a question is sent before what it may cost is durable");
	if (question->asked)
		violated("a question is sent twice, and paid for once");
	question->asked = charge->asked = true;
}

void ledger_answers(const oe_completion *completion, int64_t tokens_in, int64_t tokens_out,
                    int64_t told_in, int64_t told_out)
{
	struct question *question = world.dead ? NULL : find_question(completion);

	if (!question)
		return;
	struct charge *charge = &ledger.charges[question->charge - 1];
	count(charge, -1);
	charge->used = tokens_in + tokens_out;
	count(charge, 1);
	question->told_in = told_in;
	question->told_out = told_out;
}

/* ---- looking ---- */

void ledger_check(const oe_controller *controller)
{
	oe_statistics numbers = { .struct_size = sizeof(numbers) };

	if (world.dead || !ledger.watch)
		return;
	oe__budget_count(&controller->budget, &numbers);
	if (numbers.budget_tokens != ledger.tokens ||
	    numbers.budget_tokens_unsettled != ledger.tokens_open)
		violated("the run has used %lld tokens (%lld unsettled), and thinks it is %lld (%lld)",
		         (long long)ledger.tokens, (long long)ledger.tokens_open,
		         (long long)numbers.budget_tokens, (long long)numbers.budget_tokens_unsettled);
	if (ledger.used > ledger.tokens)
		violated("the model was paid %lld tokens, and took %lld", (long long)ledger.tokens,
		         (long long)ledger.used);
}

bool ledger_is_tight(void)
{
	/* Of prompts as they are: none is twice as long as the longest so far. */
	int64_t next = 2 * ledger.largest + ALLOWANCE + LEDGER_OUTPUT_MAX;

	return next > ledger.tokens_max - ledger.tokens ||
	       price(next, LEDGER_OUTPUT_MAX) > ledger.cost_max - ledger.cost;
}

/* ---- the disk ---- */

static void see(int64_t record, bool *present, int64_t *cut)
{
	present[record] = true;
	if (record >= *cut)
		*cut = record + 1;
}

static void audit_charge(const struct charge *charge, sqlite3_stmt *row, bool *present, int64_t *cut)
{
	int64_t id = sqlite3_column_int64(row, 0), tokens = sqlite3_column_int64(row, 2);
	const char *state = (const char *)sqlite3_column_text(row, 1);
	bool open = strcmp(state, "reserved") == 0 || strcmp(state, "unsettled") == 0;

	see(charge->made, present, cut);
	if (open && tokens == charge->reserved && sqlite3_column_int64(row, 3) == charge->cost_reserved)
		return;
	if (charge->settled == NONE || strcmp(state, oe__charge_state_name(charge->state)) != 0 ||
	    tokens != charge->tokens || sqlite3_column_int64(row, 3) != charge->cost)
		violated("the disk says that charge %lld is %s at %lld tokens", (long long)id, state,
		         (long long)tokens);
	see(charge->settled, present, cut);
}

void ledger_audit(struct oe__database *database, bool *present, int64_t *cut)
{
	OE__AUTO(statement) sqlite3_stmt *row = NULL;
	oe_error err = { 0 };
	int64_t tables = 0, at = 0;
	int code;

	if (oe__database_number(database, "SELECT count(*) FROM sqlite_master WHERE name = 'charge'",
	                        &tables, &err) < 0 ||
	    (tables > 0 && oe__database_prepare(database,
	                                        "SELECT id, state, tokens, cost FROM charge ORDER BY id",
	                                        &row, &err) < 0))
		violated("the charges cannot be read: %s", err.message);
	if (tables == 0)
		return;
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		if (sqlite3_column_int64(row, 0) != ++at || at > ledger.count)
			violated("the disk has charge %lld, which was not made",
			         (long long)sqlite3_column_int64(row, 0));
		audit_charge(&ledger.charges[at - 1], row, present, cut);
	}
	if (code != SQLITE_DONE)
		violated("the charges cannot be read: %s", sqlite3_errmsg(database->handle));
}

/* Nobody will settle those that a process left open. */
void ledger_rewind(int64_t cut)
{
	while (ledger.count > 0 && ledger.charges[ledger.count - 1].made >= cut)
		ledger.count--;
	ledger.tokens = ledger.cost = ledger.tokens_open = ledger.cost_open = ledger.used = 0;
	for (int64_t i = 0; i < ledger.count; i++) {
		struct charge *charge = &ledger.charges[i];
		if (charge->settled == NONE || charge->settled >= cut) {
			charge->settled = NONE;
			charge->state = OE__CHARGE_UNSETTLED;
			charge->tokens = charge->reserved;
			charge->cost = charge->cost_reserved;
		}
		count(charge, 1);
	}
}
