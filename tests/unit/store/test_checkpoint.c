/* lib/store/checkpoint.c: a directory that is complete or not there, and what is in it. Reading those
   of others is in test_checkpoint_read.c. */

#include "store/checkpoint.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/json.h"
#include "base/thread.h"
#include "program/population.h"
#include "population_world.h"

static void read_json(const char *path, struct oe__value *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	oe_error err = { .message = "" };

	world_must(oe__file_read(path, &text, NULL));
	ck_assert_msg(oe__json_parse(text.data, text.size, out, &err) == 0, "%s: %s", path, err.message);
}

START_TEST(test_round_trip)
{
	scratch_enter();
	OE__AUTO(population) oe_population *population = population_of_four();
	must_save(population, scratch("c_4"));
	OE__AUTO(population) oe_population *again = must_load(scratch("c_4"));
	population_same(population, again);
	ck_assert_uint_eq(oe_population_skipped(again), 0);
	/* And what was loaded can be saved: nothing gets lost by and by. */
	must_save(again, scratch("c_5"));
	OE__AUTO(population) oe_population *third = must_load(scratch("c_5"));
	population_same(population, third);
	scratch_leave();
}
END_TEST

/* The files of OpenEvolve, with its members in them. */
START_TEST(test_layout)
{
	static const char *const names[] = { "best_program.py", "best_program_info.json",
										 "metadata.json", "programs" };
	static const char *const members[] = {
		"id", "code", "language", "parent_id", "generation", "timestamp", "iteration_found",
		"metrics", "complexity", "diversity", "metadata", "prompts", "artifacts_json",
		"artifact_dir", "embedding"
	};
	static const char *const keys[] = { "island_feature_maps", "islands", "archive",
										"best_program_id", "island_best_programs", "last_iteration",
										"current_island", "island_generations",
										"last_migration_generation", "feature_stats" };
	OE__AUTO(value) struct oe__value info = { 0 }, record = { 0 }, metadata = { 0 };
	OE__AUTO(population) oe_population *population = population_of_four();
	char **found = NULL;
	size_t count = 0;

	scratch_enter();
	must_save(population, scratch("checkpoints/checkpoint_4"));
	ck_assert_uint_eq(count_names(scratch("checkpoints")), 1); /* nothing beside it */
	world_must(oe__directory_list(scratch("checkpoints/checkpoint_4"), &found, &count, NULL));
	ck_assert_uint_eq(count, OE__COUNT(names));
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(found[i], names[i]);
	oe__directory_list_free(found, count);

	read_json(scratch("checkpoints/checkpoint_4/best_program_info.json"), &info);
	ck_assert(oe__value_is(oe__value_get(&info, "id"), "b"));
	ck_assert_int_eq(oe__value_get(&info, "current_iteration")->integer, 4);
	ck_assert_ptr_null(oe__value_get(&info, "parent_id"));
	read_json(scratch("checkpoints/checkpoint_4/programs/c.json"), &record);
	ck_assert_uint_eq(record.size, OE__COUNT(members));
	for (size_t i = 0; i < OE__COUNT(members); i++)
		ck_assert_msg(oe__value_get(&record, members[i]) != NULL, "%s", members[i]);
	read_json(scratch("checkpoints/checkpoint_4/metadata.json"), &metadata);
	for (size_t i = 0; i < OE__COUNT(keys); i++)
		ck_assert_msg(oe__value_get(&metadata, keys[i]) != NULL, "%s", keys[i]);
	scratch_leave();
}
END_TEST

/* ---- what can be chosen ---- */

static int prompts_of(void *owner, const oe_program *program, struct oe__buffer *out, oe_error *err)
{
	if (strcmp(program->id, owner) == 0)
		return oe__buffer_printf(out, "{\"key\": \"%s\"}", program->id) < 0 ? OE_ERR_NOMEM : 1;
	return strcmp(program->id, "d") == 0 && strcmp(owner, "fail") == 0
			   ? oe__error(err, OE_ERR_IO, "the prompts are gone")
			   : 0;
}

