/* lib/store/directory.c: one process per run, and what is exported beside the log. */

#include "store/directory.h"

#include <fcntl.h>

#include "base/json.h"
#include "world.h"

static struct oe__directory *must_open(const char *path)
{
	struct oe__directory *directory = NULL;
	oe_error err = { .message = "" };

	ck_assert_msg(oe__directory_open(path, &directory, &err) == 0, "%s", err.message);
	return directory;
}

static int is_refused(void *argument)
{
	struct oe__directory *directory = NULL;
	oe_error err = { .message = "" };

	int status = oe__directory_open(argument, &directory, &err);
	oe__directory_close(directory);
	if (status != OE_ERR_STATE)
		return status == 0 ? 1 : 2;
	return strcmp(err.message, "another process runs in this directory") == 0 ? 0 : 3;
}

/* In a process that is no copy of ours: a fork has our lock. */
static int in_another_process(int (*call)(void *argument), const char *path)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		_exit(call((void *)(uintptr_t)path));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(test_lock)
{
	scratch_enter();
	ck_assert(!oe__directory_is_locked(scratch("run")));
	struct oe__directory *directory = must_open(scratch("run"));
	ck_assert(oe__directory_is_locked(scratch("run")));
	/* The second is refused, whoever it is. */
	ck_assert_int_eq(is_refused((void *)(uintptr_t)scratch("run")), 0);
	ck_assert_int_eq(in_another_process(is_refused, scratch("run")), 0);
	/* Somebody else who reads the file and closes it takes no lock away. */
	close(open(scratch("run/LOCK"), O_RDWR | O_CLOEXEC));
	ck_assert(oe__directory_is_locked(scratch("run")));
	ck_assert_int_eq(in_another_process(is_refused, scratch("run")), 0);
	oe__directory_close(directory);
	ck_assert(!oe__directory_is_locked(scratch("run")));
	directory = must_open(scratch("run"));
	oe__directory_close(directory);
	oe__directory_close(NULL);
	scratch_leave();
}
END_TEST

static int open_and_die(void *argument)
{
	struct oe__directory *directory = NULL;

	if (oe__directory_open(argument, &directory, NULL) < 0)
		return 1;
	_exit(0); /* without closing it */
}

START_TEST(test_lock_ends_with_its_process)
{
	scratch_enter();
	ck_assert_int_eq(in_another_process(open_and_die, scratch("run")), 0);
	ck_assert(oe__file_exists(scratch("run/LOCK")));
	ck_assert(!oe__directory_is_locked(scratch("run")));
	oe__directory_close(must_open(scratch("run")));
	scratch_leave();
}
END_TEST

static int sees_the_lock(void *argument)
{
	return oe__directory_is_locked(argument) ? 0 : 1;
}

static int cannot_write(void *argument)
{
	struct oe__directory *directory = NULL;
	oe_error err = { .message = "" };

	if (oe__directory_open(argument, &directory, &err) != OE_ERR_IO)
		return 1;
	return strstr(err.message, "cannot write in '") && strstr(err.message, "Permission denied") ? 0
																							   : 2;
}

/* Who may only read is told that a run is under way, and why it cannot run one. */
START_TEST(test_without_rights)
{
	if (geteuid() != 0)
		return; /* nobody else to make it */
	scratch_enter();
	struct oe__directory *directory = must_open(scratch("run"));
	world_must(chmod(scratch("run"), 0755));
	world_must(chmod(scratch("run/LOCK"), 0644));
	ck_assert_int_eq(as_nobody(sees_the_lock, (void *)(uintptr_t)scratch("run")), 0);
	ck_assert_int_eq(as_nobody(cannot_write, (void *)(uintptr_t)scratch("run")), 0);
	oe__directory_close(directory);
	ck_assert_int_eq(as_nobody(sees_the_lock, (void *)(uintptr_t)scratch("run")), 1);
	scratch_leave();
}
END_TEST

START_TEST(test_paths)
{
	scratch_enter();
	world_must(chdir(scratch_root));
	struct oe__directory *directory = must_open("a/b/run/");
	OE__AUTO(string) char *checkpoint = oe__directory_checkpoint_path(directory, 120);
	world_must(chdir("/")); /* what was relative is not any more */
	ck_assert_str_eq(checkpoint, scratch("a/b/run/checkpoints/checkpoint_120"));
	ck_assert_str_eq(directory->database, scratch("a/b/run/run.db"));
	ck_assert(oe__file_is_directory(scratch("a/b/run")));
	ck_assert(!oe__file_exists(directory->best)); /* until there is one */
	oe__directory_close(directory);

	oe_error err;
	scratch_write("file", "", 0);
	ck_assert_int_eq(oe__directory_open(scratch("file"), &directory, &err), OE_ERR_IO);
	ck_assert_int_eq(oe__directory_open(scratch("file/run"), &directory, &err), OE_ERR_IO);
	scratch_leave();
}
END_TEST

