#ifndef OE__SPAWNER_DESCENDANTS_H
#define OE__SPAWNER_DESCENDANTS_H

/*
 * Finding and killing everything below a process, however it hides: new sessions, double forks and
 * ignored signals make no difference, as an orphan of a tree goes to the tree's keeper.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Is there a /proc? Without, nothing is found. */
bool descendants_can_be_found(void);

/* Processes and threads of a user, as a limit on their number counts them. */
size_t descendants_of_user(uid_t uid);

/* `root` and what is below it, parents before their children. @return how many, at most `max`. */
size_t descendants_find(pid_t root, pid_t *list, size_t max);

/* Children of this process. @return how many, at most `max`. */
size_t descendants_children(pid_t *list, size_t max);

/* Kill all live descendants of `root` but `keep`, until none is left. @return how many there were. */
size_t descendants_kill(pid_t root, pid_t keep);

#endif /* OE__SPAWNER_DESCENDANTS_H */
