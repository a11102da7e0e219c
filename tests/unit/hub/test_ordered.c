/* lib/hub/ordered.c, turn.c, departed.c: semantics "ordered" */

#include "base/limits.h"
#include "evolution.h"

static struct oe__hub_settings ordered(int64_t window)
{
	struct oe__hub_settings settings = world_settings();

	settings.semantics = OE__SEMANTICS_ORDERED;
	settings.window = window;
	return settings;
}

/* ---- the order ---- */

START_TEST(test_commits_wait_for_their_turn)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(3));
	oe_commit commit = OE_COMMIT_INIT;
	oe_iteration *none = NULL;
	int why;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub);
	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	ck_assert_int_eq(why, OE_HUB_WINDOW_FULL);

	OE__AUTO(program) oe_program *two = world_child(second, "two", 3, 1);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, &commit, NULL), 0);
	ck_assert(commit.staged && !commit.best && !commit.program && !commit.late);
	ck_assert_int_eq(commit.outcome, -1);
	ck_assert_int_eq(oe_hub_fail(hub, third, OE_OUTCOME_NO_EDIT, NULL, "no", NULL), 1);
	ck_assert_uint_eq(hub->count, 1);
	ck_assert_int_eq(oe_hub_ended(hub), 0);
	ck_assert_uint_eq(oe__hub_open_count(hub), 1);
	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0); /* no slot: a distance */

	OE__AUTO(program) oe_program *one = world_child(first, "one", 2, 1);
	ck_assert_int_eq(oe_hub_commit(hub, first, one, &commit, NULL), 0);
	ck_assert(!commit.staged && commit.best);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED);
	ck_assert_str_eq(oe_program_id(commit.program), oe_program_id(one));
	ck_assert_int_eq(oe_hub_ended(hub), 3);
	ck_assert_str_eq(oe_program_id(oe_hub_best(hub)), oe_program_id(two));
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_COMMITTED), 2);
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_NO_EDIT), 1);
}
END_TEST

/* M1, M2: a commit that was staged is not committed twice, and cannot fail any more. */
START_TEST(test_staged_commit_is_idempotent)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(2));
	oe_commit commit = OE_COMMIT_INIT;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(program) oe_program *two = world_child(second, "two", 3, 1);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, NULL, NULL), 0);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, &commit, NULL), 0);
	ck_assert(commit.late && !commit.staged);
	ck_assert_int_eq(oe_hub_fail(hub, second, OE_OUTCOME_LOST, NULL, NULL, NULL), 0);
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_LOST, NULL, NULL, NULL), 1);
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_LOST, NULL, NULL, NULL), 0);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, &commit, NULL), 0);
	ck_assert(commit.late);
	ck_assert_uint_eq(hub->count, 2);
	ck_assert_int_eq(world_outcomes(hub), 2);
	ck_assert_int_eq(oe_hub_ended(hub), 2);
}
END_TEST

START_TEST(test_strangers_are_refused)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(2));
	struct oe__hub_settings settings = ordered(2);
	settings.seed = 43;
	OE__AUTO(hub) oe_hub *other = world_hub(settings);
	oe_error err;

	world_seed(hub, "initial", 1, 0);
	world_seed(other, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *foreign = world_next(other), *own = world_next(hub);
	OE__AUTO(program) oe_program *child = world_child(foreign, "child", 3, 1);
	ck_assert_int_eq(oe_hub_commit(hub, foreign, child, NULL, &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "none of this run"));
	ck_assert_int_eq(oe_hub_fail(hub, foreign, OE_OUTCOME_LOST, NULL, NULL, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_hub_fail(hub, own, OE_OUTCOME_LOST, NULL, NULL, &err), 1);
}
END_TEST

/* The sample of i is drawn when i - W ends: nobody has to ask for it then. */
START_TEST(test_samples_see_a_fixed_distance)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(2));

	world_seed(hub, "initial", 1, 0);
	for (int n = 1; n <= 5; n++) {
		char code[20];

		snprintf(code, sizeof(code), "%d", n);
		(void)world_commit(hub, code, 1 + n, n);
	}
	/* Number 6 is drawn: after 4, so that 5 is not among those it shows. */
	OE__AUTO(iteration) oe_iteration *sixth = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(sixth), 6);
	for (size_t i = 0; i < oe_iteration_top_count(sixth); i++)
		ck_assert_int_lt(oe_program_iteration(oe_iteration_top_at(sixth, i)), 5);
	ck_assert_int_eq(oe_program_iteration(oe_iteration_top_at(sixth, 0)), 4);
}
END_TEST

