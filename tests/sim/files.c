#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "world.h"

static struct {
	struct file_faults faults;
	int64_t steps;
	bool failed;
} files;

void files_arm(const struct file_faults *faults)
{
	files.faults = faults ? *faults : (struct file_faults){ 0 };
	files.steps = 0;
	files.failed = false;
}

bool files_have_failed(void)
{
	return files.failed;
}

/* This step is not made. What a process that was killed still does, nobody sees. */
static bool goes_wrong(void)
{
	if (world.dead) {
		errno = EIO;
		return true;
	}
	files.steps++;
	if (files.steps == files.faults.crash_at) {
		kill_process("in a step with files");
		errno = EIO;
		return true;
	}
	if (files.steps == files.faults.fail_at) {
		note("the file system is full");
		files.failed = true;
		errno = ENOSPC;
		return true;
	}
	return false;
}

/* ---- the steps (--wrap, see meson.build) ---- */

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
	va_list arguments;

	if (!(flags & O_CREAT))
		return __real_open64(path, flags);
	va_start(arguments, flags);
	mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return goes_wrong() ? -1 : __real_open64(path, flags, mode);
}

/* Some of it may be there. */
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	bool dead = world.dead;

	if (fd <= STDERR_FILENO || !goes_wrong())
		return __real_write(fd, data, size);
	int error = errno;
	if (!dead && size > 0)
		(void)!__real_write(fd, data, (size_t)world_below(size));
	errno = error;
	return -1;
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	return goes_wrong() ? -1 : __real_rename(from, to);
}

int __real_renameat(int from_at, const char *from, int to_at, const char *to);
int __wrap_renameat(int from_at, const char *from, int to_at, const char *to);
int __wrap_renameat(int from_at, const char *from, int to_at, const char *to)
{
	return goes_wrong() ? -1 : __real_renameat(from_at, from, to_at, to);
}

int __real_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
	return goes_wrong() ? -1 : __real_renameat2(from_at, from, to_at, to, flags);
}

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	return goes_wrong() ? -1 : __real_mkdir(path, mode);
}

int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to)
{
	return goes_wrong() ? -1 : __real_link(from, to);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path)
{
	return goes_wrong() ? -1 : __real_unlink(path);
}

int __real_unlinkat(int at, const char *path, int flags);
int __wrap_unlinkat(int at, const char *path, int flags);
int __wrap_unlinkat(int at, const char *path, int flags)
{
	return goes_wrong() ? -1 : __real_unlinkat(at, path, flags);
}
