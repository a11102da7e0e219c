/* lib/store without memory: our allocator's, and SQLite's own. What could not be written or read is
   said, and nothing is leaked or half there. */

#include "nomem.h"
#include "population_world.h"
#include "store/directory.h"
#include "store/load.h"
#include "store/log.h"

static oe_program *program;
static oe_population *population;

static int open_directory(void)
{
	OE__AUTO(directory) struct oe__directory *directory = NULL;
	oe_error err = { .status = 0 };
	int status = oe__directory_open(scratch("run"), &directory, &err);

	if (status == 0)
		status = oe__directory_write_best(directory, program, ".py", &err);
	return status < 0 && err.status != status ? OE_ERR_STATE : status;
}

static int open_databases(void)
{
	OE__AUTO(database) struct oe__database *writer = NULL, *reader = NULL;
	OE__AUTO(string) char *value = NULL;
	oe_error err = { .status = 0 };
	int status = oe__database_open(scratch("run.db"), false, &writer, &err);

	if (status == 0)
		status = oe__database_set(writer, "key", "value", &err);
	if (status == 0)
		status = oe__database_open_reader(scratch("run.db"), &reader, &err);
	if (status == 0)
		status = oe__database_get(reader, "key", &value, &err);
	return status < 0 && err.status != status ? OE_ERR_STATE : status;
}

static int seen; /* by `done` */

static void note(struct oe__row *row, int status)
{
	(void)row;
	seen = status;
}

static int write_rows(void)
{
	struct oe__database *database = NULL;
	struct oe__log *log = NULL;
	oe_error err = { .status = 0 };
	struct oe__row row = { .kind = OE__ROW_IMPORT, .program = program, .done = note };

	(void)oe__directory_remove(scratch("log.db"), NULL);
	(void)oe__directory_remove(scratch("log.db-wal"), NULL);
	int status = oe__database_open(scratch("log.db"), false, &database, &err);
	if (status < 0)
		return status;
	status = oe__log_new(database, 1, &log, &err);
	if (status < 0) {
		oe__database_close(database);
		return status;
	}
	seen = 1;
	oe__log_append(log, &row);
	status = oe__log_flush(log, &err);
	oe__log_free(log);
	if (seen != status || (status < 0 && (err.status != status || !err.message[0])))
		return OE_ERR_STATE;
	return status;
}

static int read_rows(void)
{
	OE__AUTO(database) struct oe__database *reader = NULL;
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;
	OE__AUTO(log_cursor) struct oe__log_cursor *calls = NULL;
	OE__AUTO(program) oe_program *read = NULL;
	int64_t position = 0;

	int status = oe__database_open_reader(scratch("log.db"), &reader, NULL);
	if (status == 0)
		status = oe__log_cursor_open(reader, &calls, NULL);
	if (status == 0)
		status = oe__program_cursor_open(reader, 0, true, NULL, &cursor, NULL);
	if (status == 0)
		status = oe__program_cursor_next(cursor, &position, &read, NULL);
	/* The connection goes last. */
	oe__program_cursor_close(OE__STEAL(cursor));
	oe__log_cursor_close(OE__STEAL(calls));
	if (status == 1)
		world_same_program(program, read);
	return status == 1 ? 0 : status;
}

static int save_checkpoint(void)
{
	oe_error err = { .status = 0 };
	int status = oe_population_save(population, scratch("checkpoints/c_1"), ".py", &err);
	char **names = NULL;
	size_t count = 0;

	if (status < 0 && err.status != status)
		return OE_ERR_STATE;
	nomem_relent();
	if (oe__file_exists(scratch("checkpoints")) &&
		oe__directory_list(scratch("checkpoints"), &names, &count, NULL) < 0)
		return OE_ERR_STATE;
	oe__directory_list_free(names, count);
	return count <= 1 ? status : OE_ERR_LIMIT; /* nothing is left beside it */
}

static int load_checkpoint(void)
{
	OE__AUTO(population) oe_population *loaded = NULL;
	oe_error err = { .status = 0 };
	int status = oe_population_load(scratch("checkpoints/c_1"), &loaded, &err);

	if (status < 0 && err.status != status)
		return OE_ERR_STATE;
	nomem_relent();
	if (status == 0) /* nothing was skipped for want of memory */
		population_same(population, loaded);
	return status;
}

START_TEST(test_each_allocation_fails)
{
	scratch_enter();
	program = world_full("p", 0, 1);
	population = population_of_four();
	population->programs[0] = (oe_program_unref(population->programs[0]),
							   with_large_artifact("a", 0, "big"));
	nomem_each_but("a directory", open_directory); /* which is not swept then */
	nomem_each("databases", open_databases);
	nomem_each("the log", write_rows);
	nomem_each_but("reading", read_rows); /* what is not trimmed is only larger */
	world_must(save_checkpoint()); /* with all that is made once */
	nomem_each("saving a checkpoint", save_checkpoint);
	nomem_each_but("loading a checkpoint", load_checkpoint);
	oe_population_unref(population);
	oe_program_unref(program);
	scratch_leave();
	ck_assert_int_eq(atomic_load(&nomem_live), 0);
}
END_TEST

/* SQLite's memory is not ours to refuse, but it has a limit that can be set. */
START_TEST(test_sqlite_has_none)
{
	struct oe__database *database = NULL;
	sqlite3_int64 before = sqlite3_hard_heap_limit64(-1);
	int failures = 0;
	oe_error err;

	scratch_enter();
	program = world_full("p", 0, 1);
	for (sqlite3_int64 limit = 1000;; limit += 2000) {
		OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;
		OE__AUTO(program) oe_program *read = NULL;
		struct oe__row row = { .kind = OE__ROW_IMPORT, .program = program };
		(void)oe__directory_remove(scratch("run.db"), NULL);
		(void)oe__directory_remove(scratch("run.db-wal"), NULL);
		(void)oe__directory_remove(scratch("run.db-shm"), NULL);
		err = (oe_error){ .message = "" };
		sqlite3_hard_heap_limit64(limit);
		int status = oe__database_open(scratch("run.db"), false, &database, &err);
		if (status == 0)
			status = oe__row_write(database, &row, &err);
		if (status == 0)
			status = oe__program_cursor_open(database, 0, true, NULL, &cursor, &err);
		if (status == 0)
			status = oe__program_cursor_find(cursor, "p", -1, &read, &err);
		oe__program_cursor_close(OE__STEAL(cursor));
		oe__database_close(OE__STEAL(database));
		sqlite3_hard_heap_limit64(0);
		ck_assert_int_ne(status, 0); /* found, or an error: not "there is none" */
		if (status == 1) {
			world_same_program(program, read);
			break;
		}
		ck_assert_str_ne(err.message, "");
		ck_assert_ptr_null(read);
		failures++;
		ck_assert_int_lt(limit, 100 << 20);
	}
	ck_assert_int_gt(failures, 5);
	sqlite3_hard_heap_limit64(before);
	oe_program_unref(program);
	scratch_leave();
}
END_TEST

NOMEM_MAIN("store-nomem", test_each_allocation_fails, test_sqlite_has_none)
