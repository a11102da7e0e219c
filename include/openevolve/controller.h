#ifndef OPENEVOLVE_CONTROLLER_H
#define OPENEVOLVE_CONTROLLER_H

/**
 * @file
 * The controller: runs the evolution.
 *
 *     new -> seed or resume -> step, step, ... -> free
 *
 * Threads: the thread that calls oe_controller_step() owns the controller and is the only writer of
 * the population. Every function here must be called by that thread, except where "any thread" is
 * said. Different controllers are independent. In a process that was forked from the owner's, functions
 * that return a status return OE_ERR_STATE.
 *
 * The library prints nothing, installs no signal handlers and reports only by events and status
 * codes.
 */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/evaluator.h"
#include "openevolve/hub.h"
#include "openevolve/llm.h"
#include "openevolve/population.h"
#include "openevolve/program.h"
#include "openevolve/scheduler.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run, from its initial programs to its end. */
typedef struct oe_controller oe_controller;

/** What happened. Ignore types you do not know: more may be added. */
enum oe_event_type {
	OE_EVENT_NONE = 0,
	OE_EVENT_LOG = 1,        /**< message in `text`, importance in `level`                     */
	OE_EVENT_ITERATION = 2,  /**< an iteration ended: `outcome`, `program` (may be NULL)        */
	OE_EVENT_BEST = 3,       /**< `program` is the fittest so far                              */
	OE_EVENT_MIGRATION = 4,  /**< `count` programs migrated                                     */
	OE_EVENT_CHECKPOINT = 5, /**< written to the directory in `text`                           */
	OE_EVENT_SEEDED = 6,     /**< an initial program was evaluated: `program`                   */
	OE_EVENT_PAUSED = 7,     /**< no iterations are issued for now; `text` says why            */
	OE_EVENT_CONTINUED = 8,  /**< iterations are issued again */
	OE_EVENT_DONE = 9        /**< the run ended: `stop` and `text` say why                     */
};

/** Bits of oe_controller_set_events(). */
#define OE_EVENT_BIT(type) (1u << (type))
#define OE_EVENT_ALL       0xffffffffu

/** Why a run ended. */
enum oe_stop_reason {
	OE_REASON_NONE = 0,
	OE_REASON_ITERATIONS = 1, /**< all iterations ended                        */
	OE_REASON_TARGET = 2,     /**< "target_score" was reached, or "convergence_threshold" where
	                               "early_stopping_patience" is not positive */
	OE_REASON_PATIENCE = 3,   /**< no improvement for "early_stopping_patience" */
	OE_REASON_TIME = 4,       /**< "max_time" or "budget.seconds" passed       */
	OE_REASON_REQUESTED = 5,  /**< oe_controller_stop()                        */
	OE_REASON_LLM = 6,        /**< the provider stays down, or refuses the key */
	OE_REASON_EVALUATOR = 7,  /**< the evaluator is not usable                 */
	OE_REASON_STORE = 8,      /**< the run's directory cannot be written       */
	OE_REASON_BUDGET = 9      /**< some "budget.*" is used up; of "budget.seconds" it is OE_REASON_TIME */
};

/** One event. Borrowed: valid until the next step. Append-only. */
typedef struct oe_event {
	size_t struct_size;
	int32_t type;                  /**< enum oe_event_type                                    */
	int32_t level;                 /**< of OE_EVENT_LOG: 0 error, 1 warning, 2 info, 3 debug  */
	int64_t iteration;             /**< its number; 0 if the event is not about one */
	int32_t attempt;               /**< of the iteration, from 0 */
	int32_t island;                /**< or OE_ISLAND_ALL                                      */
	int32_t outcome;               /**< enum oe_outcome, of OE_EVENT_ITERATION                */
	int32_t stop;                  /**< enum oe_stop_reason, of OE_EVENT_DONE                 */
	int64_t count;                 /**< of OE_EVENT_MIGRATION */
	oe_program *program;           /**< or NULL                                           */
	oe_program *parent;            /**< of OE_EVENT_ITERATION                             */
	const char *text;              /**< never NULL                                        */
	const char *model;             /**< that answered; ""                                 */
	double llm_ms, evaluation_ms;  /**< how long they took; negative if they did not happen */
	int64_t tokens_in, tokens_out; /**< negative if unknown                     */
} oe_event;

