#include "evaluator/evaluator.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"
#include "llm/meter.h"
#include "scheduler/plugin.h"

#define THREADS_DEFAULT 256  /* the controller's limit is what counts        */
#define FREE_GRACE_MS   5000 /* a plugin that blocks longer keeps its thread */

struct oe_evaluator {
	atomic_int refs;
	pid_t process; /* that made it */
	oe_evaluator_vtable vtable;
	void *self;
	char *name;
	bool keeps_deadlines;
	int32_t threads;
	pthread_mutex_t mutex;
	struct oe__plugin_pool *pool; /* made by the first blocking call; guarded by mutex */
};

/* What a plugin may look at until it finishes, even when nobody waits for it any more: freed by the
   finish, or, for an evaluation that was abandoned, with the evaluation itself. */
struct running {
	struct oe__task task;
	struct oe__evaluation_call *call; /* not touched once abandoned */
	oe_evaluator *evaluator;
	oe_evaluation *evaluation;
	oe_program *program;
	oe_iteration *iteration;
	struct oe__meter *meter;
	oe_evaluation_request request;
};

/* ---- life ---- */

static void cancel_nothing(void *self, oe_evaluation *evaluation)
{
	(void)self;
	(void)evaluation;
}

static void free_nothing(void *self)
{
	(void)self;
}

static const char *confine_nothing(void *self)
{
	(void)self;
	return NULL;
}

int oe_evaluator_new(const oe_evaluator_vtable *given, void *self, oe_evaluator **out,
                     oe_error *err)
{
	oe_evaluator_vtable vtable = { 0 };

	if (!given || !out || given->struct_size < sizeof(size_t))
		return oe__error(err, OE_ERR_INVALID, "oe_evaluator_new: no table");
	memcpy(&vtable, given, given->struct_size < sizeof(vtable) ? given->struct_size
	                                                            : sizeof(vtable));
	if (!vtable.name)
		return oe__error(err, OE_ERR_INVALID, "an evaluator needs a name");
	if (!vtable.evaluate == !vtable.start)
		return oe__error(err, OE_ERR_INVALID,
		                 "evaluator '%s' must have exactly one of evaluate() and start()",
		                 vtable.name);
	if (!vtable.cancel)
		vtable.cancel = cancel_nothing;
	if (!vtable.free)
		vtable.free = free_nothing;
	if (!vtable.confinement)
		vtable.confinement = confine_nothing;

	oe_evaluator *evaluator = oe__calloc(1, sizeof(*evaluator));
	char *name = oe__strdup(vtable.name);
	if (!evaluator || !name) {
		oe__free(name);
		oe__free(evaluator);
		return oe__error_nomem(err);
	}
	atomic_init(&evaluator->refs, 1);
	evaluator->process = getpid();
	pthread_mutex_init(&evaluator->mutex, NULL);
	vtable.name = name;
	evaluator->name = name;
	evaluator->vtable = vtable;
	evaluator->self = self;
	evaluator->threads = THREADS_DEFAULT;
	*out = evaluator;
	return 0;
}

oe_evaluator *oe_evaluator_ref(oe_evaluator *evaluator)
{
	atomic_fetch_add_explicit(&evaluator->refs, 1, memory_order_relaxed);
	return evaluator;
}

