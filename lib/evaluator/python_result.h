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
#include "sandbox/ending.h"

struct oe__child_end {
	bool timed_out, cancelled, lost; /* our doing, or the fork server's end    */
	char lost_because[256];          /* what is known of it                    */
	bool exited;                     /* `status` as of waitpid() is known      */
	int status;
	enum oe__limit limit;     /* it was killed for that                 */
	uint32_t oom_kills;       /* of its control group                   */
	struct oe__limits limits; /* what it might have, for the sentence   */
	double cpu_ms;
	double wall_ms; /* until it ended, or was ended; -1: it has not */
	int64_t memory_peak;
	int64_t timeout_ms;
	struct oe__footprint footprint; /* but for the seed */
};

/* Of a child that has just been started. */
#define OE__CHILD_END_INIT(timeout) \
	{ .cpu_ms = -1, \
	  .wall_ms = -1, \
	  .memory_peak = -1, \
	  .timeout_ms = (timeout), \
	  .footprint = OE__FOOTPRINT_INIT }

/* One frame: eight bytes of length, little-endian, and JSON. */
enum oe__frame_state { OE__FRAME_NONE, OE__FRAME_PART, OE__FRAME_WHOLE, OE__FRAME_BAD };
enum oe__frame_state oe__frame_look(const struct oe__buffer *bytes, const char **json, size_t *size);

/* Write everything into an open evaluation: metrics, artifacts, verdict with its sentence. */
int oe__python_result(oe_evaluation *evaluation, const struct oe__buffer *bytes,
                      const struct oe__output *output, const struct oe__child_end *end);

/* ---- what evaluators of any kind share ---- */

/* Metrics, a map, and artifacts, a map or NULL; numbers that were tagged become numbers in them. Too
   many of them: a verdict that says so. */
int oe__result_add(oe_evaluation *evaluation, struct oe__value *metrics, struct oe__value *artifacts);

/* Did we stop it: cancelled, at its deadline, or at a limit? Then what it wrote does not count. */
bool oe__result_is_stopped(const struct oe__child_end *end);

/* The verdict of such a one. */
int oe__result_stopped(oe_evaluation *evaluation, const struct oe__child_end *end);

/* The verdict of one that gave no result. */
int oe__result_silent_end(oe_evaluation *evaluation, const struct oe__child_end *end);

/* A score that is not finite is a verdict. For the result of a whole evaluation, not of a stage. */
int oe__result_check_score(oe_evaluation *evaluation);

#define OE__VERDICT_ARTIFACT "verdict"

/* A verdict becomes the artifact of that name: "mem_limit: it wanted ...", for the next prompt. */
int oe__result_add_verdict(oe_evaluation *evaluation);

/* What it cost, its verdict and what a failed one printed. `status` is that of the verdict, and comes back. */
int oe__result_finish(oe_evaluation *evaluation, int status, const struct oe__output *output,
                      const struct oe__child_end *end);

#endif /* OE__EVALUATOR_PYTHON_RESULT_H */
