/* lib/base/file.c: paths, reading under a cap, replacing as a whole, lists. */

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/thread.h"
#include "scratch.h"

/* ---- paths ---- */

START_TEST(test_paths)
{
	static const struct {
		const char *path, *directory, *base, *extension;
	} cases[] = {
		{ "a/b.py", "a", "b.py", ".py" },
		{ "b.py", ".", "b.py", ".py" },
		{ "/b", "/", "b", "" },
		{ "/", "/", "", "" },
		{ "//", "/", "", "" },
		{ "//a", "/", "a", "" },
		{ "a//b.tar.gz", "a", "b.tar.gz", ".gz" },
		{ "a/", ".", "", "" }, /* where "a" is, not "a" itself */
		{ "/a/b//", "/a", "", "" },
		{ "a.d/b", "a.d", "b", "" },
		{ ".bashrc", ".", ".bashrc", "" },
		{ "a/.x.y", "a", ".x.y", ".y" },
		{ "a.", ".", "a.", "." },
		{ "", ".", "", "" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(string) char *directory = oe__path_directory(cases[i].path);
		ck_assert_str_eq(directory, cases[i].directory);
		ck_assert_str_eq(oe__path_base(cases[i].path), cases[i].base);
		ck_assert_str_eq(oe__path_extension(cases[i].path), cases[i].extension);
	}
}
END_TEST

START_TEST(test_join)
{
	static const char *const cases[][3] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" },     { "", "b", "b" },
		{ "/", "b", "/b" },  { "a", "/b/c", "/b/c" },  { "a", "", "a/" },
		{ "", "", "" },      { "a", "../b", "a/../b" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(string) char *path = oe__path_join(cases[i][0], cases[i][1]);
		ck_assert_str_eq(path, cases[i][2]);
	}
}
END_TEST

START_TEST(test_absolute)
{
	static const char *const cases[][2] = {
		{ "a/b", "a/b" },   { "./a", "a" },        { "././a/.", "a/." },
		{ "../a", "../a" }, { ".hidden", ".hidden" }, { "a/./b", "a/./b" },
	};

	scratch_enter();
	ck_assert_int_eq(chdir(scratch_root), 0);
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(string) char *path = oe__path_absolute(cases[i][0]);
		ck_assert_str_eq(path, scratch(cases[i][1]));
	}
	OE__AUTO(string) char *here = oe__path_absolute("."), *dot = oe__path_absolute("./");
	OE__AUTO(string) char *absolute = oe__path_absolute("/x/../y");
	ck_assert_str_eq(here, scratch_root);
	ck_assert_str_eq(dot, scratch_root);
	ck_assert_str_eq(absolute, "/x/../y");
	ck_assert_int_eq(chdir("/"), 0);
	scratch_leave();
}
END_TEST

START_TEST(test_real)
{
	scratch_enter();
	ck_assert_int_eq(oe__directory_make(scratch("a/b"), NULL), 0);
	ck_assert_int_eq(symlink("a/b", scratch("link")), 0);
	OE__AUTO(string) char *real = oe__path_real(scratch("link/..")), *none = oe__path_real(scratch("c"));
	ck_assert_str_eq(real, scratch("a"));
	ck_assert_ptr_null(none);
	scratch_leave();
}
END_TEST

/* ---- reading ---- */

START_TEST(test_read)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	oe_error err;

	scratch_enter();
	scratch_write("a", "a\0b", 3);
	scratch_write("empty", "", 0);
	ck_assert_int_eq(oe__file_read(scratch("a"), &out, &err), 0);
	ck_assert_int_eq(oe__file_read(scratch("empty"), &out, &err), 0);
	ck_assert_int_eq(oe__file_read(scratch("a"), &out, &err), 0); /* appends */
	ck_assert_uint_eq(out.size, 6);
	ck_assert_mem_eq(out.data, "a\0ba\0b", 7);

	ck_assert_int_eq(oe__file_read(scratch("none"), &out, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "/none': No such file or directory"));
	ck_assert_int_eq(oe__file_read(scratch_root, &out, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "Is a directory"));
	ck_assert_uint_eq(out.size, 6);
	scratch_leave();
}
END_TEST