/* ---- the same for any timing ---- */

struct variant {
	int64_t in_flight;
	uint64_t timing;
};

static char *evolve(struct oe__hub_settings settings, struct variant variant, char hash[65])
{
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	struct evolution evolution;

	world_seed(hub, "initial", 0.1, 0);
	evolution_init(&evolution, hub, variant.in_flight, variant.timing);
	evolution_run(&evolution, INT64_MAX);
	ck_assert_int_eq(oe_hub_ended(hub), settings.iterations);
	ck_assert_int_eq(world_outcomes(hub), settings.iterations);
	evolution_hash(hub, hash);
	char *samples = evolution_samples(&evolution);
	evolution_done(&evolution);
	return samples;
}

START_TEST(test_timing_does_not_matter)
{
	static const struct variant variants[] = { { 1, 1 }, { 2, 2 }, { 4, 3 }, { 0, 4 }, { 0, 5 } };
	char first[65], other[65];

	for (int round = 0; round < 12; round++) {
		int64_t window = 1 + round * round % 17;
		OE__AUTO(string) char *expected = NULL;

		for (size_t i = 0; i < OE__COUNT(variants); i++) {
			struct oe__hub_settings settings = ordered(window);
			settings.seed = (uint64_t)round;
			settings.iterations = 150;
			settings.population_size = 8; /* so that what is known may be gone again */
			settings.migration_interval = 7;
			settings.on_failure = round % 2 ? OE__ON_FAILURE_REPLACE : OE__ON_FAILURE_COUNT;
			OE__AUTO(string) char *samples = evolve(settings, variants[i], i ? other : first);

			if (i == 0) {
				expected = OE__STEAL(samples);
				continue;
			}
			ck_assert_str_eq(other, first);
			ck_assert_str_eq(samples, expected);
		}
	}
}
END_TEST

/* A window of 1 is the sequential loop. */
START_TEST(test_window_of_one_is_sequential)
{
	char first[65], other[65];
	struct oe__hub_settings steady = world_settings(), in_order = ordered(1);

	steady.iterations = in_order.iterations = 100;
	steady.window = 1;
	OE__AUTO(string) char *one = evolve(steady, (struct variant){ 1, 1 }, first);
	OE__AUTO(string) char *two = evolve(in_order, (struct variant){ 0, 9 }, other);
	ck_assert_str_eq(first, other);
	ck_assert_str_eq(one, two);
}
END_TEST

/* ---- attempts ---- */

