#include "evaluator/cascade.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/thread.h"
#include "evaluator/failure.h"
#include "evaluator/python_result.h"
#include "program/fitness.h"

struct stage {
	oe_evaluator *evaluator;
	double threshold;
};

struct cascade {
	struct oe__cascade_options options;
	struct stage *stages;
	size_t count, capacity;
	pthread_mutex_t mutex;
	struct climb *climbs; /* under way; guarded by mutex */
};

/* One evaluation on its way through the stages. */
struct climb {
	struct cascade *cascade;
	struct climb *next;        /* guarded by the cascade's mutex, as the next one */
	bool cancelled;
	oe_evaluation *evaluation; /* of the caller: to be written and finished */
	oe_evaluation *merged;     /* what the stages before found, open; NULL before the first */
	size_t stage;
	double wall_ms; /* of the stages so far, as they say: neither waiting for a turn nor clearing up */
	struct oe__evaluation_call call;
};

/* Out of the list first: from then on nobody cancels it. */
static void climb_free(struct climb *climb)
{
	struct cascade *cascade = climb->cascade;

	pthread_mutex_lock(&cascade->mutex);
	for (struct climb **link = &cascade->climbs; *link; link = &(*link)->next)
		if (*link == climb) {
			*link = climb->next;
			break;
		}
	pthread_mutex_unlock(&cascade->mutex);
	oe__evaluation_call_release(&climb->call);
	oe_evaluation_unref(climb->merged);
	oe__free(climb);
}

/* ---- the end ---- */

static int copy_artifacts(struct climb *climb, const oe_evaluation *from)
{
	const struct oe__cascade_options *options = &climb->cascade->options;
	int status = 0;

	for (size_t i = 0; options->artifacts && status == 0 && i < from->artifact_count; i++) {
		const struct oe__artifact *artifact = &from->artifacts[i];
		size_t room = options->artifact_bytes > climb->evaluation->artifact_bytes
		                  ? options->artifact_bytes - climb->evaluation->artifact_bytes
		                  : 0;
		if (options->artifact_bytes > 0 && artifact->size > room)
			status = oe__artifact_add_cut(climb->evaluation, artifact, room);
		else
			status = oe__evaluation_add_artifact_kind(climb->evaluation, artifact->name,
			                                          artifact->kind, artifact->data,
			                                          artifact->size);
	}
	return status;
}

static int copy_metrics(struct climb *climb, const oe_evaluation *from)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < from->metric_count; i++)
		status = oe__evaluation_copy_metric(climb->evaluation, &from->metrics[i]);
	return status;
}

/* Too much for one evaluation is the stages' doing, not ours: repeated, it would end the same way. */
static int blame_stages(oe_evaluation *evaluation, int status)
{
	if (status != OE_ERR_LIMIT)
		return status;
	return oe_evaluation_set_verdict(evaluation, OE_VERDICT_BAD_RESULT,
	                                 "its stages gave too many metrics or artifacts together");
}

/* Everything is in `from`: it becomes the caller's, with the verdict of the last stage. */
static void finish(struct climb *climb, const oe_evaluation *from, const oe_evaluation *last)
{
	oe_evaluation *evaluation = climb->evaluation;
	int status = copy_metrics(climb, from);

	if (status == 0)
		status = copy_artifacts(climb, from);
	if (status == 0 && last->verdict != OE_VERDICT_OK)
		status = oe_evaluation_set_verdict(evaluation, last->verdict, oe_evaluation_message(last));
	if (status == 0)
		status = oe__result_check_score(evaluation);
	if (status == 0 && climb->cascade->options.artifacts)
		status = oe__result_add_verdict(evaluation);
	status = blame_stages(evaluation, status);
	oe__evaluation_copy_usage(evaluation, last);
	evaluation->wall_ms = climb->wall_ms;
	climb_free(climb);
	oe_evaluation_finish(evaluation, status, NULL);
}

/* ---- stages ---- */

static void climb_on(struct climb *climb);
static void give_up(struct climb *climb, int status);

static struct oe__failure_context context_of(const struct climb *climb)
{
	const struct cascade *cascade = climb->cascade;
	return (struct oe__failure_context){
		.stage = cascade->options.staged ? (int)climb->stage + 1 : 0,
		.timeout_ms = climb->call.timeout_ms,
		.thresholds = cascade->options.thresholds,
		.file = cascade->options.file,
	};
}

