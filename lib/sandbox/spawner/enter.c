/* Namespaces, and the first process in them. */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confine/limits.h"
#include "../confine/root.h"
#include "keeper.h"
#include "namespaces.h"
#include "openevolve/sandbox.h"
#include "spare.h"

#define STRAYS_MAX 250 /* that an exit status can tell */

static int namespaces_of(const struct oe__plan *plan)
{
	return CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
	       (plan->head.network == OE_NETWORK_HOST ? 0 : CLONE_NEWNET);
}

/* Does it see what the policy shows, and nothing else? */
static bool copies_root(const struct start *start)
{
	return start->namespaces && start->namespaces->root >= 0 && start->request.mount_count == 0;
}

/* ---- the first process ---- */

/* Everything but the child is a stray: they go, and are counted. */
static unsigned end_strays(void)
{
	unsigned strays = 0;

	(void)kill(-1, SIGKILL);
	for (;;) {
		pid_t gone = waitpid(-1, NULL, 0);
		if (gone < 0 && errno != EINTR)
			return strays;
		strays += gone > 0;
	}
}

static _Noreturn void keep_house(const struct start *start, pid_t job)
{
	struct rusage usage;
	int status;
	pid_t gone;

	while ((gone = wait4(-1, &status, 0, &usage)) != job)
		if (gone < 0 && errno != EINTR)
			_exit(0);
	if (!start->act)
		report_exit(&start->request, status, &usage);
	unsigned strays = end_strays();
	_exit(strays < STRAYS_MAX ? (int)strays : STRAYS_MAX);
}

/* In the namespaces that were prepared. */
static int prepare(const struct start *start, bool root)
{
	bool overlays = !(start->request.flags & OE__START_WARM);
	int step = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (root)
		return root_private(start->plan, true, overlays);
	if (copies_root(start))
		root_show_processes();
	else
		step = root_build(start->plan, start->staging, true, -1);
	return step == 0 ? root_private(start->plan, false, overlays) : step;
}

/* In those that the clone has made which this process comes from. */
static int prepare_own(const struct start *start, bool root, uid_t uid, gid_t gid)
{
	if (!user_map(uid, gid))
		return OE__STEP_MAPS;
	if (!root && !loopback_up(start->plan))
		return OE__STEP_NETWORK;
	return 0;
}

/* A spare gets to know here what it is for, and tells its keeper. */
static void wait_for_command(struct start *start, int notice, int step)
{
	uint64_t tree;

	if (step != 0 || !spare_wait(start))
		_exit(0);
	tree = start->request.tree;
	if (write(notice, &tree, sizeof(tree)) != (ssize_t)sizeof(tree))
		_exit(0);
}

/* Up to its exec it does system calls, and nothing else: no memory is copied. The self-test has no exec. */
static pid_t start_job(const struct start *start, int notice)
{
	pid_t job = start->act ? fork() : vfork();

	if (job == 0)
		job_run(start, notice);
	return job;
}

static _Noreturn void first_run(const struct start *given, int notice, bool root, uid_t uid, gid_t gid)
{
	static struct start own;
	const struct start *start = &own;
	int step = given->namespaces ? 0 : prepare_own(given, root, uid, gid);

	own = *given;
	if (step == 0)
		step = prepare(start, root);
	if (start->orders >= 0)
		wait_for_command(&own, notice, step);
	pid_t job = step == 0 ? start_job(start, notice) : -1;
	if (job < 0) {
		failure_send(notice, step != 0 ? step : OE__STEP_FORK);
		_exit(0);
	}
	/* Nothing but the way to report: what the job's descriptors lead to ends with the job. */
	(void)syscall(SYS_close_range, 0u, (unsigned)OE__SPAWNER_SOCKET - 1, 0);
	(void)syscall(SYS_close_range, (unsigned)OE__SPAWNER_SOCKET + 1, ~0u, 0);
	keep_house(start, job);
}

/* ---- root first makes the root, then becomes somebody else ---- */

static int build_as_root(const struct start *start)
{
	const struct oe__plan *plan = start->plan;
	int flags = start->namespaces ? CLONE_NEWNS | CLONE_NEWCGROUP : namespaces_of(plan);

	if (unshare(flags) < 0)
		return OE__STEP_NAMESPACES;
	if (!start->namespaces && !loopback_up(plan))
		return OE__STEP_NETWORK;
	int map = identity_map(plan);
	int step = root_build(plan, start->staging, false, map);
	if (map >= 0)
		close(map);
	return step;
}

static int prepare_as_root(const struct start *start)
{
	const struct namespaces *namespaces = start->namespaces;
	int step = 0;

	if (namespaces && !namespaces_enter(namespaces))
		return OE__STEP_NAMESPACES;
	if (!copies_root(start))
		step = build_as_root(start);
	else if (unshare(CLONE_NEWCGROUP) < 0 || !namespaces_enter_root(namespaces))
		step = OE__STEP_NAMESPACES;
	if (step == 0 && !privileges_become(start->plan->head.uid))
		step = OE__STEP_IDENTITY;
	return step;
}

/* Flags of the clone that makes the first process. */
static int flags_of(const struct start *start, bool root)
{
	if (copies_root(start))
		return CLONE_NEWPID;
	if (start->namespaces)
		return CLONE_NEWPID | CLONE_NEWNS | (root ? 0 : CLONE_NEWCGROUP);
	return CLONE_NEWUSER | CLONE_NEWPID | (root ? CLONE_NEWNS : namespaces_of(start->plan));
}

/* The mounts are the keeper's as well: they end with it, when the end of the tree has been reported, and
   not within the end of the last process that sees them. */
static bool take_root(const struct start *start, bool root)
{
	if (!copies_root(start))
		return true;
	return (root || namespaces_enter_root(start->namespaces)) &&
	       unshare(CLONE_NEWNS | (root ? 0 : CLONE_NEWCGROUP)) == 0;
}

pid_t enter_namespaces(const struct start *start, int notice, int *step)
{
	const struct namespaces *namespaces = start->namespaces;
	bool root = geteuid() == 0;

	if (root && (*step = prepare_as_root(start)) != 0)
		return -1;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	*step = OE__STEP_NAMESPACES;
	if (namespaces && (!namespaces_enter_user(namespaces) || (!root && !namespaces_enter(namespaces)) ||
	                   !take_root(start, root)))
		return -1;
	/* Whoever changes its rights is taken for somebody who has secrets, and forgets whose death it waits
	   for. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid_t first = clone_process(flags_of(start, root));
	if (first == 0)
		first_run(start, notice, root, uid, gid);
	return first;
}