START_TEST(test_next_attempt_has_the_same_sample)
{
	struct oe__hub_settings settings = ordered(4);
	settings.on_failure = OE__ON_FAILURE_REPLACE;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);
	oe_commit commit = OE_COMMIT_INIT;
	const char *message;
	int outcome;

	world_seed(hub, "initial", 1, 0);
	for (int n = 1; n <= 6; n++) {
		char code[20];

		snprintf(code, sizeof(code), "%d", n);
		(void)world_commit(hub, code, 1 + n, n);
	}
	OE__AUTO(iteration) oe_iteration *seventh = world_next(hub), *eighth = world_next(hub);
	ck_assert_int_eq(oe_hub_fail(hub, eighth, OE_OUTCOME_NO_EDIT, NULL, "nothing", NULL), 2);
	OE__AUTO(iteration) oe_iteration *again = world_next(hub); /* before 7 has ended */
	ck_assert_int_eq(oe_iteration_number(again), 8);
	ck_assert_int_eq(oe_iteration_attempt(again), 1);
	ck_assert_ptr_eq(again->parent, eighth->parent);
	ck_assert_uint_eq(again->inspiration_count, eighth->inspiration_count);
	for (size_t i = 0; i < again->inspiration_count; i++)
		ck_assert_ptr_eq(again->inspirations[i], eighth->inspirations[i]);
	ck_assert(oe_iteration_seed(again) != oe_iteration_seed(eighth));
	ck_assert_ptr_null(oe_iteration_attempt_at(again, 0, &outcome, &message));
	ck_assert_int_eq(outcome, OE_OUTCOME_NO_EDIT);
	ck_assert_str_eq(message, "nothing");
	ck_assert_uint_le(oe_iteration_attempt_count(again), 3);

	/* the failed attempt is late, the second one waits for 7 */
	ck_assert_int_eq(oe_hub_fail(hub, eighth, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 0);
	OE__AUTO(program) oe_program *good = world_child(again, "8", 20, 1);
	ck_assert_int_eq(oe_hub_commit(hub, again, good, &commit, NULL), 0);
	ck_assert(commit.staged && !commit.repeated);
	ck_assert_int_eq(oe_hub_fail(hub, seventh, OE_OUTCOME_LLM_FAILED, NULL, NULL, NULL), 1);
	ck_assert_str_eq(oe_program_id(oe_hub_best(hub)), oe_program_id(good));
	ck_assert_int_eq(oe_hub_ended(hub), 8);
}
END_TEST

START_TEST(test_attempts_have_an_end)
{
	world_check_replace_ends(ordered(2));
}
END_TEST

/* ---- what may be seen ---- */

START_TEST(test_content_is_looked_for_where_the_sample_was_drawn)
{
	struct oe__hub_settings settings = ordered(3);
	settings.island_count = 1;
	settings.population_size = 2;
	OE__AUTO(hub) oe_hub *hub = world_hub(settings);

	world_seed_python(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(program) oe_program *one = world_child(first, "one", 2, 1);
	ck_assert_int_eq(oe_hub_commit(hub, first, one, NULL, NULL), 0);
	const char *hash = oe_program_content_hash(one);
	OE__AUTO(program) oe_program *like = NULL;
	ck_assert_int_eq(oe_program_new("one # more", 10, "python", &like), 0);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub), *fourth = world_next(hub);

	/* It is there, but 2 and 3 cannot know: they see the state before 1. */
	ck_assert_ptr_null(oe_hub_find_content(hub, second, hash));
	ck_assert_ptr_null(oe_hub_find_content(hub, third, hash));
	ck_assert_ptr_null(oe_hub_find_equivalent(hub, third, like));
	ck_assert_ptr_nonnull(oe_hub_find_equivalent(hub, fourth, like));
	ck_assert_ptr_nonnull(oe_hub_find_content(hub, fourth, hash));
	ck_assert_ptr_nonnull(oe_hub_find_content(hub, NULL, hash));

	/* Two better ones, and it is gone; 4 sees it still. */
	OE__AUTO(program) oe_program *two = world_child(second, "two", 3, 2);
	OE__AUTO(program) oe_program *three = world_child(third, "three", 4, 3);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, NULL, NULL), 0);
	ck_assert_int_eq(oe_hub_commit(hub, third, three, NULL, NULL), 0);
	ck_assert_ptr_null(oe_hub_find_content(hub, NULL, hash));
	ck_assert_str_eq(oe_program_id(oe_hub_find_content(hub, fourth, hash)), oe_program_id(one));
	ck_assert_str_eq(oe_program_id(oe_hub_find_equivalent(hub, fourth, like)), oe_program_id(one));
	ck_assert_ptr_null(oe_hub_find_equivalent(hub, NULL, like));
	ck_assert_ptr_null(oe_hub_find_equivalent(hub, second, like));
	ck_assert_ptr_null(oe_hub_find_content(hub, second, hash));

	/* Nobody may see it any more: forgotten. */
	ck_assert_int_eq(oe_hub_fail(hub, fourth, OE_OUTCOME_DUPLICATE, NULL, NULL, NULL), 1);
	ck_assert_ptr_nonnull(hub->ordered.departed.oldest);
	for (int n = 5; n <= 8; n++) {
		OE__AUTO(iteration) oe_iteration *later = world_next(hub);

		ck_assert_int_eq(oe_hub_fail(hub, later, OE_OUTCOME_NO_EDIT, NULL, NULL, NULL), 1);
	}
	ck_assert_ptr_null(hub->ordered.departed.oldest);
}
END_TEST

