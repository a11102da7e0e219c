/* lib/store/origin.c: the checkpoint that a log begins with is what it was, or it is refused. */

#include "store/origin.h"

#include "population_world.h"

#define CHECKPOINT "checkpoints/checkpoint_3"

static struct oe__database *begin(void)
{
	oe_population *population = population_empty(3, 1);
	OE__AUTO(buffer) struct oe__buffer files = OE__BUFFER_INIT(0);

	scratch_enter();
	population_add(population, world_scored("a", 0, 1, 1));
	population_add(population, with_large_artifact("b", 2, "text"));
	population_add(population, world_scored("c", 0, 3, 2));
	world_must(oe__directory_make(scratch("checkpoints"), NULL));
	world_must(oe_population_save(population, scratch(CHECKPOINT), ".py", NULL));
	oe_population_unref(population);

	struct oe__database *database = world_open("run.db");
	world_must(oe__origin_files(scratch(CHECKPOINT), &files, NULL));
	world_must(oe__database_set(database, OE__ORIGIN_FILES, oe__buffer_string(&files), NULL));
	world_must(oe__database_set(database, OE__ORIGIN_META, "checkpoint_3", NULL));
	return database;
}

/* "" if nothing is wrong. */
static const char *load(struct oe__database *database)
{
	static oe_error err;
	OE__AUTO(population) oe_population *population = NULL;

	err = (oe_error){ .message = "" };
	int status = oe__origin_load(database, 1, &population, &err);
	ck_assert_int_eq(status == 0, population != NULL);
	if (status < 0) {
		ck_assert_int_eq(status, OE_ERR_FORMAT);
		ck_assert_str_eq(err.where, scratch(CHECKPOINT));
	}
	return err.message;
}

static void must_differ(struct oe__database *database, const char *how)
{
	char expected[256];

	(void)snprintf(expected, sizeof(expected), "the run begins with it, and %s", how);
	ck_assert_str_eq(load(database), expected);
}

START_TEST(test_none)
{
	OE__AUTO(population) oe_population *population = NULL;

	scratch_enter();
	struct oe__database *database = world_open("run.db");
	world_must(oe__origin_load(database, 1, &population, NULL));
	ck_assert_ptr_null(population);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* Each file that is read, one after the other. */
START_TEST(test_changes)
{
	static const char *const names[] = { "metadata.json", "programs/a.json", "programs/c.json",
										 "artifacts/b/big.txt" };
	struct oe__database *database = begin();
	char path[200], how[200];

	ck_assert_str_eq(load(database), "");
	for (size_t i = 0; i < OE__COUNT(names); i++) {
		OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(0);
		(void)snprintf(path, sizeof(path), CHECKPOINT "/%s", names[i]);
		world_must(oe__file_read(scratch(path), &data, NULL));
		data.data[data.size - 2] ^= 1;
		scratch_write(path, data.data, data.size);
		(void)snprintf(how, sizeof(how), "'%s' is another one now", names[i]);
		must_differ(database, how);
		ck_assert_int_eq(unlink(scratch(path)), 0);
		(void)snprintf(how, sizeof(how), "'%s' is missing", names[i]);
		must_differ(database, how);
		data.data[data.size - 2] ^= 1;
		scratch_write(path, data.data, data.size);
		ck_assert_str_eq(load(database), "");
	}
	oe__database_close(database);
	scratch_leave();
}
END_TEST

START_TEST(test_additions)
{
	struct oe__database *database = begin();

	scratch_write(CHECKPOINT "/programs/notes.txt", "x", 1); /* nobody reads it */
	scratch_write(CHECKPOINT "/notes.json", "x", 1);
	ck_assert_str_eq(load(database), "");
	scratch_write(CHECKPOINT "/programs/0.json", "x", 1);
	must_differ(database, "'programs/0.json' was not there");
	world_must(oe__directory_remove(scratch(CHECKPOINT "/programs/0.json"), NULL));
	scratch_write(CHECKPOINT "/artifacts/b/more", "x", 1);
	must_differ(database, "'artifacts/b/more' was not there");
	oe__database_close(database);
	scratch_leave();
}
END_TEST

START_TEST(test_gone)
{
	struct oe__database *database = begin();

	world_must(oe__directory_remove(scratch(CHECKPOINT), NULL));
	must_differ(database, "it is missing");
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* A note that cannot be read is not taken for one that fits. */
START_TEST(test_note_is_damaged)
{
	struct oe__database *database = begin();

	world_must(oe__database_set(database, OE__ORIGIN_FILES, "{\"metadata.json\": ", NULL));
	must_differ(database, "it is not what it was");
	world_must(oe__database_set(database, OE__ORIGIN_FILES, "[7]", NULL));
	must_differ(database, "'metadata.json' was not there");
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* Of before: it goes on as ever. */
START_TEST(test_not_noted)
{
	struct oe__database *database = begin();

	ck_assert_int_eq(sqlite3_exec(database->handle, "DELETE FROM meta WHERE key = '" OE__ORIGIN_FILES "'", NULL,
								  NULL, NULL),
					 SQLITE_OK);
	scratch_write(CHECKPOINT "/programs/0.json", "x", 1);
	ck_assert_str_eq(load(database), "");
	oe__database_close(database);
	scratch_leave();
}
END_TEST

TEST_MAIN("origin", test_none, test_changes, test_additions, test_gone, test_note_is_damaged, test_not_noted)
