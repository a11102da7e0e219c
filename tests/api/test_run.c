/* Runs on disk, through the shared library: what is kept, read back, resumed, exported. */

#include <sys/stat.h>
#include <sys/wait.h>

#include "world.h"

static oe_run *open_run(const struct world *world)
{
	oe_run *run = NULL;
	oe_error err = { 0 };
	int status = oe_run_open(world->directory, &run, &err);

	ck_assert_msg(status == 0, "%s", err.message);
	return run;
}

static void run_all(struct world *world)
{
	oe_controller *controller = world_seeded(world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
}

START_TEST(test_everything_is_kept)
{
	struct world world;
	world_init(&world, true);
	run_all(&world);
	oe_run *run = open_run(&world);
	oe_program *program = NULL;
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };
	int64_t cursor = 0, programs = 0;
	const char *value = NULL;

	ck_assert_str_eq(oe_run_property(run, "state"), "finished");
	ck_assert_int_eq(oe_run_get_property(run, "state", &value, NULL), 1);
	ck_assert_str_eq(value, "finished");
	ck_assert_int_eq(oe_run_get_property(run, "user.nothing", &value, NULL), 0);
	ck_assert_ptr_null(value);
	for (int64_t number = 1; number <= 40; number++) {
		ck_assert_int_eq(oe_run_iteration_at(run, number, &iteration, NULL), 1);
		ck_assert_int_ge(iteration.outcome, 0);
		ck_assert_ptr_nonnull(iteration.answer);
		ck_assert_int_eq(iteration.tokens_in, 10);
		ck_assert_str_eq(iteration.model, "fake");
	}
	ck_assert_int_eq(oe_run_iteration_at(run, 41, &iteration, NULL), 0);
	while (oe_run_next_program(run, &cursor, &program, NULL) > 0) {
		programs++;
		oe_program_unref(program);
	}
	ck_assert_int_ge(programs, 30);
	oe_run_close(run);
	world_done(&world);
}
END_TEST

static void check_sandbox(const char *confinement, const char *expected)
{
	struct world world;
	world_init(&world, true);
	world_set(&world, "max_iterations", "1");
	world.confinement = confinement;
	ck_assert_ptr_eq(oe_evaluator_confinement(world.judge), confinement);
	run_all(&world);
	oe_run *run = open_run(&world);
	char *status = NULL;

	ck_assert_str_eq(oe_run_property(run, "sandbox"), confinement ? confinement : "");
	ck_assert_int_eq(oe_run_status_json(run, &status, NULL), 0);
	ck_assert_msg(strstr(status, expected) != NULL, "%s", status);
	oe_run_free_text(status);
	oe_run_close(run);
	world_done(&world);
}

/* What confined the evaluations is part of the run. */
START_TEST(test_confinement_is_kept)
{
	check_sandbox("{\"schema\": \"oe.sandbox/1\", \"tier\": 2}",
				  "\"sandbox\": {\"schema\": \"oe.sandbox/1\", \"tier\": 2}}");
	check_sandbox(NULL, "\"sandbox\": null}");
	check_sandbox("}, \"best\": 1", "\"sandbox\": null}"); /* not JSON: not passed on */
}
END_TEST

START_TEST(test_prompts_are_rendered_again)
{
	struct world world;
	world_init(&world, true);
	run_all(&world);
	oe_run *run = open_run(&world);

	for (int64_t number = 1; number <= 40; number += 13) {
		char *system = NULL, *user = NULL;
		oe_error err = { 0 };
		int status = oe_run_prompt(run, number, -1, &system, &user, &err);
		ck_assert_msg(status == 0, "iteration %lld: %s", (long long)number, err.message);
		ck_assert_ptr_nonnull(strstr(user, "value "));
		oe_run_free_text(system);
		oe_run_free_text(user);
	}
	oe_run_close(run);
	world_done(&world);
}
END_TEST

/* The same prompts, whether they are kept or made again. */
START_TEST(test_kept_prompts_equal_rendered_ones)
{
	struct world kept, rendered;
	world_init(&kept, true);
	world_init(&rendered, true);
	world_set(&kept, "store.prompts", "full");
	world_set(&kept, "hub.window", "1");
	world_set(&rendered, "hub.window", "1");
	run_all(&kept);
	run_all(&rendered);
	oe_run *a = open_run(&kept), *b = open_run(&rendered);

	for (int64_t number = 1; number <= 40; number += 3) {
		char *system[2] = { NULL }, *user[2] = { NULL };
		ck_assert_int_eq(oe_run_prompt(a, number, -1, &system[0], &user[0], NULL), 0);
		ck_assert_int_eq(oe_run_prompt(b, number, -1, &system[1], &user[1], NULL), 0);
		ck_assert_str_eq(system[0], system[1]);
		ck_assert_str_eq(user[0], user[1]);
		for (int i = 0; i < 2; i++) {
			oe_run_free_text(system[i]);
			oe_run_free_text(user[i]);
		}
	}
	oe_run_close(a);
	oe_run_close(b);
	world_done(&kept);
	world_done(&rendered);
}
END_TEST