/** How hard oe_controller_stop() stops. Each is a step further than the one before. */
enum oe_stop {
	OE_STOP_DRAIN = 0,  /**< issue nothing new, let everything under way end                     */
	OE_STOP_CANCEL = 1, /**< cancel LLM calls; evaluations get min("evaluator.grace", 5 s)        */
	OE_STOP_KILL = 2    /**< kill evaluations too; what is unfinished goes on at resume           */
};

/** Numbers of a run. Filled in by the library; append-only. */
typedef struct oe_statistics {
	size_t struct_size;
	int64_t issued, ended; /**< iterations of the run, over all sessions     */
	int64_t outcomes[16];  /**< theirs, by enum oe_outcome                   */
	/** Questions, now and of this session, and requests that this session sent for them. */
	int64_t llm_in_flight, llm_requests, llm_attempts;
	int64_t tokens_in, tokens_out; /**< of this session, as the providers count them */
	int64_t evaluations_in_flight, evaluations_queued; /**< now */
	/** Of this session. Those that timed out or failed are finished too; none is both. */
	int64_t evaluations_started, evaluations_finished, evaluations_timed_out, evaluations_failed;
	int64_t programs, archive;            /**< live, and archived                           */
	double elapsed_s;                     /**< of this session                              */
	double best_fitness, initial_fitness; /**< NaN when there is none                    */
	int64_t best_iteration; /**< that made the best program; 0 if it is an initial one */
	/** Iterations that ended since the last improvement of this session, or since it began. */
	int64_t since_best;
	int64_t next_migration; /**< island generations until then; -1 if never   */
	/** Number that `ended` goes to: "max_iterations", and those of before a checkpoint; -1: no end. */
	int64_t iterations_max;
	/** What counts for the budget, over all sessions: used, and of that what nobody has told the exact figure
	 *  of (yet). A run counts from the first session that has "budget.tokens", "budget.cost_usd" or
	 *  "budget.prices"; until then these are 0, and the cost is NaN. */
	int64_t budget_tokens, budget_tokens_unsettled;
	double budget_cost_usd;       /**< of requests that have a price; 0 if there are no prices */
	int64_t budget_unpriced;      /**< requests that have none; all, if there are no prices    */
	int64_t budget_evaluations;   /**< of all sessions, always counted                         */
} oe_statistics;

/**
 * Make a controller.
 *
 * @param config    copied.
 * @param scheduler referenced; NULL makes one of its own.
 * @param llm       referenced; NULL makes one from the options "llm.*".
 * @param evaluator referenced; required.
 * @param directory of the run, made if needed: run.db, best/, checkpoints/. NULL keeps everything in
 *                  memory.
 * @param out       yours; free with oe_controller_free().
 * @retval OE_ERR_STATE  another process runs in this directory.
 * @retval OE_ERR_CONFIG the options contradict each other, or a file that they name is not right.
 * @retval OE_ERR_IO     the directory, or its run.db, cannot be written.
 * @retval OE_ERR_FORMAT there is a run.db that is none, or is damaged, or has lost its end: a checkpoint
 *                       of the run knows of more. Nothing was changed then.
 * @retval OE_ERR_VERSION there is one of a later version.
 */
OE_API OE_NODISCARD int oe_controller_new(const oe_config *config, oe_scheduler *scheduler,
                                          oe_llm *llm, oe_evaluator *evaluator,
                                          const char *directory, oe_controller **out,
                                          oe_error *err);

/** Stop hard, wait for what cannot be stopped (bounded), free; what is open goes on at resume. Accepts
 *  NULL; does nothing in a process that was forked from the owner's. */
OE_API void oe_controller_free(oe_controller *controller);

/**
 * Give an initial program; it is evaluated by the first steps, whatever evaluation it carries. Before the
 * first step. Several are spread over the islands, in the order in which they were given; a run that ends
 * before all of them were evaluated has not begun.
 *
 * @param program referenced.
 * @retval OE_ERR_STATE  the run has begun, or the directory holds one already: resume that.
 * @retval OE_ERR_FORMAT what is in the directory cannot be read.
 */
OE_API OE_NODISCARD int oe_controller_seed(oe_controller *controller, oe_program *program,
                                           oe_error *err);

