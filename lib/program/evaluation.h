#ifndef OE__PROGRAM_EVALUATION_H
#define OE__PROGRAM_EVALUATION_H

/*
 * An evaluation: the sink that one evaluator writes to, then an immutable, counted value.
 *
 * One thread writes while it is open. oe_evaluation_finish() closes it exactly once and runs the
 * hook that the evaluator layer installed. When nobody waits any more (deadline, stop) the library
 * closes it first (abandons it) and never reads it; the plugin may go on writing without harm.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/text.h"
#include "base/value.h"
#include "openevolve/program.h"

enum oe__metric_kind {
	OE__METRIC_REAL,
	OE__METRIC_INT,  /* rendered without a point */
	OE__METRIC_BOOL, /* value 0 or 1             */
	OE__METRIC_JSON  /* anything else, as text   */
};

struct oe__metric {
	char *name;
	enum oe__metric_kind kind;
	uint32_t exact;               /* where `json` has it once more, as Python writes it: JSON has
	                                 no NaN in a list either. 0: that is the same             */
	double value;                 /* NaN for OE__METRIC_JSON                           */
	char *json;                   /* of OE__METRIC_JSON; NULL for numbers and booleans */
	char text[OE__REAL_TEXT_MAX]; /* numbers and booleans as JSON      */
};

enum oe__artifact_kind {
	OE__ARTIFACT_TEXT,
	OE__ARTIFACT_BYTES,
	OE__ARTIFACT_JSON /* a number, a list, ...: its JSON text */
};

struct oe__artifact {
	char *name;
	enum oe__artifact_kind kind;
	char *data; /* NUL-terminated behind `size` */
	size_t size;
};

enum oe__memory_source {
	OE__MEMORY_UNKNOWN,
	OE__MEMORY_PROCESS, /* of the largest process                         */
	OE__MEMORY_SAMPLED, /* of all, looked at now and then                 */
	OE__MEMORY_CGROUP   /* of all, counted by the kernel                  */
};

enum oe__start_path {
	OE__PATH_UNKNOWN,
	OE__PATH_COLD, /* a process started for this evaluation      */
	OE__PATH_WARM, /* a fork made for it                         */
	OE__PATH_SPARE /* one that was there before                  */
};

/* What oe_evaluation_usage() tells beside the times and the memory. Kept with each program: small. */
struct oe__footprint {
	uint64_t seed;
	int64_t output_bytes;   /* -1: unknown            */
	float setup_ms;         /* -1: unknown            */
	int32_t strays_killed;  /* -1: unknown            */
	uint8_t memory_source;  /* enum oe__memory_source */
	uint8_t path;           /* enum oe__start_path    */
};

#define OE__FOOTPRINT_INIT { 0, -1, -1, -1, OE__MEMORY_UNKNOWN, OE__PATH_UNKNOWN }

/* What a model was asked about the program; its usage. */
struct oe__question {
	char *model;
	int32_t requests;
	int64_t tokens_in, tokens_out; /* -1: unknown */
	double llm_ms;
	bool answered;
};

struct oe_evaluation {
	atomic_int refs;
	atomic_int state; /* open, finished, abandoned: see evaluation.c */
	atomic_bool unwanted; /* cancelled: the evaluator may stop early */
	atomic_int lent;  /* 1: a plugin holds a reference until it calls oe_evaluation_finish() */
	struct oe__metric *metrics;
	size_t metric_count, metric_capacity;
	bool packed; /* the names of the metrics lie behind them, in one piece of memory */
	struct oe__artifact *artifacts;
	size_t artifact_count, artifact_capacity, artifact_bytes;
	struct oe__question *questions;
	size_t question_count;
	int verdict;
	char *message;
	double wall_ms, cpu_ms; /* -1: unknown        */
	int64_t memory_peak;    /* bytes; -1: unknown */
	struct oe__footprint footprint;
	bool nonfinite;         /* some metric is not finite                           */
	bool reused;            /* came from an earlier evaluation of the same content */

	/* Set by the evaluator layer before the plugin sees it. The first is called once, by the
	   finisher, unless the evaluation was abandoned; the second as the evaluation is freed. */
	void (*on_finish)(oe_evaluation *evaluation, int status, const oe_error *err);
	void (*on_free)(void *owner);
	void *owner;
};

int oe__evaluation_set_int(oe_evaluation *evaluation, const char *name, int64_t value);
int oe__evaluation_set_bool(oe_evaluation *evaluation, const char *name, bool value);
int oe__evaluation_set_value(oe_evaluation *evaluation, const char *name,
							 const struct oe__value *value);
int oe__evaluation_add_artifact_kind(oe_evaluation *evaluation, const char *name,
									 enum oe__artifact_kind kind, const void *data, size_t size);
int oe__evaluation_add_question(oe_evaluation *evaluation, const struct oe__question *question);
int oe__evaluation_copy_metric(oe_evaluation *evaluation, const struct oe__metric *metric);
void oe__evaluation_clear_metrics(oe_evaluation *evaluation);  /* while open */
bool oe__evaluation_writable(const oe_evaluation *evaluation); /* open, or abandoned */
bool oe__evaluation_finished(const oe_evaluation *evaluation);

const struct oe__metric *oe__evaluation_metric(const oe_evaluation *evaluation, const char *name);
const struct oe__artifact *oe__evaluation_artifact(const oe_evaluation *evaluation,
												   const char *name);

/* Take a reference for a plugin; the next oe_evaluation_finish() gives it back, also when the
   evaluation was closed before. */
void oe__evaluation_lend(oe_evaluation *evaluation);
/* Take it back without finishing: the plugin refused to begin. */
void oe__evaluation_return(oe_evaluation *evaluation);

/* open -> finished without a hook: for values built by the library itself. */
void oe__evaluation_freeze(oe_evaluation *evaluation);

/* open -> abandoned, which makes oe_evaluation_cancelled() true. @return false if it had finished.
 */
bool oe__evaluation_abandon(oe_evaluation *evaluation);

/* Make oe_evaluation_cancelled() true; a result is still welcome. Any thread. */
void oe__evaluation_unwant(oe_evaluation *evaluation);

/* Copy metrics and artifacts of `from`, which nobody writes to any more, into an open one; later
   names win. Not the verdict. */
int oe__evaluation_merge(oe_evaluation *into, const oe_evaluation *from);

/* What the inner evaluation of a composite cost is what its own did, the time on the clock and the
   seed apart. */
void oe__evaluation_copy_usage(oe_evaluation *into, const oe_evaluation *from);

/* A verdict other than OK, or nothing that is a finite score: no metric but `error` and `timeout`,
   or a fitness that is worst whatever the others have. NULL has failed too. */
bool oe__evaluation_failed(const oe_evaluation *evaluation);

/* The value as JSON text; null for a number that is not finite, or as Python writes it. Borrowed. */
const char *oe__metric_json(const struct oe__metric *metric);
const char *oe__metric_exact(const struct oe__metric *metric);
bool oe__metric_is_number(const struct oe__metric *metric); /* neither boolean nor JSON */

/* {"name": value, ...}, and back. Numbers that are not finite are null, or what Python writes if that
   is the writer's dialect. */
void oe__evaluation_metrics_write(const oe_evaluation *evaluation, struct oe__json_writer *writer);
int oe__evaluation_metrics_read(oe_evaluation *evaluation, const struct oe__value *metrics);

OE__AUTO_POINTER(evaluation, oe_evaluation *, oe_evaluation_unref)

#endif /* OE__PROGRAM_EVALUATION_H */
