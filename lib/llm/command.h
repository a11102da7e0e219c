#ifndef OE__LLM_COMMAND_H
#define OE__LLM_COMMAND_H

/*
 * A model that is a program: the prompt on its standard input, the answer on its standard output.
 * Each question is a process tree of its own under the spawner, killed whole at its deadline.
 */

#include "openevolve/llm.h"
#include "openevolve/scheduler.h"

struct oe__command_options {
	const char *name;             /* of the model; OE_MODEL of the program's environment */
	const char *const *arguments; /* NULL-terminated                                      */
	int64_t timeout_ms;           /* > 0                                                  */
	size_t response_max;
};

/* Copies everything; of the configuration it takes what programs are given of the environment. */
int oe__command_new(const oe_config *config, oe_scheduler *scheduler,
					const struct oe__command_options *options, oe_llm **out, oe_error *err);

#endif /* OE__LLM_COMMAND_H */
