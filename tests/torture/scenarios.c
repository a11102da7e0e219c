#include "scenarios.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openevolve/openevolve.h"
#include "refuse.h"

#define TOLD_MAX 64

static char url[128];
static char told[TOLD_MAX][48]; /* identifiers of programs that events told of */
static size_t told_count;
static atomic_int left; /* evaluations until the process is gone, as if it were killed; 0: it stays */
static char problem[512];

/* ---- the parts of a run ---- */

struct parts {
	oe_config *config;
	oe_scheduler *scheduler;
	oe_evaluator *evaluator;
	oe_program *program;
	oe_controller *controller;
};

static int evaluate(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
					oe_error *err)
{
	oe_bytes code = oe_program_code(request->program);
	unsigned hash = 2166136261u;

	(void)err;
	if (atomic_load(&left) > 0 && atomic_fetch_sub(&left, 1) == 1)
		_exit(0);
	for (size_t i = 0; i < code.size; i++)
		hash = (hash ^ ((const unsigned char *)code.data)[i]) * 16777619u;
	int status = oe_evaluation_set_metric(evaluation, "combined_score", (double)(hash % 1000) / 1e3);
	if (status == 0)
		status = oe_evaluation_add_artifact(evaluation, "stdout", "so and so", 9);
	if (status == 0 && self && hash % 2) /* it is the failing one */
		status = oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXCEPTION, "no good");
	oe_evaluation_finish(evaluation, status, NULL);
	return 0;
}

static const char *no_variable(const char *name, void *userdata)
{
	(void)userdata;
	return strcmp(name, "PATH") == 0 ? "/usr/bin:/bin" : NULL;
}

static int configure(struct parts *parts, const char *const settings[], oe_error *err)
{
	int status = oe_config_new(&parts->config);
	if (status == 0)
		status = oe_config_set_environment(parts->config, no_variable, NULL, err);
	for (size_t i = 0; status == 0 && settings[i]; i += 2)
		status = oe_config_set(parts->config, settings[i], settings[i + 1], err);
	return status;
}

static int make(struct parts *parts, const char *command, void *failing, oe_error *err)
{
	static const char code[] = "# EVOLVE-BLOCK-START\nscale = 1.5\nshift = 2\n# EVOLVE-BLOCK-END\n";
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;

	vtable.name = "torture";
	vtable.start = evaluate;
	int status = oe_scheduler_new(1, &parts->scheduler, err);
	if (status == 0 && command)
		status = oe_evaluator_from_config(parts->config, parts->scheduler, command, ".py", NULL,
										  &parts->evaluator, err);
	else if (status == 0)
		status = oe_evaluator_new(&vtable, failing, &parts->evaluator, err);
	if (status == 0)
		status = oe_program_new(code, sizeof(code) - 1, "python", &parts->program);
	if (status == 0)
		status = oe_controller_new(parts->config, parts->scheduler, NULL, parts->evaluator, "run",
								   &parts->controller, err);
	return status;
}

static void release(struct parts *parts)
{
	oe_controller_free(parts->controller);
	oe_program_unref(parts->program);
	oe_evaluator_unref(parts->evaluator);
	oe_scheduler_unref(parts->scheduler);
	oe_config_free(parts->config);
}

static void remember(const oe_event *event)
{
	if ((event->type == OE_EVENT_ITERATION || event->type == OE_EVENT_SEEDED) && event->program &&
		event->outcome == OE_OUTCOME_COMMITTED && told_count < TOLD_MAX)
		(void)snprintf(told[told_count++], sizeof(told[0]), "%s", oe_program_id(event->program));
}

/* Until the end, or `events` of them: then it is stopped. */
static int step(oe_controller *controller, int events, oe_error *err)
{
	const oe_event *event = NULL;
	int got;

	while ((got = oe_controller_step(controller, -1, &event, err)) > 0) {
		remember(event);
		if (events > 0 && --events == 0)
			oe_controller_stop(controller, OE_STOP_CANCEL);
		if (event->type == OE_EVENT_DONE)
			return event->stop;
	}
	return got;
}

