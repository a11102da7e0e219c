#include "llm/completion.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/thread.h"
#include "llm/llm.h"
#include "llm/meter.h"

enum state { STATE_OPEN, STATE_FINISHED, STATE_ABANDONED };

int oe__completion_new(size_t size_max, oe_completion **out)
{
	oe_completion *completion = oe__calloc(1, sizeof(*completion));
	if (!completion)
		return OE_ERR_NOMEM;
	atomic_init(&completion->refs, 1);
	pthread_mutex_init(&completion->mutex, NULL);
	completion->text.size_max = size_max;
	completion->tokens_in = completion->tokens_out = -1;
	completion->failure = -1;
	completion->retry_after_ms = -1;
	*out = completion;
	return 0;
}

oe_completion *oe__completion_ref(oe_completion *completion)
{
	atomic_fetch_add_explicit(&completion->refs, 1, memory_order_relaxed);
	return completion;
}

void oe_completion_unref(oe_completion *completion)
{
	if (!completion || atomic_fetch_sub_explicit(&completion->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (completion->on_free)
		completion->on_free(completion->owner);
	oe__meter_unref(completion->meter);
	pthread_mutex_destroy(&completion->mutex);
	oe__buffer_done(&completion->text);
	oe__free(completion->model);
	oe__free(completion);
}

static bool leave_open(oe_completion *completion, enum state next)
{
	int expected = STATE_OPEN;
	return atomic_compare_exchange_strong(&completion->state, &expected, next);
}

void oe__completion_lend(oe_completion *completion)
{
	oe__completion_ref(completion);
	int before = atomic_exchange(&completion->lent, 1);
	assert(before == 0);
	(void)before;
}

/* Whatever comes back is valid UTF-8 from here on. Only now, as a character may come in two pieces. */
static void make_valid(oe_completion *completion)
{
	struct oe__buffer *text = &completion->text, valid = OE__BUFFER_INIT(text->size_max);

	if (!completion->unchecked || oe__utf8_valid(oe__buffer_string(text), text->size))
		return;
	(void)oe__utf8_append_lossy(&valid, text->data, text->size);
	if (text->status < 0 && valid.status == 0)
		valid.status = text->status;
	oe__buffer_done(text);
	*text = valid;
}

void oe_completion_finish(oe_completion *completion, int status, const oe_error *err)
{
	if (!completion)
		return;
	bool given_back = atomic_exchange(&completion->lent, 0) == 1;

	if (leave_open(completion, STATE_FINISHED)) {
		make_valid(completion);
		completion->status = status < 0 ? status : 0;
		if (status >= 0 && completion->text.status < 0)
			completion->status = completion->text.status;
		if (completion->status < 0 && err && err->status < 0)
			completion->error = *err;
		else if (completion->status < 0)
			(void)oe__error(&completion->error, completion->status, "%s",
			                oe_status_string(completion->status));
		if (completion->on_finish)
			completion->on_finish(completion);
	}
	if (given_back)
		oe_completion_unref(completion);
}

bool oe__completion_abandon(oe_completion *completion)
{
	return leave_open(completion, STATE_ABANDONED);
}

void oe__completion_unwant(oe_completion *completion)
{
	atomic_store(&completion->unwanted, true);
}

int oe_completion_cancelled(const oe_completion *completion)
{
	return !completion || atomic_load(&completion->unwanted) ||
	       atomic_load(&completion->state) == STATE_ABANDONED;
}

/* ---- of composites ---- */

void oe__completion_set_inner(oe_completion *completion, struct oe__llm_call *inner)
{
	OE__LOCKED(&completion->mutex);
	completion->inner = inner;
}

void oe__completion_cancel_inner(oe_completion *completion)
{
	struct oe__llm_hold inner = { NULL, NULL };

	pthread_mutex_lock(&completion->mutex);
	if (completion->inner)
		inner = oe__llm_call_hold(completion->inner);
	pthread_mutex_unlock(&completion->mutex);
	/* Without the lock: a backend may finish in its cancel(), which comes back here. */
	oe__llm_hold_cancel(&inner);
}

/* ---- writing ---- */

int oe_completion_append(oe_completion *completion, const char *text, size_t size)
{
	if (!completion || (!text && size > 0))
		return OE_ERR_INVALID;
	if (atomic_load(&completion->state) == STATE_FINISHED)
		return OE_ERR_STATE;
	completion->unchecked = true;
	return oe__buffer_append(&completion->text, text, size);
}

void oe_completion_set_usage(oe_completion *completion, int64_t tokens_in, int64_t tokens_out)
{
	completion->tokens_in = tokens_in < 0 ? -1 : tokens_in;
	completion->tokens_out = tokens_out < 0 ? -1 : tokens_out;
}

void oe_completion_set_finish(oe_completion *completion, int finish)
{
	completion->finish = finish >= 0 && finish <= OE_FINISH_OTHER ? finish : OE_FINISH_OTHER;
}

void oe_completion_set_model(oe_completion *completion, const char *model)
{
	oe__free(completion->model);
	completion->model = oe__strdup(model);
}

void oe_completion_set_failure(oe_completion *completion, int failure, int64_t retry_after_ms)
{
	completion->failure = failure >= 0 && failure <= OE_LLM_FAILURE_ACCESS ? failure : -1;
	completion->retry_after_ms = retry_after_ms;
}

void oe__completion_count_requests(oe_completion *completion, int32_t requests)
{
	completion->requests += requests;
}

void oe__completion_clear(oe_completion *completion)
{
	oe__buffer_clear(&completion->text);
	completion->finish = OE_FINISH_STOP;
	completion->failure = -1;
	completion->retry_after_ms = -1;
	completion->declined = false;
}

int oe__completion_adopt(oe_completion *completion, const oe_completion *from)
{
	completion->finish = from->finish;
	completion->tokens_in = from->tokens_in;
	completion->tokens_out = from->tokens_out;
	completion->failure = from->failure;
	completion->retry_after_ms = from->retry_after_ms;
	completion->requests += from->requests;
	if (from->model)
		oe_completion_set_model(completion, from->model);
	return oe__buffer_append(&completion->text, oe__buffer_string(&from->text), from->text.size);
}

/* ---- reading ---- */

const char *oe_completion_text(const oe_completion *completion, size_t *size)
{
	if (size)
		*size = completion->text.size;
	return oe__buffer_string(&completion->text);
}

int oe_completion_finish_reason(const oe_completion *completion)
{
	return completion->finish;
}

const char *oe_completion_model(const oe_completion *completion)
{
	return completion->model ? completion->model : "";
}

int64_t oe_completion_tokens_in(const oe_completion *completion)
{
	return completion->tokens_in;
}

int64_t oe_completion_tokens_out(const oe_completion *completion)
{
	return completion->tokens_out;
}

int32_t oe_completion_attempts(const oe_completion *completion)
{
	return completion->requests;
}
