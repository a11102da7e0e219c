/* Namespaces, and the first process in them. */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confine/limits.h"
#include "../confine/root.h"
#include "keeper.h"
#include "openevolve/sandbox.h"

#define STRAYS_MAX 250 /* that an exit status can tell */

/* Without threads, and without anything that fork() would have to tell: as fork, with flags. */
static pid_t clone_process(int flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

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

/* One user and one group, the same inside as outside: never root. */
static bool write_maps(uid_t uid, gid_t gid)
{
	char line[64];

	if (!write_file("/proc/self/setgroups", "deny") && errno != ENOENT)
		return false;
	(void)snprintf(line, sizeof(line), "%u %u 1\n", (unsigned)gid, (unsigned)gid);
	if (!write_file("/proc/self/gid_map", line))
		return false;
	(void)snprintf(line, sizeof(line), "%u %u 1\n", (unsigned)uid, (unsigned)uid);
	return write_file("/proc/self/uid_map", line);
}

static bool loopback_up(const struct oe__plan *plan)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (plan->head.network != OE_NETWORK_LOOPBACK)
		return true;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	if (fd >= 0)
		close(fd);
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
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!write_maps(uid, gid))
		return OE__STEP_MAPS;
	if (!built) {
		if (!loopback_up(start->plan))
			return OE__STEP_NETWORK;
		int step = root_build(start->plan, start->staging, true, -1);
		if (step != 0)
			return step;
	}
	(void)sethostname("sandbox", 7);
	return root_private(start->plan, built);
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

	if (unshare(namespaces_of(plan)) < 0)
		return OE__STEP_NAMESPACES;
	if (!loopback_up(plan))
		return OE__STEP_NETWORK;
	int step = root_build(plan, start->staging, false, map);
	if (map >= 0)
		close(map);
	if (step != 0)
		return step;
	if (!privileges_become(plan->head.uid))
		return OE__STEP_IDENTITY;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* another user: it was reset */
	return 0;
}

pid_t enter_namespaces(const struct start *start, int notice, int *step)
{
	bool root = geteuid() == 0;

	if (root && (*step = build_as_root(start)) != 0)
		return -1;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	*step = OE__STEP_NAMESPACES;
	pid_t first = clone_process(CLONE_NEWUSER | CLONE_NEWPID |
	                            (root ? CLONE_NEWNS : namespaces_of(start->plan)));
	if (first == 0)
		first_run(start, notice, root, uid, gid);
	return first;
}