static const char *const plain[] = { "llm.backend", "mutate", "random_seed", "5", "max_iterations",
									 "8", "checkpoint_interval", "4", "llm.concurrency", "3", NULL };
static const char *const further[] = { "llm.backend", "mutate", "random_seed", "5", "max_iterations",
									   "14", "checkpoint_interval", "4", "llm.concurrency", "3",
									   NULL };

static int run(const char *const settings[], const char *command, void *failing, int events,
			   bool resumes)
{
	struct parts parts = { 0 };
	oe_error err = { 0 };

	int status = configure(&parts, settings, &err);
	if (status == 0)
		status = make(&parts, command, failing, &err);
	if (status == 0)
		status = resumes ? oe_controller_resume(parts.controller, NULL, &err)
						 : oe_controller_seed(parts.controller, parts.program, &err);
	if (status == 0)
		status = step(parts.controller, events, &err);
	release(&parts);
	return status;
}

/* ---- scenarios ---- */

static int act_run(void)
{
	return run(plain, NULL, NULL, 0, false);
}

static int act_resume(void)
{
	return run(further, NULL, NULL, 0, true);
}

static int act_stop(void)
{
	return run(plain, NULL, NULL, 5, false);
}

static int act_failures(void)
{
	return run(plain, NULL, url, 0, false);
}

static int act_http(void)
{
	const char *const settings[] = { "llm.primary_model", "fake", "llm.api_base", url,
									 "random_seed", "5", "max_iterations", "5", "llm.retries", "0",
									 "checkpoint_interval", "0", "llm.give_up_after", "1", NULL };

	return run(settings, NULL, NULL, 0, false);
}

static int act_command(void)
{
	const char *const settings[] = { "llm.backend", "mutate", "random_seed", "5", "max_iterations",
									 "3", "checkpoint_interval", "0", "sandbox.mode", "none",
									 "evaluator.max_retries", "0", NULL };

	return run(settings, "./score.sh", NULL, 0, false);
}

static int act_checkpoint(void)
{
	struct parts parts = { 0 };
	oe_error err = { 0 };

	int status = configure(&parts, plain, &err);
	if (status == 0)
		status = make(&parts, NULL, NULL, &err);
	if (status == 0)
		status = oe_controller_resume(parts.controller, "base/checkpoints/checkpoint_8", &err);
	if (status == 0)
		status = step(parts.controller, 0, &err);
	release(&parts);
	return status;
}

static int act_read(void)
{
	oe_run *opened = NULL;
	oe_population *population = NULL;
	oe_program *program = NULL;
	char *text = NULL;
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };
	oe_error err = { 0 };

	int status = oe_run_open("run", &opened, &err);
	if (status == 0)
		status = oe_run_status_json(opened, &text, &err);
	if (status == 0)
		status = oe_run_program(opened, "best", &program, &err);
	if (status == 0)
		status = oe_run_iteration_at(opened, 3, &iteration, &err);
	if (status >= 0)
		status = oe_run_population(opened, &population, &err);
	if (status == 0)
		status = oe_population_save(population, "copy", ".py", &err);
	oe_population_unref(population);
	population = NULL;
	if (status == 0)
		status = oe_population_load("copy", &population, &err);
	if (status == 0)
		status = oe_run_verify("run", &err);
	oe_population_unref(population);
	oe_program_unref(program);
	oe_run_free_text(text);
	oe_run_close(opened);
	return status;
}

#define BIT(kind) (1 << REFUSE_##kind)

