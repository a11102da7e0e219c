#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROC_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* <linux/mount.h> cannot be included beside <sys/mount.h> on every system that we build on. */
struct attributes {
	uint64_t set, clear, propagation, userns_fd;
};
#define ATTRIBUTE_RDONLY 0x1
#define ATTRIBUTE_NOSUID 0x2
#define ATTRIBUTE_NODEV  0x4
#define ATTRIBUTE_IDMAP  0x100000
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef SYS_mount_setattr
#define SYS_open_tree     428
#define SYS_move_mount    429
#define SYS_mount_setattr 442
#endif

/* ---- places ---- */

static bool make_last(const char *path, bool directory)
{
	if (directory)
		return mkdir(path, 0755) == 0 || errno == EEXIST;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == ELOOP;
}

/* A directory, or an empty file, with what is above it; fine if it is there. */
static bool make_place(const char *path, bool directory)
{
	char copy[PATH_MAX];
	size_t size = strlen(path);
	struct stat info;

	if (lstat(path, &info) == 0)
		return true;
	if (make_last(path, directory) || errno != ENOENT)
		return lstat(path, &info) == 0;
	if (size >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(copy, path, size + 1);
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return false;
		*slash = '/';
	}
	return make_last(path, directory);
}

/* ---- binding ---- */

/* Kernels before 5.12: the mount itself, not what is mounted below it. */
static bool restrict_old(const char *target, bool writable, bool devices)
{
	struct statvfs info;
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID;

	if (statvfs(target, &info) < 0)
		return false;
	flags |= (info.f_flag & ST_NOEXEC ? MS_NOEXEC : 0) | (info.f_flag & ST_NOATIME ? MS_NOATIME : 0) |
	         (info.f_flag & ST_RELATIME ? MS_RELATIME : 0);
	flags |= (writable ? 0 : MS_RDONLY) | (devices ? 0 : MS_NODEV);
	return mount(NULL, target, NULL, flags, NULL) == 0;
}

static bool restrict_mount(const char *target, bool writable, bool devices)
{
	struct attributes attributes = { .set = ATTRIBUTE_NOSUID | (writable ? 0 : ATTRIBUTE_RDONLY) |
		                                    (devices ? 0 : ATTRIBUTE_NODEV) };

	if (syscall(SYS_mount_setattr, AT_FDCWD, target, AT_RECURSIVE, &attributes,
	            sizeof(attributes)) == 0)
		return true;
	return errno == ENOSYS && restrict_old(target, writable, devices);
}

/* Bind with the identities of its files mapped; false where the kernel or the file system cannot. */
static bool bind_mapped(const char *source, const char *target, int map)
{
	struct attributes attributes = { .set = ATTRIBUTE_IDMAP, .userns_fd = (uint64_t)map };
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, source, 1u | O_CLOEXEC /* clone */);

	if (tree < 0)
		return false;
	bool done = syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes,
	                    sizeof(attributes)) == 0 &&
	            syscall(SYS_move_mount, tree, "", AT_FDCWD, target, 4u /* empty path */) == 0;
	close(tree);
	return done;
}

/* What may be written is bound when all the rest is sealed. */
static bool is_open(const struct oe__mount *entry)
{
	return entry->kind == OE__MOUNT_WRITE || entry->kind == OE__MOUNT_DEVICE;
}

static bool bind_source(const struct oe__mount *entry, const char *source, const char *target, int map)
{
	bool own = map >= 0 && (entry->kind == OE__MOUNT_READ || entry->kind == OE__MOUNT_WRITE ||
	                        entry->kind == OE__MOUNT_OVERLAY);

	return (own && bind_mapped(source, target, map)) ||
	       mount(source, target, NULL, MS_BIND | MS_REC, NULL) == 0;
}

static bool place_bind(const struct oe__mount *entry, const char *target, int map)
{
	const char *source = *entry->source ? entry->source : entry->path;
	struct stat info;

	if (stat(source, &info) < 0) /* not every system has all of them */
		return errno == ENOENT && entry->kind != OE__MOUNT_WRITE;
	if (!make_place(target, S_ISDIR(info.st_mode)))
		return false;
	return is_open(entry) || bind_source(entry, source, target, map);
}

static bool full_path(char *out, const char *staging, const char *path)
{
	int size = snprintf(out, PATH_MAX, "%s%s", staging, path);

	errno = ENAMETOOLONG;
	return size > 0 && size < PATH_MAX;
}

static bool place_entry(const struct oe__mount *entry, const char *staging, int map)
{
	char target[PATH_MAX];

	if (!full_path(target, staging, entry->path))
		return false;
	switch (entry->kind) {
	case OE__MOUNT_LINK:
		return symlink(entry->source, target) == 0 || errno == EEXIST ||
		       (make_place(target, true) && rmdir(target) == 0 &&
		        symlink(entry->source, target) == 0);
	case OE__MOUNT_SCRATCH:
		return make_place(target, true);
	case OE__MOUNT_MASK:
		return true; /* each evaluation has its own: see root_private() */
	default:
		return place_bind(entry, target, map);
	}
}

