#include "descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIDS_MAX  8192 /* more than any limit on processes lets through; the rest in the next round */
#define WAIT_MS   50   /* for those just killed to be gone; then look again                        */
#define BATCH_MAX 64   /* of them that are waited for at once                                      */

struct pids {
	size_t count;
	pid_t list[PIDS_MAX];
};

static void add(struct pids *pids, pid_t pid)
{
	if (pids->count < PIDS_MAX)
		pids->list[pids->count++] = pid;
}

static ssize_t read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t got = read(fd, text, size - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got;
}

/* State and parent from /proc/PID/stat; the name in it may hold anything, even parentheses. */
static bool look_up(pid_t pid, char *state, pid_t *parent)
{
	char path[64], text[512];
	int number;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_small(path, text, sizeof(text)) <= 0)
		return false;
	const char *behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1, " %c %d", state, &number) != 2)
		return false;
	*parent = number;
	return true;
}

/* ---- children, by the list that the kernel keeps ---- */

static bool add_children_of_thread(struct pids *pids, pid_t pid, const char *thread)
{
	char path[96], text[65536];

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid, thread);
	if (read_small(path, text, sizeof(text)) < 0)
		return false;
	for (char *rest = text, *end; *rest; rest = end) {
		long child = strtol(rest, &end, 10);
		if (end == rest)
			break;
		add(pids, (pid_t)child);
	}
	return true;
}

static bool add_children(struct pids *pids, pid_t pid)
{
	char path[64];
	struct dirent *entry;
	bool known = true;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *threads = opendir(path);
	if (!threads)
		return true; /* it is gone, and its children are elsewhere in the tree */
	while (known && (entry = readdir(threads)) != NULL)
		if (entry->d_name[0] != '.')
			known = add_children_of_thread(pids, pid, entry->d_name) || access(path, F_OK) != 0;
	closedir(threads);
	return known;
}

/* ---- children, by looking at every process: kernels without that list ---- */

static void scan_all(struct pids *found, pid_t root)
{
	static struct {
		pid_t pid, parent;
	} all[PIDS_MAX];
	size_t count = 0;
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	char state;

	if (!processes)
		return;
	while (count < PIDS_MAX && (entry = readdir(processes)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && look_up(pid, &state, &all[count].parent))
			all[count++].pid = pid;
	}
	closedir(processes);
	add(found, root);
	for (size_t i = 0; i < found->count; i++)
		for (size_t k = 0; k < count; k++)
			if (all[k].parent == found->list[i])
				add(found, all[k].pid);
}

/* ---- killing ---- */

/* All below `root`, itself first. */
static void find(struct pids *found, pid_t root)
{
	found->count = 0;
	add(found, root);
	for (size_t i = 0; i < found->count; i++) {
		if (!add_children(found, found->list[i])) {
			found->count = 0;
			scan_all(found, root);
			return;
		}
	}
}

/* The 20th field of /proc/PID/stat, behind a name that may hold anything. */
static size_t threads_of(const char *pid)
{
	char path[64], text[512];
	unsigned long threads;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	const char *behind = read_small(path, text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
	if (!behind || sscanf(behind + 1,
	                      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %lu",
	                      &threads) != 1)
		return 0;
	return threads;
}

size_t descendants_of_user(uid_t uid)
{
	size_t count = 0;
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	struct stat info;

	while (processes && (entry = readdir(processes)) != NULL)
		if (strtol(entry->d_name, NULL, 10) > 0 &&
		    fstatat(dirfd(processes), entry->d_name, &info, 0) == 0 && info.st_uid == uid)
			count += threads_of(entry->d_name);
	if (processes)
		closedir(processes);
	return count;
}

bool descendants_can_be_found(void)
{
	return access("/proc/self/stat", R_OK) == 0;
}

size_t descendants_children(pid_t *list, size_t max)
{
	static struct pids found;

	found.count = 0;
	if (!add_children(&found, getpid())) {
		scan_all(&found, getpid());
		size_t kept = 0;
		char state;
		pid_t parent;
		for (size_t i = 1; i < found.count; i++)
			if (look_up(found.list[i], &state, &parent) && parent == getpid())
				found.list[kept++] = found.list[i];
		found.count = kept;
	}
	size_t count = found.count < max ? found.count : max;
	memcpy(list, found.list, count * sizeof(*list));
	return count;
}

size_t descendants_find(pid_t root, pid_t *list, size_t max)
{
	static struct pids found;

	find(&found, root);
	size_t count = found.count < max ? found.count : max;
	memcpy(list, found.list, count * sizeof(*list));
	return count;
}

static size_t live_only(struct pids *found, pid_t root, pid_t keep)
{
	size_t live = 0;
	char state;
	pid_t parent;

	for (size_t i = 0; i < found->count; i++) {
		pid_t pid = found->list[i];
		if (pid != root && pid != keep && look_up(pid, &state, &parent) && state != 'Z' &&
		    state != 'X')
			found->list[live++] = pid;
	}
	found->count = live;
	return live;
}

/* Until the first ones are gone, or for a moment; the next look tells about the others. */
static void wait_for(const struct pids *pids)
{
	struct pollfd fds[BATCH_MAX];
	nfds_t count = 0;

	for (size_t i = 0; i < pids->count && count < BATCH_MAX; i++) {
		int fd = (int)syscall(SYS_pidfd_open, pids->list[i], 0);
		if (fd >= 0)
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	for (nfds_t i = 0; i < count; i++) { /* each in turn: all of them are to go */
		(void)poll(&fds[i], 1, WAIT_MS);
		close(fds[i].fd);
	}
}

size_t descendants_kill(pid_t root, pid_t keep)
{
	static struct pids found;
	size_t killed = 0;

	for (;;) {
		/* Stop them first, so that nobody forks while the others are being killed. */
		find(&found, root);
		if (live_only(&found, root, keep) == 0)
			return killed;
		for (size_t i = 0; i < found.count; i++)
			(void)kill(found.list[i], SIGSTOP);
		find(&found, root);
		live_only(&found, root, keep);
		for (size_t i = 0; i < found.count; i++)
			(void)kill(found.list[i], SIGKILL);
		killed += found.count;
		wait_for(&found);
	}
}
