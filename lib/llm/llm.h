#ifndef OE__LLM_LLM_H
#define OE__LLM_LLM_H

/*
 * The LLM handle, and the one wrapper around every backend; the counterpart of
 * evaluator/evaluator.h. Any thread.
 */

#include "base/auto.h"
#include "llm/completion.h"
#include "openevolve/llm.h"

/* Like oe_llm_new(), for backends that count the requests they send. */
int oe__llm_new(const oe_llm_vtable *vtable, void *self, oe_llm **out);

/* Nobody is paid for what this one does itself: it asks others, or nobody. */
void oe__llm_set_unmetered(oe_llm *llm);

/* The model that is asked (copied), and the tokens that an answer may have; 0: it knows no limit. */
int oe__llm_set_tariff(oe_llm *llm, const char *model, int64_t output_max);

/* One question under way. Owned by the caller, who keeps it, the backend and the request's texts
   alive from start until `done` was called, or abandon said true. */
struct oe__llm_call {
	/* Set before the start. */
	oe_llm_request request; /* texts borrowed */
	void (*done)(struct oe__llm_call *call); /* once, on any thread; must be cheap */
	struct oe__meter *meter; /* who pays, or NULL; referenced by the completion */

	/* Set before `done`; read them after. */
	oe_completion *completion; /* finished; lives until release */
	int status;                /* of it; the error is there too */

	/* The wrapper's. */
	oe_llm *llm;
};

/* Make ready: from here on the call may be cancelled by another thread. */
int oe__llm_prepare(oe_llm *llm, struct oe__llm_call *call);

/* Begin what was prepared. A failure to start is reported by `done` too, perhaps before this
   returns: the call may be gone by then. */
void oe__llm_submit(struct oe__llm_call *call);

/* Ask to end early, perhaps before it began; `done` follows as soon as the backend has let go.
   Until the release. Backends look at oe_completion_cancelled() as they begin. */
void oe__llm_cancel(struct oe__llm_call *call);

/* For composites that cancel a member's call while it may end: hold what there is to cancel of a call
   (under the lock that keeps it alive), then cancel it (without the lock) and let go. */
struct oe__llm_hold {
	oe_llm *llm; /* NULL: nothing is held */
	oe_completion *completion;
};
struct oe__llm_hold oe__llm_call_hold(const struct oe__llm_call *call);
void oe__llm_hold_cancel(struct oe__llm_hold *hold);

/* Stop waiting for a backend that does not come back. @return true if `done` will never be called. */
bool oe__llm_abandon(struct oe__llm_call *call);

/* Drop what the call holds, after `done` or a successful abandon. */
void oe__llm_call_release(struct oe__llm_call *call);

/* enum oe_llm_failure of a failed call. */
int oe__llm_failure(const struct oe__llm_call *call);

/* Cap of an answer, and how many blocking calls may run at once; before the first start. */
void oe__llm_set_limits(oe_llm *llm, size_t response_max, int32_t threads);

OE__AUTO_POINTER(llm, oe_llm *, oe_llm_unref)

#endif /* OE__LLM_LLM_H */
