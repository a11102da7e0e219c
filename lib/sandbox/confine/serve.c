/*
 * The fork server's loop. A child is confined before it gets back into the interpreter. The server keeps
 * one ready ("the spare"). What is said over the sockets is struct oe__warm_message (protocol.h); a job is
 * text that nothing here reads.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve.h"
#include "warm.h"

#define BROKEN_MAX 3 /* spares that end without a job, one after the other, before it is given up */

/* A process namespace. Two take turns: in one an evaluation runs, in the other the spare waits. One that
   nothing was left in is used again. */
struct room {
	pid_t init; /* its first process; 0: there is none */
	int hold;   /* ends what is left in it             */
	int space;  /* the namespace                       */
};

struct spare {
	int64_t number; /* 0: there is none */
	pid_t pid;
	struct room *room; /* NULL: evaluations have no namespaces */
	int handle;        /* pidfd of `pid`                       */
	int mounts;        /* the child's; -1                      */
};

static char job[OE__JOB_MAX];

/* ---- sockets ---- */

static bool send_with(int socket, const void *data, size_t size, const int *fds, unsigned count)
{
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec part = { (void *)(uintptr_t)data, size };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (count > 0) {
		message.msg_control = control.space;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)size;
}

/* The job: @return its size, or 0 if the host does not want this spare any more. */
static size_t receive_job(int orders, int fds[2])
{
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { job, sizeof(job) };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = sizeof(control.space) };
	ssize_t size;

	while ((size = recvmsg(orders, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		continue;
	const struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(2 * sizeof(int)))
		return 0;
	memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
	return (size_t)size;
}

/* Everything from 3 on but these. */
static void keep_only(int a, int b, int c)
{
	unsigned kept[3] = { (unsigned)a, (unsigned)b, (unsigned)c }, first = 3;

	for (;;) { /* in order: -1 is the last of all numbers */
		unsigned next = ~0u;
		for (int i = 0; i < 3; i++)
			if (kept[i] >= first && kept[i] < next)
				next = kept[i];
		if (next > first)
			(void)syscall(SYS_close_range, first, next == ~0u ? next : next - 1, 0);
		if (next == ~0u)
			return;
		first = next + 1;
	}
}

static _Noreturn void give_up(const char *what, int status)
{
	dprintf(2, "%s: %s (step %d)\n", what, strerrordesc_np(-status), oe_warm_step());
	_exit(1);
}

/* ---- the candidate, apart from its evaluator ---- */

static _Noreturn void cannot_separate(int status)
{
	give_up("cannot start the process of a candidate", status);
}

/* In the process that is to be the evaluator. @return in both: true in the candidate. */
static bool fork_candidate(struct child *out, const char *hidden)
{
	int ends[2], status;
	char ready = 'r';

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		cannot_separate(-errno);
	if ((status = oe_warm_nest()) < 0 || (status = oe_warm_begin(&out->init, &out->hold)) < 0)
		cannot_separate(status);
	out->candidate = fork();
	if (out->candidate == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if ((status = oe_warm_separate_candidate()) < 0 || (status = oe_warm_confine()) < 0)
			cannot_separate(status);
		keep_only(ends[1], -1, -1);
		*out = (struct child){ .is_candidate = 1, .orders = -1, .result = -1, .channel = ends[1] };
		if (send(ends[1], &ready, 1, MSG_NOSIGNAL) != 1)
			_exit(1);
		return true;
	}
	close(ends[1]);
	out->channel = ends[0];
	/* It has files of its own by then: what is hidden here later stays there. */
	if (out->candidate < 0 || (status = oe_warm_end()) < 0 || read(ends[0], &ready, 1) != 1 ||
	    (status = oe_warm_hide(hidden)) < 0)
		cannot_separate(-ECHILD);
	return false;
}

/* ---- one child ---- */

static void child_run(int orders, const char *hidden, struct child *out)
{
	int status;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	*out = (struct child){
		.orders = orders, .result = -1, .channel = -1, .candidate = -1, .init = -1, .hold = -1
	};
	if ((status = oe_warm_separate()) < 0)
		give_up("cannot confine an evaluation", status);
	if (*hidden && fork_candidate(out, hidden))
		return;
	if ((status = oe_warm_confine()) < 0)
		give_up("cannot confine an evaluation", status);
	keep_only(orders, out->channel, out->hold);
}

/* A job, or the end of a child that is not wanted any more. */
void oe_take(struct child *child)
{
	int fds[2];

	child->job_size = receive_job(child->orders, fds);
	if (child->job_size == 0)
		_exit(0);
	close(child->orders);
	if (dup2(fds[1], 1) < 0 || dup2(fds[1], 2) < 0)
		_exit(1);
	close(fds[1]);
	child->job = job;
	child->result = fds[0];
}

/* Children go into it until oe_warm_end(). @return the room, or NULL where there are none. */
static struct room *enter_room(struct room *room)
{
	char path[64];
	int status = 0;

	if (room->init > 0) {
		if (setns(room->space, CLONE_NEWPID) < 0)
			give_up("cannot enter a process namespace", -errno);
		return room;
	}
	if ((status = oe_warm_begin(&room->init, &room->hold)) < 0)
		give_up("cannot make a process namespace", status);
	if (room->init < 0)
		return NULL;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)room->init);
	room->space = open(path, O_RDONLY | O_CLOEXEC);
	if (room->space < 0)
		give_up("cannot see a process namespace", -errno);
	return room;
}

