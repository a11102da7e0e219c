/* lib/store/replace.c: what a checkpoint takes the place of, and what stays. */

#include "store/replace.h"

#include <sys/stat.h>
#include <unistd.h>

#include "population_world.h"
#include "program/population.h"
#include "store/checkpoint.h"

START_TEST(test_replaced_as_a_whole)
{
	OE__AUTO(population) oe_population *population = population_of_four();

	scratch_enter();
	must_save(population, scratch("c"));
	scratch_write("c/programs/stale.json", "{}", 2);
	scratch_write("c/best_program.rs", "", 0);
	must_save(population, scratch("c"));
	ck_assert(!oe__file_exists(scratch("c/programs/stale.json")));
	ck_assert(!oe__file_exists(scratch("c/best_program.rs")));
	ck_assert_uint_eq(count_names(scratch_root), 1);
	/* An empty directory is no loss. */
	world_must(oe__directory_make(scratch("empty"), NULL));
	must_save(population, scratch("empty"));
	scratch_leave();
}
END_TEST

/* What is no checkpoint is somebody's: it stays. */
START_TEST(test_not_replaced)
{
	OE__AUTO(population) oe_population *population = population_of_four();
	oe_error err = { .message = "" };

	scratch_enter();
	world_must(oe__directory_make(scratch("photos"), NULL));
	scratch_write("photos/precious", "x", 1);
	scratch_write("file", "x", 1);
	ck_assert_int_eq(oe_population_save(population, scratch("photos"), ".py", &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "photos' is not a checkpoint: it is not replaced, as 'precious' is "
	                                          "no part of one"));
	ck_assert_int_lt(oe_population_save(population, scratch("file"), ".py", &err), 0);
	ck_assert(oe__file_exists(scratch("photos/precious")));
	ck_assert(oe__file_is_regular(scratch("file")));
	ck_assert_uint_eq(count_names(scratch_root), 2);
	scratch_leave();
}
END_TEST

static void note_origin(const char *path, const char *name)
{
	OE__AUTO(database) struct oe__database *database = NULL;

	world_must(oe__database_open(path, false, &database, NULL));
	world_must(oe__database_set(database, "checkpoint", name, NULL));
}

static void must_not_replace(const char *reason)
{
	OE__AUTO(population) oe_population *population = population_empty(0, 1);
	oe_error err = { .message = "" };

	ck_assert_int_eq(oe_population_save(population, scratch("c"), ".py", &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "c' is not a checkpoint: it is not replaced, as "));
	ck_assert_msg(strstr(err.message, reason) != NULL, "%s: %s", reason, err.message);
	ck_assert_uint_eq(count_names(scratch_root), 1);
}

/* A checkpoint, and something of somebody's. */
START_TEST(test_more_than_a_checkpoint)
{
	static const struct {
		const char *folder, *name, *named;
	} foreign[] = {
		{ NULL, "notes.txt", "'notes.txt'" },
		{ NULL, "best_programs", "'best_programs'" },
		{ NULL, ".git", "'.git'" },
		{ "src", "main.c", "'src'" },
		{ "best_program.d", "main.c", "'best_program.d'" },
		{ NULL, "programs/a.py", "'programs/a.py'" },
		{ "programs/more.json", "a.json", "'programs/more.json'" },
		{ "artifacts", "x", "'artifacts/x'" },
		{ "artifacts/run/best", "x", "'artifacts/run/best'" },
	};
	OE__AUTO(population) oe_population *population = population_of_four();

	for (size_t i = 0; i < OE__COUNT(foreign); i++) {
		scratch_enter();
		must_save(population, scratch("c"));
		OE__AUTO(string) char *folder = oe__path_join("c", foreign[i].folder ? foreign[i].folder : "");
		OE__AUTO(string) char *path = oe__path_join(folder, foreign[i].name);
		world_must(oe__directory_make(scratch(folder), NULL));
		scratch_write(path, "x", 1);
		must_not_replace(foreign[i].named);
		ck_assert(oe__file_is_regular(scratch(path)));
		OE__AUTO(population) oe_population *again = must_load(scratch("c"));
		population_same(population, again);
		scratch_leave();
	}
}
END_TEST

