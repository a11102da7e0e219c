#ifndef OE__EVALUATOR_COMMAND_INTERNAL_H
#define OE__EVALUATOR_COMMAND_INTERNAL_H

/* What command.c (the evaluator and its sandbox) and command_run.c (one evaluation) share. */

#include "evaluator/command.h"
#include "llm/teardown.h"
#include "sandbox/sandbox.h"
#include "scheduler/scheduler.h"

struct oe__command_evaluator {
	struct oe__teardown teardown;
	oe_scheduler *scheduler;
	struct oe__reactor *reactor;
	char **arguments; /* NULL-terminated; a further place is kept for each evaluation */
	size_t argument_count;
	char *directory, *suffix, *temporary;
	char **variables; /* NULL-terminated; OE__COMMAND_OWN places are kept for each evaluation */
	size_t variable_count;
	size_t output_max;
	struct oe__limits limits;
	struct oe__policy policy;
	bool confines; /* there is a policy */
	char *report;  /* JSON */

	/* Reactor thread. */
	struct oe__sandbox *sandbox; /* made by the first evaluation */
	struct oe__watch *sandbox_watch;
	struct oe__command_run *runs; /* under way */
	int64_t next_scratch;
};

#define OE__COMMAND_OWN 4 /* OE_RESULT_FD, OE_SEED, TMPDIR, HOME */

/* command.c: the sandbox is there. Reactor thread. */
int oe__command_evaluator_need_sandbox(struct oe__command_evaluator *command, oe_error *err);

/* command_run.c: the evaluator's methods. Any thread. */
int oe__command_evaluate(void *self, const oe_evaluation_request *request,
                         oe_evaluation *evaluation, oe_error *err);
void oe__command_evaluator_cancel(void *self, oe_evaluation *evaluation);

#endif /* OE__EVALUATOR_COMMAND_INTERNAL_H */
