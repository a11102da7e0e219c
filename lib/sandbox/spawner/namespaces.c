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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../confine/limits.h"
#include "../confine/root.h"
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

int identity_map(const struct oe__plan *plan)
{
	return has_own_mounts(plan) ? make_map(plan->head.uid) : -1;
}

/* ---- processes that make something, show it, and end ---- */

struct making {
	const struct oe__plan *plan;
	const char *staging;
	const struct namespaces *namespaces;
};

struct holder {
	pid_t pid;
	int open; /* until this is closed it stays */
};

static bool holder_start(struct holder *holder, bool (*make)(const struct making *),
                         const struct making *what)
{
	int up[2], down[2];
	char word = 'n';

	if (pipe2(up, O_CLOEXEC) < 0)
		return false;
	if (pipe2(down, O_CLOEXEC) < 0) {
		close(up[0]);
		close(up[1]);
		return false;
	}
	holder->open = down[1];
	holder->pid = fork();
	if (holder->pid == 0) {
		close(down[1]);
		word = make(what) ? 'y' : 'n';
		ssize_t got = write(up[1], &word, 1) == 1 ? read(down[0], &word, 1) : -1;
		_exit(got < 0);
	}
	close(up[1]);
	close(down[0]);
	bool made = holder->pid > 0 && read(up[0], &word, 1) == 1 && word == 'y';
	close(up[0]);
	return made;
}

static void holder_end(const struct holder *holder)
{
	close(holder->open);
	if (holder->pid > 0)
		(void)waitpid(holder->pid, NULL, 0);
}

static int open_one(const struct holder *holder, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)holder->pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* ---- the pool ---- */

static bool make_apart(const struct oe__plan *plan)
{
	int flags = CLONE_NEWIPC | CLONE_NEWUTS |
	            (plan->head.network == OE_NETWORK_HOST ? 0 : CLONE_NEWNET);

	return unshare(flags) == 0 && loopback_up(plan) && sethostname("sandbox", 7) == 0;
}

/* The network of root's trees is root's, of others it is their user namespace's. */
static bool make_all(const struct making *what)
{
	const struct oe__plan *plan = what->plan;
	bool root = geteuid() == 0;

	if (root && (!make_apart(plan) || !privileges_become(plan->head.uid)))
		return false;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	return unshare(CLONE_NEWUSER) == 0 && user_map(uid, gid) && (root || make_apart(plan));
}

static void make(struct namespaces *out, const struct making *what)
{
	struct holder holder = { -1, -1 };

	if (holder_start(&holder, make_all, what)) {
		out->user = open_one(&holder, "user");
		out->ipc = open_one(&holder, "ipc");
		out->uts = open_one(&holder, "uts");
		if (what->plan->head.network != OE_NETWORK_HOST)
			out->net = open_one(&holder, "net");
	}
	if (holder.open >= 0)
		holder_end(&holder);
}

/* ---- the root ---- */

/* Root's shows the machine's /proc, for the tree to cover. Of others it shows one of nobody's: without any,
   a user may not mount another. */
static bool make_root_as_root(const struct making *what)
{
	int map = identity_map(what->plan);
	bool done = unshare(CLONE_NEWNS) == 0 && root_build(what->plan, what->staging, false, map) == 0;

	if (map >= 0)
		close(map);
	return done;
}

static bool make_root(const struct making *what)
{
	int status = 0;

	if (geteuid() == 0)
		return make_root_as_root(what);
	if (!namespaces_enter_user(what->namespaces) || unshare(CLONE_NEWNS) < 0)
		return false;
	pid_t builder = clone_process(CLONE_NEWPID);
	if (builder == 0)
		_exit(root_build(what->plan, what->staging, true, -1));
	while (builder > 0 && waitpid(builder, &status, 0) < 0 && errno == EINTR)
		continue;
	return builder > 0 && status == 0;
}

/* What the host has at the places that a root shows: files are replaced, directories are made anew. */
static uint64_t sources_of(const struct oe__plan *plan)
{
	uint64_t sum = 0xcbf29ce484222325u /* FNV */;

	for (size_t i = 0; i < plan->head.mount_count; i++) {
		const struct oe__mount *mount = &plan->mounts[i];
		struct stat info;
		bool bound = strchr("rswod", mount->kind) &&
		             stat(*mount->source ? mount->source : mount->path, &info) == 0;
		sum = (sum ^ (bound ? (uint64_t)info.st_ino : 0)) * 0x100000001b3u;
		sum = (sum ^ (bound ? (uint64_t)info.st_dev : 0)) * 0x100000001b3u;
	}
	return sum;
}

bool namespaces_is_current(const struct namespaces *namespaces, const struct oe__plan *plan)
{
	return namespaces->root >= 0 && namespaces->sources == sources_of(plan);
}

void namespaces_renew_root(struct namespaces *namespaces, const struct oe__plan *plan,
                           const char *staging)
{
	uint64_t sources = sources_of(plan);
	struct making what = { plan, staging, namespaces };
	struct holder holder = { -1, -1 };

	if (namespaces->sources == sources)
		return;
	namespaces->sources = sources;
	if (namespaces->root >= 0)
		close(namespaces->root);
	namespaces->root = holder_start(&holder, make_root, &what) ? open_one(&holder, "mnt") : -1;
	if (holder.open >= 0)
		holder_end(&holder);
}

struct namespaces *namespaces_get(unsigned index, const struct oe__plan *plan)
{
	if (index >= POOL_MAX)
		return NULL;
	struct namespaces *found = &pool[index];
	if (!found->tried) {
		*found = (struct namespaces){
			.tried = true, .user = -1, .net = -1, .ipc = -1, .uts = -1, .root = -1
		};
		make(found, &(struct making){ .plan = plan });
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

bool namespaces_enter_root(const struct namespaces *namespaces)
{
	return setns(namespaces->root, CLONE_NEWNS) == 0;
}