/* Its place was made before. */
static bool open_entry(const struct oe__mount *entry, const char *staging, int map)
{
	const char *source = *entry->source ? entry->source : entry->path;
	char target[PATH_MAX];
	struct stat info;

	if (!full_path(target, staging, entry->path))
		return false;
	if (entry->kind == OE__MOUNT_DEVICE && stat(source, &info) < 0)
		return errno == ENOENT;
	return bind_source(entry, source, target, map) &&
	       restrict_mount(target, entry->kind == OE__MOUNT_WRITE, entry->kind == OE__MOUNT_DEVICE);
}

/* Read-only, with all that is mounted in it. Kernels before 5.12 do it one by one. */
static bool seal(const struct oe__plan *plan, const char *staging)
{
	char target[PATH_MAX];
	struct attributes attributes = { .set = ATTRIBUTE_RDONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV };

	if (syscall(SYS_mount_setattr, AT_FDCWD, staging, AT_RECURSIVE, &attributes,
	            sizeof(attributes)) == 0)
		return true;
	for (size_t i = 0; i < plan->head.mount_count; i++)
		if (strchr("rso", plan->mounts[i].kind) &&
		    (!full_path(target, staging, plan->mounts[i].path) ||
		     !restrict_old(target, false, false)))
			return false;
	return restrict_old(staging, false, false);
}

/* ---- the root ---- */

