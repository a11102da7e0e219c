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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "room.h"
#include "serve.h"
#include "warm.h"

#define ROOMS      2
#define FDS_MAX    3 /* that go with a message */
#define BROKEN_MAX 3 /* spares that end without a job, one after the other, before it is given up */

struct spare {
	int64_t number; /* 0: there is none */
	pid_t pid;
	struct room *room;  /* NULL: evaluations have no namespaces */
	int handle;         /* pidfd of `pid`                       */
	struct files files; /* new ones that it has made            */
};

static char job[OE__JOB_MAX];
static struct kept *shared; /* of all rooms; NULL: no room's files are used again */
static struct kept *own;    /* in a child: of its own room                        */
static int gifts[2];        /* what children made, on its way to the server       */

/* ---- sockets ---- */

static bool send_with(int socket, const void *data, size_t size, const int *fds, unsigned count)
{
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
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

/* With descriptors, -1 where there are less. */
static ssize_t receive_with(int socket, void *data, size_t capacity, int flags, int fds[FDS_MAX])
{
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { data, capacity };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = sizeof(control.space) };
	ssize_t size;

	for (unsigned i = 0; i < FDS_MAX; i++)
		fds[i] = -1;
	while ((size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags)) < 0 && errno == EINTR)
		continue;
	const struct cmsghdr *header = size > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return size;
}

/* The job: @return its size, or 0 if the host does not want this spare any more. */
static size_t receive_job(int orders, int fds[FDS_MAX])
{
	ssize_t size = receive_with(orders, job, sizeof(job), 0, fds);

	return size > 0 && fds[1] >= 0 ? (size_t)size : 0;
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
		(void)setsid();
		if ((status = oe_warm_separate_candidate()) < 0 || (status = oe_warm_confine()) < 0)
			cannot_separate(status);
		keep_only(ends[1], -1, -1);
		*out = (struct child){ .is_candidate = 1, .orders = -1, .result = -1, .output = -1, .channel = ends[1] };
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

/* Of its own, or those of the child before. New ones are the server's, too: they end when it says so, not
   within the end of the child, and may serve again. */
static void separate(const struct spare *self)
{
	const struct room *room = self->room;
	struct files files = room ? room->files : NO_FILES;
	int status;

	own = room ? room->kept : NULL;
	status = own ? oe_warm_separate_again(&files, own) : oe_warm_separate(&files);
	if (status < 0)
		give_up("cannot confine an evaluation", status);
	if (room && (!own || files.mounts != room->files.mounts))
		(void)send_with(gifts[1], &self->number, sizeof(self->number), &files.mounts,
		                files.rules >= 0 ? 2 : 1);
}

static void child_run(int orders, const char *hidden, const struct spare *self, struct child *out)
{
	int status;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid(); /* the server's group is none of its business */
	*out = (struct child){
		.orders = orders, .result = -1, .output = -1, .channel = -1, .candidate = -1, .init = -1, .hold = -1
	};
	separate(self);
	if (*hidden && fork_candidate(out, hidden))
		return;
	if ((status = oe_warm_confine()) < 0)
		give_up("cannot confine an evaluation", status);
	keep_only(orders, out->channel, out->hold);
}

/* Nothing that the server knows about other children is there for what runs now. */
static void forget_files(void)
{
	if (own)
		oe_warm_trust(own);
	if (shared && munmap(shared, ROOMS * sizeof(*shared)) < 0)
		_exit(1);
	shared = own = NULL;
}

/* A job, or the end of a child that is not wanted any more. */
void oe_take(struct child *child)
{
	int fds[FDS_MAX];

	child->job_size = receive_job(child->orders, fds);
	if (child->job_size == 0)
		_exit(0);
	forget_files();
	close(child->orders);
	if (dup2(fds[1], 1) < 0 || dup2(fds[1], 2) < 0)
		_exit(1);
	close(fds[1]);
	child->job = job;
	child->result = fds[0];
	child->output = fds[2];
}

/* The host may have killed the room of one that had just ended by itself: then that is made anew. */
static pid_t fork_into(struct spare *spare, struct room *room)
{
	struct rusage usage;

	spare->room = room_enter(room) ? room : NULL;
	pid_t pid = fork();
	if (pid >= 0 || errno != ENOMEM || !spare->room || oe_warm_end() < 0)
		return pid;
	(void)room_end(room, &usage);
	(void)room_enter(room);
	return fork();
}

/* @return 1 in the child. */
static int fork_spare(int control, int64_t number, const char *hidden, struct room *room,
                      struct spare *spare, struct child *out)
{
	struct oe__warm_message message = { .type = OE__WARM_SPARE, .number = number };
	int ends[2], status, fds[FDS_MAX];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		give_up("cannot make a socket", -errno);
	*spare = (struct spare){ .number = number, .files = NO_FILES };
	spare->pid = fork_into(spare, room);
	if (spare->pid == 0) {
		child_run(ends[1], hidden, spare, out);
		return 1;
	}
	if (spare->pid < 0 || (status = oe_warm_end()) < 0)
		give_up("cannot fork an evaluation", -errno);
	close(ends[1]);
	if ((spare->handle = (int)syscall(SYS_pidfd_open, spare->pid, 0)) < 0)
		give_up("cannot watch an evaluation", -errno);
	fds[0] = ends[0];
	fds[1] = spare->handle;
	fds[2] = spare->room ? spare->room->handle : -1;
	(void)send_with(control, &message, sizeof(message), fds, fds[2] >= 0 ? 3 : 2);
	close(fds[0]);
	return 0;
}

static double milliseconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

/* The end of a child: what the host is to be told. Of strays it says whether there may be any. */
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
	if (spare->room && (killed || room_has_strays(spare->room)))
		message.strays = -1;
	return message;
}

