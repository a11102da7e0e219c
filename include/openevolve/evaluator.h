#ifndef OPENEVOLVE_EVALUATOR_H
#define OPENEVOLVE_EVALUATOR_H

/**
 * @file
 * Evaluators: what decides which program is better.
 *
 * An oe_evaluator turns a program into metrics and artifacts. The library brings one for
 * OpenEvolve's evaluator.py protocol, one that runs any command, and some that are made of others.
 * Write your own by filling in an oe_evaluator_vtable with **one of** two methods, as for oe_llm.
 *
 * A program that is wrong, slow or crashes is a normal outcome: record metrics or a verdict and
 * return 0. Return a negative status only if the evaluator itself broke.
 */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/llm.h"
#include "openevolve/program.h"
#include "openevolve/sandbox.h"
#include "openevolve/scheduler.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What judges programs: a backend, or one made of others. Reference-counted. */
typedef struct oe_evaluator oe_evaluator;

/** One task. Borrowed: valid until the evaluation is finished. Made by the library; append-only. */
typedef struct oe_evaluation_request {
	size_t struct_size;
	oe_program *program;           /**< its code, without evaluation                          */
	const oe_iteration *iteration; /**< NULL for an initial program or a one-off               */
	uint64_t seed;                 /**< for the random generators of the program: a hash of the
	                                    run's seed, the content and the repeat                */
	int64_t timeout_ms;            /**< from the start of the evaluation; 0: none             */
} oe_evaluation_request;

/** Methods of an evaluator; same rules as oe_llm_vtable. */
typedef struct oe_evaluator_vtable {
	size_t struct_size; /**< set by OE_EVALUATOR_VTABLE_INIT */
	const char *name;   /**< required */
	int32_t threading;  /**< enum oe_threading; evaluate() only */

	/** Judge one program. Blocking. Plugin thread, at most "evaluator.parallel_evaluations". */
	int (*evaluate)(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
	                oe_error *err);

	/**
	 * Begin to judge and return at once. `evaluation` is a handle that the evaluator owns until it
	 * calls oe_evaluation_finish(). After a negative return there is nothing to finish.
	 */
	int (*start)(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
	             oe_error *err);

	/** The result is not needed any more; finish early, here or later. The evaluation may be finished
	 *  already. Optional; start() only. Any thread. */
	void (*cancel)(void *self, oe_evaluation *evaluation);

	/** Release `self`; called once, when nothing is in flight. Default: do nothing. */
	void (*free)(void *self);

	/** What confines the programs while they are judged: JSON as of oe_sandbox_report_json(), which
	 *  lives as long as `self` and does not change. Optional; NULL: nothing does. Any thread. */
	const char *(*confinement)(void *self);
} oe_evaluator_vtable;

/** A table without methods. */
#define OE_EVALUATOR_VTABLE_INIT \
	{ sizeof(oe_evaluator_vtable), NULL, OE_THREADING_SERIAL, NULL, NULL, NULL, NULL, NULL }

/** Make an evaluator. The table is copied; `self` is owned by the result (on failure by the caller). */
OE_API OE_NODISCARD int oe_evaluator_new(const oe_evaluator_vtable *vtable, void *self,
                                         oe_evaluator **out, oe_error *err);

/**
 * Everything "evaluator.*" asks for, around an evaluator file: OpenEvolve's Python protocol for a
 * `.py` file, any other executable as a command; with its cascade and LLM feedback.
 *
 * @param scheduler referenced: its reactor waits for the children.
 * @param path      of the evaluator.
 * @param suffix    of program files, with its dot (".py").
 * @param judge     referenced; used if "evaluator.use_llm_feedback" is set; may be NULL otherwise.
 * @retval OE_ERR_EVALUATOR it cannot be loaded, or has no evaluate().
 */
OE_API OE_NODISCARD int oe_evaluator_from_config(const oe_config *config, oe_scheduler *scheduler,
                                                 const char *path, const char *suffix,
                                                 oe_llm *judge, oe_evaluator **out, oe_error *err);

/**
 * The sandbox that programs get when they are judged as "sandbox.*" and "evaluator.*" say, for tools:
 * what it guarantees, or a command of their own in it.
 *
 * @param evaluator path of the evaluator, whose directory is shown; NULL: none.
 * @retval OE_ERR_SANDBOX a required guarantee cannot be given; the message names it, and why.
 */
OE_API OE_NODISCARD int oe_sandbox_from_config(const oe_config *config, const char *evaluator,
                                               oe_sandbox **out, oe_error *err);

/** Evaluator that runs its stages in order, adds up what they find, and stops at the first miss. */
OE_API OE_NODISCARD int oe_evaluator_cascade_new(oe_evaluator **out);

/** Add a stage; referenced. A program whose score after it is below `threshold` goes no further;
 *  give minus infinity to the last one. Not after the first request. */
OE_API OE_NODISCARD int oe_evaluator_cascade_add(oe_evaluator *cascade, oe_evaluator *stage,
                                                 double threshold);

/** Evaluator that adds an LLM's opinion to what `inner` (referenced) found, as "evaluator.*" says. */
OE_API OE_NODISCARD int oe_evaluator_judge_new(const oe_config *config, oe_evaluator *inner,
                                               oe_llm *judge, oe_evaluator **out, oe_error *err);

/** Take one more reference; returns its argument. Any thread. */
OE_API oe_evaluator *oe_evaluator_ref(oe_evaluator *evaluator);
/** Drop one reference; the last one releases `self`. Any thread. Accepts NULL. */
OE_API void oe_evaluator_unref(oe_evaluator *evaluator);

/** Name of the evaluator, for messages. */
OE_API const char *oe_evaluator_name(const oe_evaluator *evaluator);

/**
 * What confines the programs that it judges: the report of oe_sandbox_report_json(). Those made of
 * others answer for what is inside of them: a cascade if all of its stages give the same answer.
 *
 * @return NULL if nothing does, or nothing is known. Borrowed; as old as the evaluator. Any thread.
 */
OE_API const char *oe_evaluator_confinement(const oe_evaluator *evaluator);

/**
 * Judge one program and wait for it; for tools, not for the hot path. Not on a thread of the
 * scheduler.
 *
 * @param timeout_ms 0: none.
 * @param out        receives a reference.
 */
OE_API OE_NODISCARD int oe_evaluator_run(oe_evaluator *evaluator, oe_program *program,
                                         uint64_t seed, int64_t timeout_ms, oe_evaluation **out,
                                         oe_error *err);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_EVALUATOR_H */