/**
 * Does the controller's own directory hold a run that oe_controller_resume() can continue? One that
 * came to an end before its first program was accepted is none. Before the first step.
 *
 * @return 1 or 0, or negative: OE_ERR_FORMAT if what is there cannot be read.
 */
OE_API OE_NODISCARD int oe_controller_has_run(oe_controller *controller, oe_error *err);

/**
 * Continue instead of seeding. Before the first step.
 *
 * @param checkpoint a checkpoint directory, ours or OpenEvolve's; NULL: the run in the controller's
 *                   own directory, from its log, unfinished iterations included.
 * @retval OE_ERR_STATE  there is no run to continue; or, with a checkpoint, there is one already; or this one
 *                       has begun.
 * @retval OE_ERR_FORMAT it cannot be read, or the checkpoint has no programs.
 * @retval OE_ERR_CONFIG an option that decides what the hub does differs from the run's, or "store.backend" is
 *                       not `directory`, and there is nothing to go on from.
 * @retval OE_ERR_IO     there is no such checkpoint, or its copy cannot be written.
 */
OE_API OE_NODISCARD int oe_controller_resume(oe_controller *controller, const char *checkpoint,
                                             oe_error *err);

/** Extension of program files, with its dot; for best/ and checkpoints. Default ".py".
 *  @retval OE_ERR_STATE the run has begun. */
OE_API OE_NODISCARD int oe_controller_set_extension(oe_controller *controller,
                                                    const char *extension);

/**
 * Keep a text with the run, such as where its program came from: oe_run_property() gives it under
 * "user.NAME". Without a directory it is dropped. Thread of the controller.
 *
 * @retval OE_ERR_STATE the run has ended.
 */
OE_API OE_NODISCARD int oe_controller_set_property(oe_controller *controller, const char *name,
                                                   const char *value);

/** Which event types step() reports: OE_EVENT_BIT()s. OE_EVENT_DONE always is. */
OE_API void oe_controller_set_events(oe_controller *controller, uint32_t mask);

/**
 * Do the work that is ready and return the next event.
 *
 * @param timeout_ms how long to wait for one: 0 polls, -1 waits for ever.
 * @return 1 and an event; 0 if none came in time; a negative status if the run cannot go on.
 *         After OE_EVENT_DONE, always 0.
 * @retval OE_ERR_STATE it was neither seeded nor resumed.
 */
OE_API OE_NODISCARD int oe_controller_step(oe_controller *controller, int64_t timeout_ms,
                                           const oe_event **event, oe_error *err);

/**
 * Step until OE_EVENT_DONE, discarding events.
 *
 * @return enum oe_stop_reason, or a negative status.
 */
OE_API OE_NODISCARD int oe_controller_run(oe_controller *controller, oe_error *err);

/** A descriptor that is readable exactly when step(0) can make progress. Poll it; never read it. */
OE_API int oe_controller_fd(const oe_controller *controller);

/** Ask the run to end (enum oe_stop). Returns at once; OE_EVENT_DONE follows. Any thread, any number
 *  of times; safe in a signal handler. */
OE_API void oe_controller_stop(oe_controller *controller, int how);

/** Issue no more iterations until oe_controller_continue(). Any thread. */
OE_API void oe_controller_pause(oe_controller *controller);
OE_API void oe_controller_continue(oe_controller *controller);

/** Add a program from outside: it is evaluated, then joins the population; one that comes when the run is
 *  ending is dropped. Referenced. Any thread. */
OE_API OE_NODISCARD int oe_controller_inject(oe_controller *controller, oe_program *program);

/** The population as it is now, a reference of your own. Costs a copy of pointers, not of programs. */
OE_API OE_NODISCARD int oe_controller_population(oe_controller *controller, oe_population **out);

/** Where the run stands. Set `struct_size` before the call. */
OE_API OE_NODISCARD int oe_controller_statistics(oe_controller *controller, oe_statistics *out);

/**
 * Write a checkpoint now (checkpoints/checkpoint_N, where N iterations have ended): complete, or not there at
 * all. It is written by a worker; OE_EVENT_CHECKPOINT follows, or OE_EVENT_LOG if it cannot be written. While
 * another one is being written it waits for that. The one that the run began with stays as it is.
 *
 * @retval OE_ERR_STATE the run is kept in memory only.
 */
OE_API OE_NODISCARD int oe_controller_checkpoint(oe_controller *controller, oe_error *err);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_CONTROLLER_H */
