#ifndef CLI_HANDLES_H
#define CLI_HANDLES_H

/* The library's objects, released at the end of the scope: AUTO(config) oe_config *config = NULL; */

#include <stdio.h>

#include "openevolve/openevolve.h"
#include "text.h"

static inline void handle_close(FILE *file)
{
	if (file)
		fclose(file);
}

AUTO_POINTER(config, oe_config *, oe_config_free)
AUTO_POINTER(scheduler, oe_scheduler *, oe_scheduler_unref)
AUTO_POINTER(llm, oe_llm *, oe_llm_unref)
AUTO_POINTER(completion, oe_completion *, oe_completion_unref)
AUTO_POINTER(evaluator, oe_evaluator *, oe_evaluator_unref)
AUTO_POINTER(sandbox, oe_sandbox *, oe_sandbox_free)
AUTO_POINTER(evaluation, oe_evaluation *, oe_evaluation_unref)
AUTO_POINTER(program, oe_program *, oe_program_unref)
AUTO_POINTER(population, oe_population *, oe_population_unref)
AUTO_POINTER(edit, oe_edit *, oe_edit_free)
AUTO_POINTER(diff, oe_diff *, oe_diff_free)
AUTO_POINTER(run, oe_run *, oe_run_close)
AUTO_POINTER(run_text, char *, oe_run_free_text)
AUTO_POINTER(file, FILE *, handle_close)

#endif /* CLI_HANDLES_H */
