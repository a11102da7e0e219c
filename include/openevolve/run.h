#ifndef OPENEVOLVE_RUN_H
#define OPENEVOLVE_RUN_H

/**
 * @file
 * Reading a run, finished or live: the log in run.db, one row per iteration, every program ever
 * made, prompts and answers.
 *
 * A run is opened read-only and never disturbs the process that writes it. One object, one thread
 * at a time.
 *
 * Whatever reads it returns OE_ERR_FORMAT where run.db is damaged, and OE_ERR_IO where it cannot be read.
 */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/evaluator.h"
#include "openevolve/population.h"
#include "openevolve/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A run's log, opened for reading. */
typedef struct oe_run oe_run;

/** One iteration as the log has it. Borrowed: valid until the next call on the run. Append-only. */
typedef struct oe_run_iteration {
	size_t struct_size;
	int64_t number;                /**< from 1 */
	int32_t attempt;               /**< from 0 */
	int32_t island;                /**< that it was sampled on */
	int32_t outcome;               /**< enum oe_outcome, or -1 while it is open           */
	const char *parent_id;         /**< of the sample */
	const char *program_id;        /**< or NULL                                            */
	const char *message;           /**< what went wrong, or ""                             */
	const char *model;             /**< or ""                                              */
	const char *answer;            /**< or NULL; answer_size bytes, NUL-terminated         */
	size_t answer_size;            /**< bytes */
	int64_t tokens_in, tokens_out; /**< -1 if unknown                               */
	int32_t llm_attempts;          /**< requests sent */
	double llm_ms, evaluation_ms;  /**< -1 if they did not happen                   */
	double started, ended;         /**< seconds since 1970; 0 while not             */
} oe_run_iteration;

/** Open the run in `directory` (the one that holds run.db).
 *  @retval OE_ERR_STATE  there is no run in it, or nothing has begun there yet.
 *  @retval OE_ERR_FORMAT run.db is damaged.
 *  @retval OE_ERR_VERSION it was made by a newer version. */
OE_API OE_NODISCARD int oe_run_open(const char *directory, oe_run **out, oe_error *err);
OE_API void oe_run_close(oe_run *run);

/** Is the run in `directory` complete? Reads all of run.db, as whoever needs it would, and plays its log,
 *  which has to lead where it led. Also while it is being written. docs/replay.md says what that vouches
 *  for. Where nothing has begun yet nothing is missing.
 *  @retval OE_ERR_FORMAT  it is not; `err` has the first thing that is wrong.
 *  @retval OE_ERR_STATE   there is no run.db in it.
 *  @retval OE_ERR_VERSION it was made by a newer version. */
OE_API OE_NODISCARD int oe_run_verify(const char *directory, oe_error *err);

/**
 * A property of the run. Where there were several sessions, it is that of the last one.
 *
 *     state         running, finished (a rule or a budget ended it), stopped, or interrupted: it was
 *                   running, and its process is gone
 *     reason        why it ended, as in enum oe_stop_reason: "iterations", "target" ...; "" while it has not
 *     reason_text   the sentence with it, or "": of the last session that ended
 *     started       when the session began: 2026-01-31T12:00:00.000Z
 *     config        YAML of what was set, no secrets
 *     language      of its programs
 *     extension     of their files, with its dot
 *     evaluator     name of the evaluator, as of oe_evaluator_name()
 *     sandbox       what confined the evaluations: JSON of oe_evaluator_confinement(), or ""
 *     archive_hash  of oe_population_hash() as it ended; "" of one that has not, or was interrupted
 *     run           identifier, drawn as it was made; its checkpoints bear it
 *     checkpoint    name of the checkpoint in its checkpoints/ that it began with; unknown if with none
 *     user.NAME     as of oe_controller_set_property(); oe sets user.program and user.evaluator, the files
 *                   that it was given
 *
 * Other names are the library's own, and may change.
 *
 * @return borrowed until the next call; NULL if unknown, and where run.db cannot be read.
 */
OE_API const char *oe_run_property(oe_run *run, const char *name);

/** The same, for who has to know which of the two it is: `*out` is borrowed until the next call.
 *  @return 1, 0 if it is unknown (NULL), or a status: OE_ERR_FORMAT if run.db is damaged. */
