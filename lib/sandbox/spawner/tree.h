#ifndef OE__SPAWNER_TREE_H
#define OE__SPAWNER_TREE_H

/* The trees that run, and the totals of those that have limits. */

#include <stdbool.h>

#include "cgroup.h"
#include "keeper.h"

#define TREES_MAX 4096
#define TREE_SPARE UINT64_MAX /* one that has no command yet */

struct tree {
	uint64_t id; /* 0: free */
	pid_t keeper;
	bool apart, warm, metered, exceeded;
	bool doomed; /* to be killed until its keeper has gone: perhaps nothing of it was there yet */
	uint64_t memory_total, cpu_total_ms; /* 0: not limited */
	struct cgroup *group;
};

struct tree *tree_find(uint64_t id);
unsigned tree_index(const struct tree *tree);

/* Start one: a fork for its keeper. The group, if there is one, becomes the tree's. A failure is reported. */
bool tree_start(struct tree *tree, const struct start *start, struct cgroup *group);

/* The spare is this one now. */
void tree_adopt(struct tree *tree, const struct start *start, struct cgroup *group);

void tree_kill(uint64_t id);
void tree_sweep(uint64_t id, pid_t keep);
void tree_memory(uint64_t id); /* reports its peak */

/* The keepers that have ended. */
void trees_reap(void);

/* Look at the totals, and for what is left of trees that were killed, if it is time. @return milliseconds
   until the next look; -1: nothing to look at. */
int trees_look(void);

#endif /* OE__SPAWNER_TREE_H */
