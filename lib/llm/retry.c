/*
 * One layer of retries: transient failures only, at most `retries` more requests, growing pauses with
 * full jitter (Brooker: Exponential backoff and jitter, AWS Architecture Blog, 2015), and never
 * before the time that the provider asked for.
 */

#include <math.h>
#include <pthread.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/thread.h"
#include "llm/relay.h"
#include "scheduler/scheduler.h"

#define PAUSE_MAX_MS  60000
#define DOUBLINGS_MAX 10

struct retry {
	oe_llm *inner;
	oe_scheduler *scheduler;
	int32_t retries;
	int64_t delay_ms;
	pthread_mutex_t mutex;
	struct pause *pauses; /* guarded by mutex */
};

/* A pause between two requests; it has the relay meanwhile. Reactor thread, but for the list. */
struct pause {
	struct oe__task task;
	struct oe__timer timer;
	struct oe__relay *relay;
	struct retry *retry;
	int64_t due_ns;
	struct oe__task cancel_task;
	struct pause *next;      /* guarded by the retry's mutex, as the rest */
	bool cancelling;         /* cancel_task is posted: it frees the pause  */
	bool over;
};

static int64_t pause_ms(const struct retry *retry, const struct oe__relay *relay)
{
	const oe_llm_request *request = &relay->call.request;
	int64_t told_ms = relay->call.completion->retry_after_ms;
	struct oe__rng rng;

	int doublings = request->attempt < DOUBLINGS_MAX ? request->attempt : DOUBLINGS_MAX;
	double longest = fmin((double)retry->delay_ms * pow(2, doublings), PAUSE_MAX_MS);
	oe__rng_init(&rng, request->seed, "retry", (uint64_t)request->attempt, 0);
	/* At least half: a full jitter that draws nothing would hammer a provider that is down. */
	int64_t drawn_ms = (int64_t)(longest * (0.5 + 0.5 * oe__rng_real(&rng)));
	if (told_ms < 0)
		return drawn_ms;
	/* Not all at the same instant: those that were told the same come spread behind it. */
	return told_ms + (int64_t)(oe__rng_real(&rng) * (double)(retry->delay_ms > 200 ? 200
	                                                                            : retry->delay_ms));
}

/* Out of the list. @return true if the caller is the one to free it. */
static bool leave(struct pause *pause)
{
	struct retry *retry = pause->retry;

	OE__LOCKED(&retry->mutex);
	for (struct pause **link = &retry->pauses; *link; link = &(*link)->next) {
		if (*link == pause) {
			*link = pause->next;
			break;
		}
	}
	pause->over = true;
	return !pause->cancelling;
}

static void pause_over(struct oe__timer *timer)
{
	struct pause *pause = OE__CONTAINER(timer, struct pause, timer);
	struct oe__relay *relay = pause->relay;

	if (leave(pause))
		oe__free(pause);
	oe__relay_again(relay);
}

static void begin_pause(struct oe__task *task)
{
	struct pause *pause = OE__CONTAINER(task, struct pause, task);

	if (oe__timer_arm(oe__scheduler_reactor(pause->retry->scheduler), &pause->timer, pause->due_ns,
	                  pause_over) < 0)
		pause_over(&pause->timer);
}

static void cancel_pause(struct oe__task *task)
{
	struct pause *pause = OE__CONTAINER(task, struct pause, cancel_task);
	oe_error err;

	if (!pause->over) {
		struct oe__relay *relay = pause->relay;
		(void)leave(pause);
		oe__timer_cancel(&pause->timer);
		oe__free(pause);
		(void)oe__error(&err, OE_ERR_CANCELLED, "cancelled");
		oe__relay_fail(relay, OE_ERR_CANCELLED, &err);
	} else {
		oe__free(pause);
	}
}

static void cancel(void *self, oe_completion *completion)
{
	struct retry *retry = self;

	oe__relay_cancel(self, completion);
	OE__LOCKED(&retry->mutex);
	for (struct pause *pause = retry->pauses; pause; pause = pause->next) {
		if (pause->relay->completion == completion && !pause->cancelling) {
			pause->cancelling = true;
			pause->cancel_task.run = cancel_pause;
			oe__reactor_post(oe__scheduler_reactor(retry->scheduler), &pause->cancel_task);
		}
	}
}

static void answered(struct oe__relay *relay)
{
	struct retry *retry = relay->state;
	bool again = relay->call.status < 0 && relay->call.request.attempt < retry->retries &&
	             oe__llm_failure(&relay->call) == OE_LLM_FAILURE_TRANSIENT;

	if (again && oe_completion_cancelled(relay->completion)) {
		oe__relay_again(relay); /* which says so: the failure is not why it ends */
		return;
	}
	struct pause *pause = again ? oe__calloc(1, sizeof(*pause)) : NULL;

	if (!pause) {
		oe__relay_pass(relay);
		return;
	}
	pause->task.run = begin_pause;
	pause->relay = relay;
	pause->retry = retry;
	pause->due_ns = oe__clock_ns() + pause_ms(retry, relay) * 1000000;
	/* Posted first, so that a cancellation comes behind it. */
	pthread_mutex_lock(&retry->mutex);
	oe__reactor_post(oe__scheduler_reactor(retry->scheduler), &pause->task);
	pause->next = retry->pauses;
	retry->pauses = pause;
	if (oe_completion_cancelled(relay->completion)) { /* between the check above and the list */
		pause->cancelling = true;
		pause->cancel_task.run = cancel_pause;
		oe__reactor_post(oe__scheduler_reactor(retry->scheduler), &pause->cancel_task);
	}
	pthread_mutex_unlock(&retry->mutex);
}

static int start(void *self, const oe_llm_request *request, oe_completion *completion,
                 oe_error *err)
{
	struct retry *retry = self;
	oe_llm_request first = *request;

	first.attempt = 0;
	return oe__relay_begin(retry->inner, &first, completion, answered, retry, err);
}

static void retry_free(void *self)
{
	struct retry *retry = self;

	oe_llm_unref(retry->inner);
	oe_scheduler_unref(retry->scheduler);
	pthread_mutex_destroy(&retry->mutex);
	oe__free(retry);
}

static const oe_llm_vtable retry_vtable = {
	.struct_size = sizeof(oe_llm_vtable),
	.name = "retry",
	.start = start,
	.cancel = cancel,
	.free = retry_free,
};

int oe_llm_retry_new(oe_llm *inner, oe_scheduler *scheduler, int32_t retries, int64_t delay_ms,
                     oe_llm **out)
{
	if (!inner || !scheduler || !out || retries < 0 || delay_ms < 0)
		return OE_ERR_INVALID;
	struct retry *retry = oe__calloc(1, sizeof(*retry));
	if (!retry)
		return OE_ERR_NOMEM;
	pthread_mutex_init(&retry->mutex, NULL);
	retry->retries = retries;
	retry->delay_ms = delay_ms;
	retry->inner = oe_llm_ref(inner);
	retry->scheduler = oe_scheduler_ref(scheduler);
	int status = oe__llm_new(&retry_vtable, retry, out);
	if (status < 0)
		retry_free(retry);
	else
		oe__llm_set_unmetered(*out);
	return status;
}
