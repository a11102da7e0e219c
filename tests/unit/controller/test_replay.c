/* lib/controller/replay.c: a log that is played to a new hub gives the same hub, or says why not. */

#include "api/world.h"
#include "controller/replay.h"
#include "rows.h"

#define HASH_SIZE 65 /* of oe_population_hash() */

static struct world world;
static char database[128];
static char hash[HASH_SIZE];

static void hash_of(oe_population *population, char out[HASH_SIZE])
{
	ck_assert_int_eq(oe_population_hash(population, out), 0);
	oe_population_unref(population);
}

/* A run of 40 iterations in `database`, with the hash of what it came to. */
static void run(void)
{
	oe_population *population = NULL;

	world_init(&world, true);
	world_set(&world, "database.num_islands", "3");
	world_set(&world, "database.migration_interval", "4");
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	ck_assert_int_eq(oe_controller_population(controller, &population), 0);
	hash_of(population, hash);
	oe_controller_free(controller);
	(void)snprintf(database, sizeof(database), "%s/run.db", world.directory);
}

static void change(const char *sql)
{
	rows_change(database, sql);
}

struct heard {
	int initial, others, best;
	int64_t last;
};

static void joined(void *owner, const oe_program *program, bool initial, bool best)
{
	struct heard *heard = owner;

	(void)program;
	heard->initial += initial;
	heard->others += !initial;
	heard->best += best;
}

static int begin(oe_hub **hub, struct oe__replay *replay, oe_error *err)
{
	*replay = (struct oe__replay){ 0 };
	ck_assert_int_eq(oe_hub_new(world.config, hub, err), 0);
	return oe__replay_begin(database, world.config, *hub, replay, err);
}

START_TEST(test_same)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	oe_population *population = NULL;
	oe_hub *hub = NULL;
	oe_error err = { 0 };
	struct heard heard = { 0 };
	char again[HASH_SIZE];

	run();
	ck_assert_msg(begin(&hub, &replay, &err) == 0, "%s", err.message);
	replay.joined = joined;
	replay.owner = &heard;
	ck_assert_msg(oe__replay_run(&replay, 0, 0, &err) == 0, "%s", err.message);
	ck_assert_int_eq(oe_hub_issued(hub), 40);
	ck_assert_int_eq(oe_hub_ended(hub), 40);
	ck_assert_int_eq(oe_hub_population(hub, &population), 0);
	hash_of(population, again);
	ck_assert_str_eq(again, hash);
	ck_assert_int_eq(heard.initial, 1);
	ck_assert_int_eq(heard.others, (int)oe_hub_outcome_count(hub, OE_OUTCOME_COMMITTED));
	ck_assert_int_gt(heard.best, 0);
	for (int64_t i = 1; i <= 40; i++)
		ck_assert_ptr_null(oe__replay_find(&replay, i, 0));
	oe__replay_done(&replay);
	oe_hub_free(hub);
	world_done(&world);
}
END_TEST

/* Up to any iteration: it is open then, and so are those that had not ended before it. */
START_TEST(test_up_to)
{
	run();
	for (int64_t number = 1; number <= 40; number += 13) {
		OE__AUTO(replay) struct oe__replay replay = { 0 };
		oe_hub *hub = NULL;
		oe_error err = { 0 };
		size_t open = 0;
		ck_assert_int_eq(begin(&hub, &replay, &err), 0);
		ck_assert_int_eq(oe__replay_run(&replay, number, 0, &err), 1);
		ck_assert_int_eq(oe_hub_issued(hub), number);
		oe_iteration *iteration = oe__replay_find(&replay, number, 0);
		ck_assert_ptr_nonnull(iteration);
		ck_assert_int_eq(oe_iteration_number(iteration), number);
		ck_assert_ptr_null(oe__replay_find(&replay, number, 1));
		for (int64_t i = 1; i <= number; i++)
			open += oe__replay_find(&replay, i, 0) != NULL;
		ck_assert_uint_eq(open, (size_t)(number - oe_hub_ended(hub)));
		/* And on to the end. */
		ck_assert_int_eq(oe__replay_run(&replay, 0, 0, &err), 0);
		ck_assert_int_eq(oe_hub_ended(hub), 40);
		oe__replay_done(&replay);
		oe_hub_free(hub);
	}
	world_done(&world);
}
END_TEST

