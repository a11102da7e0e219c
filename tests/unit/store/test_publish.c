/* lib/store/checkpoint.c: in what order a checkpoint comes to the disk, and what happens where calls
   fail. The calls are defined here, in place of the C library's. */

#include "store/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "population_world.h"

#define FLUSHED_MAX 1024

static struct {
	char flushed[FLUSHED_MAX][256]; /* in turn */
	size_t count;
	size_t at_rename;    /* how many when the first name was given to it */
	int disks;           /* all of it flushed                            */
	int exchange_errno;  /* 0: it works                                  */
	int exchanges, renames;
	int failing_rename;  /* which of them                                */
} calls;

int fsync(int fd)
{
	char link[40];
	ssize_t size = -1;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (calls.count < FLUSHED_MAX)
		size = readlink(link, calls.flushed[calls.count], sizeof(calls.flushed[0]) - 1);
	if (size >= 0)
		calls.flushed[calls.count++][size] = '\0';
	return (int)syscall(SYS_fsync, fd);
}

int syncfs(int fd)
{
	(void)fd; /* the disk is not ours alone */
	calls.disks++;
	return 0;
}

int rename(const char *from, const char *to)
{
	if (++calls.renames == 1)
		calls.at_rename = calls.count;
	if (calls.renames == calls.failing_rename) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_rename, from, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	calls.exchanges++;
	if (calls.exchange_errno != 0) {
		errno = calls.exchange_errno;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

static void forget(void)
{
	memset(&calls, 0, sizeof(calls));
}

static struct oe__checkpoint_options options = { .extension = ".py", .inline_max = 1, .synced = true };

static bool was_flushed(const char *ending, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t size = strlen(calls.flushed[i]), wanted = strlen(ending);
		if (size >= wanted && strcmp(calls.flushed[i] + size - wanted, ending) == 0)
			return true;
	}
	return false;
}

/* All of it is on the disk before it has its name; then the name is. */
START_TEST(test_power)
{
	static const char *const names[] = { "/programs/a.json", "/programs/d.json", "/metadata.json",
		                                 "/best_program.py", "/best_program_info.json",
		                                 "/artifacts/a/bytes", "/artifacts/a", "/artifacts", "/programs" };
	OE__AUTO(population) oe_population *population = population_of_four();

	scratch_enter();
	forget();
	world_must(oe__checkpoint_save(population, scratch("c_4"), &options, NULL));
	for (size_t i = 0; i < OE__COUNT(names); i++)
		ck_assert_msg(was_flushed(names[i], 0, calls.at_rename), "%s", names[i]);
	ck_assert(was_flushed(scratch_root, calls.at_rename, calls.count));
	ck_assert_int_eq(calls.disks, 0);
	ck_assert_int_eq(calls.exchanges, 0);
	scratch_leave();
}
END_TEST

START_TEST(test_process)
{
	OE__AUTO(population) oe_population *population = population_of_four();

	scratch_enter();
	forget();
	options.synced = false;
	world_must(oe__checkpoint_save(population, scratch("c_4"), &options, NULL));
	options.synced = true;
	ck_assert_uint_eq(calls.count, 0);
	ck_assert_int_eq(calls.renames, 1);
	scratch_leave();
}
END_TEST

/* A checkpoint of the same programs after another one, which is on the disk, or nobody knows. */
static void save_after(bool previous_synced)
{
	OE__AUTO(population) oe_population *population = population_of_four();
	struct oe__checkpoint_options next = options;

	world_must(oe__checkpoint_save(population, scratch("c_4"), &options, NULL));
	OE__AUTO(string) char *previous = oe__strdup(scratch("c_4"));
	next.previous = previous;
	next.previous_synced = previous_synced;
	forget();
	world_must(oe__checkpoint_save(population, scratch("c_5"), &next, NULL));
}

/* What the previous one has is on the disk. */
START_TEST(test_links_are_not_flushed)
{
	scratch_enter();
	save_after(true);
	ck_assert(!was_flushed("/artifacts/a/bytes", 0, calls.count));
	ck_assert(was_flushed("/programs", 0, calls.at_rename));
	ck_assert(was_flushed("/metadata.json", 0, calls.at_rename));
	scratch_leave();
}
END_TEST

/* Nobody knows what became of it: a copy, or one that another durability was enough for. */
START_TEST(test_links_to_what_was_found)
{
	scratch_enter();
	save_after(false);
	ck_assert(was_flushed("/artifacts/a/bytes", 0, calls.at_rename));
	ck_assert(was_flushed("/programs/d.json", 0, calls.at_rename));
	scratch_leave();
}
END_TEST

START_TEST(test_many_files)
{
	OE__AUTO(population) oe_population *population = population_empty(400, 1);

	for (int i = 0; i < 400; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "p%d", i);
		population_add(population, world_build((struct oe__program_spec){ .id = id, .language = "python" }, id,
											   strlen(id)));
	}
	scratch_enter();
	forget();
	world_must(oe__checkpoint_save(population, scratch("c"), &options, NULL));
	ck_assert_uint_lt(calls.at_rename, 300);
	ck_assert_int_eq(calls.disks, 1);
	scratch_leave();
}
END_TEST

