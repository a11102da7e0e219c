#ifndef OE_TEST_SCRIPTED_H
#define OE_TEST_SCRIPTED_H

/*
 * A backend behind the public table that does what a test says: the n-th request gets the n-th step
 * of a script, the last one over and over. It writes down what it was asked, and when.
 */

#include "tests/script.h"
#include "tests/unit/llm/questions.h"

#define SCRIPTED_MAX 64

struct scripted_step {
	int status;  /* < 0: a failure ...                                            */
	int failure; /* ... of this class (enum oe_llm_failure); negative: not said   */
	int64_t retry_after_ms;
	const char *text;
	bool held;    /* nothing happens until it is cancelled or let go              */
	bool refuses; /* start() itself fails                                         */
};

struct scripted {
	const struct scripted_step *steps;
	bool deaf; /* cancel() does nothing */
	struct script script;

	/* Guarded by its mutex. */
	int64_t asked_ms[SCRIPTED_MAX];
	int32_t attempts[SCRIPTED_MAX];
	uint64_t seeds[SCRIPTED_MAX];
};

static inline void scripted_finish(const struct scripted_step *step, oe_completion *completion)
{
	oe_error err = { .status = step->status };

	snprintf(err.message, sizeof(err.message), "step failed with %d", step->status);
	/* A failure may have written something before it noticed. */
	ck_assert_int_eq(oe_completion_append(completion, step->text ? step->text : "partial",
										  strlen(step->text ? step->text : "partial")),
					 0);
	if (step->status < 0 && step->failure >= 0)
		oe_completion_set_failure(completion, step->failure, step->retry_after_ms);
	oe_completion_set_usage(completion, 3, 5);
	oe_completion_finish(completion, step->status, &err);
}

static inline int scripted_start(void *self, const oe_llm_request *request,
								 oe_completion *completion, oe_error *err)
{
	struct scripted *scripted = self;

	pthread_mutex_lock(&scripted->script.mutex);
	size_t at = scripted->script.asked;
	const struct scripted_step *step = &scripted->steps[script_next(&scripted->script)];
	if (at < SCRIPTED_MAX) {
		scripted->asked_ms[at] = oe__clock_ms();
		scripted->attempts[at] = request->attempt;
		scripted->seeds[at] = request->seed;
	}
	if (step->held)
		script_hold(&scripted->script, completion);
	pthread_mutex_unlock(&scripted->script.mutex);
	if (step->refuses) {
		err->status = step->status;
		snprintf(err->message, sizeof(err->message), "refused to start");
		return step->status;
	}
	if (!step->held)
		scripted_finish(step, completion);
	return 0;
}

/* Ends it there and then, which the interface allows. */
static inline void scripted_cancel(void *self, oe_completion *completion)
{
	struct scripted *scripted = self;

	script_count_cancelled(&scripted->script);
	oe_completion *held = scripted->deaf ? NULL : script_take(&scripted->script, completion);
	if (held)
		oe_completion_finish(held, OE_ERR_CANCELLED, NULL);
}

static inline void scripted_free(void *self)
{
	atomic_store(&((struct scripted *)self)->script.freed, true);
}

static inline oe_llm *scripted_llm(struct scripted *scripted, const struct scripted_step *steps,
								   size_t count)
{
	oe_llm_vtable vtable = OE_LLM_VTABLE_INIT;
	oe_llm *llm = NULL;
	oe_error err;

	*scripted = (struct scripted){ .steps = steps };
	script_init(&scripted->script, count);
	vtable.name = "scripted";
	vtable.start = scripted_start;
	vtable.cancel = scripted_cancel;
	vtable.free = scripted_free;
	ck_assert_int_eq(oe_llm_new(&vtable, scripted, &llm, &err), 0);
	return llm;
}

#endif /* OE_TEST_SCRIPTED_H */
