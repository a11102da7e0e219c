/* lib/base/remove.c: trees as candidates leave them behind; nothing outside of them is touched. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/thread.h"
#include "scratch.h"

static void must_remove(const char *name)
{
	oe_error err = { .message = "" };

	ck_assert_msg(oe__directory_remove(scratch(name), &err) == 0, "%s", err.message);
	ck_assert(!oe__file_exists(scratch(name)));
}

static void make(const char *name)
{
	ck_assert_int_eq(oe__directory_make(scratch(name), NULL), 0);
}

START_TEST(test_simple)
{
	scratch_enter();
	must_remove("none"); /* absent is fine */
	make("a/b/c");
	make("a/d");
	scratch_write("a/b/file", "x", 1);
	scratch_write("alone", "x", 1);
	make("beside");
	must_remove("a");
	must_remove("alone");
	ck_assert(oe__file_is_directory(scratch("beside")));
	scratch_leave();
}
END_TEST

START_TEST(test_links_are_not_followed)
{
	scratch_enter();
	make("outside/inner");
	scratch_write("outside/inner/precious", "x", 1);
	make("tree/deep");
	ck_assert_int_eq(symlink("../outside", scratch("tree/relative")), 0);
	ck_assert_int_eq(symlink(scratch("outside/inner"), scratch("tree/deep/absolute")), 0);
	ck_assert_int_eq(symlink(".", scratch("tree/deep/loop")), 0);
	ck_assert_int_eq(symlink("..", scratch("tree/deep/up")), 0);
	ck_assert_int_eq(symlink("nowhere", scratch("tree/dangling")), 0);
	ck_assert_int_eq(link(scratch("outside/inner/precious"), scratch("tree/hard")), 0);
	ck_assert_int_eq(symlink("outside", scratch("top")), 0);
	must_remove("tree");
	must_remove("top"); /* itself a link */
	ck_assert(oe__file_exists(scratch("outside/inner/precious")));
	scratch_leave();
}
END_TEST

START_TEST(test_odd_entries)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char longest[256];

	scratch_enter();
	make("tree/-rf");
	make("tree/a\nb");
	make("tree/\xff\xfe");
	make("tree/.removed-0/.removed-1");
	make("tree/...");
	memset(longest, 'n', 255);
	longest[255] = '\0';
	ck_assert_int_eq(chdir(scratch("tree")), 0);
	ck_assert_int_eq(mkdir(longest, 0777), 0);
	ck_assert_int_eq(mkfifo("fifo", 0666), 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, "socket", 7);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	ck_assert_int_eq(chdir("/"), 0);
	must_remove("tree");
	scratch_leave();
}
END_TEST

START_TEST(test_wide)
{
	scratch_enter();
	make("tree");
	for (int i = 0; i < 600; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "tree/%d", i);
		if (i % 3 == 0)
			make(name);
		else
			scratch_write(name, "", 0);
	}
	must_remove("tree");
	scratch_leave();
}
END_TEST

/* ---- deeper than descriptors and stack ---- */

#define DEPTH 500 /* descriptors are a hundred */

static void make_deep(const char *top, int depth)
{
	int fd = open(scratch(top), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		ck_assert_int_eq(mkdirat(fd, "d", 0777), 0);
		int file = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(file);
		close(fd);
		fd = next;
	}
	close(fd);
}

static void *remove_in_a_thread(void *argument)
{
	return oe__directory_remove(argument, NULL) == 0 ? argument : NULL;
}

START_TEST(test_deep)
{
	struct rlimit before, few;
	pthread_t thread;
	void *done = NULL;

	scratch_enter();
	make("tree/sibling");
	/* Names that lifting would give are taken already. */
	make("tree/.removed-0");
	scratch_write("tree/.removed-1", "", 0);
	make_deep("tree", DEPTH);
	make_deep("tree/sibling", 100);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	/* On the stack of our own threads. */
	ck_assert_int_eq(oe__thread_start(&thread, "remove", remove_in_a_thread,
									  (void *)(uintptr_t)scratch("tree"), NULL),
					 0);
	pthread_join(thread, &done);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_ptr_nonnull(done);
	ck_assert(!oe__file_exists(scratch("tree")));
	scratch_leave();
}
END_TEST

/* ---- without rights ---- */

static int remove_closed(void *argument)
{
	const char *root = argument;
	OE__AUTO(string) char *tree = oe__path_join(root, "tree");
	static const struct {
		const char *name;
		mode_t mode;
	} closed[] = { { "tree/writeless", 0555 }, { "tree/readless", 0333 }, { "tree/nothing", 0 } };
	oe_error err;

	if (chdir(root) < 0)
		return 1;
	for (size_t i = 0; i < OE__COUNT(closed); i++) {
		OE__AUTO(string) char *inner = oe__path_join(closed[i].name, "inner/more");
		OE__AUTO(string) char *file = oe__path_join(closed[i].name, "inner/more/file");
		if (oe__directory_make(inner, NULL) < 0 || oe__file_write(file, "", 0, NULL) < 0 ||
			chmod(inner, closed[i].mode) < 0 || chmod(closed[i].name, closed[i].mode) < 0)
			return 2;
	}
	return oe__directory_remove(tree, &err) == 0 && !oe__file_exists(tree) ? 0 : 3;
}

/* What its owner has closed is opened; Go's module cache is left like this. */
START_TEST(test_closed_directories)
{
	scratch_enter();
	ck_assert_int_eq(as_nobody(remove_closed, scratch_root), 0);
	scratch_leave();
}
END_TEST

static int remove_of_others(void *argument)
{
	oe_error err = { .message = "" };

	if (oe__directory_remove(argument, &err) != OE_ERR_IO)
		return 1;
	return strstr(err.message, "cannot remove '") && oe__has_suffix(err.message, ": Permission denied")
			   ? 0
			   : 2;
}

START_TEST(test_what_may_not_be_removed)
{
	if (geteuid() != 0)
		return; /* nobody else to make it */
	scratch_enter();
	make("tree/others");
	scratch_write("tree/others/file", "", 0);
	ck_assert_int_eq(chmod(scratch("tree/others"), 0755), 0);
	ck_assert_int_eq(as_nobody(remove_of_others, (void *)(uintptr_t)scratch("tree/others")), 0);
	ck_assert(oe__file_exists(scratch("tree/others/file")));
	scratch_leave();
}
END_TEST

START_TEST(test_not_a_directory)
{
	oe_error err;

	scratch_enter();
	scratch_write("file", "", 0);
	ck_assert_int_eq(oe__directory_remove(scratch("file/below"), &err), OE_ERR_IO);
	ck_assert(oe__has_suffix(err.message, ": Not a directory"));
	ck_assert(oe__file_exists(scratch("file")));
	scratch_leave();
}
END_TEST

TEST_MAIN("remove", test_simple, test_links_are_not_followed, test_odd_entries, test_wide, test_deep,
		  test_closed_directories, test_what_may_not_be_removed, test_not_a_directory)
