#ifndef OE__CONTROLLER_PURSE_H
#define OE__CONTROLLER_PURSE_H

/*
 * The meter of a run: what questions may cost is reserved before they are sent, and settled when they
 * have ended, in the table "charge" of run.db. So what is spent stays below the limits whatever is in
 * flight, and is known after a crash.
 *
 *     reserve: the prompt at its bytes and an allowance, the answer at its limit
 *       durable -> sent -> settled at what the provider reports, or left as it was reserved
 *
 * A question that does not fit waits for others to be settled, as most cost less than was reserved.
 * When none is left to wait for, the purse is empty. Judges go first: what they are asked about is paid
 * for already. Any thread, but for the life.
 *
 * Which question is the last that fits would depend on who comes first, and on what is reserved at that
 * moment. Where the end of a run must not (semantics "ordered"), questions are paid for in the order of their
 * numbers: so each is paid for if, and only if, it fits beside what all before it have cost.
 */

#include <stdbool.h>
#include <stdint.h>

#include "controller/inbox.h"
#include "controller/prices.h"
#include "llm/meter.h"
#include "scheduler/scheduler.h"
#include "store/charge.h"
#include "store/log.h"

struct oe__purse;

/* A number whose question is on its way to the purse. Lives in what asks it. */
struct oe__purse_turn {
	struct oe__purse_turn *next, *before;
	int64_t number;
	bool awaited; /* guarded by the purse */
};

struct oe__purse_options {
	oe_scheduler *scheduler;    /* referenced until the close                               */
	struct oe__inbox *inbox;    /* woken when the purse is empty, or there is a name to tell */
	struct oe__prices *prices;  /* taken over, or NULL                                      */
	bool in_order;
	int64_t tokens_max, cost_max; /* INT64_MAX: no limit; the latter in billionths of a dollar */
};

/* On failure the prices stay the caller's. */
int oe__purse_new(const struct oe__purse_options *options, struct oe__purse **out);

/* Go on with what the run has spent. Before the first question. */
int oe__purse_open(struct oe__purse *purse, struct oe__database *database, oe_error *err);

/* Where charges are written from now on; NULL: nowhere, and what waits is turned away. */
void oe__purse_set_log(struct oe__purse *purse, struct oe__log *log);

/* Questions that outlive the run find it closed. */
void oe__purse_close(struct oe__purse *purse);

struct oe__meter *oe__purse_meter(struct oe__purse *purse);

/* A question of that number is about to be asked: those of later ones wait until it is paid for, or its
   turn has passed. In the order of numbers, if nothing failed; does nothing if the purse is not in order. */
void oe__purse_await(struct oe__purse *purse, struct oe__purse_turn *turn, int64_t number);
/* It was answered, or is not asked any more. A turn that nobody awaits has passed already. */
void oe__purse_pass(struct oe__purse *purse, struct oe__purse_turn *turn);

/* How far it is spent; `reserved` parts of tokens and cost are among the unsettled ones. */
void oe__purse_look(struct oe__purse *purse, struct oe__charges *out);

/* Is it empty? `text` is told which limit, and how far it was; or NULL. */
bool oe__purse_is_empty(struct oe__purse *purse, struct oe__buffer *text);

/* A model without a price that has not been told of yet, as a new string; NULL: none. */
char *oe__purse_unpriced(struct oe__purse *purse);

#endif /* OE__CONTROLLER_PURSE_H */