/* Names that a checkpoint has are not enough. */
START_TEST(test_less_than_a_checkpoint)
{
	static const char *const metadata[] = {
		"{\"name\": \"a project\"}", "[]", "", "{", "{\"islands\": [], \"archive\": [], \"last_iteration\": \"3\"}",
		"{\"islands\": {}, \"archive\": [], \"last_iteration\": 3}", "{\"islands\": [], \"last_iteration\": 3}"
	};
	static const char least[] = "{\"islands\": [], \"archive\": [], \"last_iteration\": 3}";

	scratch_enter();
	world_must(oe__directory_make(scratch("c"), NULL));
	scratch_write("c/metadata.json", least, sizeof(least) - 1);
	must_not_replace("as 'programs' is missing");
	ck_assert_int_eq(symlink("/", scratch("c/programs")), 0);
	must_not_replace("as 'programs' is no part of one");
	ck_assert_int_eq(unlink(scratch("c/programs")), 0);
	world_must(oe__directory_make(scratch("c/programs"), NULL));
	for (size_t i = 0; i < OE__COUNT(metadata); i++) {
		scratch_write("c/metadata.json", metadata[i], strlen(metadata[i]));
		must_not_replace("as 'metadata.json' is not that of one");
	}
	ck_assert_int_eq(unlink(scratch("c/metadata.json")), 0);
	must_not_replace("as 'metadata.json' is missing");
	/* So much is one, as a checkpoint without programs is. */
	scratch_write("c/metadata.json", least, sizeof(least) - 1);
	OE__AUTO(population) oe_population *population = population_of_four();
	must_save(population, scratch("c"));
	scratch_leave();
}
END_TEST

/* Ours have everything that is asked for, whatever is in them. */
START_TEST(test_ours_are_replaced)
{
	struct oe__checkpoint_options options = { .extension = "", .inline_max = 1 };
	OE__AUTO(population) oe_population *none = population_empty(0, 1);
	OE__AUTO(population) oe_population *population = population_of_four();

	scratch_enter();
	must_save(none, scratch("c"));
	world_must(oe__checkpoint_save(population, scratch("c"), &options, NULL));
	ck_assert(oe__file_is_directory(scratch("c/artifacts/a")) && oe__file_is_regular(scratch("c/best_program")));
	must_save(none, scratch("c"));
	must_save(none, scratch("c"));
	/* A run's own, also after a loss of power. */
	scratch_write("c/metadata.json", "", 0);
	must_not_replace("as 'metadata.json' is not that of one");
	must_save(population, scratch("run/checkpoints/checkpoint_4"));
	scratch_write("run/checkpoints/checkpoint_4/metadata.json", "", 0);
	note_origin(scratch("run/run.db"), "checkpoint_2");
	must_save(population, scratch("run/checkpoints/checkpoint_4"));
	scratch_leave();
}
END_TEST

START_TEST(test_links_are_not_replaced)
{
	OE__AUTO(population) oe_population *population = population_of_four();
	oe_error err = { .message = "" };

	scratch_enter();
	must_save(population, scratch("c"));
	ck_assert_int_eq(symlink("c", scratch("link")), 0);
	ck_assert_int_eq(symlink("nowhere", scratch("dangling")), 0);
	ck_assert_int_eq(oe_population_save(population, scratch("link/"), ".py", &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "link' is a symbolic link: it is not replaced"));
	ck_assert_int_eq(oe_population_save(population, scratch("dangling"), ".py", &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "dangling' is no directory: it is not replaced"));
	ck_assert_int_eq(unlink(scratch("c/best_program.py")), 0);
	ck_assert_int_eq(symlink("../link", scratch("c/best_program.py")), 0);
	ck_assert_int_eq(oe_population_save(population, scratch("c"), ".py", &err), OE_ERR_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "as 'best_program.py' is no part of one"));
	ck_assert(oe__file_is_link(scratch("link")) && oe__file_is_link(scratch("dangling")));
	ck_assert_uint_eq(count_names(scratch_root), 3);
	scratch_leave();
}
END_TEST

