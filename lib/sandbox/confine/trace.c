#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "root.h"

static void add(struct trace *trace, uint64_t word)
{
	if (trace->count < TRACE_MAX)
		trace->words[trace->count++] = word;
	else
		trace->whole = false;
}

static uint64_t nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

/* Which file it is. */
static void add_identity(struct trace *trace, const struct stat *info)
{
	add(trace, (uint64_t)info->st_dev);
	add(trace, (uint64_t)info->st_ino);
}

/* That it is not there is as good as anything. @return is it? */
static bool look(struct trace *trace, const char *path, bool follow, struct stat *info)
{
	bool there = fstatat(AT_FDCWD, path, info, follow ? 0 : AT_SYMLINK_NOFOLLOW) == 0;

	add(trace, there ? 0 : (uint64_t)errno);
	return there;
}

/* All about it. */
static void add_private(struct trace *trace, const char *path)
{
	struct stat info;

	if (!look(trace, path, false, &info))
		return;
	add_identity(trace, &info);
	add(trace, (uint64_t)info.st_mode << 32 | (uint64_t)info.st_nlink);
	add(trace, (uint64_t)info.st_uid << 32 | (uint64_t)info.st_gid);
	add(trace, (uint64_t)info.st_size);
	add(trace, nanoseconds(&info.st_atim));
	add(trace, nanoseconds(&info.st_mtim));
	add(trace, nanoseconds(&info.st_ctim));
	if ((int64_t)nanoseconds(&info.st_ctim) > trace->changed_ns)
		trace->changed_ns = (int64_t)nanoseconds(&info.st_ctim);
}

void trace_sources(const struct oe__plan *plan, struct trace *trace)
{
	struct stat info;

	trace->count = 0;
	trace->whole = true;
	trace->changed_ns = 0;
	for (size_t i = 0; i < plan->head.mount_count; i++)
		if (plan->mounts[i].kind == OE__MOUNT_OVERLAY && look(trace, plan->mounts[i].path, true, &info)) {
			add_identity(trace, &info);
			add(trace, nanoseconds(&info.st_ctim));
		}
}

static void add_entry(struct trace *trace, const struct oe__plan *plan, size_t index)
{
	const struct oe__mount *entry = &plan->mounts[index];
	char path[ROOT_PRIVATE_MAX], work[ROOT_PRIVATE_MAX + 8];
	struct stat info;

	for (const char *name = root_private_names(entry->kind); *name; name++) {
		root_private_path(*name, index, path);
		add_private(trace, path);
		if (*name == ROOT_PRIVATE_WORK) { /* the overlay has made one in it */
			(void)snprintf(work, sizeof(work), "%s/work", path);
			add_private(trace, work);
		}
	}
	/* What covers the place: a mask is lost when the host replaces what it covers. */
	if (*root_private_names(entry->kind) && look(trace, entry->path, true, &info))
		add_identity(trace, &info);
}

/* A file without a name, which is gone at once. */
static uint64_t number_of_file(struct trace *trace)
{
	int fd = open(ROOT_PRIVATE, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat info = { .st_ino = 0 };

	trace->whole &= fd >= 0 && fstat(fd, &info) == 0;
	if (fd >= 0)
		close(fd);
	return info.st_ino;
}

uint64_t trace_private(const struct oe__plan *plan, struct trace *trace)
{
	struct statfs room = { .f_bfree = 0 };
	uint64_t file = number_of_file(trace);

	trace->next_file = file + 1;
	trace->whole &= statfs(ROOT_PRIVATE, &room) == 0;
	add(trace, (uint64_t)room.f_bfree);
	add(trace, (uint64_t)room.f_ffree);
	add_private(trace, ROOT_PRIVATE);
	for (size_t i = 0; i < plan->head.mount_count; i++)
		add_entry(trace, plan, i);
	return file;
}

bool trace_is_exact(void)
{
	struct timespec begun, ended;
	struct stat before, after;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &begun);
	if (lstat(ROOT_PRIVATE, &before) < 0 || chmod(ROOT_PRIVATE, before.st_mode & 07777) < 0 ||
	    lstat(ROOT_PRIVATE, &after) < 0)
		return false;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ended);
	return nanoseconds(&begun) == nanoseconds(&ended) && /* no tick came between */
	       nanoseconds(&before.st_ctim) != nanoseconds(&after.st_ctim);
}

bool trace_equals(const struct trace *a, const struct trace *b)
{
	return a->whole && b->whole && a->count == b->count &&
	       memcmp(a->words, b->words, a->count * sizeof(a->words[0])) == 0;
}