START_TEST(test_duplicates_are_decided_in_turn)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(2));
	oe_commit commit = OE_COMMIT_INIT;

	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(program) oe_program *two = world_child(second, "same", 3, 1);
	OE__AUTO(program) oe_program *one = world_child(first, "same", 3, 1);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, &commit, NULL), 0);
	ck_assert(commit.staged);
	ck_assert_int_eq(oe_hub_commit(hub, first, one, &commit, NULL), 0);
	ck_assert_int_eq(commit.outcome, OE_OUTCOME_COMMITTED); /* though it came later */
	ck_assert_int_eq(oe_hub_outcome_count(hub, OE_OUTCOME_DUPLICATE), 1);
	ck_assert(world_alive(hub, oe_program_id(one)));
	ck_assert(!world_alive(hub, oe_program_id(two)));
}
END_TEST

/* ---- being told ---- */

static void note_settled(void *owner, const oe_iteration *iteration, oe_program *child,
						 const oe_commit *commit)
{
	(void)child;
	oe__buffer_printf(owner, "%lld %s%s\n", (long long)iteration->number,
					  oe_outcome_name(commit->outcome), commit->best ? " best" : "");
}

START_TEST(test_ends_are_told_in_order)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(4));
	OE__AUTO(buffer) struct oe__buffer told = OE__BUFFER_INIT(0);

	oe__hub_on_settled(hub, note_settled, &told);
	world_seed(hub, "initial", 1, 0);
	OE__AUTO(iteration) oe_iteration *first = world_next(hub), *second = world_next(hub);
	OE__AUTO(iteration) oe_iteration *third = world_next(hub), *fourth = world_next(hub);
	OE__AUTO(program) oe_program *three = world_child(third, "three", 3, 1);
	OE__AUTO(program) oe_program *two = world_child(second, "initial", 3, 1);
	ck_assert_int_eq(oe_hub_commit(hub, third, three, NULL, NULL), 0);
	ck_assert_int_eq(oe_hub_commit(hub, second, two, NULL, NULL), 0);
	ck_assert_uint_eq(told.size, 0);
	ck_assert_int_eq(oe_hub_fail(hub, first, OE_OUTCOME_TOO_LONG, NULL, NULL, NULL), 1);
	ck_assert_str_eq(oe__buffer_string(&told), "1 too_long\n2 duplicate\n3 committed best\n");

	/* A run that is over at 4 is over there, whatever is committed. */
	oe__buffer_clear(&told);
	OE__AUTO(iteration) oe_iteration *fifth = world_next(hub);
	OE__AUTO(program) oe_program *five = world_child(fifth, "five", 9, 1);
	ck_assert_int_eq(oe_hub_commit(hub, fifth, five, NULL, NULL), 0);
	oe__hub_hold(hub, 4);
	ck_assert_int_eq(oe_hub_fail(hub, fourth, OE_OUTCOME_TOO_LONG, NULL, NULL, NULL), 1);
	ck_assert_str_eq(oe__buffer_string(&told), "4 too_long\n");
	ck_assert_int_eq(oe_hub_ended(hub), 4);
	oe__hub_hold(hub, INT64_MAX);
	OE__AUTO(iteration) oe_iteration *sixth = world_next(hub);
	ck_assert_int_eq(oe_iteration_number(sixth), 6);
	ck_assert_int_eq(oe_hub_ended(hub), 5);
}
END_TEST