static void fail(struct climb *climb, const oe_evaluation *result)
{
	OE__AUTO(evaluation) oe_evaluation *all = NULL;
	struct oe__failure_context context = context_of(climb);

	if (climb->cascade->options.plain) {
		finish(climb, result, result);
		return;
	}
	int status = oe_evaluation_new(&all);
	if (status == 0)
		status = oe__failure_describe(&context, climb->merged, result, all);
	if (status < 0)
		give_up(climb, status);
	else
		finish(climb, all, result);
}

/* Later stages add to the numbers of the earlier ones; texts and `error` stay behind. */
static int merge(struct climb *climb, const oe_evaluation *result)
{
	OE__AUTO(evaluation) oe_evaluation *both = NULL;
	const oe_evaluation *parts[] = { climb->merged, result };

	int status = oe_evaluation_new(&both);
	for (size_t k = 0; status == 0 && k < 2; k++) {
		for (size_t i = 0; status == 0 && i < parts[k]->metric_count; i++) {
			const struct oe__metric *metric = &parts[k]->metrics[i];
			if (metric->kind != OE__METRIC_JSON && strcmp(metric->name, "error") != 0)
				status = oe_evaluation_set_metric(both, metric->name, metric->value);
		}
		for (size_t i = 0; status == 0 && i < parts[k]->artifact_count; i++) {
			const struct oe__artifact *artifact = &parts[k]->artifacts[i];
			status = oe__evaluation_add_artifact_kind(both, artifact->name, artifact->kind,
			                                          artifact->data, artifact->size);
		}
	}
	if (status < 0)
		return status;
	oe_evaluation_unref(climb->merged);
	climb->merged = OE__STEAL(both);
	return 0;
}

static int take_result(struct climb *climb, const oe_evaluation *result)
{
	if (climb->merged)
		return merge(climb, result);
	int status = oe_evaluation_new(&climb->merged);
	return status < 0 ? status : oe__evaluation_merge(climb->merged, result);
}

static void stage_done(struct oe__evaluation_call *call)
{
	struct climb *climb = OE__CONTAINER(call, struct climb, call);
	const struct cascade *cascade = climb->cascade;
	oe_evaluation *evaluation = climb->evaluation;
	const oe_evaluation *result = call->evaluation;
	double threshold = cascade->stages[climb->stage].threshold;

	if (call->status < 0) {
		oe_error err = call->error;
		int status = call->status;
		climb_free(climb);
		oe_evaluation_finish(evaluation, status, &err);
		return;
	}
	climb->wall_ms += result->wall_ms;
	if (result->verdict != OE_VERDICT_OK) {
		fail(climb, result);
		return;
	}
	int status = take_result(climb, result);
	if (status < 0) {
		give_up(climb, status);
		return;
	}
	bool last = climb->stage + 1 == cascade->count;
	if (last || !oe__passes_threshold(climb->merged, threshold)) {
		if (oe__failure_is_own_timeout(climb->merged))
			fail(climb, result);
		else
			finish(climb, climb->merged, result);
		return;
	}
	climb->stage++;
	climb_on(climb);
}

static void give_up(struct climb *climb, int status)
{
	oe_evaluation *evaluation = climb->evaluation;

	status = blame_stages(evaluation, status);
	climb_free(climb);
	oe_evaluation_finish(evaluation, status, NULL);
}

static void climb_on(struct climb *climb)
{
	struct cascade *cascade = climb->cascade;
	oe_evaluator *stage = cascade->stages[climb->stage].evaluator;

	/* Whoever cancels sees the old call or the new one, never one in the making. */
	pthread_mutex_lock(&cascade->mutex);
	oe__evaluation_call_release(&climb->call);
	bool unwanted = climb->cancelled || oe_evaluation_cancelled(climb->evaluation);
	int status = unwanted ? OE_ERR_CANCELLED : oe__evaluator_prepare(stage, &climb->call);
	pthread_mutex_unlock(&cascade->mutex);
	if (status < 0)
		give_up(climb, status);
	else
		oe__evaluator_submit(&climb->call);
}

/* ---- the table ---- */

