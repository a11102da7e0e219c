/* What evaluator files, their settings and their failures come to: metrics and artifacts. */

#include <math.h>
#include <unistd.h>

#include "config/config.h"
#include "evaluator/evaluator.h"
#include "llm/llm.h"
#include "scheduler/scheduler.h"
#include "golden.h"
#include "program/base64.h"

struct bench {
	char directory[64];
	oe_scheduler *scheduler;
};

static bool need(bool ok, const char *what)
{
	if (ok)
		return true;
	fprintf(stderr, "%s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- the judging models ---- */

static int answer(void *self, const oe_llm_request *request, oe_completion *completion,
				  oe_error *err)
{
	const struct oe__value *reply = self;

	(void)request;
	if (reply->type != OE__VALUE_STRING)
		return oe__error(err, OE_ERR_LLM, "no answer");
	int status = oe_completion_append(completion, reply->string, reply->size);
	oe_completion_finish(completion, status, NULL);
	return 0;
}

static oe_llm *make_models(const struct oe__value *feedback)
{
	const struct oe__value *weights = oe__value_get(feedback, "weights");
	const struct oe__value *replies = oe__value_get(feedback, "replies");
	oe_llm_vtable vtable = OE_LLM_VTABLE_INIT;
	oe_llm *ensemble = NULL;

	vtable.name = "recorded";
	vtable.start = answer;
	need(oe_llm_ensemble_new(&ensemble) == 0, "no ensemble");
	for (size_t i = 0; i < replies->size; i++) {
		oe_llm *model = NULL;
		need(oe_llm_new(&vtable, &replies->items[i], &model, NULL) == 0, "no model");
		need(oe_llm_ensemble_add(ensemble, model, weights->items[i].real) == 0, "no member");
		oe_llm_unref(model);
	}
	return ensemble;
}

/* ---- comparing ---- */

static bool fail(const char *name, const char *why)
{
	fprintf(stderr, "    %s: %s\n", name, why);
	return false;
}

static bool same_number(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
}

static char *json_of(const struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &text, .python = true };

	oe__json_put(&writer, value);
	return oe__buffer_steal(&text, NULL);
}

static bool same_metric(const struct oe__metric *metric, const struct oe__value *expected)
{
	double number;

	if (golden_number(expected, &number))
		return metric->kind != OE__METRIC_JSON && same_number(metric->value, number);
	OE__AUTO(string) char *json = json_of(expected);
	return metric->kind == OE__METRIC_JSON && strcmp(metric->json, json) == 0;
}

static bool same_metrics(const oe_evaluation *evaluation, const struct oe__value *expected)
{
	bool same = true;

	for (size_t i = 0; i < expected->size; i++) {
		const char *name = expected->keys[i].string;
		const struct oe__metric *metric = oe__evaluation_metric(evaluation, name);
		if (!metric)
			same = fail(name, "no such metric");
		else if (!same_metric(metric, &expected->items[i]))
			same = fail(name, metric->json ? metric->json : metric->text);
	}
	for (size_t i = 0; i < evaluation->metric_count; i++)
		if (!oe__value_get(expected, evaluation->metrics[i].name))
			same = fail(evaluation->metrics[i].name, "a metric too many");
	return same;
}

static bool ends_with_line(const struct oe__artifact *artifact, const char *line)
{
	size_t size = artifact->size, length = strlen(line);

	while (size > 0 && artifact->data[size - 1] == '\n')
		size--;
	return size >= length && memcmp(artifact->data + size - length, line, length) == 0;
}

static bool same_artifact(const struct oe__artifact *artifact, const struct oe__value *expected,
						  const char *file)
{
	const struct oe__value *traceback =
		expected->type == OE__VALUE_MAP ? oe__value_get(expected, "$traceback") : NULL;
	const struct oe__value *bytes =
		expected->type == OE__VALUE_MAP ? oe__value_get(expected, "$bytes") : NULL;
	double number;

	if (traceback)
		return oe__has_prefix(artifact->data, golden_text(traceback, "starts").data) &&
			   ends_with_line(artifact, golden_text(traceback, "last_line").data);
	if (expected->type == OE__VALUE_MAP && oe__value_get(expected, "$timestamp"))
		return oe__parse_real(artifact->data, artifact->size, &number);
	if (expected->type == OE__VALUE_MAP && oe__value_get(expected, "$evaluator_path"))
		return strcmp(artifact->data, file) == 0;
	if (bytes) {
		OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(0);
		need(oe__base64_decode(&data, bytes->string, bytes->size) == 0, "base64");
		return golden_same((oe_bytes){ artifact->data, artifact->size },
						   (oe_bytes){ data.data, data.size });
	}
	if (expected->type == OE__VALUE_STRING)
		return golden_same((oe_bytes){ artifact->data, artifact->size },
						   (oe_bytes){ expected->string, expected->size });
	OE__AUTO(string) char *json = json_of(expected);
	if (golden_number(expected, &number)) {
		double ours;
		if (expected->type == OE__VALUE_BOOL)
			return strcmp(artifact->data, json) == 0;
		return oe__parse_real(artifact->data, artifact->size, &ours) && same_number(ours, number);
	}
	return strcmp(artifact->data, json) == 0;
}

static bool same_artifacts(const oe_evaluation *evaluation, const struct oe__value *expected,
						   const char *file)
{
	size_t count = expected && expected->type == OE__VALUE_MAP ? expected->size : 0;
	bool same = true;

	for (size_t i = 0; i < count; i++) {
		const char *name = expected->keys[i].string;
		const struct oe__artifact *artifact = oe__evaluation_artifact(evaluation, name);
		if (!artifact)
			same = fail(name, "no such artifact");
		else if (!same_artifact(artifact, &expected->items[i], file))
			same = fail(name, artifact->data);
	}
	for (size_t i = 0; i < evaluation->artifact_count; i++) {
		const char *name = evaluation->artifacts[i].name;
		/* What a failed one printed, and how it ended in a sentence, are ours to add. */
		if ((count == 0 || !oe__value_get(expected, name)) && strcmp(name, "output") != 0 &&
			strcmp(name, "verdict") != 0)
			same = fail(name, "an artifact too many");
	}
	return same;
}

/* ---- one case ---- */

static const char *variable(const char *name, void *item)
{
	const struct oe__value *env = oe__value_get(item, "env");

	return env && env->type == OE__VALUE_MAP ? golden_text(env, name).data : NULL;
}

static oe_config *configure(const struct oe__value *item)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer writer = { .out = &text };
	oe_config *config = NULL;
	oe_error err = { 0 };

	oe__json_map(&writer);
	oe__json_key(&writer, "evaluator");
	oe__json_put(&writer, oe__value_get(item, "config"));
	oe__json_map_end(&writer);
	need(oe_config_new(&config) == 0, "no configuration");
	need(oe_config_set_environment(config, variable, (void *)(uintptr_t)item, &err) == 0,
		 err.message);
	need(oe_config_load_text(config, oe__buffer_string(&text), text.size, "case", &err) == 0,
		 err.message);
	/* The one that has numpy, where there are several. */
	if (access("/usr/bin/python3", X_OK) == 0)
		need(oe_config_set(config, "evaluator.python", "/usr/bin/python3", &err) == 0, err.message);
	return config;
}

