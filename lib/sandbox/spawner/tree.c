#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "descendants.h"
#include "meter.h"
#include "spare.h"

#define LOOK_MS   20 /* between two looks                         */
#define ENDED_MAX 64 /* trees whose memory is known after their end */

static struct tree trees[TREES_MAX];
static size_t metered, doomed; /* how many of them */

struct tree *tree_find(uint64_t id)
{
	for (size_t i = 0; i < TREES_MAX; i++)
		if (trees[i].id == id)
			return &trees[i];
	return NULL;
}

unsigned tree_index(const struct tree *tree)
{
	return (unsigned)(tree - trees);
}

static void begin(struct tree *tree, const struct start *start, pid_t keeper, struct cgroup *group)
{
	const struct oe__policy_head *head = start->plan ? &start->plan->head : NULL;

	*tree = (struct tree){ .id = start->request.tree,
		                   .keeper = keeper,
		                   .apart = head && head->tier >= 2,
		                   .warm = start->request.flags & OE__START_WARM,
		                   .memory_total = head && !group ? head->memory_total : 0,
		                   .cpu_total_ms = head ? head->cpu_total_ms : 0,
		                   .group = group };
	tree->metered = tree->id != TREE_SPARE && (tree->memory_total > 0 || tree->cpu_total_ms > 0);
	metered += tree->metered;
}

bool tree_start(struct tree *tree, const struct start *start, struct cgroup *group)
{
	pid_t keeper = fork();

	if (keeper == 0)
		keeper_run(start);
	if (keeper < 0) {
		report_send(&(struct oe__report){ .type = OE__REPORT_FAILED,
		                                  .tree = start->request.tree,
		                                  .step = OE__STEP_FORK,
		                                  .status = errno });
		cgroup_give(group);
		return false;
	}
	begin(tree, start, keeper, group);
	return true;
}

void tree_adopt(struct tree *tree, const struct start *start, struct cgroup *group)
{
	begin(tree, start, tree->keeper, group);
}

/* ---- ends ---- */

/* Its keeper may not have started anything yet: so it is looked for again. */
static void kill_below(const struct tree *tree)
{
	(void)descendants_kill(tree->keeper, 0);
	/* Its own tree may have stopped it. If it is the only one that can be found, its child dies with it. */
	(void)kill(tree->keeper, descendants_can_be_found() ? SIGCONT : SIGKILL);
}

void tree_kill(uint64_t id)
{
	struct tree *tree = tree_find(id);

	if (!tree)
		return;
	/* Either way the keeper reports the end, and leaves. */
	if (tree->apart) {
		(void)kill(tree->keeper, SIGTERM);
		return;
	}
	doomed += !tree->doomed;
	tree->doomed = true;
	kill_below(tree);
}

void tree_sweep(uint64_t id, pid_t keep)
{
	const struct tree *tree = tree_find(id);
	size_t killed = tree && !tree->apart ? descendants_kill(tree->keeper, keep) : 0;

	report_send(&(struct oe__report){
		.type = OE__REPORT_SWEPT, .tree = id, .count = (uint32_t)killed });
}

/* Of trees that have ended: the host may ask a moment later. */
static struct oe__report ended[ENDED_MAX];
static size_t ended_count;

static struct oe__report memory_of(const struct tree *tree)
{
	struct oe__report report = { .type = OE__REPORT_MEMORY, .tree = tree->id, .memory_peak = -1 };

	if (tree->group)
		report.memory_peak = cgroup_peak(tree->group, &report.count);
	return report;
}

void tree_memory(uint64_t id)
{
	const struct tree *tree = tree_find(id);
	struct oe__report report = { .type = OE__REPORT_MEMORY, .tree = id, .memory_peak = -1 };

	if (tree)
		report = memory_of(tree);
	for (size_t i = 0; !tree && i < ENDED_MAX; i++)
		if (ended[i].tree == id)
			report = ended[i];
	report_send(&report);
}

static struct tree *tree_of_keeper(pid_t keeper)
{
	for (size_t i = 0; i < TREES_MAX; i++)
		if (trees[i].id != 0 && trees[i].keeper == keeper)
			return &trees[i];
	return NULL;
}

/* A keeper that was killed (without namespaces, its own tree can do that): what it kept has come to us.
   Everything here that is not a keeper is of such a tree. */
static void kill_orphans(void)
{
	static pid_t list[1024];
	size_t count = descendants_children(list, sizeof(list) / sizeof(list[0]));

	for (size_t i = 0; i < count; i++) {
		if (tree_of_keeper(list[i]))
			continue;
		(void)descendants_kill(list[i], 0);
		(void)kill(list[i], SIGKILL);
	}
}

void trees_reap(void)
{
	pid_t gone;
	int status;

	while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
		struct tree *tree = tree_of_keeper(gone);
		if (!tree)
			continue;
		uint64_t id = tree->id;
		metered -= tree->metered;
		doomed -= tree->doomed;
		if (tree->group)
			ended[ended_count++ % ENDED_MAX] = memory_of(tree);
		cgroup_give(tree->group);
		tree->id = 0;
		if (spare_gone(tree) || id == TREE_SPARE)
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue; /* it has reported */
		kill_orphans();
		report_send(&(struct oe__report){ .type = OE__REPORT_DEAD, .tree = id });
	}
}

/* ---- totals ---- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Processes at the top that are not the program's. */
static size_t skip_of(const struct tree *tree)
{
	return 1 + (tree->apart ? 1 : 0) + (tree->warm ? 1 : 0);
}

static void measure(struct tree *tree)
{
	struct meter sum = meter_read(tree->keeper, skip_of(tree), false);
	int over = 0;

	/* Looked at more closely only if it could be too much. */
	if (tree->memory_total > 0 && sum.memory_bytes > tree->memory_total &&
	    meter_read(tree->keeper, skip_of(tree), true).memory_bytes > tree->memory_total)
		over = OE__TOTAL_MEMORY;
	else if (tree->cpu_total_ms > 0 && sum.cpu_ms > tree->cpu_total_ms)
		over = OE__TOTAL_CPU;
	if (over == 0) {
		tree->exceeded = false;
		return;
	}
	if (tree->exceeded) /* said already: its owner knows what to end */
		return;
	tree->exceeded = true;
	report_send(&(struct oe__report){
		.type = OE__REPORT_EXCEEDED, .tree = tree->id, .status = over });
	if (!tree->warm)
		tree_kill(tree->id);
}

int trees_look(void)
{
	static int64_t next;
	int64_t now = metered + doomed > 0 ? now_ms() : 0;

	if (metered + doomed == 0)
		return -1;
	if (now < next)
		return (int)(next - now);
	for (size_t i = 0; i < TREES_MAX; i++) {
		if (trees[i].id != 0 && trees[i].doomed)
			kill_below(&trees[i]);
		else if (trees[i].id != 0 && trees[i].metered)
			measure(&trees[i]);
	}
	next = now_ms() + LOOK_MS;
	return LOOK_MS;
}