START_TEST(test_one_run_per_directory)
{
	struct world world;
	oe_error err = { 0 };
	world_init(&world, true);
	oe_controller *first = world_seeded(&world);

	ck_assert_ptr_null(world_controller(&world, &err));
	ck_assert_int_eq(err.status, OE_ERR_STATE);
	ck_assert_int_eq(world_run(first), OE_REASON_ITERATIONS);
	oe_controller_free(first);

	/* It is over, but it is there: seeding would mix two runs. */
	oe_program *program = NULL;
	oe_controller *second = world_controller(&world, &err);
	ck_assert_int_eq(oe_program_new("value 1", 7, "text", &program), 0);
	if (second) {
		ck_assert_int_eq(oe_controller_seed(second, program, &err), OE_ERR_STATE);
		oe_controller_free(second);
	} else {
		ck_assert_int_eq(err.status, OE_ERR_STATE);
	}
	oe_program_unref(program);
	world_done(&world);
}
END_TEST

static void expect_same_population(oe_population *a, oe_population *b)
{
	char hash_a[65], hash_b[65];
	size_t size = oe_population_size(a, OE_ISLAND_ALL);

	ck_assert_uint_gt(size, 1);
	ck_assert_uint_eq(size, oe_population_size(b, OE_ISLAND_ALL));
	for (size_t i = 0; i < size; i++)
		ck_assert_str_eq(oe_program_id(oe_population_ranked(a, OE_ISLAND_ALL, i)),
						 oe_program_id(oe_population_ranked(b, OE_ISLAND_ALL, i)));
	ck_assert_int_eq(oe_population_hash(a, hash_a), 0);
	ck_assert_int_eq(oe_population_hash(b, hash_b), 0);
	ck_assert_str_eq(hash_a, hash_b);
}

