#ifndef OE__EVALUATOR_COMMAND_H
#define OE__EVALUATOR_COMMAND_H

/*
 * An evaluator that is any executable. It gets the path of the program as its last argument and
 * writes its result as JSON to the descriptor named in OE_RESULT_FD: {"metrics": {...},
 * "artifacts": {...}}, or just the metrics. An exit status other than 0 is a failed evaluation. Each
 * evaluation is a process tree of its own under the spawner.
 */

#include <stddef.h>
#include <stdint.h>

#include "evaluator/policy.h"
#include "openevolve/evaluator.h"
#include "sandbox/protocol.h"

struct oe__command_evaluator_options {
	const char *const *arguments; /* a program's path and words; NULL-terminated; the path of the
	                                 program to evaluate comes behind them */
	const char *directory; /* where it runs                        */
	const char *suffix;    /* of program files, with its dot       */
	const char *temporary; /* where the scratch directory goes     */
	const char *const *variables; /* NULL-terminated               */
	size_t output_max;     /* bytes of output that are kept        */
	struct oe__limits limits;
	struct oe__policy *policy; /* moved into the evaluator; NULL: nothing is confined */
};

/* Copies the options; references the scheduler. */
int oe__command_evaluator_new(const struct oe__command_evaluator_options *options,
                              oe_scheduler *scheduler, oe_evaluator **out, oe_error *err);

#endif /* OE__EVALUATOR_COMMAND_H */
