/* lib/hub/hub.c, iterate.c, ledger.c: the public interface */

#include "base/limits.h"
#include "world.h"

START_TEST(test_ask_tell)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	oe_iteration *none = NULL;
	int why = -1;

	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	ck_assert_int_eq(why, OE_HUB_EMPTY);
	ck_assert_ptr_null(oe_hub_best(hub));
	world_seed(hub, "initial", 1, 0);
	ck_assert_str_eq(oe_program_id(oe_hub_best(hub)), "initial");

	for (int n = 1; n <= 10; n++) {
		OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
		char code[20];

		snprintf(code, sizeof(code), "child %d", n);
		ck_assert_int_eq(oe_iteration_number(iteration), n);
		ck_assert_int_eq(oe_iteration_attempt(iteration), 0);
		ck_assert_int_eq(oe_iteration_island(iteration), (n - 1) % 2);
		OE__AUTO(program) oe_program *child = world_child(iteration, code, 1 + n, n % 3);
		oe_commit commit = OE_COMMIT_INIT;
		ck_assert_int_eq(oe_hub_commit(hub, iteration, child, &commit, NULL), 0);
		ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED);
		ck_assert_int_eq(commit.island, (n - 1) % 2);
		ck_assert(commit.best && !commit.late && !commit.staged);
		ck_assert_str_eq(oe_program_id(commit.program), oe_program_id(child));
		ck_assert_int_eq(oe_program_island(commit.program), (n - 1) % 2);
		ck_assert_int_eq(oe_hub_ended(hub), n);
	}
	ck_assert_int_eq(oe_hub_issued(hub), 10);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_COMMITTED), 10);
	ck_assert_int_eq(oe_hub_outcome_count(hub, 99), 0);
}
END_TEST

START_TEST(test_commit_is_idempotent)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	oe_commit commit = OE_COMMIT_INIT;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
	OE__AUTO(program) oe_program *child = world_child(iteration, "child", 2, 1);
	ck_assert_int_eq(oe_hub_commit(hub, iteration, child, NULL, NULL), 0);
	size_t count = hub->count;
	int64_t version = hub->version;

	ck_assert_int_eq(oe_hub_commit(hub, iteration, child, &commit, NULL), 0);
	ck_assert(commit.late);
	ck_assert_int_eq(oe_hub_fail(hub, iteration, OE_OUTCOME_LOST, NULL, NULL, NULL), 0);
	ck_assert_uint_eq(hub->count, count);
	ck_assert_int_eq(hub->version, version);
	ck_assert_int_eq(oe_hub_ended(hub), 1);
	ck_assert_int_eq(world_outcomes(hub), 1);
}
END_TEST

START_TEST(test_duplicates_do_not_enter)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());

	world_seed(hub, "initial", 1, 0);
	world_seed(hub, "initial", 1, 0); /* nothing happens */
	ck_assert_uint_eq(hub->count, 1);
	(void)world_commit(hub, "child", 2, 1);
	OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
	OE__AUTO(program) oe_program *child = world_child(iteration, "child", 2, 1);
	oe_program *same = oe_hub_find_content(hub, iteration, oe_program_content_hash(child));
	ck_assert_ptr_nonnull(same);
	ck_assert_ptr_null(oe_hub_find_content(hub, iteration, "abc"));
	ck_assert_ptr_null(oe_hub_find_content(hub, iteration, ""));
	oe_commit commit = OE_COMMIT_INIT;
	ck_assert_int_eq(oe_hub_commit(hub, iteration, child, &commit, NULL), 0);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_DUPLICATE);
	ck_assert_ptr_eq(commit.program, same);
	ck_assert_uint_eq(hub->count, 2);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_DUPLICATE), 1);
}
END_TEST