static int start(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
                 oe_error *err)
{
	struct cascade *cascade = self;
	struct climb *climb = oe__calloc(1, sizeof(*climb));

	if (!climb)
		return oe__error_nomem(err);
	if (cascade->count == 0) {
		oe__free(climb);
		return oe__error(err, OE_ERR_EVALUATOR, "the cascade has no stages");
	}
	climb->cascade = cascade;
	climb->evaluation = evaluation;
	climb->call.program = request->program;
	climb->call.iteration = (oe_iteration *)(uintptr_t)request->iteration;
	climb->call.seed = request->seed;
	climb->call.timeout_ms = request->timeout_ms;
	climb->call.meter = oe__evaluation_meter(evaluation);
	climb->call.done = stage_done;
	pthread_mutex_lock(&cascade->mutex);
	climb->next = cascade->climbs;
	cascade->climbs = climb;
	pthread_mutex_unlock(&cascade->mutex);
	climb_on(climb);
	return 0;
}

static void cancel(void *self, oe_evaluation *evaluation)
{
	struct cascade *cascade = self;
	struct oe__evaluation_hold hold = { NULL, NULL };

	pthread_mutex_lock(&cascade->mutex);
	for (struct climb *climb = cascade->climbs; climb; climb = climb->next) {
		if (climb->evaluation != evaluation)
			continue;
		climb->cancelled = true;
		if (climb->call.sink)
			hold = oe__evaluation_call_hold(&climb->call);
		break;
	}
	pthread_mutex_unlock(&cascade->mutex);
	/* Without the lock: a stage may finish in its cancel(), which comes back here. */
	oe__evaluation_hold_cancel(&hold);
}

static void cascade_free(void *self)
{
	struct cascade *cascade = self;

	for (size_t i = 0; i < cascade->count; i++)
		oe_evaluator_unref(cascade->stages[i].evaluator);
	pthread_mutex_destroy(&cascade->mutex);
	oe__free(cascade->stages);
	oe__free((void *)(uintptr_t)cascade->options.file);
	oe__free((void *)(uintptr_t)cascade->options.thresholds);
	oe__free(cascade);
}

/* What some stages are not confined by is not said of all. */
static const char *confinement(void *self)
{
	const struct cascade *cascade = self;
	const char *first = cascade->count > 0
	                        ? oe_evaluator_confinement(cascade->stages[0].evaluator)
	                        : NULL;

	for (size_t i = 1; first && i < cascade->count; i++) {
		const char *other = oe_evaluator_confinement(cascade->stages[i].evaluator);
		if (!other || strcmp(first, other) != 0)
			return NULL;
	}
	return first;
}

static const oe_evaluator_vtable cascade_vtable = {
	.struct_size = sizeof(oe_evaluator_vtable),
	.name = "cascade",
	.start = start,
	.cancel = cancel,
	.free = cascade_free,
	.confinement = confinement,
};

int oe__cascade_new(const struct oe__cascade_options *options, oe_evaluator **out, oe_error *err)
{
	struct cascade *cascade = oe__calloc(1, sizeof(*cascade));
	if (!cascade)
		return oe__error_nomem(err);
	pthread_mutex_init(&cascade->mutex, NULL);
	cascade->options = *options;
	cascade->options.file = oe__strdup(options->file ? options->file : "");
	cascade->options.thresholds = oe__strdup(options->thresholds);
	bool copied = cascade->options.file && (cascade->options.thresholds || !options->thresholds);
	int status = copied ? oe_evaluator_new(&cascade_vtable, cascade, out, err)
	                    : oe__error_nomem(err);
	if (status < 0)
		cascade_free(cascade);
	return status;
}

int oe_evaluator_cascade_new(oe_evaluator **out)
{
	struct oe__cascade_options options = { .artifacts = true };
	return out ? oe__cascade_new(&options, out, NULL) : OE_ERR_INVALID;
}

int oe_evaluator_cascade_add(oe_evaluator *evaluator, oe_evaluator *stage, double threshold)
{
	struct cascade *cascade = evaluator ? oe__evaluator_self(evaluator, &cascade_vtable) : NULL;

	if (!cascade || !stage || stage == evaluator || isnan(threshold))
		return OE_ERR_INVALID;
	void *stages = cascade->stages;
	int status = oe__grow(&stages, &cascade->capacity, cascade->count + 1, sizeof(struct stage));
	cascade->stages = stages;
	if (status < 0)
		return status;
	cascade->stages[cascade->count++] = (struct stage){ oe_evaluator_ref(stage), threshold };
	/* It keeps deadlines as well as all of its stages do. */
	oe__evaluator_set_keeps_deadlines(
		evaluator, oe__evaluator_keeps_deadlines(stage) &&
		               (cascade->count == 1 || oe__evaluator_keeps_deadlines(evaluator)));
	return 0;
}