/* Exceptions of an evaluator are not repeated (the same program fails again), and nothing of one
   evaluation is there in the next: what these recorded cannot be. The first failure is final. */
static const char *const repeated[] = { "direct-raises-retries", "direct-recovers",
										"direct-recovers-plain", "fallback-raises" };

static bool is_repeated(const struct oe__value *item)
{
	for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++)
		if (strcmp(golden_text(item, "name").data, repeated[i]) == 0)
			return true;
	return false;
}

static bool failed_once(const oe_evaluation *evaluation)
{
	const struct oe__artifact *attempt = oe__evaluation_artifact(evaluation, "attempt");
	const struct oe__metric *error = oe__evaluation_metric(evaluation, "error");

	return attempt && strcmp(attempt->data, "1") == 0 && error && error->value == 0 &&
		   oe__evaluation_artifact(evaluation, "traceback");
}

static bool check_case(struct bench *bench, const struct oe__value *item, size_t number)
{
	const struct oe__value *wanted = oe__value_get(item, "wanted");
	const struct oe__value *expected =
		wanted && wanted->type == OE__VALUE_MAP ? wanted : oe__value_get(item, "expect");
	const struct oe__value *feedback = oe__value_get(item, "feedback");
	OE__AUTO(config) oe_config *config = configure(item);
	OE__AUTO(buffer) struct oe__buffer path = OE__BUFFER_INIT(0);
	OE__AUTO(llm)
	oe_llm *models = feedback && feedback->type == OE__VALUE_MAP ? make_models(feedback) : NULL;
	OE__AUTO(evaluator) oe_evaluator *evaluator = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *program = NULL;
	oe_bytes source = golden_text(item, "evaluator_py"), code = golden_text(item, "program");
	oe_error err = { 0 };

	if (wanted && oe__value_is(wanted, "any"))
		return true;
	oe__buffer_printf(&path, "%s/evaluator_%zu.py", bench->directory, number);
	need(oe__file_write(path.data, source.data, source.size, &err) == 0, err.message);
	need(oe_program_new(code.data, code.size, "python", &program) == 0, "no program");
	int status = oe_evaluator_from_config(config, bench->scheduler, path.data, ".py", models,
										  &evaluator, &err);
	if (status == 0)
		status = oe_evaluator_run(evaluator, program, 1, oe__config_ms(config, "evaluator.timeout"),
								  &evaluation, &err);
	if (status < 0)
		return fail("error", err.message);
	if (is_repeated(item))
		return failed_once(evaluation);
	bool metrics = same_metrics(evaluation, oe__value_get(expected, "metrics"));
	return same_artifacts(evaluation, oe__value_get(expected, "artifacts"), path.data) && metrics;
}

int main(void)
{
	OE__AUTO(string) char *path = NULL;
	OE__AUTO(value) struct oe__value root = { 0 };
	struct bench bench = { .directory = "/tmp/oe-cascade-XXXXXX" };
	size_t failed = 0;
	int status = golden_path("cascade.json", &path);

	if (status == 0)
		status = golden_read(path, &root);
	if (status != 0)
		return status;
	need(mkdtemp(bench.directory) != NULL, "no directory");
	need(oe_scheduler_new(0, &bench.scheduler, NULL) == 0, "no scheduler");
	const struct oe__value *cases = oe__value_get(&root, "cases");
	for (size_t i = 0; i < cases->size; i++) {
		if (check_case(&bench, &cases->items[i], i))
			continue;
		failed++;
		fprintf(stderr, "FAILED %s\n", (const char *)golden_text(&cases->items[i], "name").data);
	}
	oe_scheduler_unref(bench.scheduler);
	(void)oe__directory_remove(bench.directory, NULL);
	printf("cascade.json: %zu of %zu cases agree\n", cases->size - failed, cases->size);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
