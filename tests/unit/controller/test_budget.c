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

TEST_MAIN("budget", test_time_without_an_answer, test_time_of_nothing)
