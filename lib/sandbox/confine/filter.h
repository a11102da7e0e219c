#ifndef OE__CONFINE_FILTER_H
#define OE__CONFINE_FILTER_H

/*
 * The system call filter. Everything is allowed that is not on the list, up to the newest call that was
 * reviewed: what a later kernel adds looks as if it were not there.
 */

#include <stdbool.h>

#include "plan.h"

enum filter_use {
	FILTER_JOB,
	FILTER_SERVER /* which mounts, and makes namespaces: its children have the rest of it (confine_child()) */
};

/* Make the filter for the plan's tier, network and profile. @return false: errno. In the spawner. */
bool filter_make(struct oe__plan *plan, enum filter_use use);

/* Install it in the calling process. @return false: errno. */
bool filter_apply(const struct oe__plan *plan);

#endif /* OE__CONFINE_FILTER_H */
