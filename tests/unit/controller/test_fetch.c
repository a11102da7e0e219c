/* lib/controller/fetch.c: what is read by many threads is what one reads, each program once. */

#include "controller/fetch.h"

#include <sched.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "scheduler/scheduler.h"
#include "store/rows.h"
#include "unit/store/world.h"
#include "rows.h"

#define PROGRAMS 1000

static char path[128];
static char ids[PROGRAMS][32];

static void write_rows(void)
{
	OE__AUTO(database) struct oe__database *database = NULL;

	scratch_enter();
	(void)snprintf(path, sizeof(path), "%s", scratch("run.db"));
	world_must(oe__database_open(path, false, &database, NULL));
	for (int i = 0; i < PROGRAMS; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "program %d", i);
		OE__AUTO(program) oe_program *program = world_scored(ids[i], i % 3, i / 2, i);
		struct oe__row row = { .kind = OE__ROW_IMPORT, .program = program };
		world_must(oe__row_write(database, &row, NULL));
	}
}

/* All, from the last to the first, and one that is nowhere. */
static void want_all(struct oe__wanted_program wanted[PROGRAMS + 1],
					 struct oe__wanted_program *order[PROGRAMS + 1])
{
	for (int i = 0; i < PROGRAMS; i++)
		wanted[i] = (struct oe__wanted_program){ .id = ids[i], .iteration = i / 2 };
	wanted[PROGRAMS] = (struct oe__wanted_program){ .id = "nobody", .iteration = 3 };
	for (int i = 0; i <= PROGRAMS; i++)
		order[i] = &wanted[PROGRAMS - i];
}

static int fetch(oe_scheduler *scheduler, struct oe__wanted_program *wanted, oe_error *err)
{
	OE__AUTO(database) struct oe__database *database = NULL;
	struct oe__wanted_program *order[PROGRAMS + 1];

	want_all(wanted, order);
	world_must(oe__database_open_reader(path, &database, err));
	return oe__fetch_programs(scheduler, database, NULL, order, PROGRAMS + 1, err);
}

static void forget(struct oe__wanted_program *wanted)
{
	for (int i = 0; i <= PROGRAMS; i++)
		oe_program_unref(wanted[i].found);
}

START_TEST(test_all)
{
	write_rows();
	for (int32_t threads = 1; threads <= 8; threads++) {
		OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
		struct oe__wanted_program wanted[PROGRAMS + 1];

		world_must(oe_scheduler_new(threads, &scheduler, NULL));
		world_must(fetch(scheduler, wanted, NULL));
		for (int i = 0; i < PROGRAMS; i++) {
			ck_assert(wanted[i].found && strcmp(wanted[i].found->id, ids[i]) == 0);
			ck_assert_int_eq(atomic_load(&wanted[i].found->refs), 1);
			ck_assert(oe_program_fitness(wanted[i].found) == i);
		}
		ck_assert_ptr_null(wanted[PROGRAMS].found);
		forget(wanted);
	}
	scratch_leave();
}
END_TEST

/* ---- a pool that has other things to do ---- */

struct holder {
	struct oe__task task;
	atomic_bool held, let_go;
};

static void hold(struct oe__task *task)
{
	struct holder *holder = OE__CONTAINER(task, struct holder, task);

	atomic_store(&holder->held, true);
	while (!atomic_load(&holder->let_go))
		(void)sched_yield();
}

/* Nobody helps; when they come, all is done, and forgotten. */
START_TEST(test_late_helpers)
{
	OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
	struct oe__wanted_program wanted[PROGRAMS + 1];
	struct holder holder = { .task = { .run = hold } };

	write_rows();
	world_must(oe_scheduler_new(1, &scheduler, NULL));
	oe__scheduler_compute(scheduler, &holder.task);
	while (!atomic_load(&holder.held))
		(void)sched_yield();
	world_must(fetch(scheduler, wanted, NULL));
	for (int i = 0; i < PROGRAMS; i++)
		ck_assert_ptr_nonnull(wanted[i].found);
	forget(wanted);
	scratch_leave();
	atomic_store(&holder.let_go, true);
}
END_TEST

/* Whoever meets what cannot be read, the caller is told, and has what was found. */
START_TEST(test_damage)
{
	OE__AUTO(scheduler) oe_scheduler *scheduler = NULL;
	struct oe__wanted_program wanted[PROGRAMS + 1];
	oe_error err = { .message = "" };

	write_rows();
	rows_change(path, "UPDATE program SET code = CAST(x'ff' AS TEXT) WHERE iteration = 250");
	world_must(oe_scheduler_new(4, &scheduler, NULL));
	ck_assert_int_lt(fetch(scheduler, wanted, &err), 0);
	ck_assert_ptr_null(wanted[500].found);
	forget(wanted);
	scratch_leave();
}
END_TEST

TEST_MAIN("fetch", test_all, test_late_helpers, test_damage)
