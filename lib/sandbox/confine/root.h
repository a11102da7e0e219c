#ifndef OE__CONFINE_ROOT_H
#define OE__CONFINE_ROOT_H

/* The file system of a tree (once) and what is private to each evaluation in it (each time). */

#include <stdbool.h>

#include "plan.h"

/*
 * In a mount namespace of its own, with the capability to mount: make `staging` (an empty directory)
 * the root, with the plan's mounts and nothing else. Whatever belongs to an evaluation is not there yet.
 *
 * @param fresh_proc the caller is in the process namespace that /proc is to show; else it is the
 *                   machine's, for root_private() to cover.
 * @param map        user namespace for the user's own directories, so that the files of root look like
 *                   the job's (idmapped mounts); -1: none.
 * @return 0, or the failed enum oe__step with errno set.
 */
int root_build(const struct oe__plan *plan, const char *staging, bool fresh_proc, int map);

/*
 * Over a root that was built: an empty /tmp and /dev/shm, overlays, one quota for all of them. In a
 * mount namespace of its own. It may be done over and over: each time is empty again.
 *
 * @param fresh_proc cover /proc with one of the caller's process namespace.
 * @param overlays   writes beside the evaluator work. Not for a fork server: what it can write, so could
 *                   its evaluations where an overlay over an overlay is more than the kernel stacks.
 * @return as above.
 */
int root_private(const struct oe__plan *plan, bool fresh_proc, bool overlays);

/* Where what is private to an evaluation is kept, and which directories of it belong to a mount of this kind:
   one letter each, with the mount's index. */
#define ROOT_PRIVATE      OE__INSIDE "/scratch"
#define ROOT_PRIVATE_MAX  64
#define ROOT_PRIVATE_WORK 'w'
const char *root_private_names(char kind);
void root_private_path(char name, size_t index, char path[ROOT_PRIVATE_MAX]);

/* Over a root whose /proc is of a process namespace that has ended: the caller's. A container that hides parts
   of its own does not let us make one. */
void root_show_processes(void);

#endif /* OE__CONFINE_ROOT_H */