const struct scenario scenarios[] = {
	{ "run", act_run, BIT(MEMORY) | BIT(FILE) | BIT(THREAD), NULL },
	{ "resume", act_resume, BIT(MEMORY) | BIT(FILE) | BIT(THREAD), "base" },
	{ "reopen", act_resume, BIT(MEMORY) | BIT(FILE), "killed" },
	{ "stop", act_stop, BIT(MEMORY) | BIT(FILE), NULL },
	{ "failures", act_failures, BIT(MEMORY), NULL },
	{ "http", act_http, BIT(MEMORY) | BIT(FILE) | BIT(THREAD), NULL },
	{ "command", act_command, BIT(MEMORY) | BIT(FILE) | BIT(PROCESS) | BIT(THREAD), NULL },
	{ "checkpoint", act_checkpoint, BIT(MEMORY) | BIT(FILE), NULL },
	{ "read", act_read, BIT(MEMORY) | BIT(FILE), "base" },
};
const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

/* ---- before and after ---- */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void remove_all(const char *path)
{
	(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* If it is there. */
static void copy_file(const char *from, const char *to)
{
	if (access(from, F_OK) < 0)
		return;
	char data[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	ssize_t got;

	while ((got = read(in, data, sizeof(data))) > 0)
		if (write(out, data, (size_t)got) != got)
			abort();
	close(in);
	close(out);
}

/* A run with answers of which nothing has come yet: its process ends in the midst of an evaluation. */
static void make_killed(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		atomic_store(&left, 5);
		(void)act_run();
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0 || rename("run", "killed") != 0)
		abort();
}

void scenarios_use(const char *where)
{
	(void)snprintf(url, sizeof(url), "%s", where);
}

void scenarios_make_base(void)
{
	static const char script[] = "#!/bin/sh\necho '{\"combined_score\": 0.5}'\n";
	int fd = open("score.sh", O_WRONLY | O_CREAT | O_CLOEXEC, 0777);

	if (write(fd, script, sizeof(script) - 1) < 0)
		abort();
	close(fd);
	make_killed(); /* before there are threads */
	if (act_run() != OE_REASON_ITERATIONS || rename("run", "base") != 0)
		abort();
}

void scenario_prepare(const struct scenario *scenario)
{
	char from[32];

	remove_all("run");
	remove_all("copy");
	told_count = 0;
	if (!scenario->base)
		return;
	(void)mkdir("run", 0777);
	(void)snprintf(from, sizeof(from), "%s/run.db", scenario->base);
	copy_file(from, "run/run.db");
	(void)snprintf(from, sizeof(from), "%s/run.db-wal", scenario->base);
	copy_file(from, "run/run.db-wal");
}

static const char *wrong(const char *what, const oe_error *err)
{
	(void)snprintf(problem, sizeof(problem), "%s: %s", what, err->message);
	return problem;
}

static const char *check_told(void)
{
	oe_run *opened = NULL;
	oe_error err = { 0 };

	if (oe_run_open("run", &opened, &err) < 0)
		return wrong("it does not open", &err);
	for (size_t i = 0; i < told_count; i++) {
		oe_program *program = NULL;
		if (oe_run_program(opened, told[i], &program, &err) < 0) {
			oe_run_close(opened);
			return wrong("what was told is missing", &err);
		}
		oe_program_unref(program);
	}
	oe_run_close(opened);
	return NULL;
}

const char *scenario_check(void)
{
	oe_error err = { 0 };
	struct stat info;
	bool begun = stat("run/run.db", &info) == 0;

	if (!begun)
		return told_count > 0 ? "it told of programs, and there is no run" : NULL;
	int status = oe_run_verify("run", &err);
	if (status < 0)
		return wrong("the run is not intact", &err);
	if (told_count == 0)
		return NULL; /* it may not have come to begin it */
	const char *missing = check_told();
	if (missing)
		return missing;
	told_count = 0;
	status = run(further, NULL, NULL, 0, true);
	if (status != OE_REASON_ITERATIONS)
		return "it does not go on";
	return oe_run_verify("run", &err) < 0 ? wrong("after going on", &err) : NULL;
}
