#ifndef OE__EVALUATOR_POLICY_H
#define OE__EVALUATOR_POLICY_H

/* The sandbox that a configuration asks for, around an evaluator. */

#include "base/auto.h"
#include "base/buffer.h"
#include "openevolve/config.h"
#include "openevolve/sandbox.h"

struct oe__paths {
	char **list; /* NULL-terminated, owned */
	size_t count, capacity;
};

int oe__paths_add(struct oe__paths *paths, const char *path);
void oe__paths_done(struct oe__paths *paths); /* zeroed is fine, and so it is afterwards */

struct oe__policy {
	oe_sandbox_policy policy; /* its lists are those below, from the last oe__policy_close() on */
	struct oe__paths readable, writable, directories, toolchain, masked;
	const char *here; /* where programs run: "/tmp" if nothing of the start directory is shown */
	struct oe__buffer remark; /* about what is shown in part only; for the report */
};

void oe__policy_done(struct oe__policy *policy); /* zeroed is fine */

/*
 * "sandbox.*" and the limits of "evaluator.*". Of the directories of the evaluator and of the start (`here`)
 * all is shown, unless that is the user's home or a place for everybody: then just their plain files. What
 * usually holds secrets (".env", ".git", ...) is masked there, and so is the file of "llm.api_key_file".
 *
 * @param evaluator absolute; NULL: none.
 * @param here      absolute; outlives `out`.
 * @retval OE_ERR_CONFIG a path of the configuration is not there.
 */
int oe__policy_from_config(const oe_config *config, const char *evaluator, const char *here,
                           struct oe__policy *out, oe_error *err);

/* The absolute path of an evaluator, without "..": in a sandbox the directory that it leads through
   need not be there. NULL: out of memory. */
char *oe__policy_place(const char *path);

/* One more path to read, which nobody has put a socket into: part of an interpreter, a plain file. */
int oe__policy_show(struct oe__policy *policy, const char *path);

OE__AUTO_VALUE(policy, struct oe__policy, oe__policy_done)

#endif /* OE__EVALUATOR_POLICY_H */
