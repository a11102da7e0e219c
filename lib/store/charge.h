#ifndef OE__STORE_CHARGE_H
#define OE__STORE_CHARGE_H

/*
 * The table "charge" of run.db: what each request to a model may cost, written before it is sent, and
 * what it did cost, as soon as that is known. It is kept for runs with a budget.
 */

#include "store/database.h"
#include "store/rows.h"

/* In the order of oe__charge_state_name(). */
enum oe__charge_state {
	OE__CHARGE_RESERVED,  /* sent, or about to be                                      */
	OE__CHARGE_SETTLED,   /* the provider said what it cost                            */
	OE__CHARGE_UNSETTLED, /* nobody did: it counts as the most that it can have cost   */
	OE__CHARGE_FREE       /* it was not sent, or refused                               */
};

/* A billionth of a dollar. */
#define OE__CHARGE_PER_USD 1000000000
#define OE__CHARGE_UNPRICED (-1)

struct oe__charges {
	int64_t count;    /* of all                                          */
	int64_t last_id;
	int64_t tokens, tokens_unsettled;  /* the latter, reserved ones too, among the former */
	int64_t cost, cost_unsettled;      /* of those with a price                           */
	int64_t unpriced;                  /* how many were not free and have no price        */
};

const char *oe__charge_state_name(int state);

/* Make the table, if it is not there. */
int oe__charges_make(struct oe__database *database, oe_error *err);

/* Those that a crash left open cannot be settled any more. */
int oe__charges_close(struct oe__database *database, oe_error *err);

/* 1: there is a table, and `out` has its sums; 0: there is none. */
int oe__charges_sum(struct oe__database *database, struct oe__charges *out, oe_error *err);

/* A row of kind OE__ROW_CHARGE: a new one, or what has become of `charge.id`. */
int oe__charge_write(struct oe__database *database, const struct oe__row *row, oe_error *err);

#endif /* OE__STORE_CHARGE_H */
