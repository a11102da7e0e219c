/* lib/store/database.c: which files are taken for a run's, and what happens to the others. */

#include "store/database.h"

#include <sys/stat.h>

#include "base/hash.h"
#include "store/charge.h"
#include "store/former.h"
#include "store/load.h"
#include "store/snapshot.h"
#include "world.h"

static void must_execute(const char *name, const char *sql)
{
	sqlite3 *handle = NULL;

	ck_assert_int_eq(sqlite3_open(scratch(name), &handle), SQLITE_OK);
	char *message = NULL;
	ck_assert_msg(sqlite3_exec(handle, sql, NULL, NULL, &message) == SQLITE_OK, "%s", message);
	ck_assert_int_eq(sqlite3_close(handle), SQLITE_OK);
}

static void digest(const char *name, uint8_t out[OE__SHA256_SIZE])
{
	OE__AUTO(buffer) struct oe__buffer data = OE__BUFFER_INIT(0);

	world_must(oe__file_read(scratch(name), &data, NULL));
	world_must(oe__sha256(oe__buffer_string(&data), data.size, out));
}

START_TEST(test_made_and_opened_again)
{
	OE__AUTO(string) char *value = NULL, *none = NULL;
	int64_t count = -1;

	scratch_enter();
	struct oe__database *database = world_open("run.db");
	world_must(oe__database_set(database, "key", "old", NULL));
	world_must(oe__database_set(database, "key", "gr\xc3\xb6\xc3\x9f"
												 "e",
								NULL));
	oe__database_close(database);
	database = world_open("run.db");
	world_must(oe__database_get(database, "key", &value, NULL));
	ck_assert_str_eq(value, "gr\xc3\xb6\xc3\x9f"
							"e");
	world_must(oe__database_get(database, "none", &none, NULL));
	ck_assert_ptr_null(none);
	world_must(oe__database_number(database, "SELECT count(*) FROM meta", &count, NULL));
	ck_assert_int_eq(count, 3); /* the format, the name, and the key once */
	world_must(oe__database_number(database, "SELECT count(*) FROM iteration", &count, NULL));
	ck_assert_int_eq(count, 0);
	oe__database_close(database);
	oe__database_close(NULL);
	ck_assert(!oe__file_exists(scratch("run.db-wal"))); /* the last one takes it along */
	scratch_leave();
}
END_TEST

START_TEST(test_newer_format)
{
	struct oe__database *database = NULL;
	uint8_t before[OE__SHA256_SIZE], after[OE__SHA256_SIZE];
	oe_error err = { .message = "" };

	scratch_enter();
	oe__database_close(world_open("run.db"));
	must_execute("run.db", "UPDATE meta SET value = '5' WHERE key = 'format'");
	digest("run.db", before);
	ck_assert_int_eq(oe__database_open(scratch("run.db"), false, &database, &err), OE_ERR_VERSION);
	ck_assert_str_eq(err.message, "made by a newer version (format 5, this one reads 4)");
	ck_assert_str_eq(err.where, scratch("run.db"));
	ck_assert_int_eq(oe__database_open_reader(scratch("run.db"), &database, &err), OE_ERR_VERSION);
	ck_assert_ptr_null(database);
	digest("run.db", after);
	ck_assert_mem_eq(before, after, sizeof(before));
	scratch_leave();
}
END_TEST

/* What the first format was, where it differs. */
static const char first_format[] =
	"DROP TABLE artifact; DROP TABLE judgement; DROP TABLE snapshot; DROP TABLE former;"
	"CREATE TABLE artifact ("
	"  program_id TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,"
	"  kind INTEGER NOT NULL, data BLOB NOT NULL,"
	"  PRIMARY KEY (program_id, position)) STRICT, WITHOUT ROWID;"
	"INSERT INTO program (id, island, generation, iteration, timestamp, language, code, changes,"
	"  metrics, verdict, message, wall_ms, cpu_ms) VALUES"
	"  ('b', 0, 0, 1, 1, 'c', 'one', '', '{}', 'ok', '', 1, 1),"
	"  ('a', 0, 0, 2, 2, 'c', 'two', '', '{}', 'ok', '', 1, 1);"
	"INSERT INTO artifact VALUES ('a', 0, 'x', 0, x'6f662061'), ('b', 0, 'x', 0, x'6f662062'),"
	"  ('b', 1, 'y', 1, x'00ff'), ('nobody', 0, 'x', 0, x'00');"
	"UPDATE meta SET value = '1' WHERE key = 'format'";

