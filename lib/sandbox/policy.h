#ifndef OE__SANDBOX_POLICY_H
#define OE__SANDBOX_POLICY_H

/* A policy as the spawner gets it: which files of this machine make up the root of a confined program. */

#include "base/buffer.h"
#include "openevolve/sandbox.h"

/*
 * The packet of OE__REQUEST_POLICY: struct oe__policy_head and the mounts, parents first.
 *
 * @param helpers NULL-terminated pairs of a file of ours and the path that it has inside.
 */
int oe__policy_packet(const oe_sandbox_policy *policy, const char *const *helpers,
                      struct oe__buffer *out);

/* The limits of each process. */
struct oe__limits oe__policy_limits(const oe_sandbox_policy *policy);

#endif /* OE__SANDBOX_POLICY_H */
