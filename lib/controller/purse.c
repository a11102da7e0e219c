#include "controller/purse.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "llm/completion.h"
#include "store/load.h"

/* What a provider adds to the bytes of a prompt: marks of roles, its own instructions. */
#define ALLOWANCE 512

/* A fare that is paid: its reservation, then its settlement. */
struct entry {
	struct oe__row row;
	struct oe__purse *purse;
	struct oe__fare *fare;
	char *model;
};

struct name {
	struct name *next;
	bool told;
	char text[];
};

struct oe__purse {
	struct oe__meter meter;
	pthread_mutex_t mutex;
	oe_scheduler *scheduler; /* guarded by mutex, from here to the end; NULL: closed */
	struct oe__inbox *inbox;
	struct oe__log *log;
	struct oe__prices *prices;
	int64_t tokens_max, cost_max;
	struct oe__charges spent;
	int64_t open;             /* paid, and not settled  */
	struct oe__fare *waiting; /* judges, then the others; these by number if it is in order */
	struct oe__purse_turn turns; /* those awaited: a ring, by number                         */
	bool in_order;
	struct name *unpriced;
	bool closed, empty;
	struct oe__buffer why;
};

/* ---- sums ---- */

static int64_t tokens_of(const struct oe__fare *fare)
{
	return fare->bytes + ALLOWANCE + fare->output_max;
}

static int64_t cost_of(const struct oe__purse *purse, const struct oe__fare *fare)
{
	return oe__prices_cost(purse->prices, fare->model, fare->bytes + ALLOWANCE, fare->output_max);
}

static bool fits(const struct oe__purse *purse, const struct oe__fare *fare)
{
	int64_t cost = cost_of(purse, fare);

	if (tokens_of(fare) > purse->tokens_max - purse->spent.tokens)
		return false;
	return cost <= 0 || cost <= purse->cost_max - purse->spent.cost;
}

static void add(struct oe__charges *spent, const struct oe__charge_row *charge, int sign)
{
	bool open = charge->state == OE__CHARGE_RESERVED || charge->state == OE__CHARGE_UNSETTLED;
	int64_t cost = charge->cost > 0 ? charge->cost : 0;

	spent->tokens += sign * charge->tokens;
	spent->cost += sign * cost;
	if (open) {
		spent->tokens_unsettled += sign * charge->tokens;
		spent->cost_unsettled += sign * cost;
	}
	if (charge->cost < 0 && charge->state != OE__CHARGE_FREE)
		spent->unpriced += sign;
}

/* It is said once that a model has no price. */
static void note_unpriced(struct oe__purse *purse, const char *model)
{
	if (!purse->prices)
		return;
	for (struct name *name = purse->unpriced; name; name = name->next)
		if (strcmp(name->text, model) == 0)
			return;
	struct name *name = oe__calloc(1, sizeof(*name) + strlen(model) + 1);
	if (!name)
		return;
	memcpy(name->text, model, strlen(model) + 1);
	name->next = purse->unpriced;
	purse->unpriced = name;
	if (purse->inbox)
		oe__inbox_wake(purse->inbox);
}

/* ---- paying ---- */

static void entry_free(struct entry *entry)
{
	oe__free(entry->model);
	oe__free(entry);
}

static void settled(struct oe__row *row, int status)
{
	(void)status; /* the next row of an iteration tells */
	entry_free(OE__CONTAINER(row, struct entry, row));
}

static void run_go(struct oe__task *task)
{
	struct oe__fare *fare = OE__CONTAINER(task, struct oe__fare, task);
	fare->go(fare, 0);
}

/* Store thread. Nothing is sent from here: that may take a moment. */
static void reserved(struct oe__row *row, int status)
{
	struct entry *entry = OE__CONTAINER(row, struct entry, row);
	struct oe__fare *fare = entry->fare;

	if (status < 0) {
		fare->go(fare, OE_ERR_CANCELLED);
		return;
	}
	fare->task.run = run_go;
	oe__scheduler_compute(entry->purse->scheduler, &fare->task);
}

static void append_locked(struct oe__purse *purse, struct entry *entry, bool made)
{
	entry->row.kind = OE__ROW_CHARGE;
	entry->row.evaluation_ms = -1;
	entry->row.time = oe__clock_wall();
	entry->row.charge.made = made;
	entry->row.done = made ? reserved : settled;
	oe__log_append(purse->log, &entry->row);
}

/* @return false without memory. With a log the fare goes when that is durable; else it goes now, on
   the pool. */