/* A run in its own way. */
START_TEST(test_the_run_stays)
{
	static const char *const inner[] = { "", "artifacts", "artifacts/run" };
	struct oe__checkpoint_options options = { .extension = ".py" };
	OE__AUTO(population) oe_population *population = population_of_four();
	oe_error err = { .message = "" };

	scratch_enter();
	must_save(population, scratch("c"));
	must_save(population, scratch("c2"));
	world_must(oe__directory_make(scratch("c/artifacts/run"), NULL));
	ck_assert_int_eq(symlink(".", scratch("here")), 0);
	for (size_t i = 0; i < OE__COUNT(inner); i++) {
		OE__AUTO(string) char *run = oe__path_join(scratch("here/c"), inner[i]);
		options.run = run;
		ck_assert_int_eq(oe__checkpoint_save(population, scratch("c"), &options, &err), OE_ERR_STATE);
		ck_assert_ptr_nonnull(strstr(err.message, "c' holds the run itself: it is not replaced"));
	}
	OE__AUTO(string) char *beside = oe__strdup(scratch("c2")); /* whose name begins so */
	options.run = beside;
	world_must(oe__checkpoint_save(population, scratch("c"), &options, NULL));
	scratch_leave();
}
END_TEST

/* The log of a run begins with it: whichever way one comes there, and also if that cannot be known. */
START_TEST(test_origins_are_not_replaced)
{
	static const char *const ways[] = { "run/checkpoints/checkpoint_4", "run/checkpoints/checkpoint_4//",
										"run/checkpoints/../checkpoints/checkpoint_4",
										"link/checkpoint_4", "run/checkpoints/alias" };
	OE__AUTO(population) oe_population *population = population_of_four();
	OE__AUTO(population) oe_population *other = population_empty(0, 1);
	OE__AUTO(population) oe_population *found = NULL;
	oe_error err = { .message = "" };

	scratch_enter();
	must_save(population, scratch("run/checkpoints/checkpoint_4"));
	must_save(population, scratch("run/checkpoints/checkpoint_8"));
	must_save(population, scratch("other/checkpoints/checkpoint_4"));
	note_origin(scratch("run/run.db"), "/an/older/place/checkpoint_4");
	ck_assert_int_eq(symlink("run/checkpoints", scratch("link")), 0);
	ck_assert_int_eq(symlink("checkpoint_4", scratch("run/checkpoints/alias")), 0);
	for (size_t i = 0; i < OE__COUNT(ways); i++) {
		ck_assert_int_eq(oe_population_save(other, scratch(ways[i]), ".py", &err), OE_ERR_STATE);
		ck_assert_ptr_nonnull(strstr(err.message, "began with: it is not replaced"));
	}
	must_save(other, scratch("run/checkpoints/checkpoint_8"));
	must_save(other, scratch("other/checkpoints/checkpoint_4"));
	scratch_write("run/run.db", "no database", 11);
	ck_assert_int_lt(oe_population_save(other, scratch(ways[0]), ".py", &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "may be what the run in"));
	found = must_load(scratch(ways[0]));
	population_same(population, found);
	scratch_leave();
}
END_TEST

TEST_MAIN("replace", test_replaced_as_a_whole, test_not_replaced, test_more_than_a_checkpoint,
          test_less_than_a_checkpoint, test_ours_are_replaced, test_links_are_not_replaced, test_the_run_stays,
          test_origins_are_not_replaced)
