#ifndef OE__EVALUATOR_PYTHON_RESULT_H
#define OE__EVALUATOR_PYTHON_RESULT_H

/*
 * What came of one child: its frame, its output, how it ended, put into an evaluation. Pure; the
 * bytes come from a process that may be hostile.
 */

#include <stdbool.h>

#include "base/buffer.h"
#include "base/output.h"
#include "base/value.h"
#include "program/evaluation.h"

struct oe__child_end {
	bool timed_out, cancelled, lost; /* our doing, or the fork server's end    */
	bool exited;                     /* `status` as of waitpid() is known      */
	int status;
	int exceeded;                    /* enum oe__total that it had too much of */
	double cpu_ms, wall_ms;
	int64_t memory_peak;
	int64_t timeout_ms;
};

/* One frame: eight bytes of length, little-endian, and JSON. */
enum oe__frame_state { OE__FRAME_NONE, OE__FRAME_PART, OE__FRAME_WHOLE, OE__FRAME_BAD };
enum oe__frame_state oe__frame_look(const struct oe__buffer *bytes, const char **json, size_t *size);

/* Write everything into an open evaluation: metrics, artifacts, verdict with its sentence. */
int oe__python_result(oe_evaluation *evaluation, const struct oe__buffer *bytes,
                      const struct oe__output *output, const struct oe__child_end *end);

/* ---- what evaluators of any kind share ---- */

/* Metrics, a map, and artifacts, a map or NULL. Too many of them: a verdict that says so. */
int oe__result_add(oe_evaluation *evaluation, const struct oe__value *metrics,
                   const struct oe__value *artifacts);

/* The verdict of one that we stopped: timed out, or cancelled. */
int oe__result_stopped(oe_evaluation *evaluation, const struct oe__child_end *end);

/* The verdict of one that gave no result; `status` as of waitpid(). */
int oe__result_silent_end(oe_evaluation *evaluation, int status);

/* Timings, and what a failed one printed. `status` is that of the verdict, and comes back. */
int oe__result_finish(oe_evaluation *evaluation, int status, const struct oe__output *output,
                      const struct oe__child_end *end);

#endif /* OE__EVALUATOR_PYTHON_RESULT_H */
