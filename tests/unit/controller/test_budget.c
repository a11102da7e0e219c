/* lib/controller/budget.c: what a run has used up, over several sessions. */

#include "api/world.h"
#include "controller/controller_internal.h"
#include "hub/hub.h"
#include "rows.h"
#include "store/database.h"

static const char *log_path(const struct world *world)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/run.db", world->directory);
	return path;
}

/* As the next session will read it. */
static double read_seconds(const struct world *world)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	struct oe__budget budget = { 0 };

	ck_assert_int_eq(oe__database_open_reader(log_path(world), &database, NULL), 0);
	ck_assert_int_eq(oe__budget_open(&budget, database, NULL), 0);
	return (double)budget.time_before_ns / 1e9;
}

/* The log's last row is as old as the last answer. */
START_TEST(test_time_without_an_answer)
{
	struct world world;

	world_init(&world, true);
	world_set(&world, "budget.seconds", "0.5");
	atomic_store(&world.llm, LLM_STUCK);
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_TIME);
	oe_controller_free(controller);
	int asked = atomic_load(&world.asked);
	ck_assert_int_gt(asked, 0);

	controller = world_resumed(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_TIME);
	ck_assert_int_eq(atomic_load(&world.asked), asked);
	ck_assert_int_eq(world_numbers(controller).llm_requests, 0);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* A controller that never began took no time. */
START_TEST(test_time_of_nothing)
{
	struct world world;

	world_init(&world, true);
	world_set(&world, "max_iterations", "4");
	world_set(&world, "budget.seconds", "60");
	oe_controller_free(world_seeded(&world)); /* not a step, but a program was given */
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(oe_hub_ended(controller->hub), 4);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

static void note(const struct world *world, const char *text)
{
	char sql[200];

	(void)snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO meta VALUES ('budget.session', '%s')", text);
	rows_change(log_path(world), sql);
}

static void must_be(const struct world *world, const char *text, double seconds)
{
	note(world, text);
	ck_assert_double_eq_tol(read_seconds(world), seconds, 1e-3);
}

/* Its clock may have been set, ahead and back: only what it wrote itself is looked at. */
START_TEST(test_time_of_a_killed_session)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	struct world world;

	world_init(&world, true);
	ck_assert_int_eq(oe__database_open(log_path(&world), false, &database, NULL), 0);
	rows_change(log_path(&world), /* the first session was a day ahead */
	            "INSERT INTO log (seq, kind, number, attempt, island, time) VALUES (1, 'issue', 1, 0, 0, 90000),"
	            " (2, 'issue', 2, 0, 0, 90001), (3, 'commit', 1, 0, 0, 90003), (4, 'issue', 3, 0, 0, 3705),"
	            " (5, 'issue', 4, 0, 0, 3707), (6, 'fail', 3, 0, 0, 3706);"
	            "INSERT INTO answer VALUES (1, 0, '', '', 0, 0, 0, 1, 1, NULL, 90002),"
	            " (3, 0, '', '', 0, 0, 0, 1, 1, NULL, 3709)");
	must_be(&world, "5.5", 5.5);
	must_be(&world, "5.5 3700.000000 3 90002000000", 14.5); /* until the answer */
	must_be(&world, "5.5 3708.000000 6 90002000000", 5.5);  /* wrote nothing */
	must_be(&world, "5.5 7300.000000 3 90002000000", 5.5);  /* set back at once */
	must_be(&world, "5.5 89990.000000", 18.5);              /* of before it was noted */
	must_be(&world, "5.5 many", 0);
	must_be(&world, "5.5 3700 3", 0);
	must_be(&world, "", 0);
	rows_change(log_path(&world), /* to a question that was open */
	            "INSERT INTO answer VALUES (2, 0, '', '', 0, 0, 0, 1, 1, NULL, 90010.5)");
	must_be(&world, "5.5 90005.000000 6 90002000000", 11);
	world_done(&world);
}
END_TEST

/* The rows of one session are a day ahead of those of the next. */
START_TEST(test_clock_set_back)
{
	struct world world;

	world_init(&world, true);
	world_set(&world, "max_iterations", "4");
	world_set(&world, "budget.seconds", "60");
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	rows_change(log_path(&world), "UPDATE log SET time = time + 86400; UPDATE answer SET time = time + 86400");
	ck_assert_double_lt(read_seconds(&world), 60);

	world_set(&world, "max_iterations", "8");
	controller = world_resumed(&world);
	ck_assert_int_eq(oe_controller_step(controller, 0, NULL, NULL) >= 0, 1);
	ck_assert_int_eq(oe__log_flush(controller->log, NULL), 0);
	ck_assert_double_lt(read_seconds(&world), 60); /* as if it were killed now */
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(oe_hub_ended(controller->hub), 8);
	oe_controller_free(controller);
	ck_assert_double_lt(read_seconds(&world), 60);
	world_done(&world);
}
END_TEST

/* Answers that nobody can evaluate any more stay open, however often the run is resumed. */
START_TEST(test_answers_without_evaluations)
{
	struct world world;

	world_init(&world, true);
	world_set(&world, "max_iterations", "2");
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);

	world_set(&world, "max_iterations", "10");
	atomic_store(&world.evaluator, EVALUATOR_STUCK);
	controller = world_resumed(&world);
	while (atomic_load(&world.waiting) == 0)
		ck_assert_int_ge(oe_controller_step(controller, 1, NULL, NULL), 0);
	oe_controller_free(controller);

	atomic_store(&world.evaluator, EVALUATOR_SCORES);
	world_set(&world, "budget.evaluations", "3");
	for (int i = 0; i < 20; i++) { /* their edits end before the run does, or after */
		controller = world_resumed(&world);
		ck_assert_int_eq(world_run(controller), OE_REASON_BUDGET);
		ck_assert_int_eq(oe_hub_ended(controller->hub), 2);
		ck_assert_uint_gt(oe__hub_open_count(controller->hub), 0);
		oe_controller_free(controller);
	}
	world_done(&world);
}
END_TEST

TEST_MAIN("budget", test_time_without_an_answer, test_time_of_nothing, test_time_of_a_killed_session,
		  test_clock_set_back, test_answers_without_evaluations)
