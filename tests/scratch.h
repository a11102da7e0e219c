#ifndef OE_TESTS_SCRATCH_H
#define OE_TESTS_SCRATCH_H

/*
 * A directory of a test's own, and somebody who may not do everything.
 *
 *     scratch_enter();                  makes it
 *     scratch("a/b")                    a path in it, good until the eighth call after this
 *     scratch_leave();                  removes it, whatever is in it
 */

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "test.h"

static char scratch_root[64];

static inline void scratch_enter(void)
{
	(void)snprintf(scratch_root, sizeof(scratch_root), "/tmp/oe-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_root));
	ck_assert_int_eq(chmod(scratch_root, 0777), 0); /* also for nobody */
}

static inline const char *scratch(const char *name)
{
	static char paths[8][512];
	static size_t next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", scratch_root, name);
	return path;
}

static inline void scratch_leave(void)
{
	oe_error err = { .message = "" };

	ck_assert_msg(oe__directory_remove(scratch_root, &err) == 0, "%s", err.message);
	ck_assert(!oe__file_exists(scratch_root));
}

static inline void scratch_write(const char *name, const char *text, size_t size)
{
	oe_error err;

	ck_assert_msg(oe__file_write(scratch(name), text, size, &err) == 0, "%s", err.message);
}

/* Call it in a process of a user without rights; its result (0 to 127), or -1. Assertions do not work
   in there. */
static inline int as_nobody(int (*call)(void *argument), void *argument)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
			_exit(127);
		_exit(call(argument));
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#endif /* OE_TESTS_SCRATCH_H */