START_TEST(test_read_under_a_cap)
{
	char text[1000];

	memset(text, 'x', sizeof(text));
	scratch_enter();
	for (size_t max = 997; max <= 1003; max++) {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(max);
		oe_error err;
		scratch_write("a", text, sizeof(text));
		int status = oe__file_read(scratch("a"), &out, &err);
		ck_assert_int_eq(status, max < sizeof(text) ? OE_ERR_LIMIT : 0);
		ck_assert_int_eq(out.status, status);
		if (status < 0)
			ck_assert_ptr_nonnull(strstr(err.message, "is larger than 99"));
		else
			ck_assert_mem_eq(out.data, text, sizeof(text));
	}
	/* A cap counts what was there before. */
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(1000);
	ck_assert_int_eq(oe__buffer_char(&out, 'y'), 0);
	ck_assert_int_eq(oe__file_read(scratch("a"), &out, NULL), OE_ERR_LIMIT);
	scratch_leave();
}
END_TEST

/* What says nothing about its size: a file of /proc, a pipe that is written to meanwhile. */
static void *feed(void *argument)
{
	const int *fd = argument;
	char text[1000];

	memset(text, 'p', sizeof(text));
	for (int i = 0; i < 500; i++)
		if (write(*fd, text, sizeof(text)) != (ssize_t)sizeof(text))
			return NULL;
	close(*fd);
	return argument;
}

START_TEST(test_read_without_a_size)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	pthread_t thread;
	char path[40];
	void *fed = NULL;
	int ends[2];

	ck_assert_int_eq(oe__file_read("/proc/self/status", &out, NULL), 0);
	ck_assert_uint_gt(out.size, 100);
	oe__buffer_clear(&out);
	ck_assert_int_eq(pipe(ends), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	ck_assert_int_eq(oe__thread_start(&thread, "feed", feed, &ends[1], NULL), 0);
	ck_assert_int_eq(oe__file_read(path, &out, NULL), 0);
	pthread_join(thread, &fed);
	ck_assert_ptr_nonnull(fed);
	ck_assert_uint_eq(out.size, 500000);
	close(ends[0]);

	/* Without an end: stopped by the cap. */
	OE__AUTO(buffer) struct oe__buffer zeros = OE__BUFFER_INIT(OE__MIB);
	ck_assert_int_eq(oe__file_read("/dev/zero", &zeros, NULL), OE_ERR_LIMIT);
	ck_assert_uint_le(zeros.size, OE__MIB);
}
END_TEST

/* ---- writing ---- */

START_TEST(test_write)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	oe_error err;

	scratch_enter();
	ck_assert_int_eq(oe__file_write(scratch("a"), "longer", 6, &err), 0);
	ck_assert_int_eq(oe__file_write(scratch("a"), "a\0b", 3, &err), 0);
	ck_assert_int_eq(oe__file_read(scratch("a"), &out, &err), 0);
	ck_assert_mem_eq(out.data, "a\0b", 4);
	ck_assert_uint_eq(out.size, 3);
	ck_assert_int_eq(oe__file_write(scratch("no/a"), "", 0, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "cannot write '"));
	ck_assert_int_eq(oe__file_write("/dev/full", "x", 1, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "No space left"));
	scratch_leave();
}
END_TEST

static size_t count_names(const char *path)
{
	char **names = NULL;
	size_t count = 0;

	ck_assert_int_eq(oe__directory_list(path, &names, &count, NULL), 0);
	oe__directory_list_free(names, count);
	return count;
}

