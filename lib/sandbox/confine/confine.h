#ifndef OE__CONFINE_CONFINE_H
#define OE__CONFINE_CONFINE_H

/* The last steps of a process on its way to code that nobody has read. */

#include "plan.h"

/*
 * Limits, privileges, Landlock, filter, in this order. After it, only the job's own code should follow.
 *
 * @return 0, or the failed enum oe__step with errno set.
 */
int confine_self(const struct oe__plan *plan, const struct oe__limits *limits);

/* The same in two parts, for a fork server: most of the filter, once, and the rest for each of its children.
   The plan's filter is the one for servers. `rules`: see landlock_rules(); -1: to be made. */
int confine_server(const struct oe__plan *plan);
int confine_child(const struct oe__plan *plan, int rules);

#endif /* OE__CONFINE_CONFINE_H */
