#include "spare.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confinement.h"
#include "namespaces.h"

static struct {
	struct tree *tree; /* NULL: there is none */
	int orders;
	bool broken; /* one ended before it had a command */
} spare;

static void forget(void)
{
	close(spare.orders);
	spare.tree = NULL;
}

void spare_make(const char *staging)
{
	struct start start = { .staging = staging, .group = -1, .orders = -1 };
	struct tree *tree = tree_find(0);
	int ends[2];

	if (spare.tree || spare.broken || !tree ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	start.request = (struct oe__request){ .type = OE__REQUEST_START,
		                                  .flags = OE__START_CONFINED,
		                                  .tree = TREE_SPARE };
	start.orders = ends[1];
	/* Without a root to copy it would be no faster, and might show what is not there any more. */
	if (confinement_prepare(&start, tree, NULL, 0) == 0 && start.namespaces &&
	    start.namespaces->root >= 0 && tree_start(tree, &start, NULL)) {
		spare.tree = tree;
		spare.orders = ends[0];
	} else {
		spare.broken = true;
		close(ends[0]);
	}
	confinement_release(&start);
	close(ends[1]);
}

bool spare_gone(const struct tree *tree)
{
	if (!spare.tree || spare.tree != tree)
		return false;
	spare.broken = true;
	forget();
	return true;
}

/* Its root was made a while ago. */
static bool take(const struct oe__request *request)
{
	if (!spare.tree || !confinement_can_wait(request))
		return false;
	if (confinement_is_current(spare.tree))
		return true;
	(void)kill(spare.tree->keeper, SIGTERM); /* it is reaped as a tree that nobody asks about */
	forget();
	return false;
}

bool spare_give(const struct packet *packet)
{
	struct start start = { .plan = confinement_policy(), .group = -1, .orders = -1 };

	memcpy(&start.request, packet->bytes, sizeof(start.request));
	if (start.request.fd_count != packet->fd_count || !take(&start.request))
		return false;
	struct cgroup *group = NULL;
	bool given = confinement_limit(&start, &group) == 0 &&
	             packet_send(spare.orders, packet, start.group);
	if (start.group >= 0)
		close(start.group);
	if (given) {
		tree_adopt(spare.tree, &start, group);
	} else {
		cgroup_give(group);
		(void)kill(spare.tree->keeper, SIGTERM);
	}
	forget();
	return given;
}

bool spare_wait(struct start *start)
{
	struct packet *packet;

	while (!(packet = packet_receive(start->orders)) && errno == EINTR)
		continue;
	if (!packet || packet->size == 0 || !request_parse(start, packet))
		return false;
	close(start->orders);
	start->group = packet->fd_count > start->fd_count ? packet->fds[start->fd_count] : -1;
	return true;
}
