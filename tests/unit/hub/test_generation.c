/* lib/hub/generation.c, turn.c: semantics "generation" */

#include "evolution.h"

static struct oe__hub_settings generations(int64_t size)
{
	struct oe__hub_settings settings = world_settings();

	settings.semantics = OE__SEMANTICS_GENERATION;
	settings.window = size;
	return settings;
}

static oe_commit commit_one(oe_hub *hub, oe_iteration *iteration, const char *code, double score)
{
	OE__AUTO(program) oe_program *child = world_child(iteration, code, score, score);
	oe_commit commit = OE_COMMIT_INIT;
	oe_error err = { .message = "" };

	ck_assert_msg(oe_hub_commit(hub, iteration, child, &commit, &err) == 0, "%s", err.message);
	return commit;
}

static int wait_reason(oe_hub *hub)
{
	oe_iteration *none = NULL;
	int why = -1;

	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	return why;
}

/* M3, M7: numbers are never given twice, and the snapshot is a value of its own: nothing that a
   generation does changes what its iterations see, and what they draw changes nothing. */
START_TEST(test_children_join_at_the_barrier)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(3));

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	oe_commit commit = commit_one(hub, second, "two", 3);
	ck_assert(commit.staged && !commit.best && !commit.program);
	ck_assert_int_eq(commit.outcome, -1);
	ck_assert_uint_eq(hub->count, 1);
	OE__AUTO(program) oe_program *same = world_child(first, "two", 3, 3);
	ck_assert_ptr_null(oe_hub_find_content(hub, first, oe_program_content_hash(same)));
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	ck_assert_str_eq(oe_program_id(third->parent), "initial");
	ck_assert_int_eq(wait_reason(hub), OE_HUB_BARRIER);
	ck_assert_int_eq(oe_hub_fail(hub, third, OE_OUTCOME_NO_EDIT, NULL, "no", NULL), 1);
	ck_assert_int_eq(oe_hub_ended(hub), 0);

	commit = commit_one(hub, first, "one", 2);
	ck_assert(!commit.staged && commit.best); /* in number order: two comes after it */
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED);
	ck_assert_int_eq(oe_hub_ended(hub), 3);
	ck_assert_uint_eq(hub->count, 3);
	ck_assert_int_eq(oe_program_iteration(oe_hub_best(hub)), 2);
	ck_assert_int_lt((int64_t)oe__hub_find(hub, oe_program_id(commit.program))->sequence,
					 (int64_t)hub->best->sequence);
	OE__AUTO(iteration) oe_iteration *fourth = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(fourth), 4);
}
END_TEST

/* What is open is counted where it is kept: no more than was given, no less than nothing. */
static void check_open(const oe_hub *hub, int64_t given, int64_t ended)
{
	struct oe__hub_figures figures;

	oe__hub_figures(hub, &figures);
	ck_assert_int_eq(figures.generation_given, given);
	ck_assert_int_eq(figures.generation_ended, ended);
}

/* M1, M4: whatever arrives twice, in whatever order, each number ends once, and a generation is not larger
   than it may be. */
START_TEST(test_repeated_ends)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(2));

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	ck_assert(commit_one(hub, first, "one", 2).staged);
	ck_assert(commit_one(hub, first, "one", 2).late);
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_LOST, NULL, NULL, NULL), 0);
	check_open(hub, 2, 1);
	ck_assert_int_eq(wait_reason(hub), OE_HUB_BARRIER);
	ck_assert(!commit_one(hub, second, "two", 3).staged);
	check_open(hub, 0, 0);
	ck_assert(commit_one(hub, first, "one", 2).late);
	ck_assert(commit_one(hub, second, "other", 9).late);
	check_open(hub, 0, 0);
	ck_assert_int_eq(oe_hub_ended(hub), 2);
	ck_assert_uint_eq(hub->count, 3);
	ck_assert_int_eq(world_outcomes(hub), 2);
}
END_TEST

