/*
 * Questions are begun on any thread, where their JSON is written; everything after that happens on
 * the reactor thread, where the answer is read.
 */

#include "llm/provider.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/thread.h"
#include "llm/answer.h"
#include "llm/chat.h"
#include "llm/llm.h"

struct provider {
	struct oe__http *http;
	struct oe__chat_model chat;
	char *url;
	struct oe__http_headers *headers;
	char *api_key; /* only to keep it out of messages */
	int64_t timeout_ms;
	size_t response_max;
	atomic_uint avoid; /* enum oe__chat_avoid: what the model has complained about so far */
};

/* One question under way. */
struct exchange {
	struct oe__http_call http;
	struct provider *provider;
	oe_completion *completion;
	oe_llm_request request; /* texts borrowed until the finish */
	struct oe__buffer body;
	unsigned avoided; /* what the body was written without */
	int64_t left_ms;
	bool refreshed; /* was tried again on a fresh connection */

	struct oe__task cancel;
	bool cancelling; /* guarded by the completion's mutex: `cancel` is posted, or was         */
	bool was_cancelled, over; /* reactor thread; whichever comes second is followed by the end */
};

static void exchange_free(struct exchange *exchange)
{
	oe__buffer_done(&exchange->body);
	oe__buffer_done(&exchange->http.response);
	oe__free(exchange);
}

/* After this the completion may be gone, and the provider with it. */
static void finish(struct exchange *exchange, int status, const oe_error *err)
{
	oe_completion *completion = exchange->completion;

	pthread_mutex_lock(&completion->mutex);
	completion->backend = NULL;
	bool cancelling = exchange->cancelling;
	pthread_mutex_unlock(&completion->mutex);
	exchange->over = true;
	if (!cancelling || exchange->was_cancelled)
		exchange_free(exchange);
	oe_completion_finish(completion, status, err);
}

/* ---- failures ---- */

/* Providers like to quote the key that they refuse, or part of it. */
static void hide_key(const struct provider *provider, char *message)
{
	const char *key = provider->api_key;
	size_t known = key ? strlen(key) : 0;

	if (known > 6)
		known = 6; /* enough to recognise the rest by */
	if (known < 3)
		return;
	OE__AUTO(string) char *start = oe__strndup(key, known);
	char *at = message;
	if (!start) {
		message[0] = '\0';
		return;
	}
	while ((at = strstr(at, start)) != NULL)
		for (; *at && !oe__is_space(*at) && !strchr("\"'`,;)", *at); at++)
			*at = '*';
}

static bool is_unpaid(int code, const struct oe__answer_error *error)
{
	return code == 402 || strcmp(error->type, "insufficient_quota") == 0 ||
		   strcmp(error->type, "billing_error") == 0;
}

static int class_of(int code, const struct oe__answer_error *error)
{
	if (code == 401 || code == 403 || code == 404 || is_unpaid(code, error))
		return OE_LLM_FAILURE_ACCESS;
	if (code == 408 || code == 409 || code == 425 || code == 429 || code >= 500)
		return OE_LLM_FAILURE_TRANSIENT;
	return OE_LLM_FAILURE_REQUEST;
}

/* What a provider refuses or fails at it does not charge; what a gateway gave up waiting for may have been
   answered behind it, and so may what came back as nonsense. */
static bool is_declined(int64_t code)
{
	return (code >= 400 && code < 500 && code != 408) || code == 500 || code == 503 || code == 529;
}

static const char *sentence_for(const struct provider *provider, int code,
								const struct oe__answer_error *error)
{
	if (is_unpaid(code, error))
		return "the account has no credit left";
	switch (code) {
	case 401:
		return provider->api_key ? "the API key was refused"
								 : "an API key is needed and none is set";
	case 403:
		return "access was denied";
	case 404:
		return "there is no such model, or nothing at this address";
	case 413:
		return "the prompt is too long";
	case 429:
		return "the rate limit was reached";
	case 503:
	case 529:
		return "the provider is overloaded";
	default:
		return code >= 500  ? "the provider failed"
			   : code < 400 ? "the address does not answer as an API does"
							: "the request was rejected";
	}
}

