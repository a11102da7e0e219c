#ifndef OE_TESTS_SIM_LEDGER_H
#define OE_TESTS_SIM_LEDGER_H

/*
 * The other side's books: what the model of this world was asked and what that took, question by
 * question, against what the run reserves for it, pays, and says to have paid.
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/controller.h"
#include "openevolve/llm.h"
#include "store/rows.h"

/* Dollars per million tokens. */
#define LEDGER_PRICE_IN  2
#define LEDGER_PRICE_OUT 8
#define LEDGER_OUTPUT_MAX 300 /* tokens of an answer at most */

void ledger_begin(void); /* of a world */
void ledger_end(void);
/* From now on no more than that; INT64_MAX: whatever it is. The latter in billionths of a dollar. */
void ledger_limit(int64_t tokens_max, int64_t cost_max);

/* Stand between this process and its purse. */
void ledger_watch(oe_controller *controller);
void ledger_leave(void);

/* A row of kind "charge", and its record. @return whether it changes what the disk has to say. */
bool ledger_row(const struct oe__row *row, int64_t record);

/* The model gets a question, and is about to answer it. Negative: it does not say. */
void ledger_asked(const oe_completion *completion);
void ledger_answers(const oe_completion *completion, int64_t tokens_in, int64_t tokens_out,
                    int64_t told_in, int64_t told_out);

/* After each step of the owner. */
void ledger_check(const oe_controller *controller);
/* May it be that no question fits any more? */
bool ledger_is_tight(void);

/* As model_audit(): sets `present` of the records that are on the disk. */
struct oe__database;
void ledger_audit(struct oe__database *database, bool *present, int64_t *cut);
void ledger_rewind(int64_t cut);

#endif /* OE_TESTS_SIM_LEDGER_H */
