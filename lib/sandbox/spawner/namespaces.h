#ifndef OE__SPAWNER_NAMESPACES_H
#define OE__SPAWNER_NAMESPACES_H

/*
 * Namespaces that trees use one after the other: making a network costs more than all the rest. A tree has
 * them for itself while it lives, and leaves nothing in them: without processes there are no sockets, and
 * what System V and POSIX queues would leave, the filter does not let anybody make. Processes and mounts
 * are new for each tree: of the root that all of them see there is one that nobody lives in, and each gets a
 * copy. To copy forty mounts takes no time; to make them does, and to let go of the host's root makes the
 * kernel wait for all of its processors.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../confine/plan.h"

struct namespaces {
	bool tried;
	int user, net, ipc, uts; /* -1: there is none, or the host's is used          */
	int root;                /* mounts, as the policy has them; -1: there are none */
	uint64_t sources;        /* what they were made of                             */
};

/* Those of the tree with this index; NULL: it has to make its own. */
struct namespaces *namespaces_get(unsigned index, const struct oe__plan *plan);

/*
 * Make the root, if there is none, or if the host has something else at a place that it shows.
 *
 * @param plan    with the policy's mounts only.
 * @param staging an empty directory.
 */
void namespaces_renew_root(struct namespaces *namespaces, const struct oe__plan *plan,
                           const char *staging);
bool namespaces_is_current(const struct namespaces *namespaces, const struct oe__plan *plan);

/* Enter all but the user namespace, then that one: between them root becomes somebody else. @return errno
   is set if false. */
bool namespaces_enter(const struct namespaces *namespaces);
bool namespaces_enter_user(const struct namespaces *namespaces);

/* Enter the root: to copy it, not to change it. Before a user namespace for root, after it for others. */
bool namespaces_enter_root(const struct namespaces *namespaces);

/* ---- pieces, for trees that make their own ---- */

bool user_map(uid_t uid, gid_t gid); /* one user and one group, the same inside as outside: never root */
bool loopback_up(const struct oe__plan *plan);
int identity_map(const struct oe__plan *plan); /* for root_build(), by root; -1: none is needed */
pid_t clone_process(int flags); /* as fork, with flags; for a process without threads */

#endif /* OE__SPAWNER_NAMESPACES_H */
