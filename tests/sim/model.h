#ifndef OE_TESTS_SIM_MODEL_H
#define OE_TESTS_SIM_MODEL_H

/*
 * What must hold, kept apart from the product: each row that the log was given, in order, which of
 * them it called durable, and what that means for numbers, questions and answers. The log's own
 * functions are looked at as they are called (see the linker's --wrap in meson.build).
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/controller.h"
#include "openevolve/evaluator.h"
#include "openevolve/hub.h"
#include "openevolve/llm.h"

/* Of a run, which goes on from that checkpoint, or NULL. */
struct plan;
void model_begin(const struct plan *plan, const oe_population *from);
void model_end(void);

/* A process begins with this hub, whose calls are watched. */
void model_watch(const oe_hub *hub, const struct plan *plan);
void model_follow(const oe_hub *hub); /* the same run, with another hub */

/* The last event was told: those of all ends were, before. */
void model_done(void);

/* The process is over. `clean`: by itself, with a log that worked. */
void model_leave(bool clean);

/* Compare with the disk, through a reader of run.db, and forget what it has not got. `kept`: what was
   called durable must be there. @return whether there is a run. */
bool model_audit(const char *path, bool kept);

/* The run was resumed to this hub. */
struct oe__rules;
void model_resumed(const oe_hub *hub, const struct oe__rules *rules);

/* After each step of the owner. */
void model_check(const oe_hub *hub);
void model_told(const oe_event *event);

void model_asked(const oe_llm_request *request);
void model_evaluated(const oe_evaluation_request *request);

struct model_figures {
	int64_t issued, ended, committed, evaluations, questions, repeated_questions, judgements;
	int64_t outcomes[OE_OUTCOME_COUNT];
};
const struct model_figures *model_figures(void);

/* A model is asked what it thinks of a program. */
void model_judges(void);

/* The run has come to its last number: every number ended, once. */
void model_finished(int64_t iterations);
/* May it end for this reason now? It ends for others, too, which the session knows. */
bool model_may_end(int reason);
/* Has it come to its end, whatever the time? */
bool model_is_over(void);

#endif /* OE_TESTS_SIM_MODEL_H */
