#include "llm/relay.h"

#include "base/alloc.h"
#include "base/error.h"

static void relay_free(struct oe__relay *relay)
{
	oe__llm_call_release(&relay->call);
	oe_llm_unref(relay->member);
	oe__free(relay);
}

/* After this the completion may be gone, and the relay with it: nothing is touched any more. */
static void finish(struct oe__relay *relay, int status, const oe_error *err)
{
	oe_completion *completion = relay->completion;

	oe__completion_set_inner(completion, NULL);
	relay_free(relay);
	oe_completion_finish(completion, status, err);
}

static void member_done(struct oe__llm_call *call)
{
	struct oe__relay *relay = OE__CONTAINER(call, struct oe__relay, call);
	relay->answered(relay);
}

static int ask(struct oe__relay *relay)
{
	relay->call.meter = relay->completion->meter;
	int status = oe__llm_prepare(relay->member, &relay->call);
	if (status < 0)
		return status;
	/* Whoever cancels the outer one from now on reaches the inner one; who did before is seen by the
	   submit. */
	oe__completion_set_inner(relay->completion, &relay->call);
	if (oe_completion_cancelled(relay->completion))
		oe__completion_unwant(relay->call.completion);
	oe__llm_submit(&relay->call);
	return 0;
}

int oe__relay_begin(oe_llm *member, const oe_llm_request *request, oe_completion *completion,
                    void (*answered)(struct oe__relay *relay), void *state, oe_error *err)
{
	struct oe__relay *relay = oe__calloc(1, sizeof(*relay));
	if (!relay)
		return oe__error_nomem(err);
	relay->call.request = *request;
	relay->call.done = member_done;
	relay->completion = completion;
	relay->member = oe_llm_ref(member);
	relay->answered = answered;
	relay->state = state;
	int status = ask(relay);
	if (status < 0) {
		relay_free(relay);
		return oe__error_nomem(err);
	}
	return 0;
}

void oe__relay_pass(struct oe__relay *relay)
{
	oe_completion *inner = relay->call.completion;
	oe_error err = inner->error;
	int status = relay->call.status;
	int adopted = oe__completion_adopt(relay->completion, inner);

	finish(relay, status < 0 ? status : adopted, &err);
}

void oe__relay_again(struct oe__relay *relay)
{
	/* Who does not want the answer may be gone already, and the texts of the question too. */
	if (oe_completion_cancelled(relay->completion)) {
		oe_error err;
		(void)oe__error(&err, OE_ERR_CANCELLED, "cancelled");
		oe__relay_fail(relay, OE_ERR_CANCELLED, &err);
		return;
	}
	oe__completion_count_requests(relay->completion, relay->call.completion->requests);
	oe__completion_set_inner(relay->completion, NULL);
	oe__llm_call_release(&relay->call);
	relay->call.request.attempt++;
	if (ask(relay) < 0) {
		oe_error err;
		(void)oe__error_nomem(&err);
		finish(relay, OE_ERR_NOMEM, &err);
	}
}

void oe__relay_fail(struct oe__relay *relay, int status, const oe_error *err)
{
	oe_error copy = *err;

	oe__completion_count_requests(relay->completion,
	                              relay->call.completion ? relay->call.completion->requests : 0);
	finish(relay, status, &copy);
}

void oe__relay_cancel(void *self, oe_completion *completion)
{
	(void)self;
	oe__completion_cancel_inner(completion);
}
