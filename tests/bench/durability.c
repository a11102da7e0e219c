/*
 * What a run leaves on disk, and how soon it goes on from there: a run of so many programs is made with
 * a model and an evaluator that take no time, closed, and resumed. Prints one JSON object.
 *
 *     bench_durability [NAME=VALUE]...   programs, population, program (bytes), artifact (bytes),
 *                                        resumes (how often)
 */

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "openevolve/openevolve.h"

static struct {
	long programs, population, program, artifact, resumes;
} settings = { 10000, 1000, 4000, 200, 3 };

static char directory[] = "./bench-XXXXXX";
static atomic_llong first_new; /* the first number that is not of before the resume */
static _Atomic double asked_at; /* when it was asked; 0: not yet                     */

static void check(int status, const oe_error *err, const char *what)
{
	if (status >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err->message[0] ? err->message : oe_status_string(status));
	exit(1);
}

static double read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* ---- a model: one line of the parent changes ---- */

static int answer(oe_completion *completion, const oe_llm_request *request)
{
	char text[512], line[128];
	oe_bytes code = oe_program_code(oe_iteration_parent(request->iteration));
	const char *at = code.data;
	long lines = 0;

	for (const char *c = at; (c = strstr(c, "    step_")) != NULL; c++)
		lines++;
	for (long left = (long)(request->seed % (uint64_t)lines); left >= 0; left--)
		at = strstr(at + 1, "    step_");
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	(void)snprintf(text, sizeof(text),
				   "The weights are not balanced yet, so I change one of them.\n\n"
				   "<<<<<<< SEARCH\n%s\n=======\n    step_%.*s = best * %llu.25 + len(values)\n"
				   ">>>>>>> REPLACE\n",
				   line, (int)strspn(at + 9, "0123456789"), at + 9,
				   (unsigned long long)(request->seed >> 20) % 1000000);
	oe_completion_set_model(completion, "bench");
	oe_completion_set_usage(completion, (int64_t)request->user_size / 4, 60);
	return oe_completion_append(completion, text, strlen(text));
}

static int ask(void *self, const oe_llm_request *request, oe_completion *completion, oe_error *err)
{
	(void)self;
	(void)err;
	if (oe_iteration_number(request->iteration) == atomic_load(&first_new))
		atomic_store(&asked_at, now());
	oe_completion_finish(completion, answer(completion, request), NULL);
	return 0;
}

/* ---- an evaluator: what the code hashes to ---- */

static int evaluate(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
					oe_error *err)
{
	char artifact[65536];
	oe_bytes code = oe_program_code(request->program);
	unsigned hash = 2166136261u;

	(void)self;
	(void)err;
	for (size_t i = 0; i < code.size; i++)
		hash = (hash ^ ((const unsigned char *)code.data)[i]) * 16777619u;
	int status = oe_evaluation_set_metric(evaluation, "combined_score", (double)(hash % 100000) / 1e5);
	if (status == 0)
		status = oe_evaluation_set_metric(evaluation, "weight", (double)(hash % 777) / 7);
	int size = snprintf(artifact, sizeof(artifact), "weights %u: ", hash);
	while (size < settings.artifact && size < (int)sizeof(artifact) - 16)
		size += snprintf(artifact + size, 16, "%u ", hash = hash * 1664525u + 1013904223u);
	if (status == 0 && settings.artifact > 0)
		status = oe_evaluation_add_artifact(evaluation, "stdout", artifact, (size_t)size);
	oe_evaluation_finish(evaluation, status, NULL);
	return 0;
}

/* ---- the run ---- */

static void set(oe_config *config, const char *name, long value)
{
	char text[32];
	oe_error err = { 0 };

	(void)snprintf(text, sizeof(text), "%ld", value);
	check(oe_config_set(config, name, text, &err), &err, name);
}

static oe_config *configure(long iterations)
{
	oe_config *config = NULL;
	oe_error err = { 0 };

	check(oe_config_new(&config), &err, "config");
	set(config, "llm.concurrency", 64);
	set(config, "database.population_size", settings.population);
	set(config, "max_iterations", iterations);
	set(config, "max_code_length", 1000000);
	set(config, "checkpoint_interval", 0);
	set(config, "random_seed", 1);
	return config;
}

static oe_program *make_program(void)
{
	size_t size = (size_t)settings.program, used = 0;
	char *code = calloc(1, size + 256);
	oe_program *program = NULL;
	oe_error err = { 0 };

	used += (size_t)snprintf(code, size, "# EVOLVE-BLOCK-START\ndef search(values):\n    best = 0.5\n");
	for (int i = 0; used + 70 < size; i++)
		used += (size_t)snprintf(code + used, size - used,
								 "    step_%d = best * %d.25 + len(values)\n", i, i);
	(void)snprintf(code + used, 200, "    return best\n# EVOLVE-BLOCK-END\n");
	check(oe_program_new(code, strlen(code), "python", &program), &err, "program");
	free(code);
	return program;
}