/* The programs of that, with their artifacts. */
static void check_programs(struct oe__database *database)
{
	static const char *const expected[] = { "b x=of b y=??", "a x=of a" };
	OE__AUTO(program_cursor) struct oe__program_cursor *cursor = NULL;
	int64_t position = 0;

	world_must(oe__program_cursor_open(database, 0, true, NULL, &cursor, NULL));
	for (size_t i = 0; i < OE__COUNT(expected); i++) {
		OE__AUTO(program) oe_program *program = NULL;
		OE__AUTO(buffer) struct oe__buffer found = OE__BUFFER_INIT(0);
		ck_assert_int_eq(oe__program_cursor_next(cursor, &position, &program, NULL), 1);
		oe__buffer_text(&found, program->id);
		for (size_t k = 0; k < program->evaluation->artifact_count; k++) {
			const struct oe__artifact *artifact = &program->evaluation->artifacts[k];
			oe__buffer_printf(&found, " %s=%s", artifact->name,
							  artifact->kind == 1 ? "??" : (const char *)artifact->data);
		}
		ck_assert_str_eq(oe__buffer_string(&found), expected[i]);
	}
}

/* An older run is read as it is, and becomes a newer one when it goes on. */
START_TEST(test_older_format)
{
	struct oe__database *database = NULL;
	uint8_t before[OE__SHA256_SIZE], after[OE__SHA256_SIZE];
	int64_t count = 0;

	scratch_enter();
	oe__database_close(world_open("run.db"));
	must_execute("run.db", first_format);
	digest("run.db", before);
	world_must(oe__database_open_reader(scratch("run.db"), &database, NULL));
	ck_assert_int_eq(database->format, 1);
	check_programs(database);
	oe__database_close(database);
	digest("run.db", after);
	ck_assert_mem_eq(before, after, sizeof(before));

	for (int again = 0; again < 2; again++) {
		database = world_open("run.db");
		ck_assert_int_eq(database->format, OE__STORE_FORMAT);
		check_programs(database);
		world_must(oe__database_number(database, "SELECT count(*) FROM judgement", &count, NULL));
		ck_assert_int_eq(count, 0);
		oe__database_close(database);
	}
	scratch_leave();
}
END_TEST

/* The second format had no snapshots: there is none, and then there is room for one. */
START_TEST(test_second_format)
{
	OE__AUTO(snapshot) struct oe__snapshot snapshot = { 0 };
	struct oe__database *database = NULL;
	struct oe__row row = { .kind = OE__ROW_SNAPSHOT, .answer = { .text = "state", .size = 5 } };

	scratch_enter();
	oe__database_close(world_open("run.db"));
	must_execute("run.db", "DROP TABLE snapshot; DROP TABLE former; UPDATE meta SET value = '2' WHERE key = 'format'");
	world_must(oe__database_open_reader(scratch("run.db"), &database, NULL));
	ck_assert_int_eq(oe__snapshot_load(database, &snapshot, NULL), 0);
	oe__database_close(database);
	database = world_open("run.db");
	ck_assert_int_eq(oe__snapshot_load(database, &snapshot, NULL), 0);
	for (int again = 0; again < 2; again++)
		world_must(oe__row_write(database, &row, NULL));
	ck_assert_int_eq(oe__snapshot_load(database, &snapshot, NULL), 1);
	ck_assert_str_eq(snapshot.data, "state");
	oe__database_close(database);
	scratch_leave();
}
END_TEST

static int collect(void *owner, int64_t until, const char *value, oe_error *err)
{
	(void)err;
	return until == INT64_MAX ? oe__buffer_printf(owner, "now %s.", value)
							  : oe__buffer_printf(owner, "%lld %s, ", (long long)until, value);
}

