/* lib/store/tail.c: which checkpoints prove that a log has lost its end, and which prove nothing. */

#include "store/tail.h"

#include <dirent.h>
#include <dlfcn.h>

#include "population_world.h"
#include "store/checkpoint.h"
#include "store/load.h"

static char run[64]; /* its name */

static void (*before_listing)(void); /* a directory, once */

/* In place of the system's. */
DIR *opendir(const char *path)
{
	void *symbol = dlsym(RTLD_NEXT, "opendir");
	void (*first)(void) = before_listing;
	DIR *(*open_directory)(const char *);

	memcpy(&open_directory, &symbol, sizeof(open_directory));
	before_listing = NULL;
	if (first)
		first();
	return open_directory(path);
}

/* Of iterations that ended, two each. */
static void write_rows(struct oe__database *database, int from, int to)
{
	char sql[400];

	for (int i = from; i < to; i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT INTO log VALUES (%d, '%s', %d, 0, 0, %s, 'x', NULL, NULL, NULL, 1)",
					   i + 1, i % 2 ? "commit" : "issue", i / 2 + 1, i % 2 ? "'committed'" : "NULL");
		ck_assert_int_eq(sqlite3_exec(database->handle, sql, NULL, NULL, NULL), SQLITE_OK);
	}
}

/* A log of `count` iterations. */
static void begin(int count)
{
	OE__AUTO(string) char *name = NULL;

	scratch_enter();
	struct oe__database *database = world_open("run.db");
	write_rows(database, 0, 2 * count);
	world_must(oe__database_get(database, "run", &name, NULL));
	ck_assert_ptr_nonnull(name);
	(void)snprintf(run, sizeof(run), "%s", name);
	oe__database_close(database);
}

static void write_claim(const char *directory, const char *text)
{
	char path[200];

	world_must(oe__directory_make(scratch(directory), NULL));
	(void)snprintf(path, sizeof(path), "%s/metadata.json", directory);
	scratch_write(path, text, strlen(text));
}

static void claim(int64_t number, const char *of, int64_t calls, int64_t ended)
{
	char directory[100], text[200];

	(void)snprintf(directory, sizeof(directory), "checkpoints/checkpoint_%lld", (long long)number);
	(void)snprintf(text, sizeof(text), "{\"oe\": {\"run\": \"%s\", \"calls\": %lld, \"ended\": %lld}}", of,
				   (long long)calls, (long long)ended);
	write_claim(directory, text);
}

/* Both who writes and who reads. "" if nothing is wrong. */
static const char *check(void)
{
	static oe_error err;
	OE__AUTO(database) struct oe__database *reader = NULL, *writer = NULL;
	oe_error cut, same = { .message = "" };

	err = (oe_error){ .message = "" };
	world_must(oe__database_open_reader(scratch("run.db"), &reader, NULL));
	int status = oe__tail_check(reader, &cut, &err);
	ck_assert_int_eq(cut.status, 0);
	ck_assert_int_eq(oe__database_open(scratch("run.db"), false, &writer, &same), status);
	ck_assert_str_eq(same.message, err.message);
	if (status < 0) {
		ck_assert_int_eq(status, OE_ERR_FORMAT);
		ck_assert_str_eq(err.where, scratch("run.db"));
	}
	return err.message;
}

static void must_be_lost(const char *words)
{
	char expected[300];

	(void)snprintf(expected, sizeof(expected), "its log has %s: begin another run from that checkpoint, or move"
				   " those newer than the log away to go on with it", words);
	ck_assert_str_eq(check(), expected);
}

START_TEST(test_nothing_is_lost)
{
	begin(10);
	ck_assert_str_eq(check(), ""); /* without any checkpoint */
	claim(8, run, 18, 8);
	claim(10, run, 20, 10);
	ck_assert_str_eq(check(), "");
	claim(12, "somebody", 24, 12);
	write_claim("checkpoints/checkpoint_13", "{\"last_iteration\": 13}"); /* OpenEvolve's, or an older one */
	write_claim("checkpoints/checkpoint_14", "{\"oe\": {\"run\": ");
	write_claim("checkpoints/checkpoint_15", "{\"oe\": {\"run\": 7, \"calls\": \"many\"}}");
	world_must(oe__directory_make(scratch("checkpoints/checkpoint_16"), NULL)); /* not complete */
	write_claim("checkpoints/checkpoint_x", "{}");
	ck_assert_str_eq(check(), "");
	scratch_leave();
}
END_TEST

