/* lib/controller/stop.c: what a run is left as by a controller that was to go on with it, and did not. */

#include "api/world.h"
#include "openevolve/run.h"
#include "rows.h"

#define KILLED                                                                                     \
	"UPDATE meta SET value = 'running' WHERE key = 'state';"                                       \
	"UPDATE meta SET value = '' WHERE key IN ('reason', 'archive_hash')"

static struct world world;
static char database[128];

static void begin(const char *semantics)
{
	world_init(&world, true);
	world_set(&world, "hub.semantics", semantics);
	world_set(&world, "max_iterations", "4");
	(void)snprintf(database, sizeof(database), "%s/run.db", world.directory);
}

/* All that tells how the run stands, and how it came to that. */
static void look(char out[8192])
{
	static const char sql[] =
		"SELECT (SELECT group_concat(key || '=' || substr(value, 1, 64), ';') FROM meta) ||"
		" (SELECT group_concat(seq || kind || coalesce(outcome, ''), ';') FROM log)";
	sqlite3 *connection = NULL;
	sqlite3_stmt *statement = NULL;

	ck_assert_int_eq(sqlite3_open(database, &connection), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(connection, sql, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int size = snprintf(out, 8192, "%s", (const char *)sqlite3_column_text(statement, 0));
	ck_assert(size > 100 && size < 8192);
	sqlite3_finalize(statement);
	ck_assert_int_eq(sqlite3_close(connection), SQLITE_OK);
}

/* A command that cannot write its events has played the log by then, and edits what was answered. */
static void resume_and_give_up(void)
{
	char before[8192], after[8192];
	oe_error err = { .message = "" };

	look(before);
	oe_controller *controller = world_resumed(&world);
	world_pause_ms(50);
	oe_controller_free(controller);
	look(after);
	ck_assert_msg(strcmp(after, before) == 0, "%.900s\n%.900s", before, after);
	ck_assert_msg(oe_run_verify(world.directory, &err) == 0, "%s", err.message);
}

START_TEST(test_one_that_ended)
{
	begin("steady");
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	resume_and_give_up();
	world_set(&world, "max_iterations", "8");
	resume_and_give_up();
	rows_change(database, KILLED);
	resume_and_give_up();
	world_done(&world);
}
END_TEST

/* What had an answer is still open, though nothing can come of it. */
START_TEST(test_open_iterations)
{
	static const char *const semantics[] = { "steady", "generation", "ordered" };

	for (size_t i = 0; i < sizeof(semantics) / sizeof(*semantics); i++) {
		begin(semantics[i]);
		atomic_store(&world.evaluator, EVALUATOR_STUCK);
		oe_controller *controller = world_seeded(&world);
		while (atomic_load(&world.waiting) == 0)
			ck_assert_int_ge(oe_controller_step(controller, 1, NULL, NULL), 0);
		oe_controller_free(controller);
		rows_change(database, "UPDATE answer SET text = ''");
		resume_and_give_up();
		rows_change(database, KILLED);
		resume_and_give_up();
		atomic_store(&world.evaluator, EVALUATOR_SCORES);
		controller = world_resumed(&world); /* and then it does go on */
		ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
		ck_assert_int_gt(world_numbers(controller).outcomes[OE_OUTCOME_NO_EDIT], 0);
		oe_controller_free(controller);
		world_done(&world);
	}
}
END_TEST

TEST_MAIN("stop", test_one_that_ended, test_open_iterations)