static void release(oe_evaluator *evaluator, int64_t grace_ms)
{
	if (!evaluator || atomic_fetch_sub_explicit(&evaluator->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (evaluator->process != getpid())
		return; /* a fork's copy: its threads and locks are the parent's */
	/* Nothing is in flight, as that would hold a reference. */
	oe__plugin_pool_free(evaluator->pool, grace_ms);
	evaluator->vtable.free(evaluator->self);
	pthread_mutex_destroy(&evaluator->mutex);
	oe__free(evaluator->name);
	oe__free(evaluator);
}

void oe_evaluator_unref(oe_evaluator *evaluator)
{
	release(evaluator, FREE_GRACE_MS);
}

const char *oe_evaluator_name(const oe_evaluator *evaluator)
{
	return evaluator->name;
}

const char *oe_evaluator_confinement(const oe_evaluator *evaluator)
{
	return evaluator ? evaluator->vtable.confinement(evaluator->self) : NULL;
}

void *oe__evaluator_self(oe_evaluator *evaluator, const oe_evaluator_vtable *vtable)
{
	/* Not by the name, which anybody may give to an evaluator of his own. */
	return evaluator->vtable.start == vtable->start ? evaluator->self : NULL;
}

void oe__evaluator_set_threads(oe_evaluator *evaluator, int32_t threads)
{
	evaluator->threads = threads;
}

int oe__evaluator_check_process(const oe_evaluator *evaluator, oe_error *err)
{
	return evaluator->process == getpid()
	           ? 0
	           : oe__error(err, OE_ERR_STATE, "this evaluator belongs to the parent process");
}

bool oe__evaluator_keeps_deadlines(const oe_evaluator *evaluator)
{
	return evaluator->keeps_deadlines;
}

void oe__evaluator_set_keeps_deadlines(oe_evaluator *evaluator, bool keeps)
{
	evaluator->keeps_deadlines = keeps;
}

/* ---- one evaluation ---- */

static void running_free(void *owner)
{
	struct running *running = owner;

	oe_program_unref(running->program);
	oe_iteration_unref(running->iteration);
	oe__meter_unref(running->meter);
	release(running->evaluator, 0); /* maybe on a thread of its pool: never wait for it */
	oe__free(running);
}

static void deliver(struct running *running, int status, const oe_error *err)
{
	struct oe__evaluation_call *call = running->call;

	call->finished_ns = oe__clock_ns();
	call->status = status < 0 ? status : 0;
	if (status >= 0) {
		if (running->evaluation->wall_ms < 0)
			running->evaluation->wall_ms = (double)(call->finished_ns - call->started_ns) / 1e6;
		call->evaluation = running->evaluation;
	} else if (err && err->status < 0) {
		call->error = *err;
	} else {
		(void)oe__error(&call->error, status, "evaluator '%s' failed: %s",
		                running->evaluator->name, oe_status_string(status));
	}
}

/* The hook of oe_evaluation_finish(), in time. */
static void finished(oe_evaluation *evaluation, int status, const oe_error *err)
{
	struct running *running = evaluation->owner;
	struct oe__evaluation_call *call = running->call;

	evaluation->on_free = NULL;
	deliver(running, status, err);
	/* First let go of everything: `done` may be what the end of the whole run waits for, and a last
	   reference must not be dropped here, on a thread that would have to join itself. */
	running_free(running);
	call->done(call); /* may free the call */
}

static void run_blocking(struct oe__task *task)
{
	struct running *running = OE__CONTAINER(task, struct running, task);
	oe_evaluator *evaluator = running->evaluator;
	oe_error err = { 0 };
	int status = OE_ERR_CANCELLED;

	if (!oe_evaluation_cancelled(running->evaluation)) /* perhaps while it waited for a thread */
		status = evaluator->vtable.evaluate(evaluator->self, &running->request,
		                                    running->evaluation, &err);
	oe_evaluation_finish(running->evaluation, status, &err);
}

static int submit(oe_evaluator *evaluator, struct running *running, oe_error *err)
{
	int threads = evaluator->vtable.threading == OE_THREADING_PARALLEL ? evaluator->threads : 1;
	int status = 0;

	if (!evaluator->vtable.evaluate)
		return evaluator->vtable.start(evaluator->self, &running->request, running->evaluation,
		                               err);
	pthread_mutex_lock(&evaluator->mutex);
	if (!evaluator->pool)
		status = oe__plugin_pool_new("oe-evaluator", threads, &evaluator->pool, err);
	pthread_mutex_unlock(&evaluator->mutex);
	return status < 0 ? status : oe__plugin_pool_run(evaluator->pool, &running->task);
}

static int prepare(oe_evaluator *evaluator, struct oe__evaluation_call *call, struct running **out)
{
	struct running *running = oe__calloc(1, sizeof(*running));
	if (!running)
		return OE_ERR_NOMEM;
	if (oe_evaluation_new(&running->evaluation) < 0) { /* this reference becomes the call's */
		oe__free(running);
		return OE_ERR_NOMEM;
	}
	running->task.run = run_blocking;
	running->call = call;
	running->evaluator = oe_evaluator_ref(evaluator);
	running->program = oe_program_ref(call->program);
	running->iteration = call->iteration ? oe_iteration_ref(call->iteration) : NULL;
	running->meter = oe__meter_ref(call->meter);
	running->request = (oe_evaluation_request){
		.struct_size = sizeof(oe_evaluation_request),
		.program = running->program,
		.iteration = running->iteration,
		.seed = call->seed,
		.timeout_ms = call->timeout_ms,
	};
	running->evaluation->footprint.seed = call->seed;
	running->evaluation->owner = running;
	running->evaluation->on_finish = finished;
	running->evaluation->on_free = running_free;
	*out = running;
	return 0;
}

struct oe__meter *oe__evaluation_meter(const oe_evaluation *evaluation)
{
	const struct running *running = evaluation->owner;
	return running->meter;
}

int oe__evaluator_prepare(oe_evaluator *evaluator, struct oe__evaluation_call *call)
{
	struct running *running = NULL;

	call->evaluator = evaluator;
	call->evaluation = NULL;
	call->sink = NULL;
	int status = prepare(evaluator, call, &running);
	if (status == 0)
		call->sink = running->evaluation;
	return status;
}

void oe__evaluator_submit(struct oe__evaluation_call *call)
{
	oe_evaluator *evaluator = call->evaluator;
	oe_evaluation *evaluation = call->sink;
	oe_error err = { 0 };

	call->started_ns = oe__clock_ns();
	oe__evaluation_lend(evaluation); /* the plugin's handle, which its finish gives back */
	int status = atomic_load(&call->unwanted) ? OE_ERR_CANCELLED
	                                          : submit(evaluator, evaluation->owner, &err);
	if (status < 0)
		oe_evaluation_finish(evaluation, status, &err);
}

void oe__evaluator_start(oe_evaluator *evaluator, struct oe__evaluation_call *call)
{
	if (oe__evaluator_prepare(evaluator, call) == 0) {
		oe__evaluator_submit(call);
		return;
	}
	call->status = oe__error_nomem(&call->error);
	call->done(call);
}

struct oe__evaluation_hold oe__evaluation_call_hold(struct oe__evaluation_call *call)
{
	atomic_store(&call->unwanted, true);
	if (!call->sink) /* it could not begin; `done` was called already */
		return (struct oe__evaluation_hold){ NULL, NULL };
	return (struct oe__evaluation_hold){ oe_evaluator_ref(call->evaluator),
		                                 oe_evaluation_ref(call->sink) };
}

void oe__evaluation_hold_cancel(struct oe__evaluation_hold *hold)
{
	if (!hold->evaluator)
		return;
	oe__evaluation_unwant(hold->sink);
	hold->evaluator->vtable.cancel(hold->evaluator->self, hold->sink);
	oe_evaluation_unref(hold->sink);
	oe_evaluator_unref(hold->evaluator);
	*hold = (struct oe__evaluation_hold){ NULL, NULL };
}

void oe__evaluator_cancel(struct oe__evaluation_call *call)
{
	/* Held, as an evaluator may finish in its cancel(), and `done` let go of everything. */
	struct oe__evaluation_hold hold = oe__evaluation_call_hold(call);

	oe__evaluation_hold_cancel(&hold);
}

bool oe__evaluator_abandon(struct oe__evaluation_call *call)
{
	return call->sink && oe__evaluation_abandon(call->sink);
}

void oe__evaluation_call_release(struct oe__evaluation_call *call)
{
	oe_evaluation_unref(call->sink);
	call->sink = NULL;
	call->evaluation = NULL;
}

/* ---- waiting for one ---- */

struct waiting {
	struct oe__evaluation_call call;
	pthread_mutex_t mutex;
	pthread_cond_t done;
	bool is_done; /* guarded by mutex */
};

static void wake(struct oe__evaluation_call *call)
{
	struct waiting *waiting = OE__CONTAINER(call, struct waiting, call);

	OE__LOCKED(&waiting->mutex);
	waiting->is_done = true;
	pthread_cond_signal(&waiting->done);
}

int oe_evaluator_run(oe_evaluator *evaluator, oe_program *program, uint64_t seed,
                     int64_t timeout_ms, oe_evaluation **out, oe_error *err)
{
	if (!evaluator || !program || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_evaluator_run: NULL argument");
	int own = oe__evaluator_check_process(evaluator, err);
	if (own < 0)
		return own;
	struct waiting waiting = {
		.call = { .program = program, .seed = seed, .timeout_ms = timeout_ms, .done = wake },
	};
	pthread_mutex_init(&waiting.mutex, NULL);
	oe__cond_init(&waiting.done);

	oe__evaluator_start(evaluator, &waiting.call);
	pthread_mutex_lock(&waiting.mutex);
	while (!waiting.is_done)
		oe__cond_wait_until(&waiting.done, &waiting.mutex, -1);
	pthread_mutex_unlock(&waiting.mutex);

	int status = waiting.call.status;
	if (status < 0 && err)
		*err = waiting.call.error;
	if (status == 0)
		*out = oe_evaluation_ref(waiting.call.evaluation);
	oe__evaluation_call_release(&waiting.call);
	pthread_cond_destroy(&waiting.done);
	pthread_mutex_destroy(&waiting.mutex);
	return status;
}
