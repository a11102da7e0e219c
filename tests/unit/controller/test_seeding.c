/* lib/controller/finish.c: a run begins with all of its initial programs, or has not begun. */

#include <dlfcn.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "api/world.h"

#define PROGRAMS 600 /* more than the log writes at a time */

static bool dying; /* the process ends when the first calls of the hub are durable */

/* In place of SQLite's. */
int sqlite3_step(sqlite3_stmt *statement)
{
	static bool calls; /* store thread */
	void *symbol = dlsym(RTLD_NEXT, "sqlite3_step");
	int (*step)(sqlite3_stmt *);
	const char *text = sqlite3_sql(statement);

	memcpy(&step, &symbol, sizeof(step));
	int code = step(statement);
	calls |= text && strstr(text, "INTO log") != NULL;
	if (dying && calls && code == SQLITE_DONE && strncmp(text, "COMMIT", 6) == 0)
		kill(getpid(), SIGKILL);
	return code;
}

static oe_controller *seed_many(struct world *world)
{
	oe_error err = { 0 };
	oe_controller *controller = world_controller(world, &err);

	ck_assert_msg(controller != NULL, "%s", err.message);
	for (int i = 0; i < PROGRAMS; i++) {
		oe_program *program = NULL;
		char code[32];
		int size = snprintf(code, sizeof(code), "value %d", 100 + i);
		ck_assert_int_eq(oe_program_new(code, (size_t)size, "text", &program), 0);
		ck_assert_int_eq(oe_controller_seed(controller, program, &err), 0);
		oe_program_unref(program);
	}
	return controller;
}

static int count_seeds(const struct world *world)
{
	sqlite3 *connection = NULL;
	sqlite3_stmt *statement = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/run.db", world->directory);
	ck_assert_int_eq(sqlite3_open(path, &connection), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(connection, "SELECT count(*) FROM log WHERE kind = 'seed'", -1,
										&statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int count = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	ck_assert_int_eq(sqlite3_close(connection), SQLITE_OK);
	return count;
}

START_TEST(test_killed_while_it_begins)
{
	struct world world;
	int status = 0;

	world_init(&world, true);
	world_set(&world, "max_iterations", "3");
	world_set(&world, "database.num_islands", "2");
	world_set(&world, "database.population_size", "1000");
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dying = true;
		(void)world_run(seed_many(&world));
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

	oe_controller *controller = world_resumed(&world);
	ck_assert_int_eq(count_seeds(&world), PROGRAMS);
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_statistics numbers = world_numbers(controller);
	ck_assert_int_eq(numbers.ended, 3);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

/* ---- what is added meanwhile ---- */

static atomic_bool added_is_evaluated;

/* The initial program takes longer than the one that is added. */
static int evaluate_in_turn(void *self, const oe_evaluation_request *request,
							oe_evaluation *evaluation, oe_error *err)
{
	oe_bytes code = oe_program_code(request->program);
	bool initial = strncmp(code.data, "value 100", code.size) == 0;

	while (initial && !atomic_load(&added_is_evaluated))
		world_pause_ms(1);
	if (initial)
		world_pause_ms(100); /* the other one's result has time to come */
	int status = world_evaluate(self, request, evaluation, err);
	if (!initial)
		atomic_store(&added_is_evaluated, true);
	return status;
}

static void replace_evaluator(struct world *world)
{
	oe_evaluator_vtable evaluator = OE_EVALUATOR_VTABLE_INIT;

	evaluator.name = "in turn";
	evaluator.threading = OE_THREADING_PARALLEL;
	evaluator.evaluate = evaluate_in_turn;
	evaluator.free = world_free_backend;
	atomic_fetch_add(&world->backends, 1);
	oe_evaluator_unref(world->judge);
	ck_assert_int_eq(oe_evaluator_new(&evaluator, world, &world->judge, NULL), 0);
}

/* A log that begins with it would be one of a run that needs no initial program. */
START_TEST(test_added_while_it_begins)
{
	struct world world;
	oe_program *added = NULL;
	const oe_event *event = NULL;
	oe_error err = { 0 };
	int seeded = 0;

	world_init(&world, true);
	replace_evaluator(&world);
	world_set(&world, "max_iterations", "1");
	world_set(&world, "evaluator.parallel_evaluations", "2");
	oe_controller *controller = world_seeded(&world);
	ck_assert_int_eq(oe_program_new("value 200", 9, "text", &added), 0);
	ck_assert_int_eq(oe_controller_inject(controller, added), 0);
	oe_program_unref(added);
	while (seeded < 2) {
		ck_assert_int_eq(oe_controller_step(controller, -1, &event, &err), 1);
		if (event->type != OE_EVENT_SEEDED)
			continue;
		oe_bytes code = oe_program_code(event->program);
		ck_assert(code.size == 9 && memcmp(code.data, seeded++ ? "value 200" : "value 100", 9) == 0);
	}
	ck_assert_int_eq(world_run(controller), OE_REASON_ITERATIONS);
	oe_controller_free(controller);
	world_done(&world);
}
END_TEST

TEST_MAIN("seeding", test_killed_while_it_begins, test_added_while_it_begins)