/* The end of everything else in its namespace, which is what takes its time on a machine that is busy. */
static void clear(const struct spare *spare, struct oe__warm_message *message)
{
	struct rusage usage;

	message->strays = room_end(spare->room, &usage);
	message->cpu_ms += milliseconds(&usage);
}

/* What it had may be had by the next one in the room. */
static void forget(struct spare *spare)
{
	if (spare->room && spare->room->init > 0)
		room_take_files(spare->room, &spare->files);
	else if (spare->room)
		files_close(&spare->room->files);
	files_close(&spare->files);
	*spare = (struct spare){ .files = NO_FILES };
}

/* ---- the server ---- */

struct server {
	int control;
	const char *hidden;
	int64_t count;
	int broken;
	struct spare spare, running;
	struct oe__warm_message ended; /* of the last one of which the host had not said that it has a job */
	struct room rooms[ROOMS];
};

static bool say(const struct server *server, const struct oe__warm_message *message)
{
	return send_with(server->control, message, sizeof(*message), NULL, 0);
}

/* Files that children have made. Of one that is gone nobody wants to hear any more. */
static void take_gifts(struct server *server)
{
	struct files files;
	int64_t number;
	int fds[FDS_MAX];

	while (receive_with(gifts[0], &number, sizeof(number), MSG_DONTWAIT, fds) > 0) {
		files = (struct files){ fds[0], fds[1] };
		if (number == server->running.number)
			server->running.files = files;
		else if (number == server->spare.number)
			server->spare.files = files;
		else
			files_close(&files);
	}
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
	server->spare = (struct spare){ .files = NO_FILES };
	server->broken = 0;
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

/* The host is told first: ending processes takes its time, and so do mounts. */
static void running_ended(struct server *server)
{
	struct oe__warm_message message = reap(&server->running);

	(void)say(server, &message);
	if (message.strays < 0) {
		message = (struct oe__warm_message){ .type = OE__WARM_CLEARED, .number = message.number };
		clear(&server->running, &message);
		(void)say(server, &message);
	}
	take_gifts(server);
	forget(&server->running);
}

static int spare_ended(struct server *server, struct child *out)
{
	server->ended = reap(&server->spare);
	if (server->ended.strays < 0)
		clear(&server->spare, &server->ended);
	forget(&server->spare);
	if (++server->broken > BROKEN_MAX)
		return -1;
	return next_spare(server, out);
}

/* An evaluator that has a candidate of its own mounts something itself: its files are not used again. */
static void make_rooms(struct server *server)
{
	size_t size = ROOMS * sizeof(*shared);

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, gifts) < 0)
		give_up("cannot make a socket", -errno);
	if (!*server->hidden && oe_warm_has_files())
		shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		shared = NULL;
	for (size_t i = 0; i < ROOMS; i++)
		server->rooms[i] = (struct room){ .files = NO_FILES, .kept = shared ? &shared[i] : NULL };
}

int oe_serve(int control, int preload, const char *hidden, struct child *out)
{
	struct server server = { .control = control, .hidden = hidden };
	make_rooms(&server);
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
