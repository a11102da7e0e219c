#ifndef OE_TESTS_API_WORLD_H
#define OE_TESTS_API_WORLD_H

/*
 * A small world for controllers: a model that answers with a program of one number, an evaluator
 * that reads the number, and switches for what can go wrong with both. Public headers only.
 */

#include <dirent.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "openevolve/openevolve.h"
#include "test.h"

enum world_llm { LLM_ANSWERS, LLM_REFUSES_KEY, LLM_OVERLOADED, LLM_HOPELESS, LLM_STUCK, LLM_DEAF };
enum world_evaluator {
	EVALUATOR_SCORES,
	EVALUATOR_FAILS,
	EVALUATOR_BREAKS,
	EVALUATOR_STUCK,
	EVALUATOR_DEAF
};

struct world {
	atomic_int llm, evaluator;            /* enum world_llm, enum world_evaluator */
	atomic_int asked, evaluated, waiting; /* calls so far; calls that are stuck   */
	atomic_int overloads;                 /* LLM_OVERLOADED this many times, then it answers */
	atomic_int backends;                  /* not freed: a call that was left behind keeps one */
	oe_config *config;
	oe_llm *backend;
	oe_evaluator *judge;
	char directory[64]; /* "" without one */
	const char *confinement; /* what the evaluator says about itself */
};

static inline void world_pause_ms(long ms)
{
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/* ---- the model ---- */

static inline int world_fail(oe_completion *completion, oe_error *err, int failure)
{
	oe_completion_set_failure(completion, failure, -1);
	err->status = OE_ERR_LLM;
	(void)snprintf(err->message, sizeof(err->message), "the model says no (%d)", failure);
	return OE_ERR_LLM;
}

static inline int world_generate(void *self, const oe_llm_request *request,
								 oe_completion *completion, oe_error *err)
{
	struct world *world = self;
	char text[128];

	atomic_fetch_add(&world->asked, 1);
	switch (atomic_load(&world->llm)) {
	case LLM_REFUSES_KEY:
		return world_fail(completion, err, OE_LLM_FAILURE_ACCESS);
	case LLM_HOPELESS:
		return world_fail(completion, err, OE_LLM_FAILURE_REQUEST);
	case LLM_OVERLOADED:
		if (atomic_fetch_sub(&world->overloads, 1) > 0)
			return world_fail(completion, err, OE_LLM_FAILURE_TRANSIENT);
		break;
	case LLM_STUCK:
		atomic_fetch_add(&world->waiting, 1);
		while (!oe_completion_cancelled(completion))
			world_pause_ms(1);
		return OE_ERR_CANCELLED;
	case LLM_DEAF: /* does not look whether it was cancelled */
		atomic_fetch_add(&world->waiting, 1);
		while (atomic_load(&world->llm) == LLM_DEAF)
			world_pause_ms(1);
		return OE_ERR_CANCELLED;
	default:
		break;
	}
	int size = snprintf(text, sizeof(text), "A thought.\n```\nvalue %llu\n```\n",
						(unsigned long long)(request->seed % 1000000));
	oe_completion_set_usage(completion, 10, 5);
	oe_completion_set_model(completion, "fake");
	return oe_completion_append(completion, text, (size_t)size);
}

/* ---- the evaluator ---- */

static inline int world_evaluate(void *self, const oe_evaluation_request *request,
								 oe_evaluation *evaluation, oe_error *err)
{
	struct world *world = self;
	oe_bytes code = oe_program_code(request->program);
	double value = 0;

	atomic_fetch_add(&world->evaluated, 1);
	switch (request->iteration ? atomic_load(&world->evaluator) : EVALUATOR_SCORES) {
	case EVALUATOR_FAILS:
		return oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXCEPTION, "it does not run");
	case EVALUATOR_BREAKS: /* by no fault of the program */
		err->status = OE_ERR_IO;
		(void)snprintf(err->message, sizeof(err->message), "the disk is full");
		return OE_ERR_IO;
	case EVALUATOR_STUCK:
		atomic_fetch_add(&world->waiting, 1);
		while (!oe_evaluation_cancelled(evaluation))
			world_pause_ms(1);
		return OE_ERR_CANCELLED;
	case EVALUATOR_DEAF: /* does not even look whether it was cancelled */
		atomic_fetch_add(&world->waiting, 1);
		while (atomic_load(&world->evaluator) == EVALUATOR_DEAF)
			world_pause_ms(1);
		break;
	default:
		break;
	}
	ck_assert(code.size > 6);
	value = strtod((const char *)code.data + 6, NULL);
	int status = oe_evaluation_set_metric(evaluation, "parity", fmod(value, 2));
	return status < 0 ? status
					  : oe_evaluation_set_metric(evaluation, "combined_score", value / 1e6);
}

static inline const char *world_confinement(void *self)
{
	const struct world *world = self;
	return world->confinement;
}

/* ---- making and ending ---- */

