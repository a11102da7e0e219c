#ifndef OE_TEST_QUESTIONS_H
#define OE_TEST_QUESTIONS_H

/* Many questions to a backend at a time, and one to its end. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "llm/llm.h"
#include "tests/test.h"

struct question {
	struct oe__llm_call call;
	struct questions *all;
};

struct questions {
	pthread_mutex_t mutex;
	pthread_cond_t done;
	size_t count, left; /* left: guarded by mutex */
	struct question *items;
};

static inline void question_done(struct oe__llm_call *call)
{
	struct questions *all = OE__CONTAINER(call, struct question, call)->all;

	OE__LOCKED(&all->mutex);
	if (--all->left == 0)
		pthread_cond_signal(&all->done);
}

static inline void questions_ask_from(struct questions *all, oe_llm *llm, size_t count, const char *user,
									  uint64_t seed)
{
	pthread_mutex_init(&all->mutex, NULL);
	oe__cond_init(&all->done);
	all->count = all->left = count;
	all->items = oe__calloc(count, sizeof(*all->items));
	for (size_t i = 0; i < count; i++) {
		struct oe__llm_call *call = &all->items[i].call;
		all->items[i].all = all;
		call->request = (oe_llm_request){
			.system = "You are a test.",
			.system_size = strlen("You are a test."),
			.user = user,
			.user_size = strlen(user),
			.seed = seed + i,
		};
		call->done = question_done;
		ck_assert_int_eq(oe__llm_prepare(llm, call), 0);
	}
	for (size_t i = 0; i < count; i++)
		oe__llm_submit(&all->items[i].call);
}

static inline void questions_ask(struct questions *all, oe_llm *llm, size_t count, const char *user)
{
	questions_ask_from(all, llm, count, user, 0);
}

static inline void questions_wait(struct questions *all)
{
	pthread_mutex_lock(&all->mutex);
	while (all->left > 0)
		oe__cond_wait_until(&all->done, &all->mutex, -1);
	pthread_mutex_unlock(&all->mutex);
}

static inline void questions_done(struct questions *all)
{
	for (size_t i = 0; i < all->count; i++)
		oe__llm_call_release(&all->items[i].call);
	oe__free(all->items);
	pthread_cond_destroy(&all->done);
	pthread_mutex_destroy(&all->mutex);
}

static inline size_t questions_answered(const struct questions *all)
{
	size_t answered = 0;

	for (size_t i = 0; i < all->count; i++)
		answered += all->items[i].call.status == 0;
	return answered;
}

/* Requests that the library says it has sent. */
static inline int64_t questions_requests(const struct questions *all)
{
	int64_t requests = 0;

	for (size_t i = 0; i < all->count; i++)
		requests += oe_completion_attempts(all->items[i].call.completion);
	return requests;
}

/* One question, to its end. */
struct told {
	int status, failure, finish;
	int32_t requests;
	int64_t took_ms, tokens_in, tokens_out;
	char text[4096];
	oe_error error;
};

static inline struct told ask_seeded(oe_llm *llm, const char *user, uint64_t seed)
{
	struct questions one;
	struct told told = { 0 };
	int64_t began_ms = oe__clock_ms();

	questions_ask_from(&one, llm, 1, user, seed);
	questions_wait(&one);
	const struct oe__llm_call *call = &one.items[0].call;
	told.took_ms = oe__clock_ms() - began_ms;
	told.status = call->status;
	told.failure = call->status < 0 ? oe__llm_failure(call) : -1;
	told.finish = oe_completion_finish_reason(call->completion);
	told.requests = oe_completion_attempts(call->completion);
	told.tokens_in = oe_completion_tokens_in(call->completion);
	told.tokens_out = oe_completion_tokens_out(call->completion);
	told.error = call->completion->error;
	snprintf(told.text, sizeof(told.text), "%s", oe_completion_text(call->completion, NULL));
	questions_done(&one);
	/* Whatever happened: the key is nowhere. */
	ck_assert_ptr_null(strstr(told.error.message, "secret"));
	ck_assert_ptr_null(strstr(told.error.where, "secret"));
	return told;
}

static inline struct told ask_one(oe_llm *llm, const char *user)
{
	return ask_seeded(llm, user, 0);
}

#endif /* OE_TEST_QUESTIONS_H */
