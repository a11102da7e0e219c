#ifndef OE__SPAWNER_SPARE_H
#define OE__SPAWNER_SPARE_H

/*
 * A tree that waits for its command: its namespaces, mounts and first process are there already. What is left
 * to do for a command is to fork, to confine and to execute it; meanwhile the next one is made. For trees that
 * see what the policy shows, and nothing else.
 */

#include <stdbool.h>

#include "request.h"
#include "tree.h"

/* Give it what the host asks for. @return false if there is none that would do. */
bool spare_give(const struct packet *packet);

/* Make one, if there is none. */
void spare_make(const char *staging);

/* A keeper has ended: was it the spare's? Then there is no more of them, as something is wrong. */
bool spare_gone(const struct tree *tree);

/* In the first process of the tree: wait for the command. @return false if it is not wanted. */
bool spare_wait(struct start *start);

#endif /* OE__SPAWNER_SPARE_H */
