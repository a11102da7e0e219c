/* Programs are found as a shell finds them. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../test.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/which.h"

static char root[32], path[200], wanted[96];

static void setup(void)
{
	char file[96];

	(void)snprintf(root, sizeof(root), "/tmp/oe-which-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (int i = 0; i < 3; i++) {
		(void)snprintf(file, sizeof(file), "%s/%d", root, i);
		ck_assert_int_eq(mkdir(file, 0700), 0);
	}
	/* A folder, and a file that is not executable, have the name too; empty parts mean nothing. */
	(void)snprintf(file, sizeof(file), "%s/0/tool", root);
	ck_assert_int_eq(mkdir(file, 0700), 0);
	(void)snprintf(file, sizeof(file), "%s/1/tool", root);
	ck_assert_int_eq(oe__file_write(file, "", 0, NULL), 0);
	(void)snprintf(wanted, sizeof(wanted), "%s/2/tool", root);
	ck_assert_int_eq(oe__file_write(wanted, "", 0, NULL), 0);
	ck_assert_int_eq(chmod(wanted, 0700), 0);
	(void)snprintf(path, sizeof(path), ":%s/0:%s/1::%s/2:%s/none", root, root, root, root);
}

static void teardown(void)
{
	ck_assert_int_eq(oe__directory_remove(root, NULL), 0);
}

static void expect(const char *name, const char *where, const char *found)
{
	OE__AUTO(string) char *got = oe__which(name, where);

	ck_assert_str_eq(got, found);
}

START_TEST(test_the_first_executable)
{
	setup();
	expect("tool", path, wanted);
	teardown();
}
END_TEST

START_TEST(test_what_is_not_there_stays)
{
	setup();
	expect("nothing", path, "nothing");
	expect("tool", "", "tool");
	expect("./tool", path, "./tool"); /* a path, not a name */
	teardown();
}
END_TEST

START_TEST(test_path_of_an_environment)
{
	const char *const variables[] = { "PATHS=/a", "HOME=/b", "PATH=/c:/d", "PATH=/e", NULL };

	ck_assert_str_eq(oe__which_path(variables), "/c:/d");
	ck_assert_ptr_nonnull(strstr(oe__which_path(NULL), "/usr/bin"));
	ck_assert_ptr_nonnull(strstr(oe__which_path(variables + 4), "/usr/bin"));
}
END_TEST

TEST_MAIN("which", test_the_first_executable, test_what_is_not_there_stays,
		  test_path_of_an_environment)