/* ---- after a restart ---- */

START_TEST(test_reopen_in_order)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(3)), *next = world_hub(ordered(3));
	OE__AUTO(population) oe_population *population = NULL;
	OE__AUTO(iteration) oe_iteration *again = NULL, *early = NULL, *late = NULL;
	oe_commit commit = OE_COMMIT_INIT;
	oe_error err;

	world_seed(hub, "initial", 1, 0);
	(void)world_commit(hub, "one", 2, 1);
	OE__AUTO(iteration) oe_iteration *second = world_next(hub), *third = world_next(hub);
	OE__AUTO(iteration) oe_iteration *fourth = world_next(hub);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);

	ck_assert_int_eq(oe_hub_restore(next, population, &err), 0);
	ck_assert_int_eq(oe_hub_reopen(next, 4, 0, fourth->island, fourth->parent, fourth->inspirations,
								   fourth->inspiration_count, &late, &err),
					 0);
	ck_assert_int_eq(oe_hub_reopen(next, 2, 0, second->island, second->parent, second->inspirations,
								   second->inspiration_count, &again, &err),
					 0);
	OE__AUTO(program) oe_program *four = world_child(fourth, "four", 3, 2);
	ck_assert_int_eq(oe_hub_commit(next, fourth, four, &commit, &err), 0);
	ck_assert(commit.staged); /* 2 comes first; 3 is gone */
	ck_assert_int_eq(oe_hub_reopen(next, 3, 0, third->island, third->parent, NULL, 0, &early, &err),
					 OE_ERR_STATE);
	OE__AUTO(program) oe_program *two = world_child(again, "two", 4, 2);
	ck_assert_int_eq(oe_hub_commit(next, again, two, &commit, &err), 0);
	ck_assert(!commit.staged);
	ck_assert_int_eq(oe_hub_ended(next), 3);
	OE__AUTO(iteration) oe_iteration *fifth = world_next(next);
	ck_assert_int_eq(oe_iteration_number(fifth), 5);
	OE__AUTO(iteration) oe_iteration *sixth = NULL; /* the next one, as somebody recorded it */
	ck_assert_int_eq(oe_hub_reopen(next, 6, 0, 1, fifth->parent, NULL, 0, &sixth, &err), 0);
	OE__AUTO(iteration) oe_iteration *seventh = world_next(next);
	ck_assert_int_eq(oe_iteration_number(seventh), 7);
}
END_TEST

START_TEST(test_window_by_default)
{
	OE__AUTO(hub) oe_hub *hub = world_hub(ordered(0));
	OE__AUTO(iteration) oe_iteration *last = NULL;
	oe_iteration *none = NULL;
	int why;

	world_seed(hub, "initial", 1, 0);
	ck_assert_int_eq(oe__hub_window(hub), OE__WINDOW_DEFAULT);
	oe__hub_set_window(hub, 5); /* it decides about samples */
	for (int64_t n = 1; n <= OE__WINDOW_DEFAULT; n++) {
		oe_iteration_unref(last);
		last = world_next(hub);
	}
	ck_assert_int_eq(oe_hub_next_iteration(hub, &none, &why), 0);
	ck_assert_int_eq(oe_hub_close_generation(hub, NULL), OE_ERR_STATE);
}
END_TEST

TEST_MAIN("ordered", test_commits_wait_for_their_turn, test_staged_commit_is_idempotent,
		  test_strangers_are_refused, test_samples_see_a_fixed_distance,
		  test_timing_does_not_matter, test_window_of_one_is_sequential,
		  test_next_attempt_has_the_same_sample, test_attempts_have_an_end,
		  test_content_is_looked_for_where_the_sample_was_drawn,
		  test_duplicates_are_decided_in_turn, test_ends_are_told_in_order, test_reopen_in_order,
		  test_window_by_default)
