#ifndef OE_TEST_HUB_WORLD_H
#define OE_TEST_HUB_WORLD_H

/* Hubs and programs for the tests of lib/hub. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "hub/hub_internal.h"
#include "test.h"

/* One dimension ("x", a metric) of ten bins, two islands; the caller changes what it is about. */
static inline struct oe__hub_settings world_settings(void)
{
	static const char *const names[] = { "x" };
	struct oe__hub_settings settings = {
		.iterations = -1,
		.seed = 42,
		.island_count = 2,
		.population_size = 1000,
		.archive_size = 10,
		.exploration_ratio = 0.2,
		.exploitation_ratio = 0.7,
		.migration_interval = 50,
		.migration_rate = 0.1,
		.diversity_reference_size = 20,
		.inspiration_count = 3,
		.top_count = 5,
		.attempt_count = 3,
	};

	ck_assert_int_eq(oe__axes_new(names, 1, &settings.axes), 0);
	settings.bins = oe__memdup((int32_t[]){ 10 }, sizeof(int32_t));
	return settings;
}

static inline void world_axes(struct oe__hub_settings *settings, const char *const *names,
							  size_t count, int32_t bins)
{
	oe__axes_unref(settings->axes);
	oe__free(settings->bins);
	ck_assert_int_eq(oe__axes_new(names, count, &settings->axes), 0);
	settings->bins = oe__calloc(count, sizeof(*settings->bins));
	for (size_t i = 0; i < count; i++)
		settings->bins[i] = bins;
}

/* Takes the settings over. */
static inline oe_hub *world_hub(struct oe__hub_settings settings)
{
	OE__AUTO(hub_settings) struct oe__hub_settings own = settings;
	oe_hub *hub = NULL;

	ck_assert_int_eq(oe__hub_new(&own, &hub, NULL), 0);
	oe__hub_set_checked(hub, true);
	return hub;
}

static inline oe_evaluation *world_evaluation(double score, double x)
{
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", score), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "x", x), 0);
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

/* A program whose code is its identifier. */
static inline oe_program *world_program(const char *id, double score, double x)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = world_evaluation(score, x);
	oe_program *program = NULL;

	ck_assert_int_eq(oe__source_new(id, strlen(id), &source), 0);
	struct oe__program_spec spec = {
		.id = id, .source = source, .island = -1, .timestamp = 1, .evaluation = evaluation
	};
	ck_assert_int_eq(oe__program_build(&spec, &program), 0);
	return program;
}

/* Put one on an island, without an iteration. */
static inline struct oe__placement world_place(oe_hub *hub, const char *id, int32_t island,
											   double score, double x)
{
	OE__AUTO(program) oe_program *outside = world_program(id, score, x), *program = NULL;
	struct oe__placement placement;

	if (!hub->initial)
		hub->initial = oe_program_ref(outside);
	ck_assert_int_eq(oe__hub_adopt(hub, outside, island, &program), 0);
	ck_assert_int_eq(oe__hub_place(hub, program, island, &placement), 0);
	const char *broken = oe__hub_check(hub);
	ck_assert_msg(!broken, "%s", broken);
	return placement;
}

static inline void world_seed(oe_hub *hub, const char *id, double score, double x)
{
	OE__AUTO(program) oe_program *program = world_program(id, score, x);
	oe_error err = { .message = "" };

	ck_assert_msg(oe_hub_seed(hub, program, &err) == 0, "%s", err.message);
}

/* One in Python, whose children are so too; its identifier is its own. */
static inline void world_seed_python(oe_hub *hub, const char *code, double score, double x)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = world_evaluation(score, x);
	OE__AUTO(program) oe_program *bare = NULL, *program = NULL;

	ck_assert_int_eq(oe_program_new(code, strlen(code), "python", &bare), 0);
	ck_assert_int_eq(oe_program_evaluated(bare, evaluation, &program), 0);
	ck_assert_int_eq(oe_hub_seed(hub, program, NULL), 0);
}

static inline oe_iteration *world_next(oe_hub *hub)
{
	oe_iteration *iteration = NULL;
	int why = -1;

	ck_assert_int_eq(oe_hub_next_iteration(hub, &iteration, &why), 1);
	ck_assert_int_eq(why, OE_HUB_READY);
	return iteration;
}

static inline oe_program *world_child(const oe_iteration *iteration, const char *code, double score,
									  double x)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = world_evaluation(score, x);
	oe_program *child = NULL;

	ck_assert_int_eq(
		oe_iteration_child(iteration, code, strlen(code), evaluation, "changed", &child), 0);
	return child;
}

/* Draw, make, commit. */
static inline oe_commit world_commit(oe_hub *hub, const char *code, double score, double x)
{
	OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
	OE__AUTO(program) oe_program *child = world_child(iteration, code, score, x);
	oe_commit commit = OE_COMMIT_INIT;
	oe_error err = { .message = "" };

	ck_assert_msg(oe_hub_commit(hub, iteration, child, &commit, &err) == 0, "%s", err.message);
	return commit;
}

/* Failures that are replaced: one number is not given for ever. */
static inline void world_check_replace_ends(struct oe__hub_settings settings)
{
	settings.on_failure = OE__ON_FAILURE_REPLACE;
	settings.iterations = 1;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	int ended = 2, attempts = 0;

	world_seed(hub, "initial", 1, 0);
	for (; ended == 2; attempts++) {
		OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);

		ended = oe_hub_fail(hub, iteration, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL);
	}
	ck_assert_int_eq(ended, 1);
	ck_assert_int_eq(attempts, OE__RETRIES_MAX);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_NO_EDIT), 1);
}

static inline int64_t world_outcomes(const oe_hub *hub)
{
	int64_t sum = 0;

	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		sum += oe_hub_outcome_count(hub, i);
	return sum;
}

static inline bool world_alive(const oe_hub *hub, const char *id)
{
	return oe__hub_find(hub, id) != NULL;
}

#endif /* OE_TEST_HUB_WORLD_H */
