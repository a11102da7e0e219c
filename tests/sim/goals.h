#ifndef OE_TESTS_SIM_GOALS_H
#define OE_TESTS_SIM_GOALS_H

/* The rules that end a run by what it has found, worked out anew from the programs that joined. */

#include <stdbool.h>

#include "controller/rules.h"
#include "session.h"

void goals_begin(const struct limits *limits); /* nothing has joined yet */
void goals_see(double score, bool initial);

/* enum oe_stop_reason that holds now, or OE_REASON_NONE. */
int goals_reason(void);
/* Has patience come to its end at some moment? Another program may have joined since. */
bool goals_were_missed(void);
/* What the run knows of it is that, too. */
void goals_compare(const struct oe__rules *rules);

#endif /* OE_TESTS_SIM_GOALS_H */
