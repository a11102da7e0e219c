/* lib/controller/budget.c: what a run has used up, over several sessions. */

#include "api/world.h"
#include "controller/controller_internal.h"
#include "hub/hub.h"

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

TEST_MAIN("budget", test_time_without_an_answer, test_time_of_nothing,
		  test_answers_without_evaluations)