/* Begin the run, or go on with it; until `programs` iterations have ended, or a new one is asked. */
static void run(oe_controller **controller, const oe_config *config, bool resumes)
{
	oe_llm_vtable model = OE_LLM_VTABLE_INIT;
	oe_evaluator_vtable scoring = OE_EVALUATOR_VTABLE_INIT;
	oe_llm *llm = NULL;
	oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };
	const oe_event *event;

	model.name = scoring.name = "bench";
	model.start = ask;
	scoring.start = evaluate;
	check(oe_llm_new(&model, NULL, &llm, &err), &err, "model");
	check(oe_evaluator_new(&scoring, NULL, &evaluator, &err), &err, "evaluator");
	check(oe_controller_new(config, NULL, llm, evaluator, directory, controller, &err), &err,
		  "controller");
	if (resumes) {
		check(oe_controller_resume(*controller, NULL, &err), &err, "resume");
	} else {
		oe_program *program = make_program();
		check(oe_controller_seed(*controller, program, &err), &err, "seed");
		oe_program_unref(program);
	}
	oe_controller_set_events(*controller, 0);
	while (atomic_load(&asked_at) == 0) {
		int got = oe_controller_step(*controller, 100, &event, &err);
		check(got, &err, "step");
		if (got > 0 && event->type == OE_EVENT_DONE)
			break;
	}
	oe_llm_unref(llm);
	oe_evaluator_unref(evaluator);
}

static void make_run(void)
{
	oe_controller *controller = NULL;
	oe_config *config = configure(settings.programs);

	run(&controller, config, false);
	oe_controller_free(controller);
	oe_config_free(config);
}

/* CPU of the thread that plays the log, in *cpu: firm where the machine is shared. */
static double resume(double *cpu)
{
	oe_controller *controller = NULL;
	oe_config *config = configure(settings.programs * 2);
	double begun = now(), used = read_clock(CLOCK_THREAD_CPUTIME_ID);

	atomic_store(&asked_at, 0.0);
	run(&controller, config, true);
	*cpu = read_clock(CLOCK_THREAD_CPUTIME_ID) - used;
	double seconds = atomic_load(&asked_at) - begun;
	oe_controller_free(controller);
	oe_config_free(config);
	return seconds;
}

/* ---- what there is on disk ---- */

static double query(const char *sql)
{
	char path[128];
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	double value = 0;

	(void)snprintf(path, sizeof(path), "%s/run.db", directory);
	if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK ||
		sqlite3_step(statement) != SQLITE_ROW) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
		exit(1);
	}
	value = sqlite3_column_double(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(database);
	return value;
}

/* The log and what belongs to it; checkpoints are exports. */
static double bytes_on_disk(void)
{
	static const char *const names[] = { "run.db", "run.db-wal", "run.db-shm" };
	double sum = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		struct stat info;
		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		if (stat(path, &info) == 0)
			sum += (double)info.st_blocks * 512;
	}
	return sum;
}

static double unique_bytes(void)
{
	return query("SELECT (SELECT sum(length(CAST(code AS BLOB))) FROM (SELECT DISTINCT code FROM program))"
				 " + (SELECT sum(length(metrics)) FROM program)"
				 " + (SELECT sum(length(CAST(text AS BLOB))) FROM answer)"
				 " + (SELECT coalesce(sum(length(data) + length(name)), 0) FROM artifact)");
}

static void read_settings(int count, char **words)
{
	const struct {
		const char *name;
		long *value;
	} numbers[] = {
		{ "programs=", &settings.programs }, { "population=", &settings.population },
		{ "program=", &settings.program },   { "artifact=", &settings.artifact },
		{ "resumes=", &settings.resumes },
	};

	for (int i = 1; i < count; i++) {
		size_t k = 0;
		while (k < sizeof(numbers) / sizeof(numbers[0]) &&
			   strncmp(words[i], numbers[k].name, strlen(numbers[k].name)) != 0)
			k++;
		if (k == sizeof(numbers) / sizeof(numbers[0])) {
			fprintf(stderr, "unknown setting '%s'\n", words[i]);
			exit(2);
		}
		*numbers[k].value = strtol(words[i] + strlen(numbers[k].name), NULL, 10);
	}
}

int main(int count, char **words)
{
	char command[128];
	double begun = now();

	read_settings(count, words);
	if (!mkdtemp(directory)) {
		perror("mkdtemp");
		return 1;
	}
	make_run();
	double made = now() - begun, disk = bytes_on_disk(), unique = unique_bytes(), best = 1e9, cpu = 1e9;
	atomic_store(&first_new, (long long)query("SELECT max(number) FROM log") + 1);
	for (long i = 0; i < settings.resumes; i++) {
		double used, seconds = resume(&used);
		best = seconds < best ? seconds : best;
		cpu = used < cpu ? used : cpu;
		atomic_store(&first_new, (long long)query("SELECT max(number) FROM log") + 1);
	}
	printf("{\"programs\": %ld, \"made_s\": %.1f, \"disk_mb\": %.2f, \"unique_mb\": %.2f, "
		   "\"disk_ratio\": %.3f, \"resume_s\": %.3f, \"resume_cpu_s\": %.3f}\n",
		   settings.programs, made, disk / 1e6, unique / 1e6, disk / unique, best, cpu);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command) == 0 ? 0 : 1;
}