/* What was given was given: smaller limits of today do not stop it. */
START_TEST(test_smaller_limits)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	oe_hub *hub = NULL;
	oe_error err = { 0 };

	run();
	world_set(&world, "max_iterations", "5");
	world_set(&world, "hub.window", "1");
	ck_assert_int_eq(begin(&hub, &replay, &err), 0);
	ck_assert_msg(oe__replay_run(&replay, 0, 0, &err) == 0, "%s", err.message);
	ck_assert_int_eq(oe_hub_ended(hub), 40);
	oe__replay_done(&replay);
	oe_hub_free(hub);
	world_done(&world);
}
END_TEST

/* A log that is not one, row by row: an error that names the place, and nothing else. */
START_TEST(test_damaged)
{
	static const struct {
		const char *sql, *says;
	} cases[] = {
		{ "DELETE FROM log WHERE kind = 'issue' AND number = 7", "another program is drawn" },
		{ "DELETE FROM log WHERE kind = 'seed'", "gives no iteration" },
		{ "DELETE FROM program WHERE iteration = 5", "its program is missing" },
		{ "UPDATE log SET number = 39 WHERE kind = 'commit' AND number = 3", "not open" },
		{ "UPDATE log SET attempt = 1 WHERE kind = 'issue' AND number = 4", "another program" },
		{ "UPDATE log SET program_id = 'nobody' WHERE kind = 'issue' AND number = 4",
		  "another program" },
		{ "UPDATE log SET outcome = 'rejected' WHERE kind = 'commit' AND outcome = 'committed' AND "
		  "number = 6",
		  "decides otherwise" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(replay) struct oe__replay replay = { 0 };
		oe_hub *hub = NULL;
		oe_error err = { 0 };
		run();
		change(cases[i].sql);
		ck_assert_int_eq(begin(&hub, &replay, &err), 0);
		int status = oe__replay_run(&replay, 0, 0, &err);
		ck_assert_msg(status == OE_ERR_FORMAT, "%s: %d %s", cases[i].sql, status, err.message);
		ck_assert_msg(strstr(err.message, "row ") && strstr(err.message, cases[i].says), "%s: %s",
					  cases[i].sql, err.message);
		ck_assert_ptr_nonnull(strstr(err.where, "run.db"));
		oe__replay_done(&replay);
		oe_hub_free(hub);
		world_done(&world);
	}
}
END_TEST

/* Another configuration draws otherwise, and that is found out. */
START_TEST(test_other_configuration)
{
	static const char *const options[][2] = { { "random_seed", "8" },
											  { "database.num_islands", "2" } };

	for (size_t i = 0; i < OE__COUNT(options); i++) {
		OE__AUTO(replay) struct oe__replay replay = { 0 };
		oe_hub *hub = NULL;
		oe_error err = { 0 };
		run();
		world_set(&world, options[i][0], options[i][1]);
		ck_assert_int_eq(begin(&hub, &replay, &err), 0);
		ck_assert_int_eq(oe__replay_run(&replay, 0, 0, &err), OE_ERR_FORMAT);
		oe__replay_done(&replay);
		oe_hub_free(hub);
		world_done(&world);
	}
}
END_TEST

START_TEST(test_no_log)
{
	OE__AUTO(replay) struct oe__replay replay = { 0 };
	oe_hub *hub = NULL;
	oe_error err = { 0 };

	world_init(&world, true);
	(void)snprintf(database, sizeof(database), "%s/run.db", world.directory);
	ck_assert_int_lt(begin(&hub, &replay, &err), 0);
	ck_assert_str_ne(err.message, "");
	oe__replay_done(&replay);
	oe_hub_free(hub);
	world_done(&world);
}
END_TEST

TEST_MAIN("replay", test_same, test_up_to, test_smaller_limits, test_damaged, test_other_configuration,
		  test_no_log)
