/*
 * The spawner: the host's only child, and the parent of every process that a run starts. One thread,
 * no allocation after a fork, an empty environment. It holds nothing that the host could not lose.
 *
 *   oe-spawner SCRATCH      the directory is removed at the end
 *
 * When the host dies, however, everything below is killed: a pidfd tells, and the socket's end does
 * (each alone may miss: PDEATHSIG fires for threads, and an inherited socket never ends).
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../protocol.h"
#include "base/file.h"
#include "descendants.h"
#include "keeper.h"

#define TREES_MAX   4096
#define STRINGS_MAX 4096

struct tree {
	uint64_t id; /* 0: free */
	pid_t keeper;
};

static struct tree trees[TREES_MAX];
static _Alignas(16) char packet[OE__MESSAGE_MAX];

static struct tree *tree_find(uint64_t id)
{
	for (size_t i = 0; i < TREES_MAX; i++)
		if (trees[i].id == id)
			return &trees[i];
	return NULL;
}

static void fail(uint64_t id, int code)
{
	report_send(&(struct oe__report){ .type = OE__REPORT_FAILED, .tree = id, .status = code });
}

/* ---- requests ---- */

/* The strings behind the header, as NULL-terminated lists; false if the packet is not whole. */
static bool parse_start(struct start *start, size_t size)
{
	static char *strings[STRINGS_MAX + 2];
	char *at = packet + sizeof(start->request), *end = packet + size;
	size_t arguments = start->request.argument_count, variables = start->request.variable_count;
	size_t used = 0;

	if (arguments == 0 || arguments + variables > STRINGS_MAX)
		return false;
	start->arguments = &strings[0];
	start->variables = &strings[arguments + 1];
	for (size_t i = 0; i < arguments + variables + 1; i++) {
		char *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
		if (!stop)
			return false;
		if (i == arguments)
			strings[used++] = NULL;
		if (i < arguments + variables)
			strings[used++] = at;
		else
			start->directory = at;
		at = stop + 1;
	}
	strings[used] = NULL;
	return true;
}

static void start_tree(const struct start *start)
{
	uint64_t id = start->request.tree;
	struct tree *tree = tree_find(0);

	if (!tree) {
		fail(id, EAGAIN);
		return;
	}
	pid_t keeper = fork();
	if (keeper == 0)
		keeper_run(start);
	if (keeper < 0) {
		fail(id, errno);
		return;
	}
	*tree = (struct tree){ .id = id, .keeper = keeper };
}

static void kill_tree(uint64_t id, pid_t keep, bool report)
{
	const struct tree *tree = tree_find(id);
	size_t killed = tree ? descendants_kill(tree->keeper, keep) : 0;

	/* Without children the keeper reports the end, and leaves. */
	if (report)
		report_send(&(struct oe__report){
			.type = OE__REPORT_SWEPT, .tree = id, .count = (uint32_t)killed });
}

static void serve(const struct oe__request *request, size_t size, const int *fds, size_t fd_count)
{
	struct start start = { .request = *request };

	if (request->type == OE__REQUEST_KILL)
		kill_tree(request->tree, 0, false);
	else if (request->type == OE__REQUEST_SWEEP)
		kill_tree(request->tree, request->keep, true);
	else if (request->fd_count != fd_count || !parse_start(&start, size))
		fail(request->tree, EINVAL);
	else {
		memcpy(start.fds, fds, fd_count * sizeof(*fds));
		start_tree(&start);
	}
}

/* 1: served. 0: the host has closed its end. */
static int receive(void)
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
		serve(&request, (size_t)size, fds, fd_count);
	}
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
	return size > 0;
}

/* ---- ends ---- */

static void reap(void)
{
	pid_t gone;

	while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < TREES_MAX; i++)
			if (trees[i].id != 0 && trees[i].keeper == gone)
				trees[i].id = 0;
}

static _Noreturn void end(const char *scratch)
{
	/* Everything, keepers included; what forks away from under one lands here. */
	(void)descendants_kill(getpid(), 0);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	if (scratch)
		(void)oe__directory_remove(scratch, NULL);
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

static bool set_up(void)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP };

	(void)setsid();
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)fcntl(OE__SPAWNER_SOCKET, F_SETFD, FD_CLOEXEC);
	(void)fcntl(OE__SPAWNER_HOST, F_SETFD, FD_CLOEXEC);
	return pipe2(notice, O_CLOEXEC | O_NONBLOCK) == 0 && sigaction(SIGCHLD, &action, NULL) == 0;
}

int main(int argc, char **argv)
{
	const char *scratch = argc > 1 ? argv[1] : NULL;
	char drain[256];

	if (!set_up())
		return 1;
	struct pollfd ready[3] = { { .fd = OE__SPAWNER_SOCKET, .events = POLLIN },
		                       { .fd = OE__SPAWNER_HOST, .events = POLLIN },
		                       { .fd = notice[0], .events = POLLIN } };
	for (;;) {
		if ((poll(ready, 3, -1) < 0 && errno != EINTR) || ready[1].revents)
			end(scratch);
		if (ready[2].revents & POLLIN)
			while (read(notice[0], drain, sizeof(drain)) > 0)
				continue;
		reap();
		if (ready[0].revents && !receive())
			end(scratch);
	}
}
