#ifndef OE__CONFINE_LIMITS_H
#define OE__CONFINE_LIMITS_H

/* Limits and privileges of the calling process. */

#include <stdbool.h>

#include "plan.h"

/* @return false: errno. */
bool limits_set(const struct oe__limits *limits);

/* No capabilities, now or ever. */
bool privileges_drop(void);

/* Keep what a fork server needs to mount inside of its own user namespace, over exec. */
bool privileges_keep_mounting(void);

/* Become the user and group `uid`, without others. Only for root. */
bool privileges_become(uint32_t uid);

#endif /* OE__CONFINE_LIMITS_H */
