#ifndef OE__CONFINE_PLAN_H
#define OE__CONFINE_PLAN_H

/*
 * What a confined process gets to see and to use. The host makes it, the spawner keeps it, and the
 * fork server carries it as its kit: one block of bytes in all three.
 *
 * Code of this folder runs in the spawner, and inside a fork server between fork and the first line
 * that is not ours: it allocates nothing and leaves no thread behind.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../protocol.h"

enum oe__mount_kind {
	OE__MOUNT_READ = 'r',    /* a file or directory of the host, not to be written       */
	OE__MOUNT_SYSTEM = 's',  /* the same, of the system: everybody may read it           */
	OE__MOUNT_WRITE = 'w',   /* a directory of the host, to be written                   */
	OE__MOUNT_OVERLAY = 'o', /* a directory of the host; what is written there vanishes  */
	OE__MOUNT_DEVICE = 'd',  /* a device node                                            */
	OE__MOUNT_LINK = 'l',    /* a symbolic link to `source`                              */
	OE__MOUNT_MASK = 'm',    /* an empty thing over a file or directory that the rest shows  */
	OE__MOUNT_SCRATCH = 't'  /* an empty directory of each evaluation's own; `source` names it */
};

struct oe__mount {
	char kind;
	const char *path;   /* absolute */
	const char *source; /* "" : the same path */
};

#define OE__MOUNTS_MAX  256
#define OE__FILTER_MAX  2048 /* instructions of the system call filter */
#define OE__INSIDE      "/.oe"
#define OE__INSIDE_INIT OE__INSIDE "/init"
#define OE__INSIDE_LIBRARY OE__INSIDE "/confine.so"

struct oe__policy_head {
	int32_t tier;     /* set by the spawner */
	int32_t profile, network;
	int32_t mode;
	uint32_t mount_count;
	uint32_t filter_count; /* instructions, set by the spawner */
	int32_t landlock;      /* ABI, set by the spawner          */
	uint32_t uid;          /* inside; set by the spawner       */
	uint64_t scratch_bytes, scratch_files;
	uint64_t memory_total, cpu_total_ms; /* of a tree */
	struct oe__limits limits;
};

struct oe__plan {
	struct oe__policy_head head;
	struct oe__mount mounts[OE__MOUNTS_MAX]; /* sorted by path: parents come first */
	uint64_t filter[OE__FILTER_MAX];         /* struct sock_filter: see <linux/filter.h> */
};

/* Read `head.mount_count` mounts from bytes that stay where they are: for each its kind, its path and its
   source, NUL-terminated. @return the bytes used, or 0 if they are not whole. */
size_t plan_read_mounts(struct oe__plan *plan, size_t first, size_t count, char *bytes, size_t size);

/* The kit: the plan as bytes in a memory file (sealed), and back. The descriptor is CLOEXEC; -1: errno. */
int plan_to_kit(const struct oe__plan *plan);
bool plan_from_kit(struct oe__plan *plan, int fd); /* maps it, for good */

/* Is `path` below `parent`, or the same? */
bool plan_is_below(const char *path, const char *parent);

#endif /* OE__CONFINE_PLAN_H */
