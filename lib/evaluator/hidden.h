#ifndef OE__EVALUATOR_HIDDEN_H
#define OE__EVALUATOR_HIDDEN_H

/*
 * Directories of runs. What is in them (every program and every answer, the database itself) is nothing that a
 * program should see, wherever they lie in what evaluations are shown. They are known to the whole process:
 * a run is begun after its evaluator was made, and two runs may share one. Any thread.
 */

#include "evaluator/policy.h"
#include "sandbox/sandbox.h"

#define OE__HIDDEN_MAX 64 /* masks of one tree */

/* From now on, until what `out` is then is removed. */
int oe__hidden_add(const char *directory, const char **out);
void oe__hidden_remove(const char *hidden); /* or NULL */

/* How many there have been: who has looked for them before has to do so again, if that is more now. */
uint64_t oe__hidden_count(void);

/* Does this directory have a run in it? */
bool oe__hidden_is_run(const char *directory);

/* Is this what a run calls something in its directory? */
bool oe__hidden_is_of_run(const char *name);

/* What has to be masked of what the policy shows. What a list of it names is not. */
struct oe__hidden {
	struct oe__paths paths;
};
int oe__hidden_find(const struct oe__policy *policy, struct oe__hidden *out);
void oe__hidden_done(struct oe__hidden *hidden);

/* As mounts of a tree; `room` for all of them. */
size_t oe__hidden_mounts(const struct oe__hidden *hidden, struct oe__tree_mount room[OE__HIDDEN_MAX]);

OE__AUTO_VALUE(hidden, struct oe__hidden, oe__hidden_done)

#endif /* OE__EVALUATOR_HIDDEN_H */
