#ifndef OE__SPAWNER_CONFINEMENT_H
#define OE__SPAWNER_CONFINEMENT_H

/* The policy that the host gave, and what of it this machine can do. */

#include "keeper.h"
#include "tree.h"

/* Take the policy from a packet (its head, then mounts). @return 0 or an errno. */
int confinement_set(const char *bytes, size_t size);

/* Find the best tier whose self-test the machine passes; answers the host. */
void confinement_probe(const char *scratch, const char *staging);

/*
 * Fill in how a tree is confined: its own copy of the plan, with the mounts of the request (`bytes`), and the
 * namespaces. Then its control group and, of a fork server, its kit.
 *
 * @param start its `plan`, `group` and last descriptors are set; closed by confinement_release().
 * @return 0 or an errno.
 */
int confinement_prepare(struct start *start, const struct tree *tree, char *bytes, size_t size);
int confinement_limit(struct start *start, struct cgroup **group);
void confinement_release(struct start *start);

/* What all trees have in common. */
const struct oe__plan *confinement_policy(void);

/* Would a tree that was made before this request came be the same? */
bool confinement_can_wait(const struct oe__request *request);

/* Is the root of this tree still what the host has? */
bool confinement_is_current(const struct tree *tree);

#endif /* OE__SPAWNER_CONFINEMENT_H */
