#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "landlock.h"
#include "root.h"
#include "warm.h"

static struct oe__plan plan = { .head.tier = -1 };
static int joins = -1;        /* "cgroup.procs" of the tree's control group, or /dev/null */
static int own_processes = -1; /* the caller's process namespace */
static int own_mounts = -1;    /* the server's                    */
static int rules = -1;         /* of the caller, for Landlock     */
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
	if (plan.head.tier >= 2 && (own_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) < 0)
		return fail(OE__STEP_NAMESPACES);
	int step = confine_server(&plan);
	if (step != 0)
		return fail(step);
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

bool oe_warm_has_files(void)
{
	return plan.head.tier >= 2;
}

static int join_group(void)
{
	return joins >= 0 && write(joins, "0", 1) < 0 ? fail(OE__STEP_GROUP) : 0;
}

static int make_files(struct files *out)
{
	*out = NO_FILES;
	if (plan.head.tier < 2)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 ||
	    (out->mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) < 0)
		return fail(OE__STEP_NAMESPACES);
	int step = root_private(&plan, true, true);
	if (step != 0)
		return fail(step);
	if (plan.head.landlock >= 1 && (out->rules = landlock_rules(&plan)) < 0)
		return fail(OE__STEP_LANDLOCK);
	rules = out->rules;
	return 0;
}

int oe_warm_separate(struct files *out)
{
	int status = join_group();

	return status < 0 ? status : make_files(out);
}

/* ---- the files of the child before ---- */

#define KEPT_NS 1000000000 /* then they are made anew: what the host changes in a directory below one that is
                              shown, an overlay may not see */

static int64_t now_ns(clockid_t clock)
{
	struct timespec time = { 0 };

	(void)clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* In its mounts, if true; perhaps also if not. */
static bool enter_untouched(int mounts, struct kept *kept)
{
	if (mounts < 0 || kept->soiled || kept->made_ns + KEPT_NS < now_ns(CLOCK_MONOTONIC))
		return false;
	trace_sources(&plan, &kept->now);
	if (setns(mounts, CLONE_NEWNS) < 0)
		return false;
	uint64_t file = trace_private(&plan, &kept->now);
	if (file != kept->then.next_file || !trace_equals(&kept->then, &kept->now))
		return false;
	kept->then.next_file = kept->now.next_file;
	return true;
}

int oe_warm_separate_again(struct files *files, struct kept *kept)
{
	int status = join_group();

	rules = files->rules;
	if (status < 0 || enter_untouched(files->mounts, kept))
		return status;
	if (files->mounts >= 0 && setns(own_mounts, CLONE_NEWNS) < 0)
		return fail(OE__STEP_NAMESPACES);
	kept->made_ns = now_ns(CLOCK_MONOTONIC);
	kept->soiled = false;
	trace_sources(&plan, &kept->then);
	if ((status = make_files(files)) < 0)
		return status;
	kept->exact = trace_is_exact();
	(void)trace_private(&plan, &kept->then);
	return 0;
}

/* Where time goes by ticks, what happens within the same one does not show. */
void oe_warm_trust(struct kept *kept)
{
	if (!kept->exact && kept->then.changed_ns >= now_ns(CLOCK_REALTIME_COARSE))
		kept->soiled = true;
}

/* Where the evaluator's directories were there are empty ones, of its own. */
int oe_warm_separate_candidate(void)
{
	for (size_t i = 0; i < plan.head.mount_count; i++)
		if (plan.mounts[i].kind == OE__MOUNT_OVERLAY)
			plan.mounts[i].kind = OE__MOUNT_SCRATCH;
	struct files files;
	int status = oe_warm_separate(&files);
	if (status == 0 && files.mounts >= 0)
		close(files.mounts);
	return status;
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
	int step = confine_child(&plan, rules);
	return step == 0 ? 0 : fail(step);
}