START_TEST(test_replace)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	char name[256];
	oe_error err;

	scratch_enter();
	scratch_write("target", "kept", 4);
	ck_assert_int_eq(symlink("target", scratch("link")), 0);
	ck_assert_int_eq(oe__file_replace(scratch("link"), "new", 3, &err), 0);
	ck_assert_int_eq(oe__file_read(scratch("target"), &out, &err), 0);
	ck_assert_str_eq(out.data, "kept"); /* the link was replaced, not what it leads to */
	ck_assert_int_eq(oe__file_replace(scratch("link"), "newer", 5, &err), 0);
	oe__buffer_clear(&out);
	ck_assert_int_eq(oe__file_read(scratch("link"), &out, &err), 0);
	ck_assert_str_eq(out.data, "newer");
	/* As long as a name may be. */
	memset(name, 'n', 255);
	name[255] = '\0';
	ck_assert_int_eq(oe__file_replace(scratch(name), "x", 1, &err), 0);
	ck_assert_uint_eq(count_names(scratch_root), 3);
	scratch_leave();
}
END_TEST

/* In a place that is full, the old file stays as it was and nothing is left beside it. */
static int replace_where_it_is_full(void *argument)
{
	const struct rlimit limit = { 4096, 4096 };
	static char text[10000];
	oe_error err = { .message = "" };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (oe__file_replace(argument, text, sizeof(text), &err) != OE_ERR_IO)
		return 2;
	return oe__has_suffix(err.message, "/a': File too large") && !strstr(err.message, "writing-") ? 0 : 3;
}

START_TEST(test_replace_fails_as_a_whole)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	oe_error err;

	scratch_enter();
	scratch_write("a", "old", 3);
	ck_assert_int_eq(as_nobody(replace_where_it_is_full, (void *)(uintptr_t)scratch("a")), 0);
	ck_assert_int_eq(oe__file_read(scratch("a"), &out, NULL), 0);
	ck_assert_str_eq(out.data, "old");
	ck_assert_int_eq(oe__directory_make(scratch("d/e"), NULL), 0);
	ck_assert_int_eq(oe__file_replace(scratch("d"), "x", 1, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "cannot replace '"));
	ck_assert_int_eq(oe__file_replace(scratch("no/a"), "x", 1, &err), OE_ERR_IO);
	ck_assert_uint_eq(count_names(scratch_root), 2);
	scratch_leave();
}
END_TEST

/* Many threads replace one file: whoever reads sees the text of one of them, whole. */
#define WRITERS   4
#define TEXT_SIZE 65536

static atomic_int writers;
static char written[128];

static void *replace_again_and_again(void *argument)
{
	OE__AUTO(memory) void *memory = oe__malloc(TEXT_SIZE);
	const char *letter = argument;

	if (!memory)
		return NULL;
	memset(memory, *letter, TEXT_SIZE);
	for (int i = 0; i < 40; i++)
		if (oe__file_replace(written, memory, TEXT_SIZE, NULL) < 0)
			return NULL;
	atomic_fetch_sub(&writers, 1);
	return argument;
}

START_TEST(test_replaced_by_many)
{
	static char letters[WRITERS] = { 'a', 'b', 'c', 'd' };
	pthread_t threads[WRITERS];

	scratch_enter();
	(void)snprintf(written, sizeof(written), "%s", scratch("a"));
	atomic_store(&writers, WRITERS);
	ck_assert_int_eq(oe__file_write(written, "", 0, NULL), 0);
	for (size_t i = 0; i < WRITERS; i++)
		ck_assert_int_eq(
			oe__thread_start(&threads[i], "writer", replace_again_and_again, &letters[i], NULL), 0);
	do {
		OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
		ck_assert_int_eq(oe__file_read(written, &out, NULL), 0);
		ck_assert(out.size == 0 || out.size == TEXT_SIZE);
		for (size_t i = 1; i < out.size; i++)
			if (out.data[i] != out.data[0])
				ck_abort_msg("mixed at %zu", i);
	} while (atomic_load(&writers) > 0);
	for (size_t i = 0; i < WRITERS; i++) {
		void *done = NULL;
		pthread_join(threads[i], &done);
		ck_assert_ptr_nonnull(done);
	}
	ck_assert_uint_eq(count_names(scratch_root), 1);
	scratch_leave();
}
END_TEST