/* @return 1 in the child. */
static int fork_spare(int control, int64_t number, const char *hidden, struct room *room,
                      struct spare *spare, struct child *out)
{
	struct oe__warm_message message = { .type = OE__WARM_SPARE, .number = number };
	int ends[2], status, fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		give_up("cannot make a socket", -errno);
	*spare = (struct spare){ .number = number, .mounts = -1 };
	spare->room = enter_room(room);
	spare->pid = fork();
	if (spare->pid == 0) {
		child_run(ends[1], hidden, out);
		return 1;
	}
	if (spare->pid < 0 || (status = oe_warm_end()) < 0)
		give_up("cannot fork an evaluation", -errno);
	close(ends[1]);
	spare->handle = (int)syscall(SYS_pidfd_open, spare->pid, 0);
	fds[0] = ends[0];
	fds[1] = spare->room ? (int)syscall(SYS_pidfd_open, spare->room->init, 0) : -1;
	(void)send_with(control, &message, sizeof(message), fds, fds[1] >= 0 ? 2 : 1);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return 0;
}

static double milliseconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

/* Does anything in it live on? What nobody waited for is its first process's by now. */
static bool has_strays(const struct room *room)
{
	char path[64], byte;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)room->init, (int)room->init);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool empty = fd >= 0 && read(fd, &byte, 1) == 0;
	if (fd >= 0)
		close(fd);
	return !empty;
}