/* What is the same but for comments is found, and may be committed all the same. */
START_TEST(test_equivalents_are_found)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	OE__AUTO(program) oe_program *asked = NULL, *none = NULL;
	static const char *const texts[] = { "x = 1 # a\n", "x = 1 # b\n" };

	ck_assert_int_eq(oe_program_new("x=1", 3, "python", &asked), 0);
	ck_assert_int_eq(oe_program_new("x=1", 3, "text", &none), 0);
	ck_assert_ptr_null(oe_hub_find_equivalent(hub, NULL, asked));
	for (int i = 0; i < 2; i++)
		world_seed_python(hub, texts[i], i, i);
	for (int i = 0; i < 2; i++) {
		oe_program *found = oe_hub_find_equivalent(hub, NULL, asked);
		ck_assert_ptr_nonnull(found);
		ck_assert_str_eq(oe_program_code(found).data, texts[i]); /* the oldest that is left */
		ck_assert_ptr_null(oe_hub_find_equivalent(hub, NULL, none));
		oe__hub_remove(hub, oe__hub_find(hub, oe_program_id(found)));
	}
	ck_assert_ptr_null(oe_hub_find_equivalent(hub, NULL, asked));
}
END_TEST

static oe_program *failed_child(const oe_iteration *iteration, int verdict)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *child = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", 100), 0);
	ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, verdict, "it broke"), 0);
	oe_evaluation_finish(evaluation, 0, NULL);
	ck_assert_int_eq(oe_iteration_child(iteration, "bad", 3, evaluation, "", &child), 0);
	return child;
}

START_TEST(test_failures_are_remembered)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	oe_commit commit = OE_COMMIT_INIT;
	const char *message = NULL;
	int outcome = -1;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub);
	OE__AUTO(program) oe_program *bad = failed_child(first, OE_VERDICT_EXCEPTION);
	ck_assert_int_eq(oe_hub_commit(hub, first, bad, &commit, NULL), 0);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_EVALUATION_FAILED);
	ck_assert(!commit.best && !commit.program && !commit.repeated);
	ck_assert_uint_eq(hub->count, 1);

	OE__AUTO(iteration) oe_iteration *second = world_next(hub); /* the empty island */
	ck_assert_str_eq(oe_program_id(oe_iteration_parent(second)), "initial");
	ck_assert_uint_eq(oe_iteration_attempt_count(second), 1);
	ck_assert_ptr_eq(oe_iteration_attempt_at(second, 0, &outcome, &message), bad);
	ck_assert_int_eq(outcome, OE_OUTCOME_EVALUATION_FAILED);
	ck_assert_str_eq(message, "it broke");
	OE__AUTO(program) oe_program *late = failed_child(second, OE_VERDICT_WALL_TIMEOUT);
	ck_assert_int_eq(oe_hub_commit(hub, second, late, &commit, NULL), 0);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_TIMED_OUT);

	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	ck_assert_int_eq(oe_hub_fail(hub, third, OE_OUTCOME_NO_EDIT, NULL, "nothing found", NULL), 1);
	OE__AUTO(iteration) oe_iteration *fourth = world_next(hub);
	ck_assert_int_eq(oe_hub_fail(hub, fourth, OE_OUTCOME_LLM_FAILED, NULL, "down", NULL), 1);
	OE__AUTO(iteration) oe_iteration *fifth = world_next(hub);
	ck_assert_uint_eq(oe_iteration_attempt_count(fifth), 3);
	ck_assert_ptr_null(oe_iteration_attempt_at(fifth, 0, &outcome, &message));
	ck_assert_int_eq(outcome, OE_OUTCOME_NO_EDIT); /* that of the provider taught nothing */
	ck_assert_str_eq(message, "nothing found");
	ck_assert_int_eq(world_outcomes(hub), 4);
	ck_assert_int_eq(oe_hub_fail(hub, fifth, OE_OUTCOME_COMMITTED, NULL, NULL, NULL),
					 OE_ERR_INVALID);
	ck_assert_int_eq(oe_hub_fail(hub, fifth, OE_OUTCOME_COUNT, NULL, NULL, NULL), OE_ERR_INVALID);
}
END_TEST