static void expect_values(struct oe__database *database, const char *expected)
{
	OE__AUTO(buffer) struct oe__buffer values = OE__BUFFER_INIT(0);

	world_must(oe__former_read(database, "config", collect, &values, NULL));
	ck_assert_str_eq(oe__buffer_string(&values), expected);
}

static void set_config(struct oe__database *database, int64_t seq, const char *value)
{
	struct oe__row row = {
		.kind = OE__ROW_SETTING, .seq = seq, .message = "config", .answer = { .text = value }
	};

	world_must(oe__row_write(database, &row, NULL));
}

/* What a setting was stays, with the call up to which it was so; the third format forgot it. */
START_TEST(test_former_settings)
{
	struct oe__database *database = NULL;

	scratch_enter();
	database = world_open("run.db");
	ck_assert_int_eq(oe__former_read(database, "config", collect, NULL, NULL), OE_ERR_FORMAT);
	set_config(database, 0, "a");
	oe__database_close(database);
	must_execute("run.db", "DROP TABLE former; UPDATE meta SET value = '3' WHERE key = 'format'");
	world_must(oe__database_open_reader(scratch("run.db"), &database, NULL));
	expect_values(database, "now a.");
	oe__database_close(database);
	database = world_open("run.db");
	set_config(database, 7, "a");
	expect_values(database, "now a.");
	set_config(database, 9, "b");
	set_config(database, 9, "a");
	set_config(database, 12, "c");
	expect_values(database, "9 a, 9 b, 12 a, now c.");
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* A conversion that fails half-way has changed nothing. */
START_TEST(test_older_format_that_is_damaged)
{
	struct oe__database *database = NULL;
	OE__AUTO(string) char *format = NULL;
	oe_error err = { .message = "" };
	int64_t count = 0;

	scratch_enter();
	oe__database_close(world_open("run.db"));
	must_execute("run.db", first_format);
	must_execute("run.db", "DROP TABLE program");
	ck_assert_int_lt(oe__database_open(scratch("run.db"), false, &database, &err), 0);
	ck_assert_ptr_null(database);
	ck_assert_str_ne(err.message, "");
	world_must(oe__database_open_reader(scratch("run.db"), &database, NULL));
	world_must(oe__database_get(database, "format", &format, NULL));
	ck_assert_str_eq(format, "1");
	world_must(oe__database_number(database, "SELECT count(*) FROM artifact WHERE program_id = 'b'",
								   &count, NULL));
	ck_assert_int_eq(count, 2);
	oe__database_close(database);
	scratch_leave();
}
END_TEST

/* Each of these is refused, to write and to read, and left as it is. */
START_TEST(test_not_a_run)
{
	static const struct {
		const char *name, *sql;
	} files[] = {
		{ "foreign", "CREATE TABLE t (a); INSERT INTO t VALUES (1)" },
		{ "other-meta", "CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('a', 'b')" },
		{ "no-number", "CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('format', 'x')" },
		{ "nothing", "CREATE TABLE meta (key, value); INSERT INTO meta VALUES ('format', '0')" },
		{ "text", NULL },
	};
	oe_error err;

	scratch_enter();
	for (size_t i = 0; i < OE__COUNT(files); i++) {
		struct oe__database *database = NULL;
		uint8_t before[OE__SHA256_SIZE], after[OE__SHA256_SIZE];
		if (files[i].sql)
			must_execute(files[i].name, files[i].sql);
		else
			scratch_write(files[i].name, "this is a text, and longer than a header of SQLite's is,"
										 " which are a hundred bytes of a file that is a database",
						  110);
		digest(files[i].name, before);
		int status = oe__database_open(scratch(files[i].name), false, &database, &err);
		ck_assert_msg(status == OE_ERR_FORMAT, "%s: %d %s", files[i].name, status, err.message);
		ck_assert_str_ne(err.message, "");
		status = oe__database_open_reader(scratch(files[i].name), &database, &err);
		ck_assert_msg(status == OE_ERR_FORMAT, "%s: %d %s", files[i].name, status, err.message);
		ck_assert_str_eq(err.message, "this is not the database of a run, or it is damaged");
		ck_assert_ptr_null(database);
		digest(files[i].name, after);
		ck_assert_mem_eq(before, after, sizeof(before));
	}
	scratch_leave();
}
END_TEST

/* Whoever made it was killed before there was a table in it. */
START_TEST(test_begun_but_not_made)
{
	struct oe__database *database = NULL;

	scratch_enter();
	scratch_write("empty", "", 0);
	must_execute("header", "PRAGMA journal_mode = WAL");
	must_execute("dropped", "CREATE TABLE t (a); DROP TABLE t");
	static const char *const names[] = { "empty", "header", "dropped" };
	for (size_t i = 0; i < OE__COUNT(names); i++) {
		OE__AUTO(string) char *format = NULL;
		ck_assert_int_eq(oe__database_open_reader(scratch(names[i]), &database, NULL), OE_ERR_STATE);
		oe__database_close(world_open(names[i]));
		database = world_open(names[i]);
		world_must(oe__database_get(database, "format", &format, NULL));
		ck_assert_str_eq(format, "4");
		oe__database_close(database);
	}
	scratch_leave();
}
END_TEST

/* Cut off and overwritten: never a crash, and never a run without an error. */
START_TEST(test_damaged)
{
	OE__AUTO(buffer) struct oe__buffer whole = OE__BUFFER_INIT(0);
	struct oe__rng rng;

	scratch_enter();
	oe__database_close(world_open("run.db"));
	world_must(oe__file_read(scratch("run.db"), &whole, NULL));
	oe__rng_init(&rng, 1, "damage", 0, 0);
	for (int round = 0; round < 60; round++) {
		OE__AUTO(string) char *copy = oe__memdup(whole.data, whole.size);
		struct oe__database *database = NULL;
		size_t size = round < 20 ? 1 + oe__rng_below(&rng, 4096 << round % 4) : whole.size;
		int64_t count = 0;
		oe_error err = { .message = "" };

		for (int i = 0; round >= 20 && i < 200; i++)
			copy[oe__rng_below(&rng, whole.size)] = (char)oe__rng_next(&rng);
		(void)unlink(scratch("bad.db-wal"));
		(void)unlink(scratch("bad.db-shm"));
		scratch_write("bad.db", copy, size);
		int status = oe__database_open(scratch("bad.db"), false, &database, &err);
		if (status == 0)
			status = oe__database_number(database, "SELECT count(*) FROM log", &count, &err);
		oe__database_close(database);
		ck_assert(status == 0 || err.message[0]);
		if (size < 4096) /* not even a page */
			ck_assert_msg(status < 0, "%zu of %zu bytes", size, whole.size);
	}
	scratch_leave();
}
END_TEST

START_TEST(test_no_such_file)
{
	struct oe__database *database = NULL;
	oe_error err = { .message = "" };

	scratch_enter();
	ck_assert_int_eq(oe__database_open(scratch("no/run.db"), false, &database, &err), OE_ERR_IO);
	ck_assert_str_eq(err.where, scratch("no/run.db"));
	ck_assert_int_eq(oe__database_open_reader(scratch("run.db"), &database, &err), OE_ERR_IO);
	ck_assert(!oe__file_exists(scratch("run.db"))); /* reading makes nothing */
	ck_assert_int_eq(oe__database_open(scratch_root, false, &database, &err), OE_ERR_IO);
	ck_assert_ptr_null(database);
	scratch_leave();
}
END_TEST

/* ---- readers ---- */

START_TEST(test_reader_beside_the_writer)
{
	OE__AUTO(string) char *before = NULL, *after = NULL;
	struct oe__database *reader = NULL;
	oe_error err;

	scratch_enter();
	struct oe__database *writer = world_open("run.db");
	world_must(oe__database_set(writer, "key", "1", NULL));
	world_must(oe__database_open_reader(scratch("run.db"), &reader, &err));
	world_must(oe__database_get(reader, "key", &before, NULL));
	ck_assert_str_eq(before, "1");
	world_must(oe__database_set(writer, "key", "2", NULL)); /* nobody waits for a reader */
	world_must(oe__database_get(reader, "key", &after, NULL));
	ck_assert_str_eq(after, "2");
	ck_assert_int_eq(oe__database_set(reader, "key", "3", &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "readonly"));
	oe__database_close(reader);
	oe__database_close(writer);
	scratch_leave();
}
END_TEST

static int read_key(void *argument)
{
	OE__AUTO(string) char *value = NULL;
	OE__AUTO(database) struct oe__database *reader = NULL;
	oe_error err = { .message = "" };

	if (oe__database_open_reader(argument, &reader, &err) < 0)
		return 1;
	if (strcmp(reader->path, argument) != 0)
		return 2;
	if (oe__database_get(reader, "key", &value, &err) < 0 || !value || strcmp(value, "kept") != 0)
		return 3;
	return oe__database_set(reader, "key", "lost", &err) == OE_ERR_IO ? 0 : 4;
}

/* A run of somebody else's, or on a medium that cannot be written: what is there is read, whatever its
   name. */
START_TEST(test_reader_without_rights)
{
	static const char *const names[] = { "plain", "100%?immutable=0#a", "a&b=c%20d" };

	scratch_enter();
	for (size_t i = 0; i < OE__COUNT(names); i++) {
		char name[64];
		world_must(oe__directory_make(scratch(names[i]), NULL));
		(void)snprintf(name, sizeof(name), "%s/run.db", names[i]);
		struct oe__database *writer = world_open(name);
		world_must(oe__database_set(writer, "key", "kept", NULL));
		const char *path = scratch(name), *directory = scratch(names[i]);
		world_must(chmod(path, 0444));
		world_must(chmod(directory, 0555));
		/* While it runs, and after it has ended. */
		ck_assert_int_eq(chmod(scratch(names[i]), 0555), 0);
		if (geteuid() == 0)
			ck_assert_int_eq(as_nobody(read_key, (void *)(uintptr_t)path), 0);
		oe__database_close(writer);
		if (geteuid() == 0)
			ck_assert_int_eq(as_nobody(read_key, (void *)(uintptr_t)path), 0);
		world_must(chmod(directory, 0755));
	}
	scratch_leave();
}
END_TEST

/* ---- statements ---- */

START_TEST(test_statements_are_reset)
{
	int64_t count = 0;
	oe_error err = { .message = "" };

	scratch_enter();
	struct oe__database *database = world_open("run.db");
	sqlite3_stmt *first = oe__database_statement(database, OE__STATEMENT_META, NULL);
	sqlite3_bind_text(first, 1, "a", -1, SQLITE_STATIC);
	/* The value was not bound: it is not taken from the one before either. */
	ck_assert_int_eq(oe__database_run(database, first, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "NOT NULL"));
	world_must(oe__database_set(database, "a", "1", NULL));
	ck_assert_ptr_eq(oe__database_statement(database, OE__STATEMENT_META, NULL), first);
	sqlite3_bind_text(first, 1, "b", -1, SQLITE_STATIC);
	ck_assert_int_eq(oe__database_run(database, first, NULL), OE_ERR_IO);
	world_must(oe__database_number(database, "SELECT count(*) FROM meta WHERE key = 'b'", &count,
								   NULL));
	ck_assert_int_eq(count, 0);
	ck_assert_int_eq(oe__database_run(database, NULL, NULL), OE_ERR_IO);
	world_must(oe__charges_make(database, NULL)); /* a table that only runs with a budget have */
	for (int which = 0; which < OE__STATEMENT_COUNT; which++)
		ck_assert_ptr_nonnull(oe__database_statement(database, which, &err));
	ck_assert_int_lt(oe__database_prepare(database, "SELECT nonsense", &first, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "nonsense"));
	oe__database_close(database);
	scratch_leave();
}
END_TEST

TEST_MAIN("database", test_made_and_opened_again, test_newer_format, test_older_format, test_second_format,
		  test_former_settings,
		  test_older_format_that_is_damaged, test_not_a_run,
		  test_begun_but_not_made, test_damaged, test_no_such_file, test_reader_beside_the_writer,
		  test_reader_without_rights, test_statements_are_reset)
