#ifndef OE__SANDBOX_SANDBOX_H
#define OE__SANDBOX_SANDBOX_H

/*
 * The client of the spawner: starts process trees, kills them, hears how they end. One thread at a
 * time (the reactor, in the library): poll the descriptor, dispatch when it is readable. Nothing
 * here blocks, but for the start of the spawner itself.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "openevolve/common.h"
#include "sandbox/confine/plan.h"
#include "sandbox/protocol.h"
#include "sandbox/report.h"

struct oe__sandbox;

/* Called by dispatch for each report of a tree, OE__REPORT_LOST included. */
typedef void oe__sandbox_listener(void *owner, const struct oe__report *report);

/* What one tree sees besides what the policy names. */
struct oe__tree_mount {
	char kind; /* enum oe__mount_kind */
	const char *path;
};

struct oe__tree_spec {
	uint32_t flags;               /* enum oe__start_flag */
	const char *const *arguments; /* NULL-terminated; the first is looked up in the child's PATH */
	const char *const *variables; /* "NAME=value", NULL-terminated: the whole environment        */
	const char *directory;
	const int *fds; /* become 0, 1, 2, ...; stay the caller's */
	uint32_t fd_count;
	const struct oe__tree_mount *mounts;
	uint32_t mount_count;
	struct oe__limits limits;
};

/*
 * Start the spawner. Its scratch directory is made under `temporary` ("/tmp") and removed at the end,
 * even if this process is killed. With a policy that confines, the machine is probed: this waits for the
 * self-test (some ten milliseconds).
 *
 * @param policy NULL: nothing is confined, and there is no report.
 * @retval OE_ERR_SANDBOX what the policy requires cannot be given.
 */
int oe__sandbox_new(const char *temporary, const oe_sandbox_policy *policy, struct oe__sandbox **out,
                    oe_error *err);

/* Kill everything and wait until it is gone. */
void oe__sandbox_free(struct oe__sandbox *sandbox);

/* The tier that trees of OE__START_CONFINED get; -1: none, the flag must not be set. */
int oe__sandbox_tier(const struct oe__sandbox *sandbox);

/* What the policy comes to on this machine; may be amended by who runs the trees. */
struct oe__sandbox_report *oe__sandbox_report(struct oe__sandbox *sandbox);

/* Where small files go that trees read: in memory if they have a /tmp of their own, else in the scratch. */
const char *oe__sandbox_files(const struct oe__sandbox *sandbox);

/* The library that fork servers load; as old as the sandbox. */
const char *oe__sandbox_library(const struct oe__sandbox *sandbox);

const char *oe__sandbox_scratch(const struct oe__sandbox *sandbox);
int oe__sandbox_fd(const struct oe__sandbox *sandbox);

/* Deliver the reports that are there. @return false if the spawner is gone: every tree was reported
   lost, and the sandbox is of no use any more. */
bool oe__sandbox_dispatch(struct oe__sandbox *sandbox);

/* Start a tree; `*tree` names it in reports and requests. */
int oe__sandbox_start(struct oe__sandbox *sandbox, const struct oe__tree_spec *spec,
                      oe__sandbox_listener *listener, void *owner, uint64_t *tree, oe_error *err);

/* Kill the tree: DEAD is reported when nothing of it is left. */
void oe__sandbox_kill(struct oe__sandbox *sandbox, uint64_t tree);

/* Ask for the memory of its control group: MEMORY is reported. */
void oe__sandbox_memory(struct oe__sandbox *sandbox, uint64_t tree);

/* Kill all of the tree but its keeper and process `keep`: SWEPT is reported. Below tier 2. */
void oe__sandbox_sweep(struct oe__sandbox *sandbox, uint64_t tree, int32_t keep);

/* Is `keep` all that the keeper has? Asked without the spawner: a file of /proc. False when unsure. */
bool oe__sandbox_is_clear(int32_t keeper, int32_t keep);

/* No reports of this tree any more. */
void oe__sandbox_forget(struct oe__sandbox *sandbox, uint64_t tree);

OE__AUTO_POINTER(sandbox, struct oe__sandbox *, oe__sandbox_free)

#endif /* OE__SANDBOX_SANDBOX_H */
