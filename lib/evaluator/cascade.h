#ifndef OE__EVALUATOR_CASCADE_H
#define OE__EVALUATOR_CASCADE_H

/*
 * Stages, one after the other, and what their ends come to in OpenEvolve's metrics and artifacts. A
 * single stage is OpenEvolve's direct evaluation. Composite: continuations, no thread waits.
 */

#include "evaluator/evaluator.h"

struct oe__cascade_options {
	bool staged;             /* name the stages in metrics and artifacts: "stage1_passed", ... */
	bool plain;              /* failures are passed on as they are: not OpenEvolve's          */
	bool artifacts;          /* "evaluator.enable_artifacts"                                  */
	size_t artifact_bytes;   /* "evaluator.max_artifact_storage"; 0: no limit of its own      */
	const char *thresholds;  /* "evaluator.cascade_thresholds" as JSON, for artifacts; copied; or NULL */
	const char *file;        /* of the evaluator, for artifacts; copied; may be NULL          */
};

int oe__cascade_new(const struct oe__cascade_options *options, oe_evaluator **out, oe_error *err);

#endif /* OE__EVALUATOR_CASCADE_H */