START_TEST(test_options)
{
	static char owner[] = "c", failing[] = "fail";
	struct oe__checkpoint_options options = {
		.extension = ".rs", .inline_max = 1, .prompts = prompts_of, .owner = owner
	};
	OE__AUTO(population) oe_population *population = population_of_four();
	OE__AUTO(value) struct oe__value with = { 0 }, without = { 0 };
	oe_error err = { .message = "" };

	scratch_enter();
	world_must(oe__checkpoint_save(population, scratch("c"), &options, NULL));
	ck_assert(oe__file_is_regular(scratch("c/best_program.rs")));
	/* Artifacts of two bytes are large now. */
	ck_assert(oe__file_is_regular(scratch("c/artifacts/a/bytes")));
	read_json(scratch("c/programs/c.json"), &with);
	ck_assert(oe__value_is(oe__value_get(oe__value_get(&with, "prompts"), "key"), "c"));
	ck_assert(oe__value_is(oe__value_get(&with, "artifact_dir"), scratch("c/artifacts/c")));
	read_json(scratch("c/programs/d.json"), &without);
	ck_assert_uint_eq(oe__value_get(&without, "prompts")->size, 0);
	OE__AUTO(population) oe_population *again = must_load(scratch("c"));
	population_same(population, again);
	/* What fails there fails the whole, and says why. */
	options.owner = failing;
	ck_assert_int_eq(oe__checkpoint_save(population, scratch("e"), &options, &err), OE_ERR_IO);
	ck_assert_str_eq(err.message, "the prompts are gone");
	ck_assert_uint_eq(count_names(scratch_root), 1);
	scratch_leave();
}
END_TEST

