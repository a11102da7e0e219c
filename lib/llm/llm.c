#include "llm/llm.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/thread.h"
#include "llm/meter.h"
#include "llm/relay.h"
#include "scheduler/plugin.h"

#define THREADS_DEFAULT 256
#define OUTPUT_DEFAULT  4096 /* tokens of an answer that is paid for, where nobody says how many */
#define FREE_GRACE_MS   5000 /* a backend that blocks longer keeps its thread */

struct oe_llm {
	atomic_int refs;
	pid_t process; /* that made it */
	oe_llm_vtable vtable;
	void *self;
	char *name;
	size_t response_max;
	int32_t threads;
	bool counts; /* the backend counts its requests; else each call is one */
	bool unmetered;
	char *model; /* or NULL */
	int64_t output_max;
	pthread_mutex_t mutex;
	struct oe__plugin_pool *pool; /* made by the first blocking call; guarded by mutex */
};

/* What a backend may look at until it finishes, even when nobody waits any more: the texts too, as
   the caller's are gone once it abandoned the call. */
struct asking {
	struct oe__task task;
	struct oe__llm_call *call;
	oe_llm *llm;
	oe_completion *completion;
	oe_iteration *iteration;
	char *system, *user;
	oe_llm_request request;
	struct oe__fare fare;
	bool paid; /* the meter waits to be told of the end */
};

/* ---- life ---- */

static void cancel_nothing(void *self, oe_completion *completion)
{
	(void)self;
	(void)completion;
}

static void free_nothing(void *self)
{
	(void)self;
}

static int adopt(const oe_llm_vtable *given, oe_llm_vtable *out, oe_error *err)
{
	oe_llm_vtable vtable = { 0 };
	size_t size = given->struct_size < sizeof(vtable) ? given->struct_size : sizeof(vtable);

	memcpy(&vtable, given, size);
	if (!vtable.name)
		return oe__error(err, OE_ERR_INVALID, "an LLM backend needs a name");
	if (!vtable.generate == !vtable.start)
		return oe__error(err, OE_ERR_INVALID,
		                 "LLM backend '%s' must have exactly one of generate() and start()",
		                 vtable.name);
	if (!vtable.cancel)
		vtable.cancel = cancel_nothing;
	if (!vtable.free)
		vtable.free = free_nothing;
	*out = vtable;
	return 0;
}

int oe_llm_new(const oe_llm_vtable *given, void *self, oe_llm **out, oe_error *err)
{
	oe_llm_vtable vtable;

	if (!given || !out || given->struct_size < sizeof(size_t))
		return oe__error(err, OE_ERR_INVALID, "oe_llm_new: no table");
	int status = adopt(given, &vtable, err);
	if (status < 0)
		return status;
	oe_llm *llm = oe__calloc(1, sizeof(*llm));
	char *name = oe__strdup(vtable.name);
	if (!llm || !name) {
		oe__free(name);
		oe__free(llm);
		return oe__error_nomem(err);
	}
	atomic_init(&llm->refs, 1);
	llm->process = getpid();
	pthread_mutex_init(&llm->mutex, NULL);
	vtable.name = name;
	llm->name = name;
	llm->vtable = vtable;
	llm->self = self;
	llm->response_max = OE__RESPONSE_MAX;
	llm->threads = THREADS_DEFAULT;
	*out = llm;
	return 0;
}

int oe__llm_new(const oe_llm_vtable *vtable, void *self, oe_llm **out)
{
	int status = oe_llm_new(vtable, self, out, NULL);

	if (status == 0)
		(*out)->counts = true;
	return status;
}

oe_llm *oe_llm_ref(oe_llm *llm)
{
	atomic_fetch_add_explicit(&llm->refs, 1, memory_order_relaxed);
	return llm;
}

