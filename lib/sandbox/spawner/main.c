/*
 * The spawner: the host's only child, and the parent of every process that a run starts. One thread,
 * no allocation after a fork, an empty environment. It holds nothing that the host could not lose.
 *
 *   oe-spawner SCRATCH [FILES]      both directories are removed at the end
 *
 * When the host dies, however, everything below is killed: a pidfd tells, and the socket's end does
 * (each alone may miss: PDEATHSIG fires for threads, and an inherited socket never ends).
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../protocol.h"
#include "base/file.h"
#include "confinement.h"
#include "descendants.h"
#include "keeper.h"
#include "request.h"
#include "spare.h"
#include "tree.h"

static char staging[4096]; /* an empty directory of the scratch: trees make their root over it */

static void fail(uint64_t id, int code)
{
	report_send(&(struct oe__report){
		.type = OE__REPORT_FAILED, .tree = id, .step = OE__STEP_FORK, .status = code });
}

/* ---- requests ---- */

static int start_tree(struct packet *packet, struct start *start)
{
	struct cgroup *group = NULL;
	struct tree *tree = tree_find(0);
	char *rest = request_parse(start, packet);
	int code = 0;

	if (!rest || !tree)
		return rest ? EAGAIN : EINVAL;
	if (start->request.flags & OE__START_CONFINED)
		code = confinement_prepare(start, tree, rest, (size_t)(packet->bytes + packet->size - rest));
	if (code == 0 && start->plan)
		code = confinement_limit(start, &group);
	if (code == 0)
		tree_start(tree, start, group);
	else
		cgroup_give(group);
	confinement_release(start);
	return code;
}

static void serve_start(struct packet *packet)
{
	struct start start = { .staging = staging, .group = -1, .orders = -1 };

	memcpy(&start.request, packet->bytes, sizeof(start.request));
	int code = spare_give(packet) ? 0 : start_tree(packet, &start);
	if (code != 0)
		fail(start.request.tree, code);
	else if (confinement_can_wait(&start.request))
		spare_make(staging);
}

static void serve(struct packet *packet, const char *scratch)
{
	struct oe__request request;
	size_t head = sizeof(request);

	if ((size_t)packet->size < head)
		return;
	memcpy(&request, packet->bytes, head);
	switch (request.type) {
	case OE__REQUEST_START:
		serve_start(packet);
		break;
	case OE__REQUEST_KILL:
		tree_kill(request.tree);
		break;
	case OE__REQUEST_SWEEP:
		tree_sweep(request.tree, request.keep);
		break;
	case OE__REQUEST_MEMORY:
		tree_memory(request.tree);
		break;
	case OE__REQUEST_POLICY:
		(void)confinement_set(packet->bytes + head, (size_t)packet->size - head);
		break;
	case OE__REQUEST_PROBE:
		confinement_probe(scratch, staging);
		break;
	default:
		break;
	}
}

/* 1: served. 0: the host has closed its end. */
static int receive(const char *scratch)
{
	struct packet *packet = packet_receive(OE__SPAWNER_SOCKET);

	if (!packet)
		return errno == EINTR || errno == EAGAIN;
	serve(packet, scratch);
	packet_close(packet);
	return packet->size > 0;
}

/* ---- ends ---- */

static _Noreturn void end(const char *scratch, const char *files)
{
	/* Everything, keepers included; what forks away from under one lands here. */
	(void)descendants_kill(getpid(), 0);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	cgroup_end();
	if (scratch)
		(void)oe__directory_remove(scratch, NULL);
	if (files)
		(void)oe__directory_remove(files, NULL);
	_exit(0);
}

static int notice[2]; /* a child has ended: written by the handler, read by the loop */

static void on_child(int number)
{
	int code = errno;
	ssize_t written = write(notice[1], "", 1);

	(void)number;
	(void)written;
	errno = code;
}

static bool set_up(const char *scratch)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP };

	(void)umask(022); /* what trees are given is for the users that they are */
	(void)setsid();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's in its children */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(staging, sizeof(staging), "%s/root", scratch ? scratch : "/tmp");
	(void)mkdir(staging, 0755);
	(void)fcntl(OE__SPAWNER_SOCKET, F_SETFD, FD_CLOEXEC);
	(void)fcntl(OE__SPAWNER_HOST, F_SETFD, FD_CLOEXEC);
	return pipe2(notice, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGCHLD, &action, NULL) == 0;
}

int main(int argc, char **argv)
{
	const char *scratch = argc > 1 ? argv[1] : NULL, *files = argc > 2 ? argv[2] : NULL;
	char drain[256];

	if (!set_up(scratch))
		return 1;
	struct pollfd ready[3] = { { .fd = OE__SPAWNER_SOCKET, .events = POLLIN },
		                       { .fd = OE__SPAWNER_HOST, .events = POLLIN },
		                       { .fd = notice[0], .events = POLLIN } };
	for (;;) {
		if ((poll(ready, 3, trees_look()) < 0 && errno != EINTR) || ready[1].revents)
			end(scratch, files);
		if (ready[2].revents & POLLIN)
			while (read(notice[0], drain, sizeof(drain)) > 0)
				continue;
		trees_reap();
		if (ready[0].revents && !receive(scratch))
			end(scratch, files);
	}
}
