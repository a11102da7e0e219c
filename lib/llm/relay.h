#ifndef OE__LLM_RELAY_H
#define OE__LLM_RELAY_H

/*
 * A relay: a composite's question to a member, on behalf of a completion that somebody waits for. It
 * is what makes composites continuations: nothing blocks, `answered` runs when the member is done.
 */

#include "llm/llm.h"

struct oe__relay {
	struct oe__llm_call call;  /* to the member         */
	oe_completion *completion; /* of the composite      */
	oe_llm *member;            /* referenced            */
	void (*answered)(struct oe__relay *relay);
	void *state; /* the composite's */
};

/* Ask `member` what `completion` was asked. `answered` must end in pass, again or fail. */
int oe__relay_begin(oe_llm *member, const oe_llm_request *request, oe_completion *completion,
                    void (*answered)(struct oe__relay *relay), void *state, oe_error *err);

void oe__relay_pass(struct oe__relay *relay);  /* the member's answer, or its failure, is ours */
void oe__relay_again(struct oe__relay *relay); /* ask once more                                */
void oe__relay_fail(struct oe__relay *relay, int status, const oe_error *err);

/* The vtable's cancel() of a composite. */
void oe__relay_cancel(void *self, oe_completion *completion);

/* `self` of a handle that was made with this table, or NULL. */
void *oe__llm_self(oe_llm *llm, const oe_llm_vtable *vtable);

#endif /* OE__LLM_RELAY_H */
