/*
 * Removing a directory with all that is in it. What a candidate left behind is removed so: the tree
 * may be deeper than there are descriptors or stack, closed to its owner, or full of links.
 *
 * Down to some depth the walk recurses. A directory below that is moved up to the top, where the
 * next pass over it begins anew: so any tree takes a bounded number of descriptors.
 */

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 32

struct removal {
	int top;                 /* the directory of the walk */
	unsigned long long made; /* names given at the top    */
	bool lifted;             /* in this pass              */
};

/* A descriptor to walk it, with the owner's rights to do so; never through a link, and by descriptor
   wherever something could be swapped for a link meanwhile. */
static int open_to_empty(int parent, const char *name)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, O_RDONLY | flags);
	struct stat info;
	char path[40];

	if (fd >= 0) {
		if (fstat(fd, &info) == 0 && (info.st_mode & S_IRWXU) != S_IRWXU)
			(void)fchmod(fd, S_IRWXU); /* if it may not, unlinking says so */
		return fd;
	}
	if (errno != EACCES)
		return -1;
	OE__AUTO(fd) int place = openat(parent, name, O_PATH | flags);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
	if (place < 0 || chmod(path, S_IRWXU) < 0)
		return -1;
	return openat(place, ".", O_RDONLY | flags);
}

/* Up to the top, under a name that nobody has there. */
static int lift(struct removal *removal, int parent, const char *name)
{
	int fd = open_to_empty(parent, name); /* moving it writes to it: its ".." */
	char given[32];

	oe__fd_close(fd);
	if (fd < 0)
		return -1;
	removal->lifted = true;
	do
		(void)snprintf(given, sizeof(given), ".removed-%llu", removal->made++);
	while (faccessat(removal->top, given, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return renameat(parent, name, removal->top, given);
}

static int remove_entries(struct removal *removal, int fd, int depth);

static int remove_passes(struct removal *removal, int fd)
{
	int result;

	removal->top = fd;
	do {
		removal->lifted = false;
		result = remove_entries(removal, fd, 1);
	} while (result == 0 && removal->lifted);
	return result;
}

static int remove_entry(struct removal *removal, int parent, const char *name, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	int code = errno;
	if (code != EISDIR && code != EPERM)
		return -1;
	if (depth == DEPTH_MAX)
		return lift(removal, parent, name);
	OE__AUTO(fd) int fd = open_to_empty(parent, name);
	if (fd < 0) {
		if (errno == ENOTDIR) /* a file that may not be removed */
			errno = code;
		return -1;
	}
	int result = depth == 0 ? remove_passes(removal, fd) : remove_entries(removal, fd, depth + 1);
	return result == 0 ? unlinkat(parent, name, AT_REMOVEDIR) : result;
}

static int remove_entries(struct removal *removal, int fd, int depth)
{
	/* The stream takes over a descriptor of its own. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	struct dirent *entry;
	int result = 0;

	if (!stream) {
		oe__fd_close(own);
		return -1;
	}
	while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			result = remove_entry(removal, fd, entry->d_name, depth);
	if (result == 0 && errno != 0)
		result = -1;
	int code = errno;
	(void)closedir(stream);
	errno = code;
	return result;
}

int oe__directory_remove(const char *path, oe_error *err)
{
	struct removal removal = { .top = -1 };

	if (remove_entry(&removal, AT_FDCWD, path, 0) < 0)
		return oe__error_errno(err, "cannot remove '%s'", path);
	return 0;
}
