#include "confine.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* What the filter for servers leaves to them. */
static bool filter_rest(void)
{
	const unsigned denied = SECCOMP_RET_ERRNO | EPERM;
	struct sock_filter rest[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, denied),
	};
	struct sock_fprog program = { .len = sizeof(rest) / sizeof(rest[0]), .filter = rest };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static bool restrict_files(const struct oe__plan *plan, int known)
{
	if (plan->head.tier < 1 || plan->head.landlock < 1)
		return true;
	int rules = known >= 0 ? known : landlock_rules(plan);
	if (rules < 0)
		return false;
	bool done = landlock_restrict(rules);
	int code = errno;
	close(rules);
	errno = code;
	return done;
}

int confine_self(const struct oe__plan *plan, const struct oe__limits *limits)
{
	if (!limits_set(limits))
		return OE__STEP_LIMITS;
	if (!privileges_drop())
		return OE__STEP_PRIVILEGES;
	if (!restrict_files(plan, -1))
		return OE__STEP_LANDLOCK;
	return filter_apply(plan) ? 0 : OE__STEP_FILTER;
}

int confine_server(const struct oe__plan *plan)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return OE__STEP_PRIVILEGES;
	return filter_apply(plan) ? 0 : OE__STEP_FILTER;
}

int confine_child(const struct oe__plan *plan, int rules)
{
	if (!limits_set(&plan->head.limits))
		return OE__STEP_LIMITS;
	if (!privileges_drop())
		return OE__STEP_PRIVILEGES;
	if (!restrict_files(plan, rules))
		return OE__STEP_LANDLOCK;
	return plan->head.tier < 2 || filter_rest() ? 0 : OE__STEP_FILTER;
}
