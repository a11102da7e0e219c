#ifndef OE__EVALUATOR_EVALUATOR_H
#define OE__EVALUATOR_EVALUATOR_H

/*
 * The evaluator handle, and the one wrapper around every evaluator: it adopts the table, runs
 * blocking methods on plugin threads, lets the first finish win, measures, validates, and can turn
 * its back on a plugin that never comes back. Any thread.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "base/auto.h"
#include "openevolve/evaluator.h"
#include "program/evaluation.h"
#include "program/program.h"

/* One evaluation under way. Owned by the caller, who keeps it, the evaluator and what it borrows
   alive from start until `done` was called or abandon said true. */
struct oe__evaluation_call {
	/* Set before the start. */
	oe_program *program;     /* borrowed */
	oe_iteration *iteration; /* borrowed, or NULL */
	uint64_t seed;
	int64_t timeout_ms;
	void (*done)(struct oe__evaluation_call *call); /* once, on any thread; must be cheap */
	struct oe__meter *meter; /* who pays for what models are asked, or NULL; referenced until the end */

	/* Set before `done`; read them after. */
	oe_evaluation *evaluation; /* frozen; NULL if status < 0; lives until release */
	int status;
	oe_error error;
	int64_t started_ns, finished_ns;

	/* The wrapper's. */
	oe_evaluator *evaluator;
	oe_evaluation *sink;
	atomic_bool unwanted; /* cancelled, perhaps before it was submitted */
};

/* Begin. A failure to start is reported by `done` too, perhaps before this returns. */
void oe__evaluator_start(oe_evaluator *evaluator, struct oe__evaluation_call *call);

/* The same in two steps, for those whose calls are cancelled by other threads: from the first on the
   call may be; after the second it may be gone. */
int oe__evaluator_prepare(oe_evaluator *evaluator, struct oe__evaluation_call *call);
void oe__evaluator_submit(struct oe__evaluation_call *call);

/* Ask to end early; `done` follows as soon as the evaluator has let go, perhaps before this returns. */
void oe__evaluator_cancel(struct oe__evaluation_call *call);

/* For composites that cancel a member's call while it may end: hold what there is to cancel of a call
   (under the lock that keeps it alive), then cancel it (without the lock) and let go. */
struct oe__evaluation_hold {
	oe_evaluator *evaluator; /* NULL: nothing is held */
	oe_evaluation *sink;
};
struct oe__evaluation_hold oe__evaluation_call_hold(struct oe__evaluation_call *call);
void oe__evaluation_hold_cancel(struct oe__evaluation_hold *hold);

/* Stop waiting for a plugin that is past its deadline and grace. @return true if `done` will never be
   called; false if it was, or is about to be. */
bool oe__evaluator_abandon(struct oe__evaluation_call *call);

/* Drop what the call holds, after `done` or a successful abandon. */
void oe__evaluation_call_release(struct oe__evaluation_call *call);

/* Who pays for what models are asked in an evaluation that has not ended; or NULL. */
struct oe__meter *oe__evaluation_meter(const oe_evaluation *evaluation);

/* How many evaluate() calls may run at once; before the first start. */
void oe__evaluator_set_threads(oe_evaluator *evaluator, int32_t threads);

/* OE_ERR_STATE in a process that was forked from the one that made it, where its threads are not. */
int oe__evaluator_check_process(const oe_evaluator *evaluator, oe_error *err);

/* `self` of a handle that was made with this table, or NULL. */
void *oe__evaluator_self(oe_evaluator *evaluator, const oe_evaluator_vtable *vtable);

/* Is it one of ours, that keeps deadlines by itself to the millisecond? */
bool oe__evaluator_keeps_deadlines(const oe_evaluator *evaluator);
void oe__evaluator_set_keeps_deadlines(oe_evaluator *evaluator, bool keeps);

OE__AUTO_POINTER(evaluator, oe_evaluator *, oe_evaluator_unref)

#endif /* OE__EVALUATOR_EVALUATOR_H */