OE_API OE_NODISCARD int oe_run_get_property(oe_run *run, const char *name, const char **out,
                                            oe_error *err);

/** The numbers of `oe status`, as one JSON object; free with oe_run_free_text(). "archive_hash" is that of
 *  oe_population_hash() as the run ended; null of one that has not, or was interrupted: then it is to be had
 *  by oe_run_population(). */
OE_API OE_NODISCARD int oe_run_status_json(oe_run *run, char **out, oe_error *err);
OE_API void oe_run_free_text(char *text);

/** The live population, rebuilt from the log. */
OE_API OE_NODISCARD int oe_run_population(oe_run *run, oe_population **out, oe_error *err);

/** Write the live population as a checkpoint, as the run itself does: oe_population_save(), with the answers
 *  that made the programs where "database.log_prompts" wants them.
 *  @retval OE_ERR_STATE  also: the run's own directory is what would be replaced, or lies in it. */
OE_API OE_NODISCARD int oe_run_export(oe_run *run, const char *directory, oe_error *err);

/** A program by identifier or unique prefix, evicted ones included; or "best", "initial".
 *  @retval OE_ERR_INVALID no such program, or the prefix is ambiguous. */
OE_API OE_NODISCARD int oe_run_program(oe_run *run, const char *name, oe_program **out,
                                       oe_error *err);

/** The iteration with this number (its last attempt). @return 1, 0 if there is none, or a status. */
OE_API OE_NODISCARD int oe_run_iteration_at(oe_run *run, int64_t number, oe_run_iteration *out,
                                            oe_error *err);

/** Walk over all programs in order of their making, without artifacts: `cursor` starts at 0.
 *  @return 1 and a reference, 0 at the end, or a status. */
OE_API OE_NODISCARD int oe_run_next_program(oe_run *run, int64_t *cursor, oe_program **out,
                                            oe_error *err);

/** What came of repeating a run. Append-only. */
typedef struct oe_run_repetition {
	size_t struct_size;
	int64_t iterations;   /**< that had ended, each attempt counts               */
	int64_t prompts;      /**< rendered again                                    */
	int64_t answers;      /**< read and applied again                            */
	int64_t evaluations;  /**< judged again; 0 without an evaluator              */
	int64_t differences;  /**< of all these, how many came out differently       */
	char difference[256]; /**< the first of them, in a sentence; or ""           */
	char hash[65];        /**< of the archive that was reached, as of oe_population_hash(); "" if it
	                           could not be                                      */
	int32_t compared;     /**< nonzero: with what the run noted of it as it ended, or with a checkpoint
	                           of the same moment                                                     */
} oe_run_repetition;

/**
 * Repeat a run from its log: each sample is drawn again, each prompt rendered, each answer read and
 * applied, and each decision made. All has to come out as it did, and lead to the same archive: to that
 * of which the run noted the hash as it ended, and to that of the checkpoint that it wrote then.
 *
 * @param evaluator NULL: evaluations are as they were recorded. Else programs are judged again, and what
 *                  the search goes by has to be the same: fitness and feature dimensions. Borrowed.
 * @param jobs      evaluations at a time; 0: as the run's configuration says.
 * @return 0, whatever came out.
 * @retval OE_ERR_FORMAT    the log is damaged.
 * @retval OE_ERR_EVALUATOR the evaluator itself failed.
 */
OE_API OE_NODISCARD int oe_run_replay(oe_run *run, oe_evaluator *evaluator, int32_t jobs,
                                      oe_run_repetition *out, oe_error *err);

/** The exact prompt of an attempt of an iteration, rendered again from its sample and proven by its hash (or
 *  read, with "store.prompts: full"). One that nobody answered has no hash: it is rendered as the session
 *  asked that ended it. Free both with oe_run_free_text().
 *  @param attempt from 0; -1: the last one, which is that of oe_run_iteration_at().
 *  @retval OE_ERR_INVALID there is no such iteration, or attempt.
 *  @retval OE_ERR_FORMAT  the rendered text does not have the recorded hash. */
OE_API OE_NODISCARD int oe_run_prompt(oe_run *run, int64_t number, int32_t attempt, char **system,
                                      char **user, oe_error *err);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_RUN_H */