static bool put_file(const char *staging, const char *path, const char *text)
{
	char target[PATH_MAX];

	if (!full_path(target, staging, path) || !make_place(target, false))
		return false;
	int fd = open(target, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

/* What programs ask about users and hosts, and nothing of the machine's. */
static bool own_files(const struct oe__plan *plan, const char *staging)
{
	char path[PATH_MAX], user[96], group[96];

	(void)snprintf(user, sizeof(user), "user:x:%u:%u::/tmp:/bin/sh\n", plan->head.uid, plan->head.uid);
	(void)snprintf(group, sizeof(group), "user:x:%u:\n", plan->head.uid);
	return full_path(path, staging, "/proc") && make_place(path, true) &&
	       full_path(path, staging, ROOT_PRIVATE) && make_place(path, true) &&
	       put_file(staging, "/etc/passwd", user) && put_file(staging, "/etc/group", group) &&
	       put_file(staging, "/etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
}

static bool mount_proc(const char *target)
{
	return mount("proc", target, "proc", PROC_FLAGS, NULL) == 0;
}

static bool enter_root(const char *staging)
{
	return chdir(staging) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
	       umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

static bool place_all(const struct oe__plan *plan, const char *staging, int map)
{
	for (size_t i = 0; i < plan->head.mount_count; i++)
		if (!place_entry(&plan->mounts[i], staging, map))
			return false;
	if (!own_files(plan, staging) || !seal(plan, staging))
		return false;
	for (size_t i = 0; i < plan->head.mount_count; i++)
		if (is_open(&plan->mounts[i]) && !open_entry(&plan->mounts[i], staging, map))
			return false;
	return true;
}

int root_build(const struct oe__plan *plan, const char *staging, bool fresh_proc, int map)
{
	char proc[PATH_MAX];

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", staging, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,nr_inodes=16384,mode=755") < 0 ||
	    !place_all(plan, staging, map) || !full_path(proc, staging, "/proc"))
		return OE__STEP_ROOT;
	/* Where a container covers parts of its /proc, there is none at all rather than that one. */
	if (fresh_proc)
		(void)mount_proc(proc);
	else
		(void)mount("/proc", proc, NULL, MS_BIND, NULL);
	return enter_root(staging) ? 0 : OE__STEP_ROOT;
}

/* ---- what is private ---- */

static bool is_private(char kind)
{
	return kind == OE__MOUNT_SCRATCH || kind == OE__MOUNT_OVERLAY || kind == OE__MOUNT_MASK;
}

/* Would a private mount made now cover this one? */
static bool is_covered(const struct oe__plan *plan, size_t index)
{
	const struct oe__mount *entry = &plan->mounts[index];

	if (entry->kind == OE__MOUNT_SCRATCH || entry->kind == OE__MOUNT_LINK ||
	    entry->kind == OE__MOUNT_MASK)
		return false;
	for (size_t i = 0; i < index; i++) /* parents come first */
		if (is_private(plan->mounts[i].kind) && plan_is_below(entry->path, plan->mounts[i].path))
			return true;
	return false;
}

static bool mount_scratch(const struct oe__plan *plan)
{
	char options[96];

	(void)snprintf(options, sizeof(options), "mode=755,size=%llu,nr_inodes=%llu",
	               (unsigned long long)plan->head.scratch_bytes,
	               (unsigned long long)plan->head.scratch_files);
	return mount("tmpfs", ROOT_PRIVATE, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0;
}

const char *root_private_names(char kind)
{
	return kind == OE__MOUNT_SCRATCH ? "t" : kind == OE__MOUNT_MASK ? "m" : kind == OE__MOUNT_OVERLAY ? "uw" : "";
}

void root_private_path(char name, size_t index, char path[ROOT_PRIVATE_MAX])
{
	(void)snprintf(path, ROOT_PRIVATE_MAX, ROOT_PRIVATE "/%c%zu", name, index);
}

static bool make_private_directory(char name, size_t index, mode_t mode, char path[ROOT_PRIVATE_MAX])
{
	root_private_path(name, index, path);
	return mkdir(path, mode) == 0 && chmod(path, mode) == 0;
}

static bool bind_scratch(const struct oe__mount *entry, size_t index)
{
	char path[ROOT_PRIVATE_MAX];

	return make_private_directory('t', index, 01777, path) &&
	       make_place(entry->path, true) &&
	       mount(path, entry->path, NULL, MS_BIND, NULL) == 0;
}

/* What is not shown needs no mask. Through a link it is what the link leads to. */
static bool mask(const struct oe__mount *entry, size_t index)
{
	char path[ROOT_PRIVATE_MAX];
	struct stat info;

	if (stat(entry->path, &info) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP;
	if (!S_ISDIR(info.st_mode))
		return mount("/dev/null", entry->path, NULL, MS_BIND, NULL) == 0;
	return make_private_directory('m', index, 0755, path) &&
	       mount(path, entry->path, NULL, MS_BIND, NULL) == 0;
}

/* Without overlays (an old kernel, or a file system below that cannot) it stays as it is: not to be
   written. The self-test tells. */
static bool mount_overlay(const struct oe__mount *entry, size_t index, int lower)
{
	char upper[ROOT_PRIVATE_MAX], work[ROOT_PRIVATE_MAX], options[256];
	struct stat info;

	if (!make_place(entry->path, true) || fstat(lower, &info) < 0 ||
	    !make_private_directory('u', index, info.st_mode & 07777, upper) ||
	    !make_private_directory(ROOT_PRIVATE_WORK, index, 0700, work))
		return false;
	(void)snprintf(options, sizeof(options),
	               "lowerdir=/proc/self/fd/%d,upperdir=%s,workdir=%s,userxattr", lower, upper, work);
	return mount("overlay", entry->path, "overlay", MS_NOSUID | MS_NODEV, options) == 0;
}

static bool bind_again(const struct oe__mount *entry, int held)
{
	char source[64];
	struct stat info;

	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", held);
	return fstat(held, &info) == 0 && make_place(entry->path, S_ISDIR(info.st_mode)) &&
	       mount(source, entry->path, NULL, MS_BIND | MS_REC, NULL) == 0;
}

/* Hold what would be covered, before it is. */
static bool hold(const struct oe__plan *plan, int *held)
{
	for (size_t i = 0; i < plan->head.mount_count; i++) {
		const struct oe__mount *entry = &plan->mounts[i];
		held[i] = -1;
		if (entry->kind != OE__MOUNT_OVERLAY && !is_covered(plan, i))
			continue;
		held[i] = open(entry->path, O_PATH | O_CLOEXEC);
		if (held[i] < 0 && errno != ENOENT)
			return false;
	}
	return true;
}

static bool renew(const struct oe__plan *plan, size_t index, int held, bool overlays)
{
	const struct oe__mount *entry = &plan->mounts[index];

	if (entry->kind == OE__MOUNT_SCRATCH)
		return bind_scratch(entry, index);
	if (entry->kind == OE__MOUNT_MASK)
		return mask(entry, index);
	if (held < 0)
		return true;
	if (overlays && entry->kind == OE__MOUNT_OVERLAY && mount_overlay(entry, index, held))
		return true;
	return !is_covered(plan, index) || bind_again(entry, held);
}

int root_private(const struct oe__plan *plan, bool fresh_proc, bool overlays)
{
	int held[OE__MOUNTS_MAX];
	bool done = hold(plan, held) && mount_scratch(plan);

	for (size_t i = 0; i < plan->head.mount_count; i++) {
		done = done && renew(plan, i, held[i], overlays);
		if (held[i] >= 0) {
			int code = errno;
			close(held[i]);
			errno = code;
		}
	}
	if (!done)
		return OE__STEP_SCRATCH;
	return fresh_proc && !mount_proc("/proc") ? OE__STEP_PROC : 0;
}

void root_show_processes(void)
{
	(void)mount_proc("/proc");
}