START_TEST(test_best)
{
	OE__AUTO(program) oe_program *first = world_full("first", 0, 1), *second = world_bare("second");
	OE__AUTO(buffer) struct oe__buffer code = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer info = OE__BUFFER_INIT(0);
	OE__AUTO(value) struct oe__value value = { 0 };
	char **names = NULL;
	size_t count = 0;

	scratch_enter();
	struct oe__directory *directory = must_open(scratch("run"));
	world_must(oe__directory_write_best(directory, first, ".py", NULL));
	world_must(oe__file_read(scratch("run/best/best_program.py"), &code, NULL));
	ck_assert_uint_eq(code.size, first->source->size);
	ck_assert_mem_eq(code.data, first->source->text, code.size);
	world_must(oe__file_read(scratch("run/best/best_program_info.json"), &info, NULL));
	world_must(oe__json_parse(info.data, info.size, &value, NULL));
	ck_assert(oe__value_is(oe__value_get(&value, "id"), "first"));
	ck_assert(oe__value_is(oe__value_get(&value, "parent_id"), "the parent"));
	ck_assert_int_eq(oe__value_get(&value, "generation")->integer, 3);
	ck_assert_int_eq(oe__value_get(&value, "iteration")->integer, 41);
	ck_assert_double_eq(oe__value_get(&value, "timestamp")->real, first->timestamp);
	struct oe__value *metrics = oe__value_get(&value, "metrics");
	ck_assert_double_eq(oe__value_get(metrics, "combined_score")->real, 1);
	ck_assert_int_eq(oe__value_get(metrics, "endless")->type, OE__VALUE_NULL); /* strict JSON */

	/* Replaced by one that was never evaluated. */
	world_must(oe__directory_write_best(directory, second, ".py", NULL));
	oe__buffer_clear(&code);
	world_must(oe__file_read(scratch("run/best/best_program.py"), &code, NULL));
	ck_assert_str_eq(code.data, "second");
	world_must(oe__directory_list(scratch("run/best"), &names, &count, NULL));
	ck_assert_uint_eq(count, 2);
	oe__directory_list_free(names, count);
	oe__directory_close(directory);
	scratch_leave();
}
END_TEST

/* A process that was killed while it wrote, or removed, leaves its half; nothing else is touched, and
   nothing while another one may be writing. */
START_TEST(test_sweeping)
{
	static const char *const kept[] = { "run/checkpoints/checkpoint_10/metadata.json",
										"run/checkpoints/.hidden", "run/best/best_program.py",
										"run/.writing-elsewhere" };
	static const char *const left[] = { "run/checkpoints/.writing-1234/programs/one.json",
										"run/checkpoints/.replaced-5/metadata.json",
										"run/checkpoints/.pruned-7-20/programs/one.json",
										"run/best/.writing-99" };

	scratch_enter();
	for (size_t i = 0; i < OE__COUNT(kept) + OE__COUNT(left); i++) {
		const char *name = i < OE__COUNT(kept) ? kept[i] : left[i - OE__COUNT(kept)];
		OE__AUTO(string) char *folder = oe__path_directory(scratch(name));
		world_must(oe__directory_make(folder, NULL));
		scratch_write(name, "text", 4);
	}
	struct oe__directory *directory = must_open(scratch("run"));
	for (size_t i = 0; i < OE__COUNT(kept); i++)
		ck_assert_msg(oe__file_exists(scratch(kept[i])), "%s", kept[i]);
	for (size_t i = 0; i < OE__COUNT(left); i++)
		ck_assert_msg(!oe__file_exists(scratch(left[i])), "%s", left[i]);
	ck_assert(!oe__file_exists(scratch("run/checkpoints/.writing-1234")));
	scratch_write(left[OE__COUNT(left) - 1], "text", 4);
	ck_assert_int_eq(is_refused((void *)(uintptr_t)scratch("run")), 0);
	ck_assert(oe__file_exists(scratch(left[OE__COUNT(left) - 1])));
	oe__directory_close(directory);
	scratch_leave();
}
END_TEST

TEST_MAIN("directory", test_sweeping, test_lock, test_lock_ends_with_its_process, test_without_rights, test_paths,
		  test_best)
