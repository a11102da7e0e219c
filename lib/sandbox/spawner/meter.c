#include "meter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descendants.h"

#define PROCESSES_MAX 1024

static bool read_text(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* What it would give back if it ended, and its part of what it shares with others of its kind. */
static uint64_t memory_exactly(pid_t pid)
{
	static const char *const names[] = { "\nPss_Anon:", "\nPss_Shmem:" };
	char text[4096];
	uint64_t sum = 0;

	if (!read_text(pid, "smaps_rollup", text, sizeof(text)))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = strstr(text, names[i]);
		sum += at ? strtoull(at + strlen(names[i]), NULL, 10) * 1024 : 0;
	}
	return sum;
}

static uint64_t memory_roughly(pid_t pid)
{
	char text[256];
	unsigned long long size, resident;

	if (!read_text(pid, "statm", text, sizeof(text)) ||
	    sscanf(text, "%llu %llu", &size, &resident) != 2)
		return 0;
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Its own, and that of the children it waited for. */
static uint64_t cpu_of(pid_t pid)
{
	char text[1024];
	unsigned long long user, system;
	long long children_user, children_system;

	if (!read_text(pid, "stat", text, sizeof(text)))
		return 0;
	const char *behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1,
	                      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld", &user,
	                      &system, &children_user, &children_system) != 4)
		return 0;
	uint64_t ticks = user + system + (uint64_t)children_user + (uint64_t)children_system;
	return ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

struct meter meter_read(pid_t keeper, size_t skip, bool exact)
{
	static pid_t list[PROCESSES_MAX];
	size_t count = descendants_find(keeper, list, PROCESSES_MAX);
	struct meter sum = { 0, 0, 0 };

	for (size_t i = skip; i < count; i++) {
		sum.memory_bytes += exact ? memory_exactly(list[i]) : memory_roughly(list[i]);
		sum.cpu_ms += cpu_of(list[i]);
		sum.processes++;
	}
	return sum;
}
