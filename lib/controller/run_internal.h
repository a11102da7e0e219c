#ifndef OE__CONTROLLER_RUN_INTERNAL_H
#define OE__CONTROLLER_RUN_INTERNAL_H

/* A run that is read: run.c has it, others of this folder work on it. */

#include "openevolve/config.h"
#include "openevolve/run.h"
#include "prompt/prompt.h"
#include "store/load.h"

struct oe_run {
	char *path, *file;
	struct oe__database *database;
	char *property;           /* what oe_run_property() returned last */
	struct oe__answer answer; /* what oe_run_iteration_at() lent      */
	char *program_id, *parent_id, *message;
};

/* What it was configured with. */
int oe__run_config(oe_run *run, oe_config **out, oe_error *err);
/* The templates that its prompts were made with. */
int oe__run_prompts(oe_run *run, struct oe__prompt_set **out, oe_error *err);

#endif /* OE__CONTROLLER_RUN_INTERNAL_H */
