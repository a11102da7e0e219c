/* Every allocation of a small run fails once: the call says so, nothing has changed by half, and
   the next try of the same call succeeds. */

#include "nomem.h"
#include "world.h"

static enum oe__semantics semantics;

static int sound(const oe_hub *hub)
{
	const char *broken = oe__hub_check(hub);

	if (broken)
		fprintf(stderr, "allocation %ld: not true: %s\n", atomic_load(&nomem_fails_at), broken);
	return broken == NULL;
}

static oe_program *made(const oe_iteration *iteration, int step)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *child = NULL;
	char code[20];
	int size = snprintf(code, sizeof(code), "child %d\n", step);

	if (oe_evaluation_new(&evaluation) < 0 ||
		oe_evaluation_set_metric(evaluation, "combined_score", step % 7) < 0)
		return NULL;
	oe_evaluation_finish(evaluation, 0, NULL);
	if (oe_iteration_child(iteration, code, (size_t)size, evaluation, NULL, &child) < 0)
		return NULL;
	return child;
}

/* One ends with as many tries as it takes; the number of failed calls, or -1. M5: an end that failed leaves
   its number open, and what is open counted; sound() adds it up. */
static int end(oe_hub *hub, oe_iteration *iteration, int step)
{
	OE__AUTO(program) oe_program *child = NULL;
	int failures = 0;

	if (step % 5 == 0) {
		while (oe_hub_fail(hub, iteration, OE_OUTCOME_NO_EDIT, NULL, "nothing", NULL) < 0)
			if (++failures > 1 || !sound(hub))
				return -1;
		return failures;
	}
	while ((child = made(iteration, step)) == NULL)
		if (++failures > 1)
			return -1;
	while (oe_hub_commit(hub, iteration, child, NULL, NULL) < 0)
		if (++failures > 1 || !sound(hub))
			return -1;
	return failures;
}

/* Two at a time; the later one ends first. M12: a number that could not be given is the next one all the same. */
static int iterate(oe_hub *hub, int step)
{
	OE__AUTO(iteration) oe_iteration *first = NULL, *second = NULL;
	int failures = 0;

	while (oe_hub_next_iteration(hub, &first, NULL) != 1)
		if (++failures > 1 || !sound(hub))
			return -1;
	while (oe_hub_next_iteration(hub, &second, NULL) != 1)
		if (++failures > 1 || !sound(hub))
			return -1;
	if (oe_iteration_number(first) != 2 * step - 1 || oe_iteration_number(second) != 2 * step)
		return -1;
	int more = end(hub, second, 2 * step + 1);
	int others = more < 0 ? more : end(hub, first, 2 * step);
	return others < 0 ? others : failures + more + others;
}

static int make(oe_hub **out)
{
	static const char *const names[] = { "complexity", "diversity" };
	OE__AUTO(hub_settings)
	struct oe__hub_settings settings = {
		.semantics = semantics,
		.window = semantics == OE__SEMANTICS_STEADY ? 0 : 4,
		.iterations = -1,
		.seed = 42,
		.island_count = 2,
		.population_size = 8,
		.archive_size = 3,
		.exploration_ratio = 0.2,
		.exploitation_ratio = 0.7,
		.migration_interval = 3,
		.migration_rate = 0.5,
		.diversity_reference_size = 4,
		.inspiration_count = 2,
		.top_count = 3,
		.attempt_count = 2,
	};

	int status = oe__axes_new(names, 2, &settings.axes);
	if (status < 0)
		return status;
	settings.bins = oe__memdup((int32_t[]){ 3, 3 }, 2 * sizeof(int32_t));
	return settings.bins ? oe__hub_new(&settings, out, NULL) : OE_ERR_NOMEM;
}

static oe_program *initial(void)
{
	OE__AUTO(program) oe_program *plain = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *program = NULL;

	if (oe_program_new("start", 5, "", &plain) < 0 || oe_evaluation_new(&evaluation) < 0 ||
		oe_evaluation_set_metric(evaluation, "combined_score", 0) < 0)
		return NULL;
	oe_evaluation_finish(evaluation, 0, NULL);
	return oe_program_evaluated(plain, evaluation, &program) < 0 ? NULL : program;
}

/* 1: something failed and was made up for; 0: nothing failed; -1: wrong. */
static int run(void)
{
	OE__AUTO(hub) oe_hub *hub = NULL, *next = NULL;
	OE__AUTO(program) oe_program *first = NULL;
	OE__AUTO(population) oe_population *population = NULL;
	int failures = 0;

	while (make(&hub) < 0)
		if (++failures > 1)
			return -1;
	while ((first = initial()) == NULL)
		if (++failures > 1)
			return -1;
	while (oe_hub_seed(hub, first, NULL) < 0)
		if (++failures > 1 || !sound(hub))
			return -1;
	for (int step = 1; step <= 16; step++) {
		int more = iterate(hub, step);

		if (more < 0 || !sound(hub))
			return -1;
		failures += more;
	}
	while (oe_hub_population(hub, &population) < 0)
		if (++failures > 1)
			return -1;
	while (make(&next) < 0)
		if (++failures > 1)
			return -1;
	if (oe_hub_restore(next, population, NULL) <
		0) /* a broken restore leaves a hub to throw away */
		failures++;
	else if (!sound(next) || next->count != hub->count)
		return -1;
	return failures <= 1 ? failures : -1;
}

static void fail_each(enum oe__semantics which)
{
	semantics = which;
	nomem_arm(0, false);
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(atomic_load(&nomem_live), 0);
	long total = atomic_load(&nomem_count);
	for (long at = 1; at <= total; at++) {
		nomem_arm(at, false);
		ck_assert_msg(run() >= 0, "allocation %ld of %ld", at, total);
		ck_assert_msg(atomic_load(&nomem_live) == 0, "allocation %ld of %ld: %ld blocks left", at,
		              total, atomic_load(&nomem_live));
	}
}

START_TEST(test_each_allocation_fails_once)
{
	fail_each(OE__SEMANTICS_STEADY);
}
END_TEST

START_TEST(test_each_allocation_of_generations_fails_once)
{
	fail_each(OE__SEMANTICS_GENERATION);
}
END_TEST

START_TEST(test_each_allocation_in_order_fails_once)
{
	fail_each(OE__SEMANTICS_ORDERED);
}
END_TEST

NOMEM_MAIN("nomem", test_each_allocation_fails_once, test_each_allocation_of_generations_fails_once,
           test_each_allocation_in_order_fails_once)
