#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../confine/filter.h"
#include "../confine/landlock.h"
#include "openevolve/sandbox.h"
#include "descendants.h"
#include "namespaces.h"
#include "selftest.h"

/* Nobody's users: above what distributions, containers and directories of networks give out. Each
   tree has one of its own, and each spawner a range of its own: without namespaces, the same user may
   signal, and its processes are counted together. */
#define UID_FIRST 0x7e000000u
#define UID_HOSTS 8192u

static uint32_t first_uid(void)
{
	return UID_FIRST + (uint32_t)getpid() % UID_HOSTS * TREES_MAX;
}

static struct oe__plan policy;
static char policy_bytes[OE__MESSAGE_MAX];
static bool known, probed;
static uint64_t server_filter[OE__FILTER_MAX];
static uint32_t server_filter_count;

int confinement_set(const char *bytes, size_t size)
{
	struct oe__policy_head *head = &policy.head;

	if (size < sizeof(*head) || size > sizeof(policy_bytes))
		return EINVAL;
	memcpy(policy_bytes, bytes, size);
	memcpy(head, policy_bytes, sizeof(*head));
	size_t rest = size - sizeof(*head), used;
	used = plan_read_mounts(&policy, 0, head->mount_count, policy_bytes + sizeof(*head), rest);
	if (head->mount_count > 0 && used == 0)
		return EINVAL;
	head->uid = geteuid() == 0 ? first_uid() : geteuid();
	head->filter_count = 0;
	known = true;
	return 0;
}

/* ---- the probe ---- */

static bool make_filters(void)
{
	if (!filter_make(&policy, FILTER_SERVER))
		return false;
	server_filter_count = policy.head.filter_count;
	memcpy(server_filter, policy.filter, server_filter_count * sizeof(server_filter[0]));
	return filter_make(&policy, FILTER_JOB);
}

static bool try_tier(int tier, const char *scratch, const char *staging, struct oe__findings *out)
{
	struct oe__policy_head *head = &policy.head;
	struct selftest test;

	head->tier = tier;
	head->landlock = tier >= 1 ? out->landlock : 0;
	if (tier == 1 && head->landlock == 0) {
		out->step[tier] = OE__STEP_LANDLOCK;
		out->status[tier] = ENOSYS;
		return false;
	}
	/* Where they do not die with a namespace they are looked for. */
	if (tier < 2 && !descendants_can_be_found()) {
		out->step[tier] = OE__STEP_FIND;
		out->status[tier] = errno;
		return false;
	}
	if (!make_filters()) {
		out->step[tier] = OE__STEP_FILTER;
		out->status[tier] = errno;
		return false;
	}
	test = selftest_run(&policy, scratch, staging);
	out->step[tier] = (uint32_t)test.failure.step;
	out->status[tier] = test.failure.code;
	out->tried = test.tried;
	out->done = test.done;
	return test.failure.code == 0;
}

void confinement_probe(const char *scratch, const char *staging)
{
	struct oe__findings findings = { .type = OE__REQUEST_PROBE, .tier = -1, .root = geteuid() == 0 };

	findings.landlock = landlock_abi();
	findings.cgroup = policy.head.memory_total > 0 ? cgroup_find() : 0;
	for (int tier = 2; known && tier >= 0 && findings.tier < 0; tier--)
		if (try_tier(tier, scratch, staging, &findings))
			findings.tier = tier;
	if (findings.tier == 2 && findings.cgroup > 0)
		policy.head.tier = findings.tier = 3;
	probed = findings.tier >= 0;
	while (send(OE__SPAWNER_SOCKET, &findings, sizeof(findings), MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

/* ---- one tree ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct oe__mount *)a)->path, ((const struct oe__mount *)b)->path);
}

/* Without mounts, the directory that a tree may write into is given to the user that it will be. */
static void claim(const struct oe__plan *plan, size_t first)
{
	for (size_t i = first; i < plan->head.mount_count; i++)
		if (plan->mounts[i].kind == OE__MOUNT_WRITE) {
			(void)lchown(plan->mounts[i].path, 0, plan->head.uid);
			(void)chmod(plan->mounts[i].path, 0770);
		}
}

static int add_descriptor(struct start *start, int fd)
{
	if (fd < 0)
		return errno;
	start->fds[start->fd_count++] = fd;
	return 0;
}

static int add_kit(struct start *start, const struct oe__plan *plan)
{
	int code = add_descriptor(start, plan_to_kit(plan));

	if (code == 0)
		code = add_descriptor(start, start->group >= 0
		                                 ? fcntl(start->group, F_DUPFD_CLOEXEC, 0)
		                                 : open("/dev/null", O_WRONLY | O_CLOEXEC));
	return code;
}

static const struct namespaces *take_namespaces(const struct start *start, unsigned index,
                                                const struct oe__plan *plan)
{
	struct namespaces *namespaces = namespaces_get(index, plan);

	if (namespaces && start->request.mount_count == 0)
		namespaces_renew_root(namespaces, plan, start->staging);
	return namespaces;
}

/* Without a namespace of its own the limit counts all that the user has: what is there already is not the
   program's. Root's programs have a user of their own. */
static void count_others(struct oe__limits *limits)
{
	if (policy.head.tier < 2 && geteuid() != 0 && limits->processes > 0)
		limits->processes += descendants_of_user(geteuid());
}

int confinement_prepare(struct start *start, const struct tree *tree, char *bytes, size_t size)
{
	static struct oe__plan own;
	const struct oe__request *request = &start->request;

	if (!probed)
		return ENOTSUP;
	own = policy;
	size_t count = own.head.mount_count;
	if (request->mount_count > 0 &&
	    plan_read_mounts(&own, count, request->mount_count, bytes, size) == 0)
		return EINVAL;
	count_others(&start->request.limits);
	own.head.limits = request->limits;
	if (geteuid() == 0)
		own.head.uid = first_uid() + tree_index(tree);
	if (own.head.tier < 2 && geteuid() == 0)
		claim(&own, count);
	if (request->flags & OE__START_WARM) {
		own.head.filter_count = server_filter_count;
		memcpy(own.filter, server_filter, server_filter_count * sizeof(server_filter[0]));
	}
	qsort(own.mounts, own.head.mount_count, sizeof(own.mounts[0]), by_path);
	start->plan = &own;
	if (own.head.tier >= 2)
		start->namespaces = take_namespaces(start, tree_index(tree), &own);
	return 0;
}

int confinement_limit(struct start *start, struct cgroup **group)
{
	if (policy.head.tier == 3)
		*group = cgroup_take(policy.head.memory_total);
	start->group = *group ? cgroup_open(*group) : -1;
	return start->request.flags & OE__START_WARM ? add_kit(start, start->plan) : 0;
}

const struct oe__plan *confinement_policy(void)
{
	return &policy;
}

bool confinement_can_wait(const struct oe__request *request)
{
	return probed && policy.head.tier >= 2 && request->flags == OE__START_CONFINED &&
	       request->mount_count == 0;
}

bool confinement_is_current(const struct tree *tree)
{
	const struct namespaces *namespaces = namespaces_get(tree_index(tree), &policy);

	return namespaces && namespaces_is_current(namespaces, &policy);
}

void confinement_release(struct start *start)
{
	if (start->group >= 0)
		close(start->group);
	for (unsigned i = start->request.fd_count; i < start->fd_count; i++)
		close(start->fds[i]);
}
