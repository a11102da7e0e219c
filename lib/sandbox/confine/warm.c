#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"
#include "root.h"
#include "warm.h"

static struct oe__plan plan = { .head.tier = -1 };
static int joins = -1;        /* "cgroup.procs" of the tree's control group, or /dev/null */
static int own_processes = -1; /* the caller's process namespace */
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

int oe_warm_open(int kit, int group)
{
	if (!plan_from_kit(&plan, kit))
		return fail(OE__STEP_FDS);
	close(kit);
	joins = fcntl(group, F_DUPFD_CLOEXEC, 3);
	close(group);
	return oe_warm_nest();
}

/* The process namespace that oe_warm_end() comes back to is the caller's. */
int oe_warm_nest(void)
{
	if (own_processes >= 0)
		close(own_processes);
	own_processes = -1;
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

int oe_warm_separate(void)
{
	if (joins >= 0 && write(joins, "0", 1) < 0)
		return fail(OE__STEP_GROUP);
	if (plan.head.tier < 2)
		return 0;
	if (unshare(CLONE_NEWNS) < 0)
		return fail(OE__STEP_NAMESPACES);
	int step = root_private(&plan, true, true);
	return step == 0 ? 0 : fail(step);
}

/* Where the evaluator's directories were there are empty ones, of its own. */
int oe_warm_separate_candidate(void)
{
	for (size_t i = 0; i < plan.head.mount_count; i++)
		if (plan.mounts[i].kind == OE__MOUNT_OVERLAY)
			plan.mounts[i].kind = OE__MOUNT_SCRATCH;
	return oe_warm_separate();
}

int oe_warm_hide(const char *path)
{
	if (plan.head.tier >= 2 && mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=4k,nr_inodes=2") < 0)
		return fail(OE__STEP_SCRATCH);
	return 0;
}

int oe_warm_confine(void)
{
	if (plan.head.tier < 0)
		return 0;
	int step = confine_self(&plan, &plan.head.limits);
	return step == 0 ? 0 : fail(step);
}
