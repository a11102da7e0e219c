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
#include "tree.h"

#define STRINGS_MAX 4096

static _Alignas(16) char packet[OE__MESSAGE_MAX];
static char staging[4096]; /* an empty directory of the scratch: trees make their root over it */

static void fail(uint64_t id, int code)
{
	report_send(&(struct oe__report){
		.type = OE__REPORT_FAILED, .tree = id, .step = OE__STEP_FORK, .status = code });
}

/* ---- requests ---- */

/* The strings behind the header, as NULL-terminated lists. @return what follows them; NULL if the packet
   is not whole. */
static char *parse_start(struct start *start, size_t size)
{
	static char *strings[STRINGS_MAX + 2];
	char *at = packet + sizeof(start->request), *end = packet + size;
	size_t arguments = start->request.argument_count, variables = start->request.variable_count;
	size_t used = 0;

	if (arguments == 0 || arguments + variables > STRINGS_MAX)
		return NULL;
	start->arguments = &strings[0];
	start->variables = &strings[arguments + 1];
	for (size_t i = 0; i < arguments + variables + 1; i++) {
		char *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
		if (!stop)
			return NULL;
		if (i == arguments)
			strings[used++] = NULL;
		if (i < arguments + variables)
			strings[used++] = at;
		else
			start->directory = at;
		at = stop + 1;
	}
	strings[used] = NULL;
	return at;
}

static int start_tree(struct start *start, size_t size)
{
	struct cgroup *group = NULL;
	struct tree *tree = tree_find(0);
	char *rest = parse_start(start, size);
	int code = 0;

	if (!rest || !tree)
		return rest ? EAGAIN : EINVAL;
	if (start->request.flags & OE__START_CONFINED)
		code = confinement_prepare(start, tree, rest, (size_t)(packet + size - rest), &group);
	if (code == 0)
		tree_start(tree, start, group);
	else
		cgroup_give(group);
	confinement_release(start);
	return code;
}

static void serve_start(const struct oe__request *request, size_t size, const int *fds, size_t fd_count)
{
	struct start start = { .request = *request,
		                   .fd_count = request->fd_count,
		                   .staging = staging,
		                   .group = -1 };
	int code = EINVAL;

	if (request->fd_count == fd_count && fd_count <= OE__FDS_MAX) {
		memcpy(start.fds, fds, fd_count * sizeof(*fds));
		code = start_tree(&start, size);
	}
	if (code != 0)
		fail(request->tree, code);
}

static void serve(const struct oe__request *request, size_t size, const int *fds, size_t fd_count,
                  const char *scratch)
{
	switch (request->type) {
	case OE__REQUEST_START:
		serve_start(request, size, fds, fd_count);
		break;
	case OE__REQUEST_KILL:
		tree_kill(request->tree);
		break;
	case OE__REQUEST_SWEEP:
		tree_sweep(request->tree, request->keep);
		break;
	case OE__REQUEST_MEMORY:
		tree_memory(request->tree);
		break;
	case OE__REQUEST_POLICY:
		(void)confinement_set(packet + sizeof(*request), size - sizeof(*request));
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
	union {
		char space[CMSG_SPACE(sizeof(int) * OE__FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec part = { packet, sizeof(packet) };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = sizeof(control.space) };
	int fds[OE__FDS_MAX];
	size_t fd_count = 0;
	struct oe__request request;

	ssize_t size = recvmsg(OE__SPAWNER_SOCKET, &message, MSG_CMSG_CLOEXEC);
	if (size < 0)
		return errno == EINTR || errno == EAGAIN;
	const struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS) {
		fd_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(header), fd_count * sizeof(int));
	}
	if ((size_t)size >= sizeof(request)) {
		memcpy(&request, packet, sizeof(request));
		serve(&request, (size_t)size, fds, fd_count, scratch);
	}
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
	return size > 0;
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
		if ((poll(ready, 3, trees_measure()) < 0 && errno != EINTR) || ready[1].revents)
			end(scratch, files);
		if (ready[2].revents & POLLIN)
			while (read(notice[0], drain, sizeof(drain)) > 0)
				continue;
		trees_reap();
		if (ready[0].revents && !receive(scratch))
			end(scratch, files);
	}
}
