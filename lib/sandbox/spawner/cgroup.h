#ifndef OE__SPAWNER_CGROUP_H
#define OE__SPAWNER_CGROUP_H

/* Control groups for the memory of a whole tree, of either version, where we may make them. They are
   pooled: making one costs more than starting a process. */

#include <stdbool.h>
#include <stdint.h>

struct cgroup {
	char path[512]; /* "": none */
	bool used;
	uint64_t kills_seen;
};

/* Look for a place to make groups in. @return the version, or 0. */
int cgroup_find(void);

/* A group of the pool with this limit, emptied of all memories; NULL: there is none to be had. */
struct cgroup *cgroup_take(uint64_t memory_bytes);

/* Give it back; its processes are gone. */
void cgroup_give(struct cgroup *group);

/* Descriptor to join it by: writing "0" does. CLOEXEC; -1. */
int cgroup_open(const struct cgroup *group);

/* Most memory since the last call, in bytes, or -1; `kills`: processes killed for want of it. */
int64_t cgroup_peak(struct cgroup *group, uint32_t *kills);

/* Remove all groups of the pool. */
void cgroup_end(void);

#endif /* OE__SPAWNER_CGROUP_H */
