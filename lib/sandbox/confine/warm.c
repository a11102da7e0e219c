/*
 * oe-confine.so: what the fork server calls, through ctypes, to put a child where it can do no harm. The
 * server itself runs our code, and libraries; it has one thread.
 *
 *     oe_warm_open(kit, group)         once
 *     oe_warm_begin(&init, &hold)      children go into a process namespace of their own from here ...
 *     fork()                           ... this one,
 *     oe_warm_end()                    ... to here
 *     oe_warm_confine()                in the child: from here on it can only do its job
 *
 * Each gives 0, or minus an errno; oe_warm_step() then says what failed.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "root.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int oe_warm_open(int kit, int group);
EXPORTED int oe_warm_tier(void);
EXPORTED int oe_warm_begin(int *init, int *hold);
EXPORTED int oe_warm_end(void);
EXPORTED int oe_warm_confine(void);
EXPORTED int oe_warm_step(void);

static struct oe__plan plan;
static int joins = -1;        /* "cgroup.procs" of the tree's control group, or /dev/null */
static int own_processes = -1; /* the server's process namespace */
static int failed_step;

static int fail(int step)
{
	failed_step = step;
	return errno > 0 ? -errno : -EINVAL;
}

int oe_warm_step(void)
{
	return failed_step;
}

int oe_warm_tier(void)
{
	return plan.head.tier;
}

int oe_warm_open(int kit, int group)
{
	if (!plan_from_kit(&plan, kit))
		return fail(OE__STEP_FDS);
	close(kit);
	joins = fcntl(group, F_DUPFD_CLOEXEC, 3);
	close(group);
	if (plan.head.tier < 2)
		return 0;
	own_processes = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	return own_processes < 0 ? fail(OE__STEP_PROC) : 0;
}

/* Between vfork and exec: nothing but system calls. */
static pid_t start_init(int theirs)
{
	static char name[] = "oe-init";
	char *arguments[] = { name, NULL }, *variables[] = { NULL };
	pid_t child = vfork();

	if (child == 0) {
		if (dup2(theirs, 0) == 0) {
			(void)syscall(SYS_close_range, 1u, ~0u, 0);
			(void)execve(OE__INSIDE_INIT, arguments, variables);
		}
		_exit(127);
	}
	return child;
}

/*
 * The first process of the namespace (`init`), which the server has to wait for; when `hold` is closed it
 * ends whatever is left in it.
 */
int oe_warm_begin(int *init, int *hold)
{
	int ends[2];

	if (plan.head.tier < 2) {
		*init = *hold = -1;
		return 0;
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(OE__STEP_FORK);
	pid_t child = unshare(CLONE_NEWPID) == 0 ? start_init(ends[0]) : -1;
	int code = errno;
	close(ends[0]);
	errno = code;
	if (child < 0) {
		code = fail(OE__STEP_NAMESPACES);
		close(ends[1]);
		return code;
	}
	*init = child;
	*hold = ends[1];
	return 0;
}

int oe_warm_end(void)
{
	if (plan.head.tier >= 2 && setns(own_processes, CLONE_NEWPID) < 0)
		return fail(OE__STEP_NAMESPACES);
	return 0;
}

int oe_warm_confine(void)
{
	int step = 0;

	if (joins >= 0 && write(joins, "0", 1) < 0)
		return fail(OE__STEP_GROUP);
	if (plan.head.tier >= 2) {
		if (unshare(CLONE_NEWNS) < 0)
			return fail(OE__STEP_NAMESPACES);
		step = root_private(&plan, true);
	}
	if (step == 0)
		step = confine_self(&plan, &plan.head.limits);
	return step == 0 ? 0 : fail(step);
}
