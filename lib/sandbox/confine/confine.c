#include "confine.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "filter.h"
#include "landlock.h"
#include "limits.h"

bool filter_apply(const struct oe__plan *plan)
{
	struct sock_fprog program = { .len = (unsigned short)plan->head.filter_count,
		                          .filter = (struct sock_filter *)(uintptr_t)plan->filter };

	if (plan->head.filter_count == 0)
		return true;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

int confine_self(const struct oe__plan *plan, const struct oe__limits *limits)
{
	if (!limits_set(limits))
		return OE__STEP_LIMITS;
	if (!privileges_drop())
		return OE__STEP_PRIVILEGES;
	if (plan->head.tier >= 1 && !landlock_apply(plan))
		return OE__STEP_LANDLOCK;
	return filter_apply(plan) ? 0 : OE__STEP_FILTER;
}
