#ifndef OE__CONTROLLER_ENDING_H
#define OE__CONTROLLER_ENDING_H

/*
 * Where iterations end in the order of their numbers (semantics "generation" and "ordered"): an ending is
 * what has to be told of one, and written about it, when its turn has come. Its row of the log was
 * written before, when it came to an end. Owner thread.
 */

#include <stdbool.h>

#include "base/map.h"
#include "openevolve/controller.h"
#include "openevolve/hub.h"
#include "store/rows.h"

struct oe__flight;

struct oe__ending {
	struct oe__row row; /* the outcome, once it is known */
	oe_controller *controller;
	struct oe__ending *next; /* in the queue of those whose turn has come */
	int64_t number;
	int32_t attempt, island;
	bool unrecorded; /* its row of the log has no outcome yet */
	oe_program *parent, *child;
	oe_program *program; /* as it is in the hub */
	char *text, *model;
	double llm_ms, evaluation_ms;
	int64_t tokens_in, tokens_out;
	oe_commit commit;
};

struct oe__endings {
	struct oe__map waiting;             /* number to ending                                  */
	struct oe__ending *settled, *last;  /* ended within the call of the hub that is under way */
	int64_t held_at;                    /* the run is over at this number; -1: it is not     */
	int64_t passed;                     /* the log shows that it went on behind all below    */
	bool hold_recorded;
};

/* What is noted of it as a session ends: the number whose turn came last. */
#define OE__PASSED_META "passed"
void oe__controller_record_passed(oe_controller *controller);

/* Before the call of the hub that ends a flight, with what is to be told of it. */
int oe__ending_expect(struct oe__flight *flight, oe_program *child);
/* After it. The hub took it; its outcome is known (the row has it), or not yet. */
void oe__ending_staged(oe_controller *controller, int64_t number);
/* The hub did not take it as an end. */
void oe__ending_forget(oe_controller *controller, int64_t number);

/* oe__settled_fn of a controller. */
void oe__controller_settled(void *owner, const oe_iteration *iteration, oe_program *child,
                            const oe_commit *commit);

/* After the row of a call was appended: write and tell what ended within the call. */
void oe__controller_tell_endings(oe_controller *controller);

/* Of an iteration of before, whose row has no outcome. */
void oe__controller_record_outcome(oe_controller *controller, const oe_iteration *iteration,
                                   int outcome);

/* Where the run is over by one of its rules, nothing after it may end. `number` has just ended; or an
   initial program came, after whichever number ended last. */
void oe__controller_hold_if_over(oe_controller *controller, int64_t number);
void oe__controller_hold_if_over_now(oe_controller *controller);

void oe__endings_done(struct oe__endings *endings);

#endif /* OE__CONTROLLER_ENDING_H */
