#ifndef OE__SPAWNER_NAMESPACES_H
#define OE__SPAWNER_NAMESPACES_H

/*
 * Namespaces that trees use one after the other: making a network costs more than all the rest. A tree has
 * them for itself while it lives, and leaves nothing in them: without processes there are no sockets, and
 * what System V and POSIX queues would leave, the filter does not let anybody make. Processes and mounts
 * are new for each tree.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "../confine/plan.h"

struct namespaces {
	bool tried;
	int user, net, ipc, uts; /* -1: there is none, or the host's is used */
};

/* Those of the tree with this index; NULL: it has to make its own. */
const struct namespaces *namespaces_get(unsigned index, const struct oe__plan *plan);

/* Enter all but the user namespace, then that one: between them root becomes somebody else. @return errno
   is set if false. */
bool namespaces_enter(const struct namespaces *namespaces);
bool namespaces_enter_user(const struct namespaces *namespaces);

/* ---- pieces, for trees that make their own ---- */

bool user_map(uid_t uid, gid_t gid); /* one user and one group, the same inside as outside: never root */
bool loopback_up(const struct oe__plan *plan);
pid_t clone_process(int flags); /* as fork, with flags; for a process without threads */

#endif /* OE__SPAWNER_NAMESPACES_H */
