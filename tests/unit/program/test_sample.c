/* lib/program/sample.c */

#include <math.h>
#include <string.h>

#include "program/sample.h"
#include "test.h"

static oe_program *program(const char *code)
{
	oe_program *made = NULL;

	ck_assert_int_eq(oe_program_new(code, strlen(code), "python", &made), 0);
	return made;
}

START_TEST(test_outcome_names)
{
	ck_assert_str_eq(oe_outcome_name(OE_OUTCOME_COMMITTED), "committed");
	ck_assert_str_eq(oe_outcome_name(OE_OUTCOME_LOST), "lost");
	ck_assert_str_eq(oe_outcome_name(-1), "unknown");
	ck_assert_str_eq(oe_outcome_name(OE_OUTCOME_COUNT), "unknown");
}
END_TEST

START_TEST(test_sample)
{
	static const char *const names[] = { "complexity", "speed" };
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	OE__AUTO(attempt) struct oe__attempt *attempt = NULL;
	OE__AUTO(iteration) oe_iteration *iteration = NULL;
	OE__AUTO(program) oe_program *parent = program("p"), *other = program("o");
	int outcome = -1;
	const char *message = NULL;

	ck_assert_int_eq(oe__axes_new(names, 2, &axes), 0);
	ck_assert_int_eq(oe__attempt_new(4, OE_OUTCOME_NO_EDIT, NULL, "nothing", &attempt), 0);
	struct oe__sample_spec spec = {
		.number = 5,
		.attempt = 1,
		.island = 2,
		.run_seed = 42,
		.parent = parent,
		.inspirations = &other,
		.inspiration_count = 1,
		.top = &parent,
		.top_count = 1,
		.attempts = &attempt,
		.attempt_count = 1,
		.axes = axes,
		.coordinates = (const double[]){ 1, NAN },
	};
	ck_assert_int_eq(oe__sample_build(&spec, &iteration), 0);
	ck_assert_int_eq(oe_iteration_number(iteration), 5);
	ck_assert_int_eq(oe_iteration_attempt(iteration), 1);
	ck_assert_int_eq(oe_iteration_island(iteration), 2);
	ck_assert_ptr_eq(oe_iteration_parent(iteration), parent);
	ck_assert_ptr_eq(oe_iteration_inspiration_at(iteration, 0), other);
	ck_assert_ptr_null(oe_iteration_inspiration_at(iteration, 1));
	ck_assert_ptr_eq(oe_iteration_top_at(iteration, 0), parent);
	ck_assert_ptr_null(oe_iteration_top_at(iteration, 1));
	ck_assert_ptr_null(oe_iteration_attempt_at(iteration, 0, &outcome, &message));
	ck_assert_int_eq(outcome, OE_OUTCOME_NO_EDIT);
	ck_assert_str_eq(message, "nothing");
	ck_assert_double_eq(iteration->coordinates[0], 1);
	ck_assert(isnan(iteration->coordinates[1]));
	ck_assert(oe_iteration_seed(iteration) != oe__iteration_seed(42, 5, 0));
	ck_assert(oe_iteration_seed(iteration) != oe__iteration_seed(42, 6, 1));
	ck_assert(oe_iteration_seed(iteration) != oe__iteration_seed(43, 5, 1));
	ck_assert(oe_iteration_seed(iteration) == oe__iteration_seed(42, 5, 1));
}
END_TEST

static oe_iteration *iteration_of(oe_program *parent, int64_t number, int32_t attempt)
{
	static const char *const names[] = { "speed" };
	OE__AUTO(axes) struct oe__axes *axes = NULL;
	oe_iteration *iteration = NULL;

	ck_assert_int_eq(oe__axes_new(names, 1, &axes), 0);
	struct oe__sample_spec spec = { .number = number,
									.attempt = attempt,
									.island = 3,
									.run_seed = 1,
									.parent = parent,
									.axes = axes };
	ck_assert_int_eq(oe__sample_build(&spec, &iteration), 0);
	return iteration;
}

START_TEST(test_child)
{
	OE__AUTO(program)
	oe_program *parent = program("p"), *child = NULL, *again = NULL, *other = NULL, *retried = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(iteration)
	oe_iteration *iteration = iteration_of(parent, 9, 0), *retry = iteration_of(parent, 9, 1);

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "score", 2), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "speed", 100), 0);
	ck_assert_int_eq(oe_iteration_child(iteration, "c", 1, evaluation, "x", &child), OE_ERR_STATE);
	oe_evaluation_finish(evaluation, 0, NULL);
	ck_assert_int_eq(oe_iteration_child(iteration, "c", 1, evaluation, "to c", &child), 0);
	ck_assert_str_eq(oe_program_parent_id(child), oe_program_id(parent));
	ck_assert_int_eq(oe_program_generation(child), 1);
	ck_assert_int_eq(oe_program_iteration(child), 9);
	ck_assert_int_eq(oe_program_island(child), 3);
	ck_assert_str_eq(oe_program_changes(child), "to c");
	ck_assert_str_eq(oe_program_language(child), "python");
	ck_assert_double_eq(oe_program_fitness(child), 2); /* `speed` is a dimension */

	ck_assert_int_eq(oe_iteration_child(iteration, "c", 1, NULL, NULL, &again), 0);
	ck_assert_str_eq(oe_program_id(again), oe_program_id(child));
	ck_assert(isnan(oe_program_fitness(again)));
	ck_assert_int_eq(oe_iteration_child(iteration, "d", 1, NULL, NULL, &other), 0);
	ck_assert_str_ne(oe_program_id(other), oe_program_id(child));
	ck_assert_int_eq(oe_iteration_child(retry, "c", 1, NULL, NULL, &retried), 0);
	ck_assert_str_ne(oe_program_id(retried), oe_program_id(child));
}
END_TEST

TEST_MAIN("sample", test_outcome_names, test_sample, test_child)
