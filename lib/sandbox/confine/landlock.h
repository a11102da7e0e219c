#ifndef OE__CONFINE_LANDLOCK_H
#define OE__CONFINE_LANDLOCK_H

/* Landlock: access rights of this process and its children, on top of (or instead of) mounts. */

#include <stdbool.h>

#include "plan.h"

/* The kernel's ABI version; 0: none. */
int landlock_abi(void);

/* The plan's rules, up to `head.landlock` (which is not 0), for the files that the caller sees. @return a
   descriptor (CLOEXEC); -1: errno. */
int landlock_rules(const struct oe__plan *plan);

/* Restrict the calling process. @return false: errno. */
bool landlock_restrict(int rules);

#endif /* OE__CONFINE_LANDLOCK_H */