/* M3, M20: a failure counts, or is replaced under the same number; which one is the policy's choice. */
START_TEST(test_failures_are_replaced)
{
	struct oe__hub_settings settings = generations(2);
	settings.on_failure = OE__ON_FAILURE_REPLACE;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 2);
	ck_assert(commit_one(hub, second, "two", 3).staged);
	OE__AUTO(iteration) oe_iteration *again = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(again), 1);
	ck_assert_int_eq(oe_iteration_attempt(again), 1);
	ck_assert_int_eq(wait_reason(hub), OE_HUB_BARRIER);
	ck_assert(commit_one(hub, first, "late", 9).late);
	ck_assert(!commit_one(hub, again, "one", 2).staged);
	ck_assert_int_eq(oe_hub_ended(hub), 2);
	/* the failed attempt is known by now, but its own generation did not see it */
	ck_assert_uint_eq(oe_iteration_attempt_count(again), 0);
	ck_assert_uint_eq(hub->islands[0].attempts.count, 2);
}
END_TEST

static oe_program *child_with_artifact(const oe_iteration *iteration, const char *code, const char *text)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *child = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", 2), 0);
	ck_assert_int_eq(oe_evaluation_add_artifact(evaluation, "stderr", text, strlen(text)), 0);
	oe__evaluation_freeze(evaluation);
	ck_assert_int_eq(oe_iteration_child(iteration, code, strlen(code), evaluation, "", &child), 0);
	return child;
}

/* M8, M9: what the evaluator attached waits with its child, and is there when that joins; at the barrier,
   or late. */
START_TEST(test_artifacts_wait)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(2));

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(program) oe_program *one = child_with_artifact(first, "one", "of one");
	OE__AUTO(program) oe_program *two = child_with_artifact(second, "two", "of two");
	oe_commit commit = OE_COMMIT_INIT;
	ck_assert_int_eq(oe_hub_commit(hub, second, two, &commit, NULL), 0);
	ck_assert(commit.staged);
	ck_assert_int_eq(oe_hub_close_generation(hub, NULL), 0);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub), *fourth = world_next(hub);
	ck_assert_int_eq(oe_hub_commit(hub, first, one, NULL, NULL), 0);
	(void)commit_one(hub, third, "three", 3);
	(void)commit_one(hub, fourth, "four", 3);
	for (int i = 0; i < 2; i++) {
		const struct oe__member *member = oe__hub_find(hub, oe_program_id(i ? two : one));
		oe_bytes content = { 0 };

		ck_assert_ptr_nonnull(member);
		ck_assert_uint_eq(oe_program_artifact_count(member->program), 1);
		ck_assert_str_eq(oe_program_artifact_at(member->program, 0, &content), "stderr");
		ck_assert_mem_eq(content.data, i ? "of two" : "of one", content.size);
		ck_assert_uint_eq(content.size, 6);
	}
}
END_TEST

/* M9, M19, M21: a straggler holds up nobody, and what it brings is not lost: it joins with the
   generation in which it comes, as the iteration that it is. */