START_TEST(test_arguments)
{
	OE__AUTO(population) oe_population *population = population_of_four(), *none = NULL;
	oe_error err = { .message = "" };

	ck_assert_int_eq(oe_population_save(NULL, "x", "", &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_population_save(population, NULL, "", &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_population_save(population, "x", NULL, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_population_load(NULL, &none, &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_population_load("x", NULL, &err), OE_ERR_INVALID);
	ck_assert_str_ne(err.message, "");
}
END_TEST

/* However the path is written; and beside it, or in it, nothing is left. */
START_TEST(test_paths)
{
	OE__AUTO(population) oe_population *population = population_of_four();

	scratch_enter();
	world_must(chdir(scratch_root));
	for (int round = 0; round < 2; round++) { /* made, then replaced */
		must_save(population, "relative");
		must_save(population, "slash/");
		must_save(population, "./deep//down///");
		must_save(population, scratch("absolute/"));
	}
	world_must(chdir("/"));
	ck_assert_uint_eq(count_names(scratch_root), 4);
	ck_assert_uint_eq(count_names(scratch("slash")), 4);
	ck_assert_uint_eq(count_names(scratch("deep")), 1);
	OE__AUTO(population) oe_population *again = must_load(scratch("deep/down/"));
	population_same(population, again);
	scratch_leave();
}
END_TEST

/* ---- failures ---- */

static int save_under_a_limit(void *argument)
{
	const struct rlimit limit = { 200, 200 }; /* of a file: less than a record */
	OE__AUTO(population) oe_population *population = population_of_four();
	oe_error err = { .message = "" };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (oe_population_save(population, argument, ".py", &err) != OE_ERR_IO)
		return 2;
	return strstr(err.message, "File too large") ? 0 : 3;
}

static int save_without_rights(void *argument)
{
	OE__AUTO(population) oe_population *population = population_of_four();
	oe_error err = { .message = "" };

	if (oe_population_save(population, argument, ".py", &err) != OE_ERR_IO)
		return 2;
	return strstr(err.message, "Permission denied") ? 0 : 3;
}

START_TEST(test_the_old_one_stays)
{
	OE__AUTO(population) oe_population *population = population_of_four();

	scratch_enter();
	must_save(population, scratch("c"));
	ck_assert_int_eq(as_nobody(save_under_a_limit, (void *)(uintptr_t)scratch("c")), 0);
	ck_assert_int_eq(as_nobody(save_under_a_limit, (void *)(uintptr_t)scratch("d")), 0);
	if (geteuid() == 0) {
		world_must(chmod(scratch_root, 0755));
		ck_assert_int_eq(as_nobody(save_without_rights, (void *)(uintptr_t)scratch("c")), 0);
		ck_assert_int_eq(as_nobody(save_without_rights, (void *)(uintptr_t)scratch("d")), 0);
	}
	ck_assert_uint_eq(count_names(scratch_root), 1);
	OE__AUTO(population) oe_population *again = must_load(scratch("c"));
	population_same(population, again);
	scratch_leave();
}
END_TEST

/* ---- many at once ---- */

#define SAVERS 4

static oe_population *shared;
static char paths[SAVERS][128];

static void *save_again_and_again(void *argument)
{
	for (int i = 0; i < 10; i++)
		if (oe_population_save(shared, argument, ".py", NULL) < 0)
			return NULL;
	return argument;
}

/* Into one directory, and two of them onto one place: at every moment each is a whole one. */
START_TEST(test_threads)
{
	pthread_t threads[SAVERS];

	scratch_enter();
	shared = population_of_four();
	must_save(shared, scratch("c_0"));
	for (int i = 0; i < SAVERS; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/c_%d", scratch_root, i / 2);
		world_must(oe__thread_start(&threads[i], "save", save_again_and_again, paths[i], NULL));
	}
	for (int i = 0; i < 20; i++) {
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
		world_must(oe__file_read(scratch("c_0/metadata.json"), &text, NULL)); /* it is always there */
	}
	for (int i = 0; i < SAVERS; i++) {
		void *saved = NULL;
		pthread_join(threads[i], &saved);
		ck_assert_msg(saved != NULL, "thread %d", i);
	}
	for (int i = 0; i < 2; i++) {
		OE__AUTO(population) oe_population *again = must_load(paths[2 * i]);
		population_same(shared, again);
	}
	ck_assert_uint_eq(count_names(scratch_root), 2);
	oe_population_unref(shared);
	scratch_leave();
}
END_TEST

/* ---- names ---- */

/* Identifiers of foreign checkpoints are texts, not paths. */
START_TEST(test_identifiers)
{
	static const char *const ids[] = { "../../evil", "/etc/evil", ".hidden", "a/b", "..",
									   "plain",      "gr\303\266\303\237e \"x\"\n" };
	char longest[1000];

	scratch_enter();
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	OE__AUTO(population) oe_population *population = population_empty(OE__COUNT(ids) + 1, 1);
	for (size_t i = 0; i < OE__COUNT(ids); i++)
		population_add(population, with_large_artifact(ids[i], (int64_t)i, "big"));
	population_add(population, with_large_artifact(longest, 99, "big"));
	must_save(population, scratch("a/b/c/d"));
	ck_assert_uint_eq(count_names(scratch("a/b/c/d/programs")), population->program_count);
	ck_assert_uint_eq(count_names(scratch("a/b/c/d/artifacts")), population->program_count);
	ck_assert_uint_eq(count_names(scratch("a/b/c/d")), 5);
	ck_assert_uint_eq(count_names(scratch("a/b/c")), 1);
	ck_assert_uint_eq(count_names(scratch("a/b")), 1);
	ck_assert_uint_eq(count_names(scratch("a")), 1);
	ck_assert_uint_eq(count_names(scratch_root), 1);
	OE__AUTO(population) oe_population *again = must_load(scratch("a/b/c/d"));
	population_same(population, again);
	scratch_leave();
}
END_TEST

/* Artifacts that are files keep apart from each other, whatever they are called. */
START_TEST(test_artifact_names)
{
	static const char *const names[] = { "plot.png", "../../../evil", "a b", "ab", "a/b", "..", "",
										 "\xe6\x97\xa5\xe6\x9c\xac" };
	char longest[700], accents[700];

	scratch_enter();
	memset(longest, 'n', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i + 3 < sizeof(accents); i += 3)
		memcpy(accents + i, "\xe6\x97\xa5", 4);
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	world_must(oe_evaluation_new(&evaluation));
	for (size_t i = 0; i < OE__COUNT(names); i++)
		add_large_artifact(evaluation, names[i]);
	add_large_artifact(evaluation, longest);
	add_large_artifact(evaluation, accents);
	oe__evaluation_freeze(evaluation);
	OE__AUTO(population) oe_population *population = population_empty(1, 1);
	population_add(population, world_build((struct oe__program_spec){ .id = "p",
																	  .evaluation = evaluation },
										   "x", 1));
	must_save(population, scratch("c"));
	OE__AUTO(population) oe_population *again = must_load(scratch("c"));
	const oe_program *program = oe_population_find(again, "p");
	ck_assert_uint_eq(oe_program_artifact_count(program), evaluation->artifact_count);
	/* Each content is there, under some name that is a text. */
	for (size_t i = 0; i < evaluation->artifact_count; i++) {
		const struct oe__artifact *wanted = &evaluation->artifacts[i];
		bool found = false;
		for (size_t j = 0; j < program->evaluation->artifact_count; j++) {
			const struct oe__artifact *artifact = &program->evaluation->artifacts[j];
			found = found || (artifact->size == wanted->size &&
							  memcmp(artifact->data, wanted->data, wanted->size) == 0);
			ck_assert(oe__utf8_valid(artifact->name, strlen(artifact->name)));
		}
		ck_assert_msg(found, "%s", wanted->name);
	}
	ck_assert_ptr_nonnull(oe__evaluation_artifact(program->evaluation, "plot.png"));
	ck_assert_uint_eq(count_names(scratch_root), 1);
	scratch_leave();
}
END_TEST

/* A checkpoint that was moved has its artifacts with it; a copy does not read the original's. */
START_TEST(test_moved)
{
	OE__AUTO(population) oe_population *population = population_empty(1, 1);

	scratch_enter();
	population_add(population, with_large_artifact("p", 1, "big"));
	must_save(population, scratch("old/c"));
	world_must(rename(scratch("old"), scratch("new")));
	OE__AUTO(population) oe_population *moved = must_load(scratch("new/c"));
	population_same(population, moved);
	/* Now there is another one at the old place. */
	OE__AUTO(population) oe_population *other = population_empty(1, 1);
	population_add(other, with_large_artifact("p", 1, "something else"));
	must_save(other, scratch("old/c"));
	OE__AUTO(population) oe_population *again = must_load(scratch("new/c"));
	population_same(population, again);
	scratch_leave();
}
END_TEST

static ino_t inode_of(const char *path)
{
	struct stat info;

	ck_assert_msg(stat(path, &info) == 0, "%s", path);
	return info.st_ino;
}

static void save_after(const oe_population *population, const char *previous, const char *path)
{
	struct oe__checkpoint_options options = { .extension = ".py", .inline_max = 32768,
											  .previous = previous };
	oe_error err = { .message = "" };

	ck_assert_msg(oe__checkpoint_save(population, path, &options, &err) == 0, "%s", err.message);
}

/* What did not change is one file with two names; it stays when the older checkpoint goes. */
START_TEST(test_unchanged_files_are_linked)
{
	static const char *const common[] = { "programs/b.json", "artifacts/big/big.txt",
										  "artifacts/big/big.bin" };
	static const char *const own[] = { "metadata.json", "best_program_info.json",
									   "programs/big.json", /* names its checkpoint's artifacts */
									   "programs/c.json" /* somebody wrote into that one */ };
	OE__AUTO(population) oe_population *population = population_empty(8, 1);

	scratch_enter();
	world_must(oe__directory_make(scratch("cs"), NULL));
	population_add(population, world_scored("b", 0, 1, 0.5));
	population_add(population, world_scored("c", 0, 2, 0.25));
	population_add(population, with_large_artifact("big", 1, "long"));
	save_after(population, NULL, scratch("cs/checkpoint_1"));
	scratch_write("cs/checkpoint_1/programs/c.json", "{}", 2);
	save_after(population, scratch("cs/checkpoint_1"), scratch("cs/checkpoint_2"));
	for (size_t i = 0; i < OE__COUNT(common) + OE__COUNT(own); i++) {
		const char *name = i < OE__COUNT(common) ? common[i] : own[i - OE__COUNT(common)];
		OE__AUTO(buffer) struct oe__buffer one = OE__BUFFER_INIT(0), two = OE__BUFFER_INIT(0);
		oe__buffer_printf(&one, "%s/%s", scratch("cs/checkpoint_1"), name);
		oe__buffer_printf(&two, "%s/%s", scratch("cs/checkpoint_2"), name);
		ck_assert_msg((inode_of(one.data) == inode_of(two.data)) == (i < OE__COUNT(common)), "%s",
					  name);
	}
	world_must(oe__directory_remove(scratch("cs/checkpoint_1"), NULL));
	OE__AUTO(population) oe_population *again = must_load(scratch("cs/checkpoint_2"));
	ck_assert_uint_eq(again->program_count, 3);
	ck_assert_uint_eq(oe_population_skipped(again), 0);
	/* One that is gone is no obstacle. */
	save_after(population, scratch("cs/checkpoint_1"), scratch("cs/checkpoint_3"));
	ck_assert(inode_of(scratch("cs/checkpoint_3/programs/b.json")) !=
			  inode_of(scratch("cs/checkpoint_2/programs/b.json")));
	/* Written again under its own name: linked to itself, as it was. */
	save_after(population, scratch("cs/checkpoint_2"), scratch("cs/checkpoint_2"));
	OE__AUTO(population) oe_population *same = must_load(scratch("cs/checkpoint_2"));
	ck_assert_uint_eq(same->program_count, 3);
	scratch_leave();
}
END_TEST

TEST_MAIN("checkpoint", test_round_trip, test_layout, test_options, test_arguments, test_paths,
		  test_the_old_one_stays, test_threads, test_identifiers, test_artifact_names, test_moved, test_unchanged_files_are_linked)
