/* The warm path: an evaluator as a run has it, and programs for it. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

static const char *variable(const char *name, void *userdata)
{
	(void)userdata;
	return strcmp(name, "PATH") == 0 ? getenv("PATH") : NULL;
}

/* {"path", "suffix", "config": {name: text}} */
json_t *driver_evaluator(struct driver *driver, const json_t *request)
{
	const char *path = json_string_value(json_object_get(request, "path"));
	const char *suffix = json_string_value(json_object_get(request, "suffix"));
	json_t *value, *settings = json_object_get(request, "config");
	const char *name;
	oe_error err = { 0 };

	driver_close(driver);
	int status = oe_config_new(&driver->config);
	if (status == 0)
		status = oe_config_set_environment(driver->config, variable, NULL, &err);
	json_object_foreach(settings, name, value)
		if (status == 0)
			status = oe_config_set(driver->config, name, json_string_value(value), &err);
	if (status == 0)
		status = oe_scheduler_new(0, &driver->scheduler, &err);
	if (status == 0)
		status = oe_evaluator_from_config(driver->config, driver->scheduler, path,
		                                  suffix ? suffix : ".py", NULL, &driver->evaluator, &err);
	if (status < 0)
		return driver_failure(status, &err);
	const char *report = oe_evaluator_confinement(driver->evaluator);
	return json_pack("{s:s*}", "report", report);
}

/* ---- programs ---- */

static json_t *metrics_of(const oe_evaluation *evaluation)
{
	json_t *metrics = json_object();
	const char *name;

	for (size_t i = 0; (name = oe_evaluation_metric_at(evaluation, i, NULL)); i++)
		json_object_set_new(metrics, name,
		                    json_loads(oe_evaluation_metric_json(evaluation, i), JSON_DECODE_ANY,
		                               NULL));
	return metrics;
}

static json_t *artifacts_of(const oe_evaluation *evaluation)
{
	json_t *artifacts = json_object();
	oe_bytes content;
	const char *name;

	for (size_t i = 0; (name = oe_evaluation_artifact_at(evaluation, i, &content)); i++)
		json_object_set_new(artifacts, name, driver_text(content.data, content.size));
	return artifacts;
}

/* A fitness that is no number is null. */
static json_t *fitness_of(const oe_program *program, oe_evaluation *evaluation)
{
	oe_program *judged = NULL;

	if (oe_program_evaluated(program, evaluation, &judged) < 0)
		return json_null();
	double fitness = oe_program_fitness(judged);
	oe_program_unref(judged);
	json_t *number = json_real(fitness);
	return number ? number : json_null();
}

static json_t *answer_of(const oe_program *program, oe_evaluation *evaluation, double elapsed_ms)
{
	oe_usage usage = { .struct_size = sizeof(usage) };

	oe_evaluation_usage(evaluation, &usage);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:f, s:f, s:f, s:o}", "verdict",
	                 oe_verdict_name(oe_evaluation_verdict(evaluation)), "message",
	                 oe_evaluation_message(evaluation), "metrics", metrics_of(evaluation),
	                 "artifacts", artifacts_of(evaluation), "fitness",
	                 fitness_of(program, evaluation), "wall_ms", oe_evaluation_wall_ms(evaluation),
	                 "cpu_ms", oe_evaluation_cpu_ms(evaluation), "elapsed_ms", elapsed_ms, "usage",
	                 driver_usage(&usage));
}

struct work {
	const struct driver *driver;
	const json_t *request;
	atomic_llong left;
	pthread_mutex_t mutex;
	json_t *answers; /* of the last ones; guarded by mutex */
	json_t *failure; /* the first one; likewise            */
	json_int_t verdicts[32];
};

static void note(struct work *work, json_t *answer, json_t *failure, int verdict)
{
	const size_t kept = 16;

	pthread_mutex_lock(&work->mutex);
	if (failure && !work->failure)
		work->failure = failure;
	else
		json_decref(failure);
	if (answer) {
		work->verdicts[verdict]++;
		json_array_append_new(work->answers, answer);
		if (json_array_size(work->answers) > kept)
			json_array_remove(work->answers, 0);
	}
	pthread_mutex_unlock(&work->mutex);
}

static void judge_one(struct work *work, long long number)
{
	const json_t *code = json_object_get(work->request, "code");
	uint64_t seed = (uint64_t)driver_number(work->request, "seed", 0);
	oe_program *program = NULL;
	oe_evaluation *evaluation = NULL;
	oe_error err = { 0 };
	double begun = driver_now_ms();

	if (json_object_get(work->request, "count"))
		seed += (uint64_t)number;
	int status = oe_program_new(json_string_value(code), json_string_length(code), "python", &program);
	if (status == 0)
		status = oe_evaluator_run(work->driver->evaluator, program, seed,
		                          driver_number(work->request, "timeout_ms", 0), &evaluation, &err);
	if (status < 0)
		note(work, NULL, driver_failure(status, &err), 0);
	else
		note(work, answer_of(program, evaluation, driver_now_ms() - begun), NULL,
		     oe_evaluation_verdict(evaluation));
	oe_evaluation_unref(evaluation);
	oe_program_unref(program);
}

static void *judge_some(void *argument)
{
	struct work *work = argument;
	long long number;

	while ((number = atomic_fetch_sub(&work->left, 1)) > 0)
		judge_one(work, number);
	return NULL;
}

/*
 * {"code", "seed", "timeout_ms"}: one evaluation, and its answer. With "count" (and "threads"):
 * {"answers": the last few, "verdicts": {name: how many}, "failure"}.
 */
json_t *driver_judge(struct driver *driver, const json_t *request)
{
	enum { THREADS_MAX = 16 };
	struct work work = { .driver = driver, .request = request, .answers = json_array() };
	int64_t threads = driver_number(request, "threads", 1);
	pthread_t thread[THREADS_MAX];
	json_t *verdicts = json_object();

	pthread_mutex_init(&work.mutex, NULL);
	atomic_init(&work.left, driver_number(request, "count", 1));
	for (int64_t i = 1; i < threads && i < THREADS_MAX; i++)
		if (pthread_create(&thread[i], NULL, judge_some, &work) != 0)
			threads = i;
	judge_some(&work);
	for (int64_t i = 1; i < threads && i < THREADS_MAX; i++)
		pthread_join(thread[i], NULL);
	pthread_mutex_destroy(&work.mutex);
	for (int i = 0; i < 32; i++)
		if (work.verdicts[i])
			json_object_set_new(verdicts, oe_verdict_name(i), json_integer(work.verdicts[i]));
	if (!json_object_get(request, "count")) {
		json_t *only = json_incref(json_array_get(work.answers, 0));
		json_decref(work.answers);
		json_decref(verdicts);
		return only ? only : work.failure;
	}
	return json_pack("{s:o, s:o, s:o*}", "answers", work.answers, "verdicts", verdicts, "failure",
	                 work.failure);
}
