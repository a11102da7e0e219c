#ifndef OE__ITERATION_RECIPE_H
#define OE__ITERATION_RECIPE_H

/*
 * What all iterations of a run have in common: templates, edit rules, backends. Made once,
 * immutable, used by any thread; the controller outlives its jobs and owns it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "edit/edit.h"
#include "evaluator/evaluator.h"
#include "llm/llm.h"
#include "openevolve/config.h"
#include "prompt/prompt.h"
#include "scheduler/scheduler.h"

struct oe__recipe {
	oe_scheduler *scheduler;
	oe_llm *llm;
	oe_evaluator *evaluator;
	struct oe__meter *meter; /* who pays for questions, or NULL; the controller's */
	struct oe__prompt_set *prompts;
	struct oe__edit_rules *rules;
	int edit_mode; /* enum oe_edit_mode */
	char *language;
	int64_t evaluation_timeout_ms; /* 0: none */
	bool equivalents;              /* "hub.duplicates": programs are compared by their form */
	bool keep_prompts;             /* "store.prompts: full": texts outlive the call */
};

/* References are taken. */
int oe__recipe_new(const oe_config *config, oe_scheduler *scheduler, oe_llm *llm,
                   oe_evaluator *evaluator, struct oe__recipe **out, oe_error *err);
void oe__recipe_free(struct oe__recipe *recipe);

OE__AUTO_POINTER(recipe, struct oe__recipe *, oe__recipe_free)

#endif /* OE__ITERATION_RECIPE_H */
