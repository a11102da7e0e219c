/* Namespaces, and the first process in them. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confine/limits.h"
#include "../confine/root.h"
#include "keeper.h"
#include "namespaces.h"
#include "openevolve/sandbox.h"

#define STRAYS_MAX 250 /* that an exit status can tell */

static int namespaces_of(const struct oe__plan *plan)
{
	return CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
	       (plan->head.network == OE_NETWORK_HOST ? 0 : CLONE_NEWNET);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int code = errno;

	if (fd >= 0)
		close(fd);
	errno = code;
	return done;
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

static int prepare(const struct start *start, bool built, uid_t uid, gid_t gid)
{
	bool own = !start->namespaces; /* made by the clone that this process comes from */

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (own && !user_map(uid, gid))
		return OE__STEP_MAPS;
	if (own && !built && !loopback_up(start->plan))
		return OE__STEP_NETWORK;
	int step = built ? 0 : root_build(start->plan, start->staging, true, -1);
	return step == 0 ? root_private(start->plan, built, !(start->request.flags & OE__START_WARM))
	                 : step;
}

static _Noreturn void first_run(const struct start *start, int notice, bool built, uid_t uid, gid_t gid)
{
	int step = prepare(start, built, uid, gid);
	pid_t job = step == 0 ? fork() : -1;

	if (job == 0)
		job_run(start, notice);
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

static bool has_own_mounts(const struct oe__plan *plan)
{
	for (size_t i = 0; i < plan->head.mount_count; i++)
		if (strchr("rwo", plan->mounts[i].kind))
			return true;
	return false;
}

/* A user namespace in which root is `uid`: the files of root then look like the job's own. */
static int make_map(uint32_t uid)
{
	char path[64], line[64];
	int ends[2], fd = -1;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid_t holder = clone_process(CLONE_NEWUSER);
	if (holder == 0) { /* holds the namespace until the pipe ends */
		close(ends[1]);
		_exit((int)read(ends[0], line, 1));
	}
	(void)snprintf(line, sizeof(line), "0 %u 1\n", uid);
	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)holder);
	bool done = holder > 0 && write_file(path, line);
	(void)snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)holder);
	if (done && write_file(path, line)) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)holder);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	close(ends[0]);
	close(ends[1]);
	if (holder > 0)
		(void)waitpid(holder, NULL, 0);
	return fd;
}

static int build_as_root(const struct start *start)
{
	const struct oe__plan *plan = start->plan;
	int map = has_own_mounts(plan) ? make_map(plan->head.uid) : -1;
	int flags = start->namespaces ? CLONE_NEWNS | CLONE_NEWCGROUP : namespaces_of(plan);

	if ((start->namespaces && !namespaces_enter(start->namespaces)) || unshare(flags) < 0)
		return OE__STEP_NAMESPACES;
	if (!start->namespaces && !loopback_up(plan))
		return OE__STEP_NETWORK;
	int step = root_build(plan, start->staging, false, map);
	if (map >= 0)
		close(map);
	if (step != 0)
		return step;
	return privileges_become(plan->head.uid) ? 0 : OE__STEP_IDENTITY;
}

/* Flags of the clone that makes the first process. */
static int flags_of(const struct start *start, bool root)
{
	if (start->namespaces)
		return CLONE_NEWPID | CLONE_NEWNS | (root ? 0 : CLONE_NEWCGROUP);
	return CLONE_NEWUSER | CLONE_NEWPID | (root ? CLONE_NEWNS : namespaces_of(start->plan));
}

pid_t enter_namespaces(const struct start *start, int notice, int *step)
{
	const struct namespaces *namespaces = start->namespaces;
	bool root = geteuid() == 0;

	if (root && (*step = build_as_root(start)) != 0)
		return -1;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	*step = OE__STEP_NAMESPACES;
	if (namespaces && (!namespaces_enter_user(namespaces) ||
	                   (!root && !namespaces_enter(namespaces))))
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
