#ifndef OE__CONFINE_LANDLOCK_H
#define OE__CONFINE_LANDLOCK_H

/* Landlock: access rights of this process and its children, on top of (or instead of) mounts. */

#include <stdbool.h>

#include "plan.h"

/* The kernel's ABI version; 0: none. */
int landlock_abi(void);

/* Restrict the calling process as the plan says: up to `head.landlock`. @return false: errno. */
bool landlock_apply(const struct oe__plan *plan);

#endif /* OE__CONFINE_LANDLOCK_H */