START_TEST(test_replace_gives_the_number_again)
{
	struct oe__hub_settings settings = world_settings();
	settings.on_failure = OE__ON_FAILURE_REPLACE;
	settings.iterations = 2;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	oe_commit commit = OE_COMMIT_INIT;
	oe_iteration *none = NULL;
	int why;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 2);
	ck_assert_int_eq(oe_hub_ended(hub), 0);
	OE__AUTO(iteration) oe_iteration *again = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(again), 1);
	ck_assert_int_eq(oe_iteration_attempt(again), 1);
	ck_assert_int_eq(oe_iteration_island(again), oe_iteration_island(first));
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 0); /* late */
	OE__AUTO(program) oe_program *bad = failed_child(again, OE_VERDICT_EXCEPTION);
	ck_assert_int_eq(oe_hub_commit(hub, again, bad, &commit, NULL), 0);
	ck_assert(commit.repeated);

	/* not the program's fault: the number ends */
	ck_assert_int_eq(oe_hub_fail(hub, second, OE_OUTCOME_LLM_FAILED, NULL, NULL, NULL), 1);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	ck_assert_int_eq(oe_iteration_attempt(third), 2);
	OE__AUTO(program) oe_program *good = world_child(third, "good", 2, 1);
	ck_assert_int_eq(oe_hub_commit(hub, third, good, &commit, NULL), 0);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED);
	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	ck_assert_int_eq(why, OE_HUB_FINISHED);
	ck_assert_int_eq(oe_hub_ended(hub), 2);
	ck_assert_int_eq(world_outcomes(hub), 2);
}
END_TEST

START_TEST(test_replace_has_an_end)
{
	world_check_replace_ends(world_settings());
}
END_TEST

START_TEST(test_window)
{
	struct oe__hub_settings settings = world_settings();
	settings.window = 2;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	oe_iteration *none = NULL;
	int why;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(first), 1);
	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	ck_assert_int_eq(why, OE_HUB_WINDOW_FULL);
	ck_assert_uint_eq(oe__hub_open_count(hub), 2);
	ck_assert_int_eq(oe_hub_fail(hub, second, OE_OUTCOME_LOST, NULL, NULL, NULL), 1);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(third), 3);
}
END_TEST

START_TEST(test_failed_initial_program)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *plain = NULL, *failed = NULL;

	ck_assert_int_eq(oe_program_new("start", 5, "python", &plain), 0);
	ck_assert_int_eq(oe_hub_seed(hub, plain, NULL), OE_ERR_INVALID);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, OE_VERDICT_EXCEPTION, "x"), 0);
	oe_evaluation_finish(evaluation, 0, NULL);
	ck_assert_int_eq(oe_program_evaluated(plain, evaluation, &failed), 0);
	ck_assert_int_eq(oe_hub_seed(hub, failed, NULL), 0);
	ck_assert_uint_eq(hub->count, 0);
	ck_assert_ptr_null(oe_hub_best(hub));

	oe_commit commit = world_commit(hub, "child", -5, 1);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED);
	ck_assert(commit.best);
	ck_assert_str_eq(oe_program_parent_id(commit.program), oe_program_id(plain));
}
END_TEST

START_TEST(test_unknown_dimension)
{
	static const char *const names[] = { "complexity", "speed" };
	struct oe__hub_settings settings = world_settings();
	world_axes(&settings, names, 2, 10);
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	OE__AUTO(program) oe_program *program = world_program("initial", 1, 0);
	oe_error err;

	ck_assert_int_eq(oe_hub_seed(hub, program, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, "speed"));
	ck_assert_ptr_nonnull(strstr(err.message, "'x'"));
	ck_assert_uint_eq(hub->count, 0);
}
END_TEST

