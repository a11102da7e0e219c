#ifndef OE__LLM_COMMAND_INTERNAL_H
#define OE__LLM_COMMAND_INTERNAL_H

/* What command.c (the backend and its sandbox) and command_run.c (one question) share. */

#include "llm/command.h"
#include "llm/teardown.h"
#include "sandbox/sandbox.h"
#include "scheduler/scheduler.h"

struct oe__command {
	struct oe__teardown teardown;
	oe_scheduler *scheduler;
	struct oe__reactor *reactor;
	char *name, *directory, *temporary;
	char **arguments,
		**variables; /* NULL-terminated; two places are kept for each question's own */
	size_t variable_count;
	int64_t timeout_ms;
	size_t response_max;
	/* Reactor thread. */
	struct oe__sandbox *sandbox; /* made by the first question */
	struct oe__watch *sandbox_watch;
};

/* command.c: the sandbox is there. Reactor thread. */
int oe__command_need_sandbox(struct oe__command *command, oe_error *err);

/* command_run.c: the backend's methods. Any thread. */
int oe__command_start(void *self, const oe_llm_request *request, oe_completion *completion,
					  oe_error *err);
void oe__command_cancel(void *self, oe_completion *completion);

#endif /* OE__LLM_COMMAND_INTERNAL_H */