/* ---- in place of another ---- */

static oe_population *population_of_one(void)
{
	oe_population *population = population_empty(1, 1);

	population_add(population, world_build((struct oe__program_spec){ .id = "new", .language = "python" },
										   "new", 3));
	return population;
}

static void check_loads(const char *path, size_t programs)
{
	OE__AUTO(population) oe_population *population = NULL;
	char **names = NULL;
	size_t count = 0;

	world_must(oe_population_load(path, &population, NULL));
	ck_assert_uint_eq(population->program_count, programs);
	/* And nothing is left beside it. */
	world_must(oe__directory_list(scratch_root, &names, &count, NULL));
	ck_assert_uint_eq(count, 1);
	oe__directory_list_free(names, count);
}

static int replace_it(int exchange_errno, int failing_rename)
{
	OE__AUTO(population) oe_population *old = population_of_four();
	OE__AUTO(population) oe_population *new = population_of_one();
	oe_error err = { .message = "" };

	forget();
	world_must(oe__checkpoint_save(old, scratch("c"), &options, NULL));
	forget();
	calls.exchange_errno = exchange_errno;
	calls.failing_rename = failing_rename;
	int status = oe__checkpoint_save(new, scratch("c"), &options, &err);
	ck_assert_int_eq(calls.exchanges, failing_rename == 1 ? 0 : 1);
	ck_assert_msg(status == 0 || strstr(err.message, scratch("c")), "%s", err.message);
	return status;
}

START_TEST(test_exchange)
{
	scratch_enter();
	ck_assert_int_eq(replace_it(0, 0), 0);
	ck_assert_int_eq(calls.renames, 1);
	check_loads(scratch("c"), 1);
	scratch_leave();
}
END_TEST

/* File systems that cannot exchange, and kernels that do not know how. */
START_TEST(test_no_exchange)
{
	static const int codes[] = { EINVAL, ENOSYS };

	for (size_t i = 0; i < OE__COUNT(codes); i++) {
		scratch_enter();
		ck_assert_int_eq(replace_it(codes[i], 0), 0);
		ck_assert_int_eq(calls.renames, 3); /* it was in the way, made way, and was replaced */
		check_loads(scratch("c"), 1);
		scratch_leave();
	}
}
END_TEST

/* Whatever fails, what was there still is. */
START_TEST(test_failing_renames)
{
	static const int renames[] = { 1, 2, 4 }; /* when the last one fails the old one is moved back */

	for (int i = 0; i < 3; i++) {
		scratch_enter();
		ck_assert_int_eq(replace_it(EINVAL, i + 1), OE_ERR_IO);
		ck_assert_int_eq(calls.renames, renames[i]);
		check_loads(scratch("c"), 4);
		scratch_leave();
	}
}
END_TEST

TEST_MAIN("publish", test_power, test_process, test_links_are_not_flushed, test_links_to_what_was_found,
          test_many_files, test_exchange, test_no_exchange, test_failing_renames)
