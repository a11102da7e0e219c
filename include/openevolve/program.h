#ifndef OPENEVOLVE_PROGRAM_H
#define OPENEVOLVE_PROGRAM_H

/**
 * @file
 * Programs, the individuals that evolve, and what an evaluator found out about them.
 *
 * A program is immutable once made and reference-counted atomically: any number of threads may
 * read it at the same time without locks. Getters return borrowed pointers that live as long as
 * the object.
 */

#include "openevolve/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Source text with an identity, a lineage, and maybe an evaluation. */
typedef struct oe_program oe_program;

/**
 * Metrics and artifacts of one program. While an evaluator works it is the sink that the evaluator
 * writes to; from then on it never changes.
 */
typedef struct oe_evaluation oe_evaluation;

/** How an evaluation ended. Values are part of the ABI. */
enum oe_verdict {
	OE_VERDICT_OK = 0,
	OE_VERDICT_EXITED = 1,              /**< the child left with an exit status, without a result */
	OE_VERDICT_SIGNALLED = 2,           /**< the child was ended by a signal of its own making    */
	OE_VERDICT_WALL_TIMEOUT = 3,        /**< it was still running at its deadline */
	OE_VERDICT_CPU_TIMEOUT = 4,         /**< it used up its CPU time */
	OE_VERDICT_MEM_LIMIT = 5,           /**< it wanted more memory than it may have */
	OE_VERDICT_OUTPUT_LIMIT = 6,        /**< it wrote without end to stdout or stderr: 256 MiB */
	OE_VERDICT_DISK_LIMIT = 7,          /**< it wrote too much to files */
	OE_VERDICT_PROC_LIMIT = 8,          /**< it raised because it may not have more processes */
	OE_VERDICT_SYSCALL_KILLED = 9,      /**< it made a system call that is not allowed */
	OE_VERDICT_NO_RESULT = 10,          /**< ended quietly, but never gave a result               */
	OE_VERDICT_BAD_RESULT = 11,         /**< a result of the wrong shape or type                  */
	OE_VERDICT_NONFINITE = 12,          /**< no finite score                                      */
	OE_VERDICT_PROTOCOL_VIOLATION = 13, /**< a forged, repeated or oversized result          */
	OE_VERDICT_EXCEPTION = 14,          /**< the evaluator raised                                 */
	OE_VERDICT_SANDBOX_ERROR = 15,      /**< our side failed: the same attempt is worth repeating */
	OE_VERDICT_CANCELLED = 16           /**< its result was not needed any more */
};

/** Stable name of a verdict ("wall_timeout"); "unknown" for a value that is not known. */
OE_API const char *oe_verdict_name(int verdict);

/* ---- programs ---- */

/**
 * Make a program from source text, which is copied.
 *
 * @param language fence and record language ("python"); NULL guesses nothing and stores "".
 * @retval OE_ERR_LIMIT the code is larger than 64 MiB.
 * @retval OE_ERR_INVALID the code is not valid UTF-8.
 */
OE_API OE_NODISCARD int oe_program_new(const char *code, size_t size, const char *language,
                                       oe_program **out);

/**
 * The same program with what an evaluator found: code is shared, the identifier stays.
 *
 * @param evaluation referenced; must be finished.
 */
OE_API OE_NODISCARD int oe_program_evaluated(const oe_program *program, oe_evaluation *evaluation,
                                             oe_program **out);

/** Take one more reference; returns its argument. Any thread. */
OE_API oe_program *oe_program_ref(oe_program *program);

/** Drop one reference; the last one frees the program. Any thread. */
OE_API void oe_program_unref(oe_program *program);

/** Unique identifier (a UUID), stable across checkpoints. */
OE_API const char *oe_program_id(const oe_program *program);

/** Identifier of the parent (of the original, for a migrant), or NULL for an initial program. */
OE_API const char *oe_program_parent_id(const oe_program *program);

/** Source text; the bytes are also NUL-terminated. */
OE_API oe_bytes oe_program_code(const oe_program *program);

/** SHA-256 of the source text, as 64 hexadecimal digits. */
OE_API const char *oe_program_content_hash(const oe_program *program);

/** Language of the source text, or "". */
OE_API const char *oe_program_language(const oe_program *program);

/** Number of ancestors. */
OE_API int64_t oe_program_generation(const oe_program *program);

/** Iteration that made it; 0 for an initial program. */
OE_API int64_t oe_program_iteration(const oe_program *program);

/** Island it lives on, or -1 if it was never in a hub. */
OE_API int32_t oe_program_island(const oe_program *program);

/** Nonzero if it is a copy made by migration. */
OE_API int oe_program_is_migrant(const oe_program *program);

/** When the record was made, in seconds since 1970. */
OE_API double oe_program_timestamp(const oe_program *program);

/** One or more lines about what changed against the parent; "" if unknown. */
OE_API const char *oe_program_changes(const oe_program *program);

/**
 * The number that selection maximises: the metric "combined_score" if it reads as a number, else
 * the mean of the numeric metrics (without feature dimensions, `error`, `timeout` and booleans).
 * Minus infinity when that is not finite; 0 without metrics; NaN before evaluation.
 */
OE_API double oe_program_fitness(const oe_program *program);

/** What the evaluator found, or NULL before evaluation. */
OE_API const oe_evaluation *oe_program_evaluation(const oe_program *program);