/* ---- directories ---- */

START_TEST(test_make)
{
	oe_error err = { .message = "" };

	scratch_enter();
	ck_assert_int_eq(oe__directory_make(scratch("a/b/c"), &err), 0);
	ck_assert_int_eq(oe__directory_make(scratch("a/b/c"), &err), 0);
	ck_assert_int_eq(oe__directory_make(scratch("d//e/"), &err), 0);
	ck_assert(oe__file_is_directory(scratch("a/b/c")) && oe__file_is_directory(scratch("d/e")));
	scratch_write("file", "", 0);
	ck_assert_int_eq(oe__directory_make(scratch("file"), &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "File exists"));
	ck_assert_int_eq(oe__directory_make(scratch("file/x/y"), &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "Not a directory"));
	ck_assert_int_eq(symlink("nowhere", scratch("dangling")), 0);
	ck_assert_int_eq(oe__directory_make(scratch("dangling"), &err), OE_ERR_IO);
	ck_assert(oe__file_exists(scratch("dangling")) && !oe__file_is_directory(scratch("dangling")));
	scratch_leave();
}
END_TEST

/* The working directory may be gone: that is said, not left to whatever `err` held before. */
START_TEST(test_make_nowhere)
{
	oe_error err = { .message = "" };

	scratch_enter();
	ck_assert_int_eq(oe__directory_make(scratch("gone"), NULL), 0);
	ck_assert_int_eq(chdir(scratch("gone")), 0);
	ck_assert_int_eq(rmdir(scratch("gone")), 0);
	ck_assert_int_eq(oe__directory_make("a/b", &err), OE_ERR_IO);
	ck_assert_int_eq(err.status, OE_ERR_IO);
	ck_assert_str_ne(err.message, "");
	ck_assert_int_eq(chdir("/"), 0);
	scratch_leave();
}
END_TEST

START_TEST(test_list)
{
	static const char *const wanted[] = { "-x", ".hidden", "B", "a", "a b\n", "\xff" };
	char **names = NULL;
	size_t count = 0;
	oe_error err;

	scratch_enter();
	ck_assert_int_eq(oe__directory_list(scratch_root, &names, &count, &err), 0);
	ck_assert_uint_eq(count, 0);
	oe__directory_list_free(names, count);
	for (size_t i = OE__COUNT(wanted); i-- > 0;)
		scratch_write(wanted[i], "", 0);
	ck_assert_int_eq(oe__directory_list(scratch_root, &names, &count, &err), 0);
	ck_assert_uint_eq(count, OE__COUNT(wanted));
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(names[i], wanted[i]);
	oe__directory_list_free(names, count);
	ck_assert_int_eq(oe__directory_list(scratch("none"), &names, &count, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, "cannot list '"));
	ck_assert_int_eq(oe__directory_sync(scratch_root, &err), 0);
	ck_assert_int_eq(oe__directory_sync(scratch("none"), &err), OE_ERR_IO);
	ck_assert_int_eq(oe__directory_sync(scratch("a"), &err), OE_ERR_IO); /* no directory */
	scratch_leave();
}
END_TEST

/* No descriptor of ours reaches a child of the host. */
START_TEST(test_descriptors)
{
	errno = 77;
	oe__fd_close(-1);
	oe__fd_close(open("/dev/null", O_RDONLY | O_CLOEXEC));
	ck_assert_int_eq(errno, 77);
	ck_assert_int_ge(dup(0), 0); /* there is a free one, so this is what close() was asked */
	oe__fd_close(1000000);
	ck_assert_int_eq(errno, 77);
}
END_TEST

TEST_MAIN("file", test_paths, test_join, test_absolute, test_real, test_read, test_read_under_a_cap,
		  test_read_without_a_size, test_write, test_replace, test_replace_fails_as_a_whole,
		  test_replaced_by_many, test_make, test_make_nowhere, test_list, test_descriptors)