static bool pay_locked(struct oe__purse *purse, struct oe__fare *fare)
{
	struct entry *entry = oe__calloc(1, sizeof(*entry));
	char *model = oe__strdup(fare->model);

	if (!entry || !model) {
		oe__free(entry);
		oe__free(model);
		return false;
	}
	entry->purse = purse;
	entry->fare = fare;
	entry->model = model;
	entry->row.number = fare->number;
	entry->row.message = model;
	entry->row.charge = (struct oe__charge_row){ .id = ++purse->spent.last_id,
		                                         .state = OE__CHARGE_RESERVED,
		                                         .tokens = tokens_of(fare),
		                                         .cost = cost_of(purse, fare) };
	fare->entry = entry;
	purse->open++;
	purse->spent.count++;
	add(&purse->spent, &entry->row.charge, 1);
	if (entry->row.charge.cost < 0)
		note_unpriced(purse, model);
	if (purse->log) {
		append_locked(purse, entry, true);
	} else {
		fare->task.run = run_go;
		oe__scheduler_compute(purse->scheduler, &fare->task);
	}
	return true;
}

/* ---- waiting ---- */

static bool goes_before(const struct oe__purse *purse, const struct oe__fare *fare,
                        const struct oe__fare *other)
{
	if (fare->number == 0 || other->number == 0)
		return other->number > 0;
	return purse->in_order && fare->number < other->number;
}

static void wait_locked(struct oe__purse *purse, struct oe__fare *fare)
{
	struct oe__fare **link = &purse->waiting;

	while (*link && !goes_before(purse, fare, *link))
		link = &(*link)->next;
	fare->next = *link;
	*link = fare;
}

static void pass_locked(struct oe__purse_turn *turn)
{
	if (!turn->awaited)
		return;
	turn->before->next = turn->next;
	turn->next->before = turn->before;
	turn->awaited = false;
}

/* Its question has come. */
static void come_locked(struct oe__purse *purse, int64_t number)
{
	struct oe__purse_turn *turn = purse->turns.next;

	while (turn != &purse->turns && turn->number < number)
		turn = turn->next;
	if (turn != &purse->turns && turn->number == number)
		pass_locked(turn);
}

/* Is an earlier question still on its way? */
static bool is_early(const struct oe__purse *purse, const struct oe__fare *fare)
{
	const struct oe__purse_turn *first = purse->turns.next;

	return first != &purse->turns && first->number < fare->number;
}

static void explain_locked(struct oe__purse *purse, const struct oe__fare *fare)
{
	const struct oe__charges *spent = &purse->spent;

	oe__buffer_clear(&purse->why);
	if (tokens_of(fare) > purse->tokens_max - spent->tokens)
		oe__buffer_printf(
			&purse->why, "budget.tokens: %lld of %lld are used, and the next question may take %lld",
		         (long long)spent->tokens, (long long)purse->tokens_max,
		         (long long)tokens_of(fare));
	else
		oe__buffer_printf(
			&purse->why, "budget.cost_usd: $%.4f of $%.4f are spent, and the next question may cost $%.4f",
		         (double)spent->cost / OE__CHARGE_PER_USD,
		         (double)purse->cost_max / OE__CHARGE_PER_USD,
		         (double)cost_of(purse, fare) / OE__CHARGE_PER_USD);
}

/* Pay for what waits as long as there is money. @return those that are turned away. */
static struct oe__fare *serve_locked(struct oe__purse *purse)
{
	struct oe__fare *turned = NULL;

	while (purse->waiting && !purse->closed && !is_early(purse, purse->waiting) &&
	       fits(purse, purse->waiting)) {
		struct oe__fare *fare = purse->waiting;
		purse->waiting = fare->next;
		if (!pay_locked(purse, fare)) {
			fare->next = turned;
			turned = fare;
		}
	}
	bool waits = purse->waiting && (purse->open > 0 || is_early(purse, purse->waiting));
	if (!purse->waiting || (waits && !purse->closed))
		return turned;
	if (!purse->closed) {
		explain_locked(purse, purse->waiting);
		purse->empty = true;
		oe__inbox_wake(purse->inbox);
	}
	struct oe__fare **end = &purse->waiting;
	while (*end)
		end = &(*end)->next;
	*end = turned;
	turned = purse->waiting;
	purse->waiting = NULL;
	return turned;
}

/* Without the lock: each may come back with a settlement, and be gone. */
static void turn_away(struct oe__fare *turned, int status)
{
	while (turned) {
		struct oe__fare *next = turned->next;
		turned->go(turned, status);
		turned = next;
	}
}

/* ---- the meter ---- */

