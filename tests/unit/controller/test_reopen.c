/* lib/controller/resume.c: iterations that had not ended are taken up again, or the run is left as it was. */

#include "api/world.h"
#include "nomem.h"

#define LAST  40 /* allocations before the end: those for what is taken up, each */
#define OTHER 10 /* of those before, spread */

/* A run that ended while programs were being evaluated: their answers are there, and nothing came of them. */
static void leave_open(struct world *world)
{
	const oe_event *event = NULL;
	oe_error err = { 0 };

	world_init(world, true);
	world_set(world, "max_iterations", "12");
	world_set(world, "hub.window", "3");
	world_set(world, "durability", "process");
	world_set(world, "evaluator.parallel_evaluations", "3");
	atomic_store(&world->evaluator, EVALUATOR_STUCK);
	oe_controller *controller = world_seeded(world);
	while (atomic_load(&world->waiting) < 3)
		ck_assert_msg(oe_controller_step(controller, 1, &event, &err) >= 0, "%s", err.message);
	oe_controller_stop(controller, OE_STOP_KILL);
	ck_assert_int_eq(world_run(controller), OE_REASON_REQUESTED);
	oe_controller_free(controller);
	atomic_store(&world->evaluator, EVALUATOR_SCORES);
}

/* @return the allocations that it takes to go on. Number `at` fails, and with `ever` all that follow. */
static long resume(struct world *world, long at, bool ever)
{
	oe_error err = { 0 };
	oe_controller *controller = world_controller(world, &err);

	ck_assert_msg(controller != NULL, "%s", err.message);
	nomem_arm(at, ever);
	int status = oe_controller_resume(controller, NULL, &err);
	nomem_relent();
	long count = atomic_load(&nomem_count);
	ck_assert_msg(status == 0 || status == OE_ERR_NOMEM, "allocation %ld: %s", at, err.message);
	ck_assert(at > 0 || world_numbers(controller).issued == 3);
	oe_controller_free(controller); /* nobody waits for what nobody brings */
	status = oe_run_verify(world->directory, &err);
	ck_assert_msg(status == 0, "allocation %ld: %s", at, err.message);
	return count;
}

START_TEST(test_a_resume_that_fails)
{
	struct world world;

	leave_open(&world);
	int asked = atomic_load(&world.asked);
	long all = resume(&world, 0, false);
	ck_assert_int_gt(all, LAST);
	for (int ever = 0; ever < 2; ever++)
		for (long at = 1; at <= all; at += at < all - LAST ? (all - LAST) / OTHER + 1 : 1)
			(void)resume(&world, at, ever == 1);
	ck_assert_int_eq(atomic_load(&world.asked), asked);
	oe_controller *controller = world_resumed(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(world_outcomes(&numbers), 12);
	ck_assert_int_eq(atomic_load(&world.asked), asked + 9);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

NOMEM_MAIN("reopen", test_a_resume_that_fails)