START_TEST(test_population_from_the_log)
{
	struct world world;
	oe_population *live = NULL, *replayed = NULL;
	oe_error err = { 0 };
	world_init(&world, true);
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(oe_controller_population(controller, &live), 0);
	oe_controller_free(controller);
	oe_run *run = open_run(&world);
	int status = oe_run_population(run, &replayed, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	expect_same_population(live, replayed);
	oe_population_unref(live);
	oe_population_unref(replayed);
	oe_run_close(run);
	world_done(&world);
}
END_TEST

/* Its iteration is not the one that the log has beside it. */
START_TEST(test_seed_of_another_run)
{
	struct world first, second;
	oe_program *best = NULL;
	oe_population *replayed = NULL;
	oe_error err = { 0 };
	world_init(&first, true);
	world_init(&second, true);
	run_all(&first);
	oe_run *run = open_run(&first);
	ck_assert_int_eq(oe_run_program(run, "best", &best, NULL), 0);
	ck_assert_int_gt(oe_program_iteration(best), 0);
	oe_run_close(run);

	oe_controller *controller = world_controller(&second, &err);
	ck_assert_ptr_nonnull(controller);
	ck_assert_int_eq(oe_controller_seed(controller, best, &err), 0);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	run = open_run(&second);
	int status = oe_run_population(run, &replayed, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	ck_assert_uint_gt(oe_population_size(replayed, OE_ISLAND_ALL), 1);
	oe_population_unref(replayed);
	oe_program_unref(best);
	oe_run_close(run);
	world_done(&first);
	world_done(&second);
}
END_TEST

/* What came with a checkpoint is found in the run as what was made in it. */
static void expect_imported(oe_run *run, const char *checkpoint)
{
	oe_population *before = NULL, *now = NULL;
	oe_program *program, *found = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_population_load(checkpoint, &before, &err), 0);
	for (size_t i = 0; (program = oe_population_ranked(before, OE_ISLAND_ALL, i)); i++) {
		int status = oe_run_program(run, oe_program_id(program), &found, &err);
		ck_assert_msg(status == 0, "%s", err.message);
		ck_assert_str_eq(oe_program_id(found), oe_program_id(program));
		ck_assert_double_eq(oe_program_fitness(found), oe_program_fitness(program));
		oe_program_unref(found);
	}
	ck_assert_int_eq(oe_run_population(run, &now, &err), 0);
	ck_assert_int_eq(oe_run_program(run, "best", &found, &err), 0);
	ck_assert_double_eq(oe_program_fitness(found), oe_program_fitness(oe_population_best(now)));
	oe_program_unref(found);
	ck_assert_int_eq(oe_run_program(run, "initial", &found, &err), 0);
	ck_assert_ptr_null(oe_program_parent_id(found));
	oe_program_unref(found);
	oe_population_unref(before);
	oe_population_unref(now);
}

START_TEST(test_checkpoint_begins_another_run)
{
	struct world first, second;
	char path[160];
	oe_error err = { 0 };
	world_init(&first, true);
	world_init(&second, true);
	run_all(&first);
	(void)snprintf(path, sizeof(path), "%s/checkpoints/checkpoint_40", first.directory);

	oe_controller *controller = world_controller(&second, &err);
	ck_assert_ptr_nonnull(controller);
	int status = oe_controller_resume(controller, path, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	/* Iterations count on from those of the checkpoint. */
	ck_assert_int_eq(world_numbers(controller).ended, 80);
	ck_assert_int_eq(world_numbers(controller).iterations_max, 80);
	oe_controller_free(controller);

	oe_run *run = open_run(&second);
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };
	ck_assert_int_eq(oe_run_iteration_at(run, 80, &iteration, NULL), 1);
	expect_imported(run, path);
	oe_run_close(run);
	world_done(&first);
	world_done(&second);
}
END_TEST

/* The run ends while an earlier checkpoint is being written: the last one is of its end all the same,
   and so is best/. */
START_TEST(test_last_checkpoint_is_of_the_end)
{
	struct world world;
	char path[160], best[64];
	oe_population *live = NULL, *saved = NULL;
	oe_error err = { 0 };
	world_init(&world, true);
	world_set(&world, "checkpoint_interval", "1");
	world_set(&world, "max_iterations", "60");
	world_set(&world, "durability", "process");
	oe_controller *controller = world_seeded(&world);

	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(oe_controller_population(controller, &live), 0);
	(void)snprintf(path, sizeof(path), "%s/checkpoints/checkpoint_60", world.directory);
	int status = oe_population_load(path, &saved, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	expect_same_population(live, saved);

	(void)snprintf(path, sizeof(path), "%s/best/best_program.py", world.directory);
	FILE *file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	size_t size = fread(best, 1, sizeof(best), file);
	ck_assert_int_eq(fclose(file), 0);
	oe_bytes code = oe_program_code(oe_population_best(live));
	ck_assert_uint_eq(size, code.size);
	ck_assert_mem_eq(best, code.data, size);
	oe_population_unref(live);
	oe_population_unref(saved);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* ---- without the right to write ---- */

static int set_modes(const struct world *world, mode_t directory, mode_t file)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/run.db", world->directory);
	return chmod(path, file) == 0 && chmod(world->directory, directory) == 0 ? 0 : -1;
}

static _Noreturn void read_as_nobody(const struct world *world)
{
	oe_run *run = NULL;
	oe_population *population = NULL;
	oe_error err = { 0 };

	if (geteuid() == 0 && setuid(65534) < 0)
		_exit(77);
	if (oe_run_open(world->directory, &run, &err) < 0 ||
		oe_run_population(run, &population, &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", err.where, err.message);
		_exit(1);
	}
	bool right = strcmp(oe_run_property(run, "state"), "finished") == 0 &&
				 oe_population_size(population, OE_ISLAND_ALL) > 1;
	oe_population_unref(population);
	oe_run_close(run);
	_exit(right ? 0 : 2);
}

/* Another user's run, or one on a medium that cannot be written. */
START_TEST(test_a_run_that_cannot_be_written)
{
	struct world world;
	int status = 0;
	world_init(&world, true);
	run_all(&world);
	ck_assert_int_eq(set_modes(&world, 0555, 0444), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		read_as_nobody(&world);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(set_modes(&world, 0755, 0644), 0);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", status);
	world_done(&world);
}
END_TEST

/* ---- kill -9 ---- */

static void run_until_killed(struct world *world)
{
	oe_controller *controller = world_seeded(world);

	(void)world_run(controller);
	_exit(3);
}

static int64_t ended_on_disk(const struct world *world)
{
	oe_run *run = NULL;
	int64_t ended = 0;
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };

	if (oe_run_open(world->directory, &run, NULL) < 0)
		return 0;
	while (oe_run_iteration_at(run, ended + 1, &iteration, NULL) > 0)
		ended++;
	oe_run_close(run);
	return ended;
}

START_TEST(test_killed_run_loses_nothing)
{
	struct world world;
	world_init(&world, true);
	world_set(&world, "max_iterations", "100000000");
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		run_until_killed(&world);

	while (ended_on_disk(&world) < 50)
		world_pause_ms(5);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	int64_t ended = ended_on_disk(&world);

	char limit[32];
	(void)snprintf(limit, sizeof(limit), "%lld", (long long)ended + 50);
	world_set(&world, "max_iterations", limit);
	oe_controller *controller = world_resumed(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(world_outcomes(&numbers), numbers.ended);
	ck_assert_int_eq(numbers.outcomes[OE_OUTCOME_LOST], 0);
	ck_assert_int_ge(numbers.ended, ended + 50);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

TEST_MAIN("run", test_everything_is_kept, test_confinement_is_kept, test_prompts_are_rendered_again,
		  test_kept_prompts_equal_rendered_ones, test_one_run_per_directory,
		  test_population_from_the_log, test_seed_of_another_run,
		  test_checkpoint_begins_another_run,
		  test_last_checkpoint_is_of_the_end, test_a_run_that_cannot_be_written,
		  test_killed_run_loses_nothing)
