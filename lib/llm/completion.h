#ifndef OE__LLM_COMPLETION_H
#define OE__LLM_COMPLETION_H

/*
 * A completion: the sink that one backend writes its answer to, then an immutable, counted value.
 * The states and their rules are those of an evaluation: the first finish wins, an abandoned one may
 * still be written to and is read by nobody.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "openevolve/llm.h"

/* Of enum oe_llm_failure, but for ourselves: the meter did not let it be sent. */
#define OE__LLM_FAILURE_UNPAID 3

struct oe__meter;

struct oe_completion {
	atomic_int refs;
	atomic_int lent;  /* 1: a backend holds a reference until it calls finish        */
	atomic_int state; /* open, finished, abandoned                                   */
	atomic_bool unwanted; /* cancelled while open: the backend should finish soon    */
	struct oe__buffer text;
	bool unchecked; /* some of the text may not be UTF-8 */
	char *model;
	int finish; /* enum oe_finish */
	int64_t tokens_in, tokens_out;
	int32_t requests; /* sent to the provider, retries included */
	int failure;      /* enum oe_llm_failure, or -1 if the backend did not say */
	int64_t retry_after_ms;
	bool declined; /* it was refused before a model saw it: nobody charges for that */
	struct oe__meter *meter; /* referenced, or NULL */
	int status;
	oe_error error;

	/* A composite's question to a member, to be cancelled with this one. */
	pthread_mutex_t mutex;
	struct oe__llm_call *inner; /* guarded by mutex */
	/* Whatever a backend of the library has under way for it: what its cancel() looks for. */
	void *backend; /* guarded by mutex */

	/* Set by llm.c before the backend sees it: called once, by a finish in time; as it is freed. */
	void (*on_finish)(oe_completion *completion);
	void (*on_free)(void *owner);
	void *owner;
};

int oe__completion_new(size_t size_max, oe_completion **out);
oe_completion *oe__completion_ref(oe_completion *completion);

/* Take a reference for a backend, which its finish gives back. */
void oe__completion_lend(oe_completion *completion);

/* open -> abandoned. @return false if it had finished. */
bool oe__completion_abandon(oe_completion *completion);

/* Make oe_completion_cancelled() true while it stays open. */
void oe__completion_unwant(oe_completion *completion);

/* How many requests it took; adds up over a composite's members. */
void oe__completion_count_requests(oe_completion *completion, int32_t requests);

/* Forget the answer of an attempt that failed, before the next one. */
void oe__completion_clear(oe_completion *completion);

/* Take over everything that `from`, finished, holds: a composite passing on a member's answer. */
int oe__completion_adopt(oe_completion *completion, const oe_completion *from);

/* Remember the member's call, or that there is none any more: it may be released after that. */
struct oe__llm_call;
void oe__completion_set_inner(oe_completion *completion, struct oe__llm_call *inner);
void oe__completion_cancel_inner(oe_completion *completion);

OE__AUTO_POINTER(completion, oe_completion *, oe_completion_unref)

#endif /* OE__LLM_COMPLETION_H */