START_TEST(test_lost)
{
	begin(10);
	claim(8, run, 18, 8);
	claim(12, run, 24, 12);
	must_be_lost("10 ended iterations, checkpoints/checkpoint_12 knows of 12");
	claim(13, "somebody", 0, 0);
	claim(14, run, 28, 14);
	must_be_lost("10 ended iterations, checkpoints/checkpoint_14 knows of 14");
	world_must(oe__directory_remove(scratch("checkpoints/checkpoint_14"), NULL));
	must_be_lost("10 ended iterations, checkpoints/checkpoint_12 knows of 12");
	world_must(oe__directory_remove(scratch("checkpoints/checkpoint_12"), NULL));
	ck_assert_str_eq(check(), "");
	scratch_leave();
}
END_TEST

/* Of iterations that had begun. */
START_TEST(test_rows_are_lost)
{
	begin(10);
	claim(10, run, 23, 10);
	must_be_lost("20 rows, checkpoints/checkpoint_10 knows of 23");
	scratch_leave();
}
END_TEST

static void go_on(void)
{
	OE__AUTO(database) struct oe__database *database = NULL;

	world_must(oe__database_open(scratch("run.db"), false, &database, NULL));
	write_rows(database, 20, 24);
	claim(12, run, 24, 12);
}

/* The run wrote rows, and then a checkpoint, after somebody had begun to look. */
START_TEST(test_run_that_goes_on)
{
	begin(10);
	before_listing = go_on;
	ck_assert_str_eq(check(), "");
	ck_assert(!before_listing);
	scratch_leave();
}
END_TEST

/* Those of the checkpoint that a run began with have ended, too, and it proves nothing itself. */
START_TEST(test_origin)
{
	begin(10);
	struct oe__database *database = world_open("run.db");
	world_must(oe__database_set(database, "checkpoint", "checkpoint_100", NULL));
	oe__database_close(database);
	claim(100, "who made it", 300, 100);
	ck_assert_str_eq(check(), "");
	claim(115, run, 30, 115);
	must_be_lost("110 ended iterations, checkpoints/checkpoint_115 knows of 115");
	scratch_leave();
}
END_TEST

/* A link leads to what belongs to somebody else. */
START_TEST(test_link)
{
	begin(10);
	claim(12, run, 24, 12);
	ck_assert_int_eq(rename(scratch("checkpoints/checkpoint_12"), scratch("elsewhere")), 0);
	ck_assert_int_eq(symlink(scratch("elsewhere"), scratch("checkpoints/checkpoint_12")), 0);
	ck_assert_str_eq(check(), "");
	scratch_leave();
}
END_TEST

START_TEST(test_run_without_a_name)
{
	begin(10);
	struct oe__database *database = world_open("run.db");
	ck_assert_int_eq(sqlite3_exec(database->handle, "DELETE FROM meta WHERE key = 'run'", NULL, NULL, NULL),
					 SQLITE_OK);
	oe__database_close(database);
	claim(12, run, 24, 12);
	ck_assert_str_eq(check(), "");
	database = world_open("run.db");
	OE__AUTO(string) char *name = NULL;
	world_must(oe__database_get(database, "run", &name, NULL));
	ck_assert_ptr_nonnull(name); /* from now on */
	ck_assert_str_ne(name, run);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* As checkpoints are written. */
START_TEST(test_provenance)
{
	oe_population *population = population_empty(3, 1);
	struct oe__provenance from = { run, 24 };
	struct oe__checkpoint_options options = { .extension = ".py", .inline_max = 100, .from = &from };

	begin(2);
	population_add(population, world_scored("a", 0, 1, 1));
	world_must(oe__directory_make(scratch("checkpoints"), NULL));
	world_must(oe__checkpoint_save(population, scratch("checkpoints/checkpoint_3"), &options, NULL));
	must_be_lost("2 ended iterations, checkpoints/checkpoint_3 knows of 3");
	world_must(oe_population_save(population, scratch("checkpoints/checkpoint_3"), ".py", NULL));
	ck_assert_str_eq(check(), ""); /* by somebody, and no run of itself */
	oe_population_unref(population);
	scratch_leave();
}
END_TEST

TEST_MAIN("tail", test_nothing_is_lost, test_lost, test_rows_are_lost, test_run_that_goes_on,
		  test_origin, test_link, test_run_without_a_name, test_provenance)
