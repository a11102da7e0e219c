#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUPS_MAX 256

static struct {
	int version;
	char parent[400];
	struct cgroup groups[GROUPS_MAX];
	unsigned made;
} pool;

/* ---- small files ---- */

static bool put(const char *directory, const char *name, const char *text)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

static bool get(const char *directory, const char *name, char *text, size_t size)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* The number behind a word in a file of lines. */
static uint64_t field(const char *text, const char *word)
{
	const char *at = strstr(text, word);
	return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

/* ---- where ---- */

/* The path of this process in the hierarchy whose line of /proc/self/cgroup holds `controller`
   ("" : version 2). */
static bool own_path(const char *controller, char *out, size_t size)
{
	char line[1024];
	bool found = false;
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		found = strcmp(names + 1, controller) == 0;
		if (found)
			(void)snprintf(out, size, "%s", path);
	}
	if (file)
		(void)fclose(file);
	return found;
}

static bool try_parent(const char *mount, const char *path)
{
	char directory[512];

	(void)snprintf(pool.parent, sizeof(pool.parent), "%.150s%.240s", mount, path);
	(void)snprintf(directory, sizeof(directory), "%s/oe-%d-probe", pool.parent, (int)getpid());
	if (mkdir(directory, 0755) < 0)
		return false;
	bool done = put(directory, pool.version == 1 ? "memory.limit_in_bytes" : "memory.max", "67108864");
	(void)rmdir(directory);
	return done;
}

int cgroup_find(void)
{
	char path[400];

	pool.version = 1;
	if (own_path("memory", path, sizeof(path)) &&
	    (try_parent("/sys/fs/cgroup/memory", path) || try_parent("/sys/fs/cgroup/memory", "")))
		return pool.version;
	pool.version = 2;
	if (own_path("", path, sizeof(path)) && try_parent("/sys/fs/cgroup", path))
		return pool.version;
	return pool.version = 0;
}

/* ---- the pool ---- */

static bool make(struct cgroup *group)
{
	(void)snprintf(group->path, sizeof(group->path), "%s/oe-%d-%u", pool.parent, (int)getpid(),
	               pool.made++);
	if (mkdir(group->path, 0755) == 0)
		return true;
	group->path[0] = '\0';
	return false;
}

static bool set_limit(const struct cgroup *group, uint64_t bytes)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (pool.version == 2) {
		(void)put(group->path, "memory.swap.max", "0");
		return put(group->path, "memory.max", text);
	}
	/* The total with swap must not be below the limit at any moment. */
	(void)put(group->path, "memory.memsw.limit_in_bytes", "-1");
	bool done = put(group->path, "memory.limit_in_bytes", text);
	(void)put(group->path, "memory.memsw.limit_in_bytes", text);
	return done;
}

struct cgroup *cgroup_take(uint64_t memory_bytes)
{
	uint32_t kills;

	for (size_t i = 0; pool.version > 0 && i < GROUPS_MAX; i++) {
		struct cgroup *group = &pool.groups[i];
		if (group->used || (!group->path[0] && !make(group)))
			continue;
		if (!set_limit(group, memory_bytes))
			return NULL;
		(void)cgroup_peak(group, &kills);
		group->used = true;
		return group;
	}
	return NULL;
}

void cgroup_give(struct cgroup *group)
{
	if (group)
		group->used = false;
}

int cgroup_open(const struct cgroup *group)
{
	char path[600];

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", group->path);
	return open(path, O_WRONLY | O_CLOEXEC);
}

int64_t cgroup_peak(struct cgroup *group, uint32_t *kills)
{
	char text[1024];
	bool old = pool.version == 1;

	uint64_t count = get(group->path, old ? "memory.oom_control" : "memory.events", text, sizeof(text))
	                     ? field(text, "oom_kill ")
	                     : 0;
	*kills = (uint32_t)(count - group->kills_seen);
	group->kills_seen = count;
	if (!get(group->path, old ? "memory.max_usage_in_bytes" : "memory.peak", text, sizeof(text)))
		return -1;
	(void)put(group->path, old ? "memory.max_usage_in_bytes" : "memory.peak", "0");
	return (int64_t)strtoull(text, NULL, 10);
}

void cgroup_end(void)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		if (pool.groups[i].path[0])
			(void)rmdir(pool.groups[i].path);
}