START_TEST(test_closing_early)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(4));
	struct oe__hub_figures figures;

	ck_assert_int_eq(oe_hub_close_generation(hub, NULL), 0); /* none has begun */
	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	(void)commit_one(hub, third, "three", 4);
	(void)commit_one(hub, second, "two", 3);
	oe__hub_figures(hub, &figures);
	ck_assert_int_eq(figures.generation_given, 3);
	ck_assert_int_eq(figures.generation_ended, 2);
	ck_assert_int_eq(figures.staged, 2);
	ck_assert_int_eq(oe_hub_close_generation(hub, NULL), 0);
	ck_assert_int_eq(oe_hub_ended(hub), 2);
	ck_assert_uint_eq(hub->count, 3);
	oe__hub_figures(hub, &figures);
	ck_assert_int_eq(figures.generation, 1);
	ck_assert_int_eq(figures.generation_given, 0);

	/* Four more; the first one is not among those that the barrier waits for. */
	oe_iteration *four[4];
	for (int i = 0; i < 4; i++) {
		four[i] = world_next(hub);
		ck_assert_int_eq(oe_iteration_number(four[i]), 4 + i);
	}
	ck_assert_int_eq(wait_reason(hub), OE_HUB_BARRIER);
	ck_assert(commit_one(hub, first, "one", 9).staged);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(oe_hub_fail(hub, four[i], OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 1);
	ck_assert_int_eq(oe_hub_ended(hub), 2);
	ck_assert_int_eq(oe_hub_fail(hub, four[3], OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 1);
	ck_assert_int_eq(oe_hub_ended(hub), 7);
	ck_assert_int_eq(oe_program_iteration(oe_hub_best(hub)), 1);
	ck_assert_int_eq(world_outcomes(hub), 7);
	for (int i = 0; i < 4; i++)
		oe_iteration_unref(four[i]);
}
END_TEST

/* M6: full, empty and at the end are three answers. */
START_TEST(test_reasons)
{
	struct oe__hub_settings settings = generations(2);
	settings.iterations = 3;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	ck_assert_int_eq(wait_reason(hub), OE_HUB_EMPTY);
	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	ck_assert_int_eq(wait_reason(hub), OE_HUB_BARRIER);
	(void)commit_one(hub, first, "one", 2);
	(void)commit_one(hub, second, "two", 3);
	ck_assert(!oe__hub_was_cut(hub));

	/* M11: the last generation has one number only, and closes as soon as that has ended. */
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	ck_assert_int_eq(wait_reason(hub), OE_HUB_FINISHED);
	oe_commit commit = commit_one(hub, third, "three", 4);
	ck_assert(!commit.staged);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED);
	ck_assert(oe__hub_was_cut(hub));
	ck_assert(!oe__hub_was_cut(hub));
	ck_assert_int_eq(oe_hub_ended(hub), 3);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_COMMITTED), 3);
	ck_assert_int_eq(wait_reason(hub), OE_HUB_FINISHED);
}
END_TEST

/* M11: an initial program is no child. It passes no barrier, and one that comes late waits for it. */
START_TEST(test_initial_programs)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(2));
	struct oe__hub_figures figures;

	world_seed(hub, "initial", 1, 0);
	world_seed(hub, "another", 2, 3);
	oe__hub_figures(hub, &figures);
	ck_assert_int_eq(figures.generation, 0);
	ck_assert_uint_eq(hub->count, 2);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub);
	world_seed(hub, "third", 50, 5);
	world_seed(hub, "third", 50, 5); /* twice: once is enough */
	ck_assert_uint_eq(hub->count, 2);
	OE__AUTO(iteration) oe_iteration *second = world_next(hub);
	for (size_t i = 0; i < oe_iteration_top_count(second); i++)
		ck_assert_str_ne(oe_program_id(oe_iteration_top_at(second, i)), "third");
	(void)commit_one(hub, first, "one", 2.5);
	(void)commit_one(hub, second, "two", 3);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_COMMITTED), 2);
	ck_assert_str_eq(oe_program_id(oe_hub_best(hub)), "third");
	ck_assert_int_lt((int64_t)oe__hub_find(hub, "third")->sequence, 4); /* before the children */
}
END_TEST

/* M10: one child that cannot join does not stop the others, nor the generation. */
START_TEST(test_identifier_that_was_taken)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(3));
	OE__AUTO(program) oe_program *renamed = NULL;
	struct oe__program_spec spec;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	OE__AUTO(program) oe_program *one = world_child(first, "one", 2, 1);
	OE__AUTO(program) oe_program *two = world_child(second, "two", 3, 1);
	oe__program_describe(two, &spec);
	spec.id = one->id;
	ck_assert_int_eq(oe__program_build(&spec, &renamed), 0);
	ck_assert_int_eq(oe_hub_commit(hub, first, one, NULL, NULL), 0);
	ck_assert_int_eq(oe_hub_commit(hub, second, renamed, NULL, NULL), 0);
	(void)commit_one(hub, third, "three", 4);
	ck_assert_int_eq(oe_hub_ended(hub), 3);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_LOST), 1);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_COMMITTED), 2);
	OE__AUTO(iteration) oe_iteration *fourth = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(fourth), 4);
}
END_TEST