START_TEST(test_steady_has_no_generations)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	oe_error err;

	ck_assert_int_eq(oe_hub_close_generation(hub, &err), OE_ERR_STATE);
	ck_assert_ptr_nonnull(strstr(err.message, "generation"));
}
END_TEST

START_TEST(test_reopen)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(iteration) oe_iteration *again = NULL, *other = NULL;
	oe_error err;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	ck_assert_int_eq(oe_hub_fail(hub, second, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 1);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);

	/* after a restart: number 1 was under way */
	OE__AUTO(hub) oe_hub *next = world_hub(world_settings());
	ck_assert_int_eq(oe_hub_restore(next, population, &err), 0);
	oe_program *parent = oe_iteration_parent(first);
	ck_assert_int_eq(oe_hub_reopen(next, 1, 0, 0, parent, NULL, 0, &again, &err), 0);
	ck_assert(oe_iteration_seed(again) == oe_iteration_seed(first));
	ck_assert_int_eq(oe_hub_reopen(next, 1, 0, 0, parent, NULL, 0, &other, &err), OE_ERR_STATE);
	ck_assert_int_eq(oe_hub_reopen(next, 2, 0, 1, parent, NULL, 0, &other, &err), OE_ERR_STATE);
	ck_assert_int_eq(oe_hub_reopen(next, 4, 0, 1, parent, NULL, 0, &other, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_hub_reopen(next, 3, 0, 7, parent, NULL, 0, &other, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_hub_reopen(next, 0, 0, 0, parent, NULL, 0, &other, &err), OE_ERR_INVALID);

	OE__AUTO(program) oe_program *child = world_child(first, "child", 2, 1);
	OE__AUTO(program) oe_program *same = world_child(again, "child", 2, 1);
	ck_assert_str_eq(oe_program_id(child), oe_program_id(same));
	ck_assert_int_eq(oe_hub_commit(next, again, same, NULL, NULL), 0);
	OE__AUTO(iteration) oe_iteration *third = world_next(next);
	ck_assert_int_eq(oe_iteration_number(third), 3);
	ck_assert_int_eq(world_outcomes(next), 2);
	ck_assert_int_eq(oe_hub_restore(next, population, &err), OE_ERR_STATE);
}
END_TEST

START_TEST(test_arguments)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(world_settings());
	oe_iteration *iteration = NULL;
	oe_commit small = { 0 };

	ck_assert_int_eq(oe_hub_seed(NULL, NULL, NULL), OE_ERR_INVALID);
	ck_assert_int_eq(oe_hub_next_iteration(hub, NULL, NULL), OE_ERR_INVALID);
	ck_assert_int_eq(oe_hub_commit(hub, NULL, NULL, NULL, NULL), OE_ERR_INVALID);
	world_seed(hub, "initial", 1, 0);
	ck_assert_int_eq(oe_hub_next_iteration(hub, &iteration, NULL), 1);
	OE__AUTO(program) oe_program *child = world_child(iteration, "c", 1, 1);
	ck_assert_int_eq(oe_hub_commit(hub, iteration, child, &small, NULL), OE_ERR_INVALID);
	/* an older caller knows fewer members */
	small.struct_size = offsetof(oe_commit, island);
	small.island = 77;
	ck_assert_int_eq(oe_hub_commit(hub, iteration, child, &small, NULL), 0);
	ck_assert_int_eq(small.outcome, OE_OUTCOME_COMMITTED);
	ck_assert_int_eq(small.island, 77);
	oe_iteration_unref(iteration);
	oe_hub_free(NULL);
}
END_TEST

TEST_MAIN("hub", test_ask_tell, test_commit_is_idempotent, test_duplicates_do_not_enter,
		  test_equivalents_are_found,
		  test_failures_are_remembered, test_replace_gives_the_number_again,
		  test_replace_has_an_end, test_window, test_failed_initial_program, test_unknown_dimension,
		  test_steady_has_no_generations, test_reopen,
		  test_arguments)