static void fail_with(struct exchange *exchange, int code, struct oe__answer_error *error)
{
	struct provider *provider = exchange->provider;
	bool said = error->message[0] != '\0';
	oe_error err;

	hide_key(provider, error->message);
	oe_completion_set_failure(exchange->completion, class_of(code, error),
							  exchange->http.retry_after_ms);
	exchange->completion->declined = is_declined(exchange->http.code);
	(void)oe__error(&err, OE_ERR_LLM, "model '%s': %s (%d)%s%s", provider->chat.name,
					sentence_for(provider, code, error), code, said ? ": " : "", error->message);
	finish(exchange, OE_ERR_LLM, &err);
}

static void fail_to_reach(struct exchange *exchange)
{
	const struct oe__http_call *http = &exchange->http;
	int failure = http->status == OE_ERR_TIMEOUT || http->status == OE_ERR_IO
					  ? OE_LLM_FAILURE_TRANSIENT
					  : OE_LLM_FAILURE_REQUEST;
	oe_error err;

	if (http->hopeless)
		failure = OE_LLM_FAILURE_ACCESS;
	oe_completion_set_failure(exchange->completion, failure, -1);
	(void)oe__error(&err, http->status, "model '%s': %s", exchange->provider->chat.name,
					http->error.message);
	finish(exchange, http->status, &err);
}

/* ---- questions ---- */

static int write_body(struct exchange *exchange)
{
	struct provider *provider = exchange->provider;
	struct oe__rng rng;

	/* A seed of its own for each question, the same one when it is asked again. */
	oe__rng_init(&rng, (uint64_t)provider->chat.seed, "llm-seed", exchange->request.seed, 0);
	int64_t seed = (int64_t)(oe__rng_next(&rng) & INT32_MAX);
	exchange->avoided = atomic_load_explicit(&provider->avoid, memory_order_relaxed);
	oe__buffer_clear(&exchange->body);
	int status = oe__chat_write(&provider->chat, &exchange->request, exchange->avoided, seed,
								&exchange->body);
	exchange->http.body = oe__buffer_string(&exchange->body);
	exchange->http.body_size = exchange->body.size;
	return status;
}

static void ask_again(struct exchange *exchange)
{
	exchange->left_ms -= exchange->http.elapsed_ms;
	exchange->http.timeout_ms = exchange->left_ms > 1 ? exchange->left_ms : 1;
	oe__http_start(exchange->provider->http, &exchange->http);
}

/* The model does not know a parameter: from now on it is spared that. @return true if asked again.
 */
static bool learn(struct exchange *exchange, int code, const struct oe__answer_error *error)
{
	struct provider *provider = exchange->provider;

	if (code != 400 && code != 422)
		return false;
	struct oe__chat_model asked = oe__chat_limited(&provider->chat, &exchange->request);
	unsigned bit =
		oe__chat_blamed(&asked, exchange->avoided, error->parameter, error->message);
	if (bit == 0)
		return false;
	/* An answer without a limit may cost anything. */
	if (bit == OE__AVOID_LIMIT && exchange->request.max_tokens > 0)
		return false;
	atomic_fetch_or_explicit(&provider->avoid, bit, memory_order_relaxed);
	if (write_body(exchange) < 0) {
		oe_error err;
		(void)oe__error_nomem(&err);
		finish(exchange, OE_ERR_NOMEM, &err);
	} else {
		ask_again(exchange);
	}
	return true;
}

static void read_answer(struct exchange *exchange)
{
	struct provider *provider = exchange->provider;
	const struct oe__buffer *response = &exchange->http.response;
	struct oe__answer_error error = { 0 };
	oe_error err = { 0 };

	int status = oe__answer_read(provider->chat.dialect, oe__buffer_string(response),
								 response->size, exchange->completion, &error, &err);
	if (status == OE_ERR_LLM) {
		fail_with(exchange, error.code > 0 ? error.code : 500, &error);
		return;
	}
	if (status < 0) {
		oe_error told;
		/* What is not JSON comes from something between us and the model, and may pass. */
		oe_completion_set_failure(
			exchange->completion,
			status == OE_ERR_FORMAT ? OE_LLM_FAILURE_TRANSIENT : OE_LLM_FAILURE_REQUEST, -1);
		(void)oe__error(&told, status, "model '%s': %s", provider->chat.name, err.message);
		finish(exchange, status, &told);
		return;
	}
	oe_completion_set_model(exchange->completion, provider->chat.name);
	finish(exchange, 0, NULL);
}