static void reserve(struct oe__meter *meter, struct oe__fare *fare)
{
	struct oe__purse *purse = OE__CONTAINER(meter, struct oe__purse, meter);

	fare->entry = NULL;
	pthread_mutex_lock(&purse->mutex);
	come_locked(purse, fare->number);
	wait_locked(purse, fare);
	struct oe__fare *turned = serve_locked(purse);
	int status = purse->closed ? OE_ERR_CANCELLED : purse->empty ? OE_ERR_LIMIT : OE_ERR_NOMEM;
	pthread_mutex_unlock(&purse->mutex);
	turn_away(turned, status);
}

/* What came of it. What a provider does not tell may be anything up to what was reserved. */
static struct oe__charge_row outcome_of(const struct oe__purse *purse, const struct entry *entry,
                                        const oe_completion *completion)
{
	struct oe__charge_row charge = entry->row.charge;

	charge.state = OE__CHARGE_UNSETTLED;
	if (completion->requests == 0 || (completion->status < 0 && completion->declined)) {
		charge.state = OE__CHARGE_FREE;
		charge.tokens = 0;
		charge.cost = 0;
	} else if (completion->tokens_in >= 0 && completion->tokens_out >= 0) {
		charge.state = OE__CHARGE_SETTLED;
		charge.tokens = completion->tokens_in + completion->tokens_out;
		charge.cost = oe__prices_cost(purse->prices, entry->model, completion->tokens_in,
		                              completion->tokens_out);
		if (charge.cost < 0 && completion->model) /* one that chooses among models names its choice */
			charge.cost = oe__prices_cost(purse->prices, completion->model, completion->tokens_in,
			                              completion->tokens_out);
	}
	return charge;
}

static void settle(struct oe__meter *meter, struct oe__fare *fare, const oe_completion *completion)
{
	struct oe__purse *purse = OE__CONTAINER(meter, struct oe__purse, meter);
	struct entry *entry = fare->entry;

	if (!entry)
		return; /* it was turned away */
	pthread_mutex_lock(&purse->mutex);
	add(&purse->spent, &entry->row.charge, -1);
	entry->row.charge = outcome_of(purse, entry, completion);
	add(&purse->spent, &entry->row.charge, 1);
	purse->open--;
	if (purse->log)
		append_locked(purse, entry, false);
	else
		entry_free(entry);
	struct oe__fare *turned = serve_locked(purse);
	int status = purse->empty ? OE_ERR_LIMIT : OE_ERR_NOMEM;
	pthread_mutex_unlock(&purse->mutex);
	turn_away(turned, status);
}

static void recall(struct oe__meter *meter, const oe_completion *completion)
{
	struct oe__purse *purse = OE__CONTAINER(meter, struct oe__purse, meter);
	struct oe__fare *found = NULL;

	pthread_mutex_lock(&purse->mutex);
	for (struct oe__fare **link = &purse->waiting; *link; link = &(*link)->next)
		if ((*link)->completion == completion) {
			found = *link;
			*link = found->next;
			break;
		}
	pthread_mutex_unlock(&purse->mutex);
	if (found)
		found->go(found, OE_ERR_CANCELLED);
}

static void purse_free(struct oe__meter *meter)
{
	struct oe__purse *purse = OE__CONTAINER(meter, struct oe__purse, meter);

	while (purse->unpriced) {
		struct name *next = purse->unpriced->next;
		oe__free(purse->unpriced);
		purse->unpriced = next;
	}
	oe__prices_free(purse->prices);
	oe__buffer_done(&purse->why);
	pthread_mutex_destroy(&purse->mutex);
	oe__free(purse);
}

/* ---- turns ---- */

void oe__purse_await(struct oe__purse *purse, struct oe__purse_turn *turn, int64_t number)
{
	OE__LOCKED(&purse->mutex);
	if (!purse->in_order || purse->closed || turn->awaited)
		return;
	struct oe__purse_turn *after = purse->turns.before;
	while (after != &purse->turns && after->number > number)
		after = after->before;
	*turn = (struct oe__purse_turn){ .next = after->next,
		                             .before = after,
		                             .number = number,
		                             .awaited = true };
	turn->next->before = turn;
	after->next = turn;
}

void oe__purse_pass(struct oe__purse *purse, struct oe__purse_turn *turn)
{
	pthread_mutex_lock(&purse->mutex);
	pass_locked(turn);
	struct oe__fare *turned = serve_locked(purse);
	int status = purse->closed ? OE_ERR_CANCELLED : purse->empty ? OE_ERR_LIMIT : OE_ERR_NOMEM;
	pthread_mutex_unlock(&purse->mutex);
	turn_away(turned, status);
}