/* Its backend: nothing of the library looks at the world behind this. */
static inline void world_free_backend(void *self)
{
	struct world *world = self;

	atomic_fetch_sub(&world->backends, 1);
}

static inline const char *world_environment(const char *name, void *userdata)
{
	(void)name;
	(void)userdata;
	return NULL;
}

static inline void world_set(struct world *world, const char *name, const char *value)
{
	oe_error err;
	int status = oe_config_set(world->config, name, value, &err);

	ck_assert_msg(status == 0, "%s: %s", name, err.message);
}

static inline void world_init(struct world *world, bool directory)
{
	oe_llm_vtable llm = OE_LLM_VTABLE_INIT;
	oe_evaluator_vtable evaluator = OE_EVALUATOR_VTABLE_INIT;

	*world = (struct world){ .directory = "" };
	llm.name = evaluator.name = "world";
	llm.threading = evaluator.threading = OE_THREADING_PARALLEL;
	llm.generate = world_generate;
	evaluator.evaluate = world_evaluate;
	evaluator.confinement = world_confinement;
	llm.free = evaluator.free = world_free_backend;
	atomic_store(&world->backends, 2);
	ck_assert_int_eq(oe_config_new(&world->config), 0);
	ck_assert_int_eq(oe_config_set_environment(world->config, world_environment, NULL, NULL), 0);
	ck_assert_int_eq(oe_llm_new(&llm, world, &world->backend, NULL), 0);
	ck_assert_int_eq(oe_evaluator_new(&evaluator, world, &world->judge, NULL), 0);
	world_set(world, "diff_based_evolution", "false");
	world_set(world, "max_iterations", "40");
	world_set(world, "random_seed", "7");
	world_set(world, "hub.window", "8");
	world_set(world, "llm.retries", "0");
	if (directory) {
		strcpy(world->directory, "/tmp/oe-world-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(world->directory));
	}
}

static inline void world_done(struct world *world)
{
	char command[128];

	oe_llm_unref(world->backend);
	oe_evaluator_unref(world->judge);
	oe_config_free(world->config);
	while (atomic_load(&world->backends) > 0)
		world_pause_ms(1);
	if (!*world->directory)
		return;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", world->directory);
	ck_assert_int_eq(system(command), 0);
}

static inline oe_controller *world_controller(struct world *world, oe_error *err)
{
	oe_controller *controller = NULL;
	int status = oe_controller_new(world->config, NULL, world->backend, world->judge,
								   *world->directory ? world->directory : NULL, &controller, err);

	return status < 0 ? NULL : controller;
}

/* A controller with its initial program. */
static inline oe_controller *world_seeded(struct world *world)
{
	static const char code[] = "value 100";
	oe_error err = { 0 };
	oe_program *program = NULL;
	oe_controller *controller = world_controller(world, &err);

	ck_assert_msg(controller != NULL, "%s", err.message);
	ck_assert_int_eq(oe_program_new(code, strlen(code), "text", &program), 0);
	ck_assert_int_eq(oe_controller_seed(controller, program, &err), 0);
	oe_program_unref(program);
	return controller;
}

static inline oe_controller *world_resumed(struct world *world)
{
	oe_error err = { 0 };
	oe_controller *controller = world_controller(world, &err);

	ck_assert_msg(controller != NULL, "%s", err.message);
	int status = oe_controller_resume(controller, NULL, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	return controller;
}

static inline int world_run(oe_controller *controller)
{
	oe_error err = { 0 };
	int reason = oe_controller_run(controller, &err);

	ck_assert_msg(reason >= 0, "%s", err.message);
	return reason;
}

static inline oe_statistics world_numbers(oe_controller *controller)
{
	oe_statistics numbers = { .struct_size = sizeof(numbers) };

	ck_assert_int_eq(oe_controller_statistics(controller, &numbers), 0);
	return numbers;
}

static inline int64_t world_outcomes(const oe_statistics *numbers)
{
	int64_t sum = 0;

	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		sum += numbers->outcomes[i];
	return sum;
}

/* Does a file of a process hold the mark? */
static inline int holds_mark(const char *pid, const char *name, const char *mark)
{
	static char text[1 << 16];
	char path[320];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	if (!(file = fopen(path, "r")))
		return 0;
	size_t size = fread(text, 1, sizeof(text), file);
	(void)fclose(file);
	return memmem(text, size, mark, strlen(mark)) != NULL;
}

/* How many processes but this one have the mark in their arguments or their environment: whatever
   namespace they are in. */
static inline int processes_with(const char *mark)
{
	DIR *stream = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(stream);
	while ((entry = readdir(stream)))
		if (strtol(entry->d_name, NULL, 10) > 0 && strtol(entry->d_name, NULL, 10) != getpid())
			count += holds_mark(entry->d_name, "cmdline", mark) ||
			         holds_mark(entry->d_name, "environ", mark);
	closedir(stream);
	return count;
}

#endif /* OE_TESTS_API_WORLD_H */