/* The child's mounts: with a reference here, they do not end within the end of the child, but after it. */
static int hold_mounts(const struct spare *spare)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)spare->pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* End what is left in it, and it. @return how many there were. */
static int64_t end_room(struct room *room, struct rusage *usage)
{
	int status = 0;
	/* A spare that was just forked may still hold the other end: closing would not do. */
	ssize_t written = write(room->hold, "x", 1);

	(void)written;
	close(room->hold);
	close(room->space);
	(void)wait4(room->init, &status, 0, usage);
	*room = (struct room){ 0 };
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* The end of a child, and of everything in its namespace: what the host is to be told. */
static struct oe__warm_message reap(struct spare *spare)
{
	struct oe__warm_message message = { .type = OE__WARM_EXITED, .number = spare->number };
	struct rusage usage;

	(void)wait4(spare->pid, &message.status, 0, &usage);
	close(spare->handle);
	message.cpu_ms = milliseconds(&usage);
	message.memory = (int64_t)usage.ru_maxrss * 1024;
	/* Who was killed was killed by the end of the namespace, most likely. */
	bool killed = WIFSIGNALED(message.status) && WTERMSIG(message.status) == SIGKILL;
	if (spare->room && (killed || has_strays(spare->room))) {
		message.strays = end_room(spare->room, &usage);
		message.cpu_ms += milliseconds(&usage);
	}
	return message;
}

static void forget(struct spare *spare)
{
	if (spare->mounts >= 0)
		close(spare->mounts);
	*spare = (struct spare){ .mounts = -1 };
}

/* ---- the server ---- */

struct server {
	int control;
	const char *hidden;
	int64_t count;
	int broken;
	struct spare spare, running;
	struct oe__warm_message ended; /* of the last one of which the host had not said that it has a job */
	struct room rooms[2];
};

static bool say(const struct server *server, const struct oe__warm_message *message)
{
	return send_with(server->control, message, sizeof(*message), NULL, 0);
}

static int next_spare(struct server *server, struct child *out)
{
	struct room *room = &server->rooms[server->running.room == &server->rooms[0]];

	return fork_spare(server->control, ++server->count, server->hidden, room, &server->spare, out);
}

static int given(struct server *server, int64_t number, struct child *out)
{
	if (server->spare.number != number) { /* it had its job, and has ended, before we hear of it */
		bool known = server->ended.number == number;
		server->broken -= known;
		(void)say(server, known ? &server->ended
		                        : &(struct oe__warm_message){ .type = OE__WARM_EXITED,
		                                                      .number = number,
		                                                      .status = -1 });
		return 0;
	}
	server->running = server->spare;
	server->spare = (struct spare){ .mounts = -1 };
	server->broken = 0;
	if (server->running.room)
		server->running.mounts = hold_mounts(&server->running);
	/* Where the end of one is known here, the next is made while it runs. */
	return server->running.room ? next_spare(server, out) : 0;
}

/* @return 1 in a child, -1 at the end. */
static int hear(struct server *server, struct child *out)
{
	struct oe__warm_message message;
	ssize_t size = recv(server->control, &message, sizeof(message), 0);

	if (size < 0 && errno == EINTR)
		return 0;
	if (size != (ssize_t)sizeof(message))
		return -1;
	if (message.type == OE__WARM_GIVEN)
		return given(server, message.number, out);
	return server->spare.number == 0 ? next_spare(server, out) : 0;
}

/* The host is told first: ending mounts takes its time. */
static void running_ended(struct server *server)
{
	struct oe__warm_message message = reap(&server->running);

	(void)say(server, &message);
	forget(&server->running);
}

static int spare_ended(struct server *server, struct child *out)
{
	server->ended = reap(&server->spare);
	forget(&server->spare);
	if (++server->broken > BROKEN_MAX)
		return -1;
	return next_spare(server, out);
}

int oe_serve(int control, int preload, const char *hidden, struct child *out)
{
	struct server server = { .control = control, .hidden = hidden };
	struct oe__warm_message ready = { .type = OE__WARM_READY, .status = preload };
	int end = say(&server, &ready) ? next_spare(&server, out) : -1;

	while (end == 0) {
		/* Looked at in this order, so that what the host had said before a child ended is seen with its end. */
		struct pollfd fds[3] = {
			{ .fd = server.running.number ? server.running.handle : -1, .events = POLLIN },
			{ .fd = server.spare.number ? server.spare.handle : -1, .events = POLLIN },
			{ .fd = control, .events = POLLIN },
		};
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents)
			running_ended(&server);
		/* ... and heard first: a spare that was given a job is none. */
		if (fds[2].revents)
			end = hear(&server, out);
		else if (fds[1].revents)
			end = spare_ended(&server, out);
	}
	return end;
}
