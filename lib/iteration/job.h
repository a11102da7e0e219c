#ifndef OE__ITERATION_JOB_H
#define OE__ITERATION_JOB_H

/*
 * One iteration under way: sample -> prompt -> answer -> edit -> evaluation. A job owns all its
 * state; at any moment one thread has it. Each step ends in `reached`, called on whatever thread
 * ended it, and the next step begins when its owner says so: in between the owner makes things
 * durable, and decides.
 *
 *     ISSUED --ask--> ANSWERED --edit--> EDITED --evaluate--> EVALUATED
 *               `--> ASK_FAILED    `--> (an outcome, no child)
 *
 * A job without an iteration evaluates an initial program: it starts at EDITED.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/hash.h"
#include "iteration/recipe.h"
#include "openevolve/hub.h"
#include "scheduler/task.h"

#define OE__JOB_STATES(X)                                                                          \
	X(ISSUED) X(ASKING) X(ANSWERED) X(ASK_FAILED) X(EDITING) X(EDITED) X(EVALUATING) X(EVALUATED)

enum oe__job_state {
#define X(name) OE__JOB_##name,
	OE__JOB_STATES(X)
#undef X
};

struct oe__job {
	struct oe__task task; /* for the pool, or its owner's queues, whoever has it */
	const struct oe__recipe *recipe;
	enum oe__job_state state;
	void (*reached)(struct oe__job *job); /* at ANSWERED, ASK_FAILED, EDITED, EVALUATED */

	oe_iteration *iteration; /* or NULL */

	/* The question and its answer. */
	struct oe__prompt prompt;
	bool rendered; /* the prompt is */
	struct oe__llm_call call;
	atomic_bool cancellable; /* the call is prepared: oe__llm_cancel() reaches it */
	atomic_bool unwanted;    /* cancelled, perhaps before that                    */
	int32_t asked;           /* how often it was asked anew, after a failure      */
	int64_t asked_ns;
	char *restored, *restored_model; /* read from the log, or NULL                */
	const char *answer;      /* its text, the call's or the restored; NULL: none  */
	size_t answer_size;
	const char *model;
	int finish;
	int64_t tokens_in, tokens_out;
	int32_t requests;
	double llm_ms;
	int failure; /* enum oe_llm_failure, at ASK_FAILED */

	/* What it made of the parent. */
	int outcome;           /* enum oe_outcome, or -1 while it may still have a child */
	char *message;         /* what went wrong, or NULL                               */
	oe_edit *edit;
	oe_program *candidate; /* not evaluated */

	/* What that is worth. */
	struct oe__evaluation_call evaluation_call;
	oe_evaluation *evaluation;
	int status;            /* negative: the evaluator itself broke; see `error` */
	oe_error error;
	double evaluation_ms;
	oe_program *child; /* as the hub was given it; set by the owner */
};

/* Takes over the caller's reference of `iteration` on success. */
int oe__job_init(struct oe__job *job, const struct oe__recipe *recipe, oe_iteration *iteration,
                 void (*reached)(struct oe__job *job));
/* For an initial program (referenced). */
int oe__job_init_initial(struct oe__job *job, const struct oe__recipe *recipe, oe_program *program,
                         void (*reached)(struct oe__job *job));
/* Not while a step is under way. */
void oe__job_done(struct oe__job *job);

/* The steps; each returns at once. Any thread that has the job. */
void oe__job_ask(struct oe__job *job);
void oe__job_edit(struct oe__job *job);
void oe__job_evaluate(struct oe__job *job, uint64_t run_seed);

/* What oe__job_edit() does, at once and on this thread; `reached` is not called. */
void oe__job_read(struct oe__job *job);

/* End the question, or the evaluation, under way early; `reached` follows. From the thread that began
   the step; the job stays with whoever runs it. */
void oe__job_cancel(struct oe__job *job, bool evaluating);

/* Stop waiting for a model that was cancelled and does not come back: ASK_FAILED at once.
   @return false if it came back after all, or is not out yet. */
bool oe__job_abandon_question(struct oe__job *job);

/* Stop waiting for an evaluator that does not come back: EVALUATED at once, as timed out.
   @return false if it came back after all. */
bool oe__job_abandon_evaluation(struct oe__job *job);

/* An answer that was read from the log: the job stands at ANSWERED without asking. */
int oe__job_restore_answer(struct oe__job *job, const char *text, size_t size, const char *model,
                           int finish);

/* The evaluated child for the hub: of the iteration's parent, or the initial program. */
int oe__job_child(const struct oe__job *job, oe_program **out);

/* What the evaluation left, be it only the questions that were asked before it broke or was cancelled;
   NULL: nothing that may be looked at. At EVALUATED. */
const oe_evaluation *oe__job_verdict(const struct oe__job *job);

/* Turn the evaluation into an outcome with its sentence; none if the child may join. */
void oe__job_judge(struct oe__job *job);

/* Back to EDITED, to evaluate once more. */
void oe__job_reset_evaluation(struct oe__job *job);

/* Set the outcome and its sentence, which is copied; NULL for none. */
void oe__job_fail(struct oe__job *job, int outcome, const char *message);

#endif /* OE__ITERATION_JOB_H */