static void release(oe_llm *llm, int64_t grace_ms)
{
	if (!llm || atomic_fetch_sub_explicit(&llm->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (llm->process != getpid())
		return; /* a fork's copy: its threads and locks are the parent's */
	/* Nothing is in flight, as that would hold a reference. */
	oe__plugin_pool_free(llm->pool, grace_ms);
	llm->vtable.free(llm->self);
	pthread_mutex_destroy(&llm->mutex);
	oe__free(llm->name);
	oe__free(llm->model);
	oe__free(llm);
}

void oe_llm_unref(oe_llm *llm)
{
	release(llm, FREE_GRACE_MS);
}

void oe__llm_set_limits(oe_llm *llm, size_t response_max, int32_t threads)
{
	llm->response_max = response_max;
	llm->threads = threads;
}

void oe__llm_set_unmetered(oe_llm *llm)
{
	llm->unmetered = true;
}

int oe__llm_set_tariff(oe_llm *llm, const char *model, int64_t output_max)
{
	char *copy = oe__strdup(model);
	if (!copy)
		return OE_ERR_NOMEM;
	oe__free(llm->model);
	llm->model = copy;
	llm->output_max = output_max;
	return 0;
}

void *oe__llm_self(oe_llm *llm, const oe_llm_vtable *vtable)
{
	/* Not by the name, which anybody may give to a backend of his own. */
	return llm->vtable.start == vtable->start ? llm->self : NULL;
}

/* ---- one question ---- */

/* As it ended, or, of one that was given up, when its last reference goes. */
static void settle(struct asking *asking)
{
	const oe_completion *completion = asking->completion;

	if (asking->paid)
		completion->meter->settle(completion->meter, &asking->fare, completion);
	asking->paid = false;
}

static void asking_free(void *owner)
{
	struct asking *asking = owner;

	settle(asking);
	oe_iteration_unref(asking->iteration);
	oe__free(asking->system);
	oe__free(asking->user);
	release(asking->llm, 0); /* maybe on a thread of its pool: never wait for it */
	oe__free(asking);
}

/* A finish in time. */
static void finished(oe_completion *completion)
{
	struct asking *asking = completion->owner;
	struct oe__llm_call *call = asking->call;

	completion->on_free = NULL;
	call->status = completion->status;
	settle(asking); /* before anybody makes use of the answer */
	/* First let go of everything: `done` may be what the end of the whole run waits for, and a last
	   reference must not be dropped here, on a thread that would have to join itself. */
	asking_free(asking);
	call->done(call); /* may free the call */
}

static void run_blocking(struct oe__task *task)
{
	struct asking *asking = OE__CONTAINER(task, struct asking, task);
	oe_completion *completion = asking->completion;
	oe_error err = { 0 };
	int status = OE_ERR_CANCELLED;

	if (!oe_completion_cancelled(completion)) /* perhaps while it waited for a thread */
		status = asking->llm->vtable.generate(asking->llm->self, &asking->request, completion,
		                                      &err);
	oe_completion_finish(completion, status, &err);
}

static int submit(oe_llm *llm, struct asking *asking, oe_error *err)
{
	int threads = llm->vtable.threading == OE_THREADING_PARALLEL ? llm->threads : 1;
	int status = 0;

	if (!llm->vtable.generate)
		return llm->vtable.start(llm->self, &asking->request, asking->completion, err);
	pthread_mutex_lock(&llm->mutex);
	if (!llm->pool)
		status = oe__plugin_pool_new("oe-llm", threads, &llm->pool, err);
	pthread_mutex_unlock(&llm->mutex);
	return status < 0 ? status : oe__plugin_pool_run(llm->pool, &asking->task);
}

/* A backend of somebody else's may be slow to let go, so its texts must be its own; the library's let
   go of the caller's texts before `done`, and soon after a cancellation. */
static int copy_texts(struct asking *asking)
{
	asking->system = oe__strndup(asking->request.system, asking->request.system_size);
	asking->user = oe__strndup(asking->request.user, asking->request.user_size);
	if (!asking->system || !asking->user)
		return OE_ERR_NOMEM;
	asking->request.system = asking->system;
	asking->request.user = asking->user;
	return 0;
}

static int attach(oe_llm *llm, struct oe__llm_call *call)
{
	struct asking *asking = oe__calloc(1, sizeof(*asking));
	if (!asking)
		return OE_ERR_NOMEM;
	oe_iteration *iteration = (oe_iteration *)(uintptr_t)call->request.iteration;
	asking->task.run = run_blocking;
	asking->call = call;
	asking->llm = oe_llm_ref(llm);
	asking->completion = call->completion;
	asking->iteration = iteration ? oe_iteration_ref(iteration) : NULL;
	asking->request = call->request;
	asking->request.struct_size = sizeof(oe_llm_request);
	if (!asking->request.language)
		asking->request.language = "";
	if (!llm->counts && copy_texts(asking) < 0) {
		asking_free(asking);
		return OE_ERR_NOMEM;
	}
	call->completion->owner = asking;
	call->completion->on_finish = finished;
	call->completion->on_free = asking_free;
	return 0;
}

int oe__llm_prepare(oe_llm *llm, struct oe__llm_call *call)
{
	call->llm = llm;
	call->status = 0;
	int status = oe__completion_new(llm->response_max, &call->completion);
	if (status < 0)
		return status;
	call->completion->meter = oe__meter_ref(call->meter);
	status = attach(llm, call);
	if (status < 0)
		oe__llm_call_release(call);
	return status;
}

static void begin(struct asking *asking)
{
	oe_completion *completion = asking->completion;
	oe_error err = { 0 };

	if (!asking->llm->counts)
		oe__completion_count_requests(completion, 1);
	int status = submit(asking->llm, asking, &err);
	if (status < 0)
		oe_completion_finish(completion, status, &err);
}

static void go(struct oe__fare *fare, int status)
{
	struct asking *asking = OE__CONTAINER(fare, struct asking, fare);
	oe_completion *completion = asking->completion;

	if (status == 0 && oe_completion_cancelled(completion))
		status = OE_ERR_CANCELLED;
	if (status == 0) {
		begin(asking);
		return;
	}
	oe_error err;
	if (status == OE_ERR_LIMIT)
		completion->failure = OE__LLM_FAILURE_UNPAID;
	(void)oe__error(&err, status, "%s", status == OE_ERR_LIMIT ? "the budget does not suffice for the question"
	                                                          : oe_status_string(status));
	oe_completion_finish(completion, status, &err);
}

/* The answer is limited whoever asks, so that what it may cost is known. */
static void pay(struct asking *asking, struct oe__meter *meter)
{
	oe_llm *llm = asking->llm;
	oe_llm_request *request = &asking->request;

	request->max_tokens = llm->output_max > 0 ? llm->output_max : OUTPUT_DEFAULT;
	asking->fare = (struct oe__fare){
		.model = llm->model ? llm->model : "",
		.bytes = (int64_t)(request->system_size + request->user_size),
		.output_max = request->max_tokens,
		.number = request->iteration ? oe_iteration_number(request->iteration) : 0,
		.completion = asking->completion,
		.go = go,
	};
	asking->paid = true;
	meter->reserve(meter, &asking->fare);
}

void oe__llm_submit(struct oe__llm_call *call)
{
	oe_completion *completion = call->completion;
	struct oe__meter *meter = completion->meter;

	oe__completion_lend(completion);
	if (oe_completion_cancelled(completion))
		oe_completion_finish(completion, OE_ERR_CANCELLED, NULL);
	else if (meter && !call->llm->unmetered)
		pay(completion->owner, meter);
	else
		begin(completion->owner);
}

struct oe__llm_hold oe__llm_call_hold(const struct oe__llm_call *call)
{
	return (struct oe__llm_hold){ oe_llm_ref(call->llm), oe__completion_ref(call->completion) };
}

void oe__llm_hold_cancel(struct oe__llm_hold *hold)
{
	if (!hold->llm)
		return;
	oe__completion_unwant(hold->completion);
	hold->llm->vtable.cancel(hold->llm->self, hold->completion);
	if (hold->completion->meter)
		hold->completion->meter->recall(hold->completion->meter, hold->completion);
	oe_completion_unref(hold->completion);
	oe_llm_unref(hold->llm);
	*hold = (struct oe__llm_hold){ NULL, NULL };
}

void oe__llm_cancel(struct oe__llm_call *call)
{
	/* Held, as a backend may finish in its cancel(), and `done` let go of everything. */
	struct oe__llm_hold hold = oe__llm_call_hold(call);

	oe__llm_hold_cancel(&hold);
}

bool oe__llm_abandon(struct oe__llm_call *call)
{
	/* Before it is lent it is still being submitted, by a thread that believes in it. */
	return atomic_load(&call->completion->lent) && oe__completion_abandon(call->completion);
}

void oe__llm_call_release(struct oe__llm_call *call)
{
	oe_completion_unref(call->completion);
	call->completion = NULL;
}

int oe__llm_failure(const struct oe__llm_call *call)
{
	if (call->completion && call->completion->failure >= 0)
		return call->completion->failure;
	return call->status == OE_ERR_TIMEOUT || call->status == OE_ERR_IO ? OE_LLM_FAILURE_TRANSIENT
	                                                                    : OE_LLM_FAILURE_REQUEST;
}

/* ---- waiting for one ---- */

struct waiting {
	struct oe__llm_call call;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool is_done; /* guarded by mutex */
};

static void wake(struct oe__llm_call *call)
{
	struct waiting *waiting = OE__CONTAINER(call, struct waiting, call);

	OE__LOCKED(&waiting->mutex);
	waiting->is_done = true;
	pthread_cond_signal(&waiting->done);
}

int oe_llm_ask(oe_llm *llm, const char *system, const char *user, uint64_t seed,
               oe_completion **out, oe_error *err)
{
	if (!llm || !user || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_llm_ask: NULL argument");
	if (llm->process != getpid())
		return oe__error(err, OE_ERR_STATE, "this model belongs to the parent process");
	if (!system)
		system = "";
	struct waiting waiting = {
		.call = {
			.request = {
				.system = system, .system_size = strlen(system),
				.user = user, .user_size = strlen(user), .seed = seed,
			},
			.done = wake,
		},
	};
	int status = oe__llm_prepare(llm, &waiting.call);
	if (status < 0)
		return oe__error_nomem(err);
	pthread_mutex_init(&waiting.mutex, NULL);
	oe__cond_init(&waiting.done);
	oe__llm_submit(&waiting.call);
	pthread_mutex_lock(&waiting.mutex);
	while (!waiting.is_done)
		oe__cond_wait_until(&waiting.done, &waiting.mutex, -1);
	pthread_mutex_unlock(&waiting.mutex);
	pthread_cond_destroy(&waiting.done);
	pthread_mutex_destroy(&waiting.mutex);

	status = waiting.call.status;
	if (status < 0 && err)
		*err = waiting.call.completion->error;
	if (status == 0)
		*out = oe__completion_ref(waiting.call.completion);
	oe__llm_call_release(&waiting.call);
	return status;
}
