#ifndef OE_TEST_SCRIPTED_EVALUATOR_H
#define OE_TEST_SCRIPTED_EVALUATOR_H

/*
 * An evaluator behind the public table that does what a test says: the n-th evaluation gets the n-th
 * step of a script, the last one over and over. And evaluations to ask it for, many at a time.
 */

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/thread.h"
#include "evaluator/evaluator.h"
#include "script.h"

struct eval_step {
	const char *metric; /* or NULL: none */
	double value;
	int verdict; /* enum oe_verdict */
	int status;  /* < 0: the evaluator itself fails       */
	const char *artifact;
	double wall_ms; /* that it says it took; 0: it says nothing     */
	bool held;    /* nothing happens until it is cancelled or let go */
	bool refuses; /* start() itself fails                            */
};

struct scripted {
	const struct eval_step *steps;
	struct script script;
	uint64_t seed; /* of the last one; guarded by the script's mutex, as below */
	int64_t timeout_ms;
};

static inline void scripted_finish(const struct eval_step *step, oe_evaluation *evaluation)
{
	oe_error err = { .status = step->status };

	snprintf(err.message, sizeof(err.message), "step failed with %d", step->status);
	if (step->metric)
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, step->metric, step->value), 0);
	if (step->artifact)
		ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "said", step->artifact,
													strlen(step->artifact)),
						 0);
	if (step->wall_ms > 0)
		evaluation->wall_ms = step->wall_ms;
	if (step->verdict != OE_VERDICT_OK)
		ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, step->verdict, "as told"), 0);
	oe_evaluation_finish(evaluation, step->status, &err);
}

static inline int scripted_start(void *self, const oe_evaluation_request *request,
								 oe_evaluation *evaluation, oe_error *err)
{
	struct scripted *scripted = self;

	pthread_mutex_lock(&scripted->script.mutex);
	const struct eval_step *step = &scripted->steps[script_next(&scripted->script)];
	scripted->seed = request->seed;
	scripted->timeout_ms = request->timeout_ms;
	if (step->held)
		script_hold(&scripted->script, evaluation);
	pthread_mutex_unlock(&scripted->script.mutex);
	if (step->refuses) {
		err->status = step->status;
		snprintf(err->message, sizeof(err->message), "refused to start");
		return step->status;
	}
	if (!step->held)
		scripted_finish(step, evaluation);
	return 0;
}

/* Ends it there and then, which the interface allows. */
static inline void scripted_cancel(void *self, oe_evaluation *evaluation)
{
	struct scripted *scripted = self;

	script_count_cancelled(&scripted->script);
	oe_evaluation *held = script_take(&scripted->script, evaluation);
	if (held)
		oe_evaluation_finish(held, OE_ERR_CANCELLED, NULL);
}

static inline void scripted_free(void *self)
{
	atomic_store(&((struct scripted *)self)->script.freed, true);
}

static inline oe_evaluator *scripted_evaluator(struct scripted *scripted,
											   const struct eval_step *steps, size_t count)
{
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	oe_evaluator *evaluator = NULL;
	oe_error err;

	*scripted = (struct scripted){ .steps = steps };
	script_init(&scripted->script, count);
	vtable.name = "scripted";
	vtable.start = scripted_start;
	vtable.cancel = scripted_cancel;
	vtable.free = scripted_free;
	ck_assert_int_eq(oe_evaluator_new(&vtable, scripted, &evaluator, &err), 0);
	return evaluator;
}

/* ---- evaluations ---- */

struct task {
	struct oe__evaluation_call call;
	struct tasks *all;
};

struct tasks {
	pthread_mutex_t mutex;
	pthread_cond_t done;
	size_t count, left; /* left: guarded by mutex */
	struct task *items;
	oe_program *program;
};

static inline void task_done(struct oe__evaluation_call *call)
{
	struct tasks *all = OE__CONTAINER(call, struct task, call)->all;

	OE__LOCKED(&all->mutex);
	if (--all->left == 0)
		pthread_cond_signal(&all->done);
}

static inline void tasks_prepare(struct tasks *all, oe_evaluator *evaluator, size_t count)
{
	pthread_mutex_init(&all->mutex, NULL);
	oe__cond_init(&all->done);
	all->count = all->left = count;
	all->items = oe__calloc(count, sizeof(*all->items));
	ck_assert_int_eq(oe_program_new("x = 1\n", 6, "python", &all->program), 0);
	for (size_t i = 0; i < count; i++) {
		all->items[i].all = all;
		all->items[i].call.program = all->program;
		all->items[i].call.seed = i + 1;
		all->items[i].call.timeout_ms = 1500;
		all->items[i].call.done = task_done;
		ck_assert_int_eq(oe__evaluator_prepare(evaluator, &all->items[i].call), 0);
	}
}

static inline void tasks_start(struct tasks *all, oe_evaluator *evaluator, size_t count)
{
	tasks_prepare(all, evaluator, count);
	for (size_t i = 0; i < count; i++)
		oe__evaluator_submit(&all->items[i].call);
}

static inline void tasks_wait(struct tasks *all)
{
	pthread_mutex_lock(&all->mutex);
	while (all->left > 0)
		oe__cond_wait_until(&all->done, &all->mutex, -1);
	pthread_mutex_unlock(&all->mutex);
}

static inline void tasks_done(struct tasks *all)
{
	for (size_t i = 0; i < all->count; i++)
		oe__evaluation_call_release(&all->items[i].call);
	oe__free(all->items);
	oe_program_unref(all->program);
	pthread_cond_destroy(&all->done);
	pthread_mutex_destroy(&all->mutex);
}

/* Every one of them was cancelled. */
static inline void tasks_check_cancelled(struct tasks *all)
{
	tasks_wait(all);
	for (size_t i = 0; i < all->count; i++)
		ck_assert_int_eq(all->items[i].call.status, OE_ERR_CANCELLED);
	tasks_done(all);
}

/* One, to its end. */
static inline oe_evaluation *evaluate(oe_evaluator *evaluator)
{
	OE__AUTO(program) oe_program *program = NULL;
	oe_evaluation *evaluation = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_program_new("x = 1\n", 6, "python", &program), 0);
	int status = oe_evaluator_run(evaluator, program, 7, 1500, &evaluation, &err);
	ck_assert_msg(status == 0, "%d: %s", status, err.message);
	return evaluation;
}

static inline int evaluate_badly(oe_evaluator *evaluator, oe_error *err)
{
	OE__AUTO(program) oe_program *program = NULL;
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_program_new("x = 1\n", 6, "python", &program), 0);
	int status = oe_evaluator_run(evaluator, program, 7, 1500, &evaluation, err);
	ck_assert_ptr_null(evaluation);
	return status;
}

static inline double metric_of(const oe_evaluation *evaluation, const char *name)
{
	const struct oe__metric *metric = oe__evaluation_metric(evaluation, name);

	return metric ? metric->value : (double)NAN;
}

static inline const char *artifact_of(const oe_evaluation *evaluation, const char *name)
{
	const struct oe__artifact *artifact = oe__evaluation_artifact(evaluation, name);

	return artifact ? artifact->data : NULL;
}

#endif /* OE_TEST_SCRIPTED_EVALUATOR_H */
