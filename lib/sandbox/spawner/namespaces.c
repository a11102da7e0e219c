#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confine/limits.h"
#include "openevolve/sandbox.h"

#define POOL_MAX 64 /* trees beyond that make their own */

static struct namespaces pool[POOL_MAX];

/* ---- pieces ---- */

pid_t clone_process(int flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
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

bool user_map(uid_t uid, gid_t gid)
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

bool loopback_up(const struct oe__plan *plan)
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

/* ---- the pool ---- */

static bool make_apart(const struct oe__plan *plan)
{
	int flags = CLONE_NEWIPC | CLONE_NEWUTS |
	            (plan->head.network == OE_NETWORK_HOST ? 0 : CLONE_NEWNET);

	return unshare(flags) == 0 && loopback_up(plan) && sethostname("sandbox", 7) == 0;
}

/* The network of root's trees is root's, of others it is their user namespace's. */
static bool make_all(const struct oe__plan *plan)
{
	bool root = geteuid() == 0;

	if (root && (!make_apart(plan) || !privileges_become(plan->head.uid)))
		return false;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	return unshare(CLONE_NEWUSER) == 0 && user_map(uid, gid) && (root || make_apart(plan));
}

static int open_one(pid_t holder, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)holder, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A process makes them, shows them, and ends. */
static void make(struct namespaces *out, const struct oe__plan *plan)
{
	int up[2], down[2];
	char word = 0;

	if (pipe2(up, O_CLOEXEC) < 0)
		return;
	if (pipe2(down, O_CLOEXEC) < 0) {
		close(up[0]);
		close(up[1]);
		return;
	}
	pid_t holder = fork();
	if (holder == 0) {
		close(down[1]);
		word = make_all(plan) ? 'y' : 'n';
		ssize_t got = write(up[1], &word, 1) == 1 ? read(down[0], &word, 1) : -1;
		_exit(got < 0);
	}
	close(up[1]);
	close(down[0]);
	if (holder > 0 && read(up[0], &word, 1) == 1 && word == 'y') {
		out->user = open_one(holder, "user");
		out->ipc = open_one(holder, "ipc");
		out->uts = open_one(holder, "uts");
		if (plan->head.network != OE_NETWORK_HOST)
			out->net = open_one(holder, "net");
	}
	close(up[0]);
	close(down[1]);
	if (holder > 0)
		(void)waitpid(holder, NULL, 0);
}

const struct namespaces *namespaces_get(unsigned index, const struct oe__plan *plan)
{
	if (index >= POOL_MAX)
		return NULL;
	struct namespaces *found = &pool[index];
	if (!found->tried) {
		*found = (struct namespaces){ true, -1, -1, -1, -1 };
		make(found, plan);
	}
	return found->user >= 0 && found->ipc >= 0 && found->uts >= 0 ? found : NULL;
}

bool namespaces_enter(const struct namespaces *namespaces)
{
	return setns(namespaces->ipc, CLONE_NEWIPC) == 0 && setns(namespaces->uts, CLONE_NEWUTS) == 0 &&
	       (namespaces->net < 0 || setns(namespaces->net, CLONE_NEWNET) == 0);
}

bool namespaces_enter_user(const struct namespaces *namespaces)
{
	return setns(namespaces->user, CLONE_NEWUSER) == 0;
}