/** Shorthand for the evaluation's; 0 and NULL before evaluation. */
OE_API size_t oe_program_metric_count(const oe_program *program);
OE_API const char *oe_program_metric_at(const oe_program *program, size_t index, double *value);
OE_API size_t oe_program_artifact_count(const oe_program *program);
OE_API const char *oe_program_artifact_at(const oe_program *program, size_t index,
                                          oe_bytes *content);

/* ---- evaluations: reading ---- */

/** Take one more reference, which is returned; drop one. Any thread. */
OE_API oe_evaluation *oe_evaluation_ref(oe_evaluation *evaluation);
OE_API void oe_evaluation_unref(oe_evaluation *evaluation);

/** enum oe_verdict. */
OE_API int oe_evaluation_verdict(const oe_evaluation *evaluation);

/** One sentence about a verdict other than OK, or "". */
OE_API const char *oe_evaluation_message(const oe_evaluation *evaluation);

/** Why it gives the program no score: the message, or what its metrics lack ("its combined_score is not
 *  finite"). "" if it gives one. */
OE_API const char *oe_evaluation_problem(const oe_evaluation *evaluation);

/** Wall and CPU time of the evaluation itself in milliseconds, without waiting, and until it ended or was
 *  ended: what is left of it after a deadline takes time that is not its own. -1 if unknown. */
OE_API double oe_evaluation_wall_ms(const oe_evaluation *evaluation);
OE_API double oe_evaluation_cpu_ms(const oe_evaluation *evaluation);

/** What a process cost, and how it came about. Made by the library; append-only. */
typedef struct oe_usage {
	size_t struct_size;
	double wall_ms, cpu_ms;    /**< without waiting for a turn, until its end; -1: unknown      */
	double setup_ms;           /**< from the request to the first instruction; -1: unknown      */
	int64_t memory_peak;       /**< bytes; -1: unknown                                          */
	const char *memory_source; /**< "cgroup": exact, of all processes; "sampled": of all, now and
	                                then; "process": of the largest one; NULL: unknown         */
	int64_t strays_killed;     /**< processes that outlived the first one; -1: unknown          */
	int64_t output_bytes;      /**< written to stdout and stderr, kept or not; -1: unknown      */
	const char *path;          /**< "cold": started for this; "warm": forked for this; "spare":
	                                forked and confined in advance; NULL: unknown              */
	uint64_t seed;             /**< what its random generators were told; 0 where there is none */
} oe_usage;

/** What the evaluation cost. @param usage its `struct_size` is set by the caller. */
OE_API void oe_evaluation_usage(const oe_evaluation *evaluation, oe_usage *usage);

/** Number of metrics, those that are no numbers included. */
OE_API size_t oe_evaluation_metric_count(const oe_evaluation *evaluation);

/**
 * Metric at `index`, in the order the evaluator gave them.
 *
 * @param value may be NULL; NaN for a metric that is not a number.
 * @return its name, or NULL past the end.
 */
OE_API const char *oe_evaluation_metric_at(const oe_evaluation *evaluation, size_t index,
                                           double *value);

/** The metric as JSON text ("0.5", "true", "\"text\"", "[1,2]"), or NULL past the end. */
OE_API const char *oe_evaluation_metric_json(const oe_evaluation *evaluation, size_t index);

/** Number of artifacts. */
OE_API size_t oe_evaluation_artifact_count(const oe_evaluation *evaluation);

/** Artifact at `index`, in order. @return its name, or NULL past the end. */
OE_API const char *oe_evaluation_artifact_at(const oe_evaluation *evaluation, size_t index,
                                             oe_bytes *content);

/* ---- evaluations: writing, for evaluators ---- */

/** An empty evaluation that is still open, for programs that are judged outside of an evaluator. */
OE_API OE_NODISCARD int oe_evaluation_new(oe_evaluation **out);

/**
 * Record a metric; a repeated name replaces the value. Raw values, never bin indices. Values that
 * are not finite are kept, flagged, and never rank above a finite one.
 *
 * @retval OE_ERR_STATE the evaluation was finished already.
 * @retval OE_ERR_LIMIT too many metrics, or too long a name.
 */
OE_API OE_NODISCARD int oe_evaluation_set_metric(oe_evaluation *evaluation, const char *name,
                                                 double value);

/** The same for a value that is no number: booleans, texts, lists, as JSON. */
OE_API OE_NODISCARD int oe_evaluation_set_metric_json(oe_evaluation *evaluation, const char *name,
                                                      const char *json);

/** Attach named bytes (compiler output, a profile); they are copied. A repeated name replaces. */
OE_API OE_NODISCARD int oe_evaluation_add_artifact(oe_evaluation *evaluation, const char *name,
                                                   const void *data, size_t size);

/** Say how it ended, when not well. `message` is copied; may be NULL. */
OE_API OE_NODISCARD int oe_evaluation_set_verdict(oe_evaluation *evaluation, int verdict,
                                                  const char *message);

/**
 * End an evaluation that was begun by `start()` or oe_evaluation_new(). The first call wins, later
 * ones do nothing. Any thread. The caller's handle (that of `start()`) is given back by this call.
 *
 * @param status 0, or a negative status if the evaluator itself broke.
 */
OE_API void oe_evaluation_finish(oe_evaluation *evaluation, int status, const oe_error *err);

/** Nonzero once nobody waits for the result any more: cancelled, or past its deadline. Any thread. */
OE_API int oe_evaluation_cancelled(const oe_evaluation *evaluation);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_PROGRAM_H */