/* M13: what counts is the fitness, not a metric of some name. */
START_TEST(test_best_is_by_fitness)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(1));
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *child = NULL;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "score", 100), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", 0.5), 0);
	oe__evaluation_freeze(evaluation);
	ck_assert_int_eq(oe_iteration_child(first, "one", 3, evaluation, "", &child), 0);
	ck_assert_int_eq(oe_hub_commit(hub, first, child, NULL, NULL), 0);
	ck_assert_str_eq(oe_program_id(oe_hub_best(hub)), "initial");
}
END_TEST

/* As long as nobody closes a generation early, timing does not matter. */
START_TEST(test_timing_does_not_matter)
{
	static const struct {
		int64_t in_flight;
		uint64_t timing;
	} variants[] = { { 1, 1 }, { 3, 2 }, { 0, 3 }, { 0, 4 } };
	char first[65], other[65];

	for (int round = 0; round < 8; round++) {
		for (size_t i = 0; i < OE__COUNT(variants); i++) {
			struct oe__hub_settings settings = generations(1 + round * 5);
			settings.seed = (uint64_t)round;
			settings.iterations = 150;
			settings.population_size = 8;
			settings.migration_interval = 7;
			settings.on_failure = round % 2 ? OE__ON_FAILURE_REPLACE : OE__ON_FAILURE_COUNT;
			OE__AUTO(hub) oe_hub *hub = world_hub(settings);
			struct evolution evolution;

			world_seed(hub, "initial", 0.1, 0);
			evolution_init(&evolution, hub, variants[i].in_flight, variants[i].timing);
			evolution_run(&evolution, INT64_MAX);
			evolution_done(&evolution);
			ck_assert_int_eq(oe_hub_ended(hub), 150);
			evolution_hash(hub, i ? other : first);
			if (i > 0)
				ck_assert_str_eq(other, first);
		}
	}
}
END_TEST

/* M14, M21: what was under way when a hub went away belongs to one generation with what follows. */
START_TEST(test_reopen_in_a_generation)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(generations(3)), *next = world_hub(generations(3));
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(iteration) oe_iteration *again = NULL, *reopened = NULL;
	oe_error err;

	world_seed(hub, "initial", 1, 0);
	for (int n = 1; n <= 3; n++) {
		OE__AUTO(iteration) oe_iteration *iteration = world_next(hub);
		char code[20];

		snprintf(code, sizeof(code), "%d", n);
		(void)commit_one(hub, iteration, code, n);
	}
	OE__AUTO(iteration) oe_iteration *fourth = world_next(hub), *fifth = world_next(hub);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);

	ck_assert_int_eq(oe_hub_restore(next, population, &err), 0);
	ck_assert_int_eq(oe_hub_reopen(next, 5, 0, fifth->island, fifth->parent, fifth->inspirations,
								   fifth->inspiration_count, &reopened, &err),
					 0);
	ck_assert_int_eq(oe_hub_reopen(next, 4, 0, fourth->island, fourth->parent,
								   fourth->inspirations, fourth->inspiration_count, &again, &err),
					 0);
	OE__AUTO(iteration) oe_iteration *sixth = world_next(next);
	ck_assert_int_eq(oe_iteration_number(sixth), 6);
	ck_assert_int_eq(wait_reason(next), OE_HUB_BARRIER);
	ck_assert(commit_one(next, fifth, "five", 9).staged);
	ck_assert(commit_one(next, sixth, "six", 8).staged);
	ck_assert(!commit_one(next, again, "four", 7).staged);
	ck_assert_int_eq(oe_hub_ended(next), 6);
	ck_assert_int_eq(oe_hub_issued(next), 6);
}
END_TEST

TEST_MAIN("generation", test_children_join_at_the_barrier, test_repeated_ends,
		  test_failures_are_replaced, test_artifacts_wait, test_closing_early, test_reasons, test_initial_programs,
		  test_identifier_that_was_taken, test_best_is_by_fitness, test_timing_does_not_matter,
		  test_reopen_in_a_generation)