/* ---- life ---- */

int oe__purse_new(const struct oe__purse_options *options, struct oe__purse **out)
{
	struct oe__purse *purse = oe__calloc(1, sizeof(*purse));
	if (!purse)
		return OE_ERR_NOMEM;
	atomic_init(&purse->meter.refs, 1);
	purse->meter.reserve = reserve;
	purse->meter.settle = settle;
	purse->meter.recall = recall;
	purse->meter.free = purse_free;
	pthread_mutex_init(&purse->mutex, NULL);
	purse->why.size_max = 1024;
	purse->scheduler = oe_scheduler_ref(options->scheduler);
	purse->inbox = options->inbox;
	purse->prices = options->prices;
	purse->in_order = options->in_order;
	purse->turns.next = purse->turns.before = &purse->turns;
	purse->tokens_max = options->tokens_max;
	purse->cost_max = options->cost_max;
	*out = purse;
	return 0;
}

/* A run that began without a budget: what it has used is one charge per model. */
static int open_balance(struct oe__purse *purse, struct oe__database *database, oe_error *err)
{
	OE__AUTO(statement) sqlite3_stmt *statement = NULL;

	int status = oe__database_prepare(
		database,
		"SELECT model, sum(max(tokens_in, 0)), sum(max(tokens_out, 0)) FROM"
		" (SELECT model, tokens_in, tokens_out FROM answer"
		"  UNION ALL SELECT model, tokens_in, tokens_out FROM judgement) GROUP BY model",
		&statement, err);
	int code = SQLITE_DONE;
	while (status == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *model = (const char *)sqlite3_column_text(statement, 0);
		int64_t in = sqlite3_column_int64(statement, 1), out = sqlite3_column_int64(statement, 2);
		struct oe__row row = {
			.message = model ? model : "",
			.time = oe__clock_wall(),
			.charge = { .made = true,
			            .id = ++purse->spent.last_id,
			            .state = OE__CHARGE_SETTLED,
			            .tokens = in + out,
			            .cost = oe__prices_cost(purse->prices, model ? model : "", in, out) },
		};
		status = oe__charge_write(database, &row, err);
	}
	return status == 0 && code != SQLITE_DONE ? oe__database_error(database, err) : status;
}

int oe__purse_open(struct oe__purse *purse, struct oe__database *database, oe_error *err)
{
	int status = oe__charges_make(database, err);

	if (status == 0)
		status = oe__charges_close(database, err);
	if (status == 0)
		status = oe__charges_sum(database, &purse->spent, err);
	if (status == 1 && purse->spent.count == 0) {
		status = open_balance(purse, database, err);
		if (status == 0)
			status = oe__charges_sum(database, &purse->spent, err);
	}
	return status < 0 ? status : 0;
}

void oe__purse_set_log(struct oe__purse *purse, struct oe__log *log)
{
	pthread_mutex_lock(&purse->mutex);
	purse->log = log;
	purse->closed = log == NULL;
	while (purse->closed && purse->turns.next != &purse->turns)
		pass_locked(purse->turns.next);
	struct oe__fare *turned = serve_locked(purse);
	pthread_mutex_unlock(&purse->mutex);
	turn_away(turned, OE_ERR_CANCELLED);
}

void oe__purse_close(struct oe__purse *purse)
{
	if (!purse)
		return;
	oe__purse_set_log(purse, NULL);
	pthread_mutex_lock(&purse->mutex);
	oe_scheduler *scheduler = purse->scheduler;
	purse->scheduler = NULL;
	purse->inbox = NULL;
	pthread_mutex_unlock(&purse->mutex);
	oe_scheduler_unref(scheduler);
	oe__meter_unref(&purse->meter);
}

/* ---- looking ---- */

struct oe__meter *oe__purse_meter(struct oe__purse *purse)
{
	return &purse->meter;
}

void oe__purse_look(struct oe__purse *purse, struct oe__charges *out)
{
	OE__LOCKED(&purse->mutex);
	*out = purse->spent;
}

bool oe__purse_is_empty(struct oe__purse *purse, struct oe__buffer *text)
{
	OE__LOCKED(&purse->mutex);
	if (purse->empty && text)
		oe__buffer_text(text, oe__buffer_string(&purse->why));
	return purse->empty;
}

char *oe__purse_unpriced(struct oe__purse *purse)
{
	OE__LOCKED(&purse->mutex);
	for (struct name *name = purse->unpriced; name; name = name->next)
		if (!name->told) {
			name->told = true;
			return oe__strdup(name->text);
		}
	return NULL;
}
