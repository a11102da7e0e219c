/* Evaluators that call a function of an evaluator file, and the probe that finds its functions. */

#include "evaluator/python.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "evaluator/python_internal.h"

struct python {
	struct oe__python_pool *pool;
	char *function;
};

/* ---- any thread ---- */

static void enqueue(struct oe__task *task)
{
	struct oe__python_job *job = OE__CONTAINER(task, struct oe__python_job, task);
	struct oe__python_pool *pool = job->pool;

	if (oe_evaluation_cancelled(job->evaluation)) {
		oe__python_job_finish(job, OE_ERR_CANCELLED, NULL);
		return;
	}
	job->next = NULL;
	if (pool->tail)
		pool->tail->next = job;
	else
		pool->head = job;
	pool->tail = job;
	oe__python_pool_dispatch(pool);
}

static int begin(struct python *python, const oe_evaluation_request *request,
                 const oe_program *program, oe_evaluation *evaluation, oe_error *err)
{
	struct oe__python_job *job = oe__calloc(1, sizeof(*job));
	if (!job)
		return oe__error_nomem(err);
	job->task.run = enqueue;
	job->pool = oe__python_pool_ref(python->pool);
	job->evaluation = evaluation;
	job->program = program;
	job->function = python->function;
	job->seed = request->seed;
	job->timeout_ms = request->timeout_ms;
	oe__reactor_post(python->pool->reactor, &job->task);
	return 0;
}

static int start(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
                 oe_error *err)
{
	return begin(self, request, request->program, evaluation, err);
}

struct cancelling {
	struct oe__task task;
	struct oe__python_pool *pool;
	oe_evaluation *evaluation;
};

static void cancel_on_reactor(struct oe__task *task)
{
	struct cancelling *cancelling = OE__CONTAINER(task, struct cancelling, task);
	struct oe__python_pool *pool = cancelling->pool;
	struct oe__python_job *before = NULL;

	for (struct oe__python_job *job = pool->head; job; before = job, job = job->next) {
		if (job->evaluation != cancelling->evaluation)
			continue;
		if (before)
			before->next = job->next;
		else
			pool->head = job->next;
		if (pool->tail == job)
			pool->tail = before;
		oe__python_job_finish(job, OE_ERR_CANCELLED, NULL);
		break;
	}
	for (int32_t i = 0; i < pool->options.slots; i++)
		if (pool->slots[i].job && pool->slots[i].job->evaluation == cancelling->evaluation)
			oe__slot_cancel(&pool->slots[i]);
	oe_evaluation_unref(cancelling->evaluation);
	oe__python_pool_unref(pool);
	oe__free(cancelling);
}

static void cancel(void *self, oe_evaluation *evaluation)
{
	struct python *python = self;
	struct cancelling *cancelling = oe__calloc(1, sizeof(*cancelling));
	if (!cancelling)
		return; /* it ends at its deadline */
	cancelling->task.run = cancel_on_reactor;
	cancelling->pool = oe__python_pool_ref(python->pool);
	cancelling->evaluation = oe_evaluation_ref(evaluation);
	oe__reactor_post(python->pool->reactor, &cancelling->task);
}

static void python_free(void *self)
{
	struct python *python = self;

	oe__python_pool_unref(python->pool);
	oe__free(python->function);
	oe__free(python);
}

static const char *python_confinement(void *self)
{
	const struct python *python = self;
	return oe__python_pool_report(python->pool);
}

static const oe_evaluator_vtable python_vtable = {
	.struct_size = sizeof(oe_evaluator_vtable),
	.name = "python",
	.start = start,
	.cancel = cancel,
	.free = python_free,
	.confinement = python_confinement,
};

int oe__python_evaluator_new(struct oe__python_pool *pool, const char *function,
                             oe_evaluator **out, oe_error *err)
{
	struct python *python = oe__calloc(1, sizeof(*python));
	if (!python)
		return oe__error_nomem(err);
	python->pool = oe__python_pool_ref(pool);
	python->function = oe__strdup(function);
	int status = python->function ? oe_evaluator_new(&python_vtable, python, out, err)
	                              : oe__error_nomem(err);
	if (status < 0) {
		python_free(python);
		return status;
	}
	oe__evaluator_set_keeps_deadlines(*out, true);
	return 0;
}

/* ---- the probe ---- */

static int start_probe(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
                       oe_error *err)
{
	return begin(self, request, NULL, evaluation, err);
}

static unsigned functions_of(const oe_evaluation *evaluation)
{
	static const char *const names[] = { "evaluate", "evaluate_stage1", "evaluate_stage2",
		                                 "evaluate_stage3" };
	const struct oe__artifact *found = oe__evaluation_artifact(evaluation, "functions");
	OE__AUTO(value) struct oe__value list = { 0 };
	unsigned functions = 0;

	if (!found || oe__json_parse(found->data, found->size, &list, NULL) < 0)
		return 0;
	for (size_t i = 0; i < list.size; i++)
		for (size_t k = 0; k < OE__COUNT(names); k++)
			if (oe__value_is(&list.items[i], names[k]))
				functions |= 1u << k;
	return functions;
}

/* The last lines of a traceback say where; they go into the message. */
static int cannot_load(const struct oe__python_pool *pool, const oe_evaluation *evaluation,
                       oe_error *err)
{
	return oe__error_at(err, OE_ERR_EVALUATOR, pool->options.evaluator, 0, 0,
	                    "the evaluator cannot be loaded: %s", oe_evaluation_message(evaluation));
}

int oe__python_pool_probe(struct oe__python_pool *pool, int64_t timeout_ms, unsigned *functions,
                          oe_error *err)
{
	OE__AUTO(evaluator) oe_evaluator *evaluator = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *nothing = NULL;
	oe_evaluator_vtable vtable = python_vtable;

	vtable.start = start_probe;
	struct python *python = oe__calloc(1, sizeof(*python));
	if (!python)
		return oe__error_nomem(err);
	python->pool = oe__python_pool_ref(pool);
	python->function = oe__strdup("evaluate");
	int status = python->function ? oe_evaluator_new(&vtable, python, &evaluator, err)
	                              : oe__error_nomem(err);
	if (status < 0) {
		python_free(python);
		return status;
	}
	status = oe_program_new("", 0, NULL, &nothing);
	if (status == 0)
		status = oe_evaluator_run(evaluator, nothing, 0, timeout_ms, &evaluation, err);
	if (status < 0)
		return status;
	*functions = functions_of(evaluation);
	if (*functions == 0 && !oe__evaluation_artifact(evaluation, "functions"))
		return cannot_load(pool, evaluation, err);
	if (!(*functions & (OE__PYTHON_EVALUATE | OE__PYTHON_STAGE1)))
		return oe__error_at(err, OE_ERR_EVALUATOR, pool->options.evaluator, 0, 0,
		                    "the evaluator defines no function evaluate(program_path)");
	return 0;
}
