/* lib/controller/resume.c: a run begins with the whole of a checkpoint, or has not begun. */

#include "api/world.h"
#include "nomem.h"

#define LAST  60 /* allocations before the end: those for what is written of it, each */
#define OTHER 40 /* of those before, spread */

static char checkpoint[128];

/* A run of four iterations, which leaves a checkpoint. */
static void make_checkpoint(struct world *world)
{
	world_init(world, true);
	world_set(world, "max_iterations", "4");
	world_set(world, "hub.window", "1");
	oe_controller *controller = world_seeded(world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	(void)snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoints/checkpoint_4", world->directory);
}

/* @return the allocations that it takes to begin with the checkpoint. Number `at` fails; 0: none. */
static long begin(struct world *world, long at, int *status)
{
	oe_error err = { 0 };
	oe_controller *controller = world_controller(world, &err);

	ck_assert_msg(controller != NULL, "%s", err.message);
	nomem_arm(at, false);
	*status = oe_controller_resume(controller, checkpoint, &err);
	nomem_relent();
	long count = atomic_load(&nomem_count);
	ck_assert_msg(*status == 0 || *status == OE_ERR_NOMEM, "allocation %ld: %s", at, err.message);
	oe_controller_free(controller);
	return count;
}

/* A run, or none yet; in no case half of one. */
static void check(const struct world *world, long at)
{
	oe_error err = { 0 };
	int status = oe_run_verify(world->directory, &err);

	ck_assert_msg(status == 0, "allocation %ld: %s", at, err.message);
}

/* Whatever is there now, it is a run from its begin to its end. */
static void go_on(struct world *world, long at)
{
	oe_error err = { 0 };
	oe_controller *controller = world_controller(world, &err);

	ck_assert_msg(controller != NULL, "%s", err.message);
	int has_run = oe_controller_has_run(controller, &err);
	ck_assert_msg(has_run >= 0, "allocation %ld: %s", at, err.message);
	int status = oe_controller_resume(controller, has_run ? NULL : checkpoint, &err);
	ck_assert_msg(status == 0, "allocation %ld: %s", at, err.message);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	status = oe_run_verify(world->directory, &err);
	ck_assert_msg(status == 0, "allocation %ld: %s", at, err.message);
}

static long begin_and_go_on(long at)
{
	struct world world;
	int status = 0;

	world_init(&world, true);
	world_set(&world, "max_iterations", "2");
	long count = begin(&world, at, &status);
	check(&world, at);
	go_on(&world, at);
	world_done(&world);
	return count;
}

START_TEST(test_a_begin_that_fails)
{
	struct world world;

	make_checkpoint(&world);
	long all = begin_and_go_on(0);
	ck_assert_int_gt(all, LAST);
	for (long at = 1; at <= all + 1; at += at < all - LAST ? (all - LAST) / OTHER + 1 : 1)
		(void)begin_and_go_on(at);
	world_done(&world);
}
END_TEST

NOMEM_MAIN("origin", test_a_begin_that_fails)