static void answered(struct oe__http_call *call)
{
	struct exchange *exchange = OE__CONTAINER(call, struct exchange, http);
	struct oe__answer_error error;

	oe__completion_count_requests(exchange->completion, call->sent);
	if (call->status == OE_ERR_IO && call->stale && !exchange->refreshed) {
		exchange->refreshed = call->fresh = true;
		ask_again(exchange);
		return;
	}
	if (call->status < 0) {
		fail_to_reach(exchange);
		return;
	}
	if (call->code == 200) {
		read_answer(exchange);
		return;
	}
	oe__answer_read_error(oe__buffer_string(&call->response), call->response.size, &error);
	if (!learn(exchange, call->code, &error))
		fail_with(exchange, call->code, &error);
}

static void cancel_exchange(struct oe__task *task)
{
	struct exchange *exchange = OE__CONTAINER(task, struct exchange, cancel);

	if (exchange->over) {
		exchange_free(exchange);
		return;
	}
	exchange->was_cancelled = true;
	oe__http_abort(&exchange->http);
}

static void cancel(void *self, oe_completion *completion)
{
	struct provider *provider = self;

	OE__LOCKED(&completion->mutex);
	struct exchange *exchange = completion->backend;
	if (!exchange || exchange->cancelling)
		return;
	exchange->cancelling = true;
	exchange->cancel.run = cancel_exchange;
	oe__reactor_post(oe__http_reactor(provider->http), &exchange->cancel);
}

/* From here on cancel() finds it. Started under the same lock: a cancellation comes behind it. */
static void launch(struct exchange *exchange)
{
	OE__LOCKED(&exchange->completion->mutex);
	exchange->completion->backend = exchange;
	oe__http_start(exchange->provider->http, &exchange->http);
	if (oe_completion_cancelled(exchange->completion)) { /* before there was anything to find */
		exchange->cancelling = true;
		exchange->cancel.run = cancel_exchange;
		oe__reactor_post(oe__http_reactor(exchange->provider->http), &exchange->cancel);
	}
}

static int start(void *self, const oe_llm_request *request, oe_completion *completion,
				 oe_error *err)
{
	struct provider *provider = self;
	struct exchange *exchange = oe__calloc(1, sizeof(*exchange));

	if (!exchange)
		return oe__error_nomem(err);
	exchange->provider = provider;
	exchange->completion = completion;
	exchange->request = *request;
	exchange->body.size_max = SIZE_MAX / 2; /* prompts have their own limit */
	exchange->http.response.size_max = provider->response_max;
	exchange->http.url = provider->url;
	exchange->http.headers = provider->headers;
	exchange->http.done = answered;
	exchange->left_ms = provider->timeout_ms;
	if (request->timeout_ms > 0 && request->timeout_ms < exchange->left_ms)
		exchange->left_ms = request->timeout_ms;
	exchange->http.timeout_ms = exchange->left_ms;
	if (write_body(exchange) < 0) {
		exchange_free(exchange);
		return oe__error_nomem(err);
	}
	launch(exchange);
	return 0;
}

/* ---- life ---- */

static void provider_free(void *self)
{
	struct provider *provider = self;

	oe__http_unref(provider->http);
	oe__http_headers_free(provider->headers);
	oe__chat_model_done(&provider->chat);
	oe__free(provider->url);
	if (provider->api_key)
		explicit_bzero(provider->api_key, strlen(provider->api_key));
	oe__free(provider->api_key);
	oe__free(provider);
}

int oe__provider_new(const struct oe__model *model, struct oe__http *http, size_t response_max,
					 oe_llm **out, oe_error *err)
{
	static const oe_llm_vtable vtable = {
		.struct_size = sizeof(oe_llm_vtable),
		.name = "provider",
		.start = start,
		.cancel = cancel,
		.free = provider_free,
	};
	struct provider *provider = oe__calloc(1, sizeof(*provider));
	int status = OE_ERR_NOMEM;

	if (!provider)
		return oe__error_nomem(err);
	provider->http = oe__http_ref(http);
	provider->timeout_ms = model->timeout_ms;
	provider->response_max = response_max;
	provider->api_key = oe__strdup(model->api_key);
	provider->url = oe__chat_url(model);
	if (provider->url && !provider->api_key == !model->api_key)
		status = oe__chat_model_init(&provider->chat, model);
	if (status == 0)
		status = oe__chat_headers(model, &provider->headers);
	if (status == 0)
		status = oe__llm_new(&vtable, provider, out);
	if (status < 0) {
		provider_free(provider);
		return oe__error(err, status, "%s", oe_status_string(status));
	}
	return 0;
}
