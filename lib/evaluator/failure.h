#ifndef OE__EVALUATOR_FAILURE_H
#define OE__EVALUATOR_FAILURE_H

/*
 * What a failed evaluation comes to in OpenEvolve's words: the metrics and artifacts that its
 * evaluator records for each way to fail, so that prompts and records read the same. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#include "program/evaluation.h"

struct oe__failure_context {
	int stage; /* from 1; 0: the direct evaluation */
	int64_t timeout_ms;
	const char *thresholds; /* "evaluator.cascade_thresholds" as JSON; or NULL */
	const char *file;
};

/* `before`: what earlier stages found, or NULL. Writes into `out`, which is open. */
int oe__failure_describe(const struct oe__failure_context *context, const oe_evaluation *before,
                         const oe_evaluation *failed, oe_evaluation *out);

/* Did the evaluator itself report a metric `timeout` that is exactly true? */
bool oe__failure_is_own_timeout(const oe_evaluation *evaluation);

/* An artifact cut to `room` bytes, which says so. */
int oe__artifact_add_cut(oe_evaluation *evaluation, const struct oe__artifact *artifact, size_t room);

#endif /* OE__EVALUATOR_FAILURE_H */
