/*
 * The whole pipeline against the fake model server: one run with a full population, measured while
 * it runs. Prints one JSON object. See README.md for what the figures mean.
 *
 *     bench_pipeline [NAME=VALUE]...   in-flight, latency (ms), seconds, population, evaluator
 *                                      (callback or the path of an evaluator.py), program (bytes),
 *                                      durable (0 or 1), sandbox (auto, strict or none)
 */

#include <dirent.h>
#include <malloc.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fake_llm.h"
#include "openevolve/openevolve.h"

struct settings {
	long in_flight, latency, seconds, population, program, durable;
	const char *evaluator, *sandbox;
};

struct bench {
	struct settings settings;
	struct fake_llm fake;
	oe_config *config;
	oe_scheduler *scheduler;
	oe_evaluator *evaluator;
	oe_controller *controller;
	char directory[64];
};

static void check(int status, const oe_error *err, const char *what)
{
	if (status >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err->message[0] ? err->message : oe_status_string(status));
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double processor(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Resident now, not at most: in MB. */
static double resident(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!file || fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static int threads(void)
{
	DIR *stream = opendir("/proc/self/task");
	int count = -2; /* . and .. */

	while (stream && readdir(stream))
		count++;
	if (stream)
		closedir(stream);
	return count;
}

/* ---- the evaluator ---- */

/* A score that depends on all of the code, at the price of reading it. */
static int start(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
				 oe_error *err)
{
	oe_bytes code = oe_program_code(request->program);
	const unsigned char *text = code.data;
	unsigned hash = 2166136261u;

	(void)self;
	(void)err;
	for (size_t i = 0; i < code.size; i++)
		hash = (hash ^ text[i]) * 16777619u;
	int status =
		oe_evaluation_set_metric(evaluation, "combined_score", (double)(hash % 100000) / 1e5);
	oe_evaluation_finish(evaluation, status, NULL);
	return 0;
}

static void make_evaluator(struct bench *bench)
{
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	oe_error err = { 0 };
	int status;

	vtable.name = "callback";
	vtable.start = start;
	if (strcmp(bench->settings.evaluator, "callback") == 0)
		status = oe_evaluator_new(&vtable, NULL, &bench->evaluator, &err);
	else
		status =
			oe_evaluator_from_config(bench->config, bench->scheduler, bench->settings.evaluator,
									 ".py", NULL, &bench->evaluator, &err);
	check(status, &err, "evaluator");
}

/* ---- the run ---- */

static const char *no_variable(const char *name, void *userdata)
{
	(void)userdata;
	return strcmp(name, "PATH") == 0 ? getenv("PATH") : NULL;
}

static void set(struct bench *bench, const char *name, const char *value)
{
	oe_error err = { 0 };

	check(oe_config_set(bench->config, name, value, &err), &err, name);
}

static void set_number(struct bench *bench, const char *name, long value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%ld", value);
	set(bench, name, text);
}

static void configure(struct bench *bench)
{
	oe_error err = { 0 };

	check(oe_config_new(&bench->config), &err, "config");
	check(oe_config_set_environment(bench->config, no_variable, NULL, &err), &err, "environment");
	set(bench, "llm.api_base", bench->fake.url);
	set(bench, "llm.backend", "openai");
	set(bench, "llm.primary_model", "fake");
	set_number(bench, "llm.concurrency", bench->settings.in_flight);
	set_number(bench, "database.population_size", bench->settings.population);
	set(bench, "max_iterations", "1000000000");
	set(bench, "max_code_length", "1000000");
	/* With programs of 4 KB: prompts of about 25 KB. */
	set(bench, "prompt.num_top_programs", "2");
	set(bench, "prompt.num_diverse_programs", "1");
	set(bench, "checkpoint_interval", "0");
	set(bench, "random_seed", "1");
	set(bench, "language", "python");
	set(bench, "evaluator.python", "/usr/bin/python3");
	set(bench, "sandbox.mode", bench->settings.sandbox);
}

static oe_program *make_program(const struct bench *bench)
{
	size_t size = (size_t)bench->settings.program, used = 0;
	char *code = calloc(1, size + 256);
	oe_program *program = NULL;
	oe_error err = { 0 };

	used +=
		(size_t)snprintf(code, size, "# EVOLVE-BLOCK-START\ndef search(values):\n    best = 0.5\n");
	for (int i = 0; used + 80 < size; i++)
		used += (size_t)snprintf(
			code + used, size - used,
			"    step_%d = best * %d.25 + len(values)  # weigh the candidates\n", i, i);
	(void)snprintf(code + used, 200, "    return best\n# EVOLVE-BLOCK-END\n");
	check(oe_program_new(code, strlen(code), "python", &program), &err, "program");
	free(code);
	return program;
}

static void begin(struct bench *bench)
{
	oe_error err = { 0 };
	oe_program *program = make_program(bench);

	check(oe_scheduler_new(0, &bench->scheduler, &err), &err, "scheduler");
	make_evaluator(bench);
	check(oe_controller_new(bench->config, bench->scheduler, NULL, bench->evaluator,
							bench->settings.durable ? bench->directory : NULL, &bench->controller,
							&err),
		  &err, "controller");
	check(oe_controller_seed(bench->controller, program, &err), &err, "seed");
	oe_controller_set_events(bench->controller, 0);
	oe_program_unref(program);
}

static oe_statistics statistics(struct bench *bench)
{
	oe_statistics numbers = { .struct_size = sizeof(numbers) };
	oe_error err = { 0 };

	check(oe_controller_statistics(bench->controller, &numbers), &err, "statistics");
	return numbers;
}

static void step_until(struct bench *bench, double end)
{
	const oe_event *event;
	oe_error err = { 0 };

	while (now() < end) {
		int got = oe_controller_step(bench->controller, 20, &event, &err);
		check(got, &err, "step");
		if (got > 0 && event->type == OE_EVENT_DONE) {
			fprintf(stderr, "the run ended: %s\n", event->text);
			exit(1);
		}
	}
}

static void fill_population(struct bench *bench)
{
	while (statistics(bench).programs < bench->settings.population)
		step_until(bench, now() + 0.05);
}

static void measure(struct bench *bench)
{
	const struct settings *settings = &bench->settings;
	double latency = (double)settings->latency / 1e3;
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"latency\": %ld}", settings->latency);
	fake_llm_control(&bench->fake, text);
	/* Until no answer of before is left, and those since are spread. */
	step_until(bench, now() + 1 + 3 * latency);
	oe_statistics before = statistics(bench);
	fake_llm_reset(&bench->fake);
	double server = fake_llm_stat(&bench->fake, "cpu_ms"); /* since it began: a reset keeps it */
	double begun = now(), used = processor(RUSAGE_SELF), children = processor(RUSAGE_CHILDREN);
	step_until(bench, begun + (double)settings->seconds);
	double time = now() - begun;
	used = processor(RUSAGE_SELF) - used;
	children = processor(RUSAGE_CHILDREN) - children;
	oe_statistics after = statistics(bench);
	server = fake_llm_stat(&bench->fake, "cpu_ms") - server;
	double mean_ms = fake_llm_stat(&bench->fake, "latency_ms.mean");
	double requests = fake_llm_stat(&bench->fake, "requests");
	double bytes = fake_llm_stat(&bench->fake, "bytes_in");
	double iterations = (double)(after.ended - before.ended);
	double rate = iterations / time;
	struct mallinfo2 heap = mallinfo2(); /* what of it is in use: the rest is holes */

	printf("{\"in_flight\": %ld, \"latency_ms\": %ld, \"evaluator\": \"%s\", \"population\": %lld, "
		   "\"seconds\": %.2f, \"iterations\": %.0f, \"rate\": %.1f, \"mean_latency_ms\": %.2f, "
		   "\"efficiency\": %.4f, \"cpu_us\": %.1f, \"server_cpu_us\": %.1f, \"rss_mb\": %.1f, "
		   "\"heap_mb\": %.1f, "
		   "\"threads\": %d, \"request_bytes\": %.0f, \"failed\": %lld}\n",
		   settings->in_flight, settings->latency,
		   strcmp(settings->evaluator, "callback") == 0 ? "callback" : "python",
		   (long long)after.programs, time, iterations, rate, mean_ms,
		   rate * mean_ms / 1e3 / (double)settings->in_flight, 1e6 * used / iterations,
		   1e3 * server / (requests > 0 ? requests : 1), resident(),
		   (double)heap.uordblks / 1e6, threads(), requests > 0 ? bytes / requests : 0,
		   (long long)(after.ended - before.ended - (after.outcomes[0] - before.outcomes[0])));
}

static void end(struct bench *bench)
{
	char command[128];

	oe_controller_free(bench->controller);
	oe_evaluator_unref(bench->evaluator);
	oe_scheduler_unref(bench->scheduler);
	oe_config_free(bench->config);
	fake_llm_stop(&bench->fake);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", bench->directory);
	if (system(command) != 0)
		fprintf(stderr, "%s is left behind\n", bench->directory);
}

static void read_settings(struct settings *settings, int count, char **words)
{
	const struct {
		const char *name;
		long *value;
	} numbers[] = {
		{ "in-flight", &settings->in_flight }, { "latency", &settings->latency },
		{ "seconds", &settings->seconds },     { "population", &settings->population },
		{ "program", &settings->program },     { "durable", &settings->durable },
	};

	*settings = (struct settings){ 64, 1000, 10, 1000, 4000, 1, "callback", "auto" };
	for (int i = 1; i < count; i++) {
		size_t name = strcspn(words[i], "=");
		bool known = false;

		for (size_t k = 0; words[i][name] && k < sizeof(numbers) / sizeof(numbers[0]); k++)
			if (strlen(numbers[k].name) == name && strncmp(words[i], numbers[k].name, name) == 0) {
				*numbers[k].value = strtol(words[i] + name + 1, NULL, 10);
				known = true;
			}
		if (words[i][name] && strncmp(words[i], "evaluator=", 10) == 0) {
			settings->evaluator = words[i] + 10;
			known = true;
		}
		if (words[i][name] && strncmp(words[i], "sandbox=", 8) == 0) {
			settings->sandbox = words[i] + 8;
			known = true;
		}
		if (!known) {
			fprintf(stderr, "unknown setting '%s'\n", words[i]);
			exit(2);
		}
	}
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int count, char **words)
{
	static const char *const flags[] = { "--latency", "0", "--mode", "diff", NULL };
	struct bench bench = { .directory = "./bench-XXXXXX" };

	read_settings(&bench.settings, count, words);
	raise_descriptors();
	if (!mkdtemp(bench.directory)) {
		perror("mkdtemp");
		return 1;
	}
	fake_llm_start(&bench.fake, flags);
	configure(&bench);
	begin(&bench);
	fill_population(&bench);
	measure(&bench);
	end(&bench);
	return 0;
}
