/* The fork server's loop, without an interpreter and without confinement: children do as their job says. */

#include "sandbox/confine/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/protocol.h"
#include "test.h"

struct serving {
	int control;
	pid_t pid;
};

/* A child leaves with the number that is its job. */
static _Noreturn void serve(int control)
{
	struct child child;
	int end = oe_serve(control, 2, "", &child);

	if (end != 1)
		_exit(end == -1 ? 0 : 1);
	oe_take(&child);
	_exit(child.job[0] - '0');
}

static struct serving begin(void)
{
	struct serving serving;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	serving.control = ends[0];
	serving.pid = fork();
	ck_assert_int_ge(serving.pid, 0);
	if (serving.pid == 0) {
		close(ends[0]);
		serve(ends[1]);
	}
	close(ends[1]);
	return serving;
}

static int end(struct serving *serving)
{
	int status = -1;

	close(serving->control);
	ck_assert_int_eq(waitpid(serving->pid, &status, 0), serving->pid);
	return status;
}

/* The next message, and the descriptors that came with it, or -1: for the job, and of the process. */
static struct oe__warm_message hear_both(const struct serving *serving, int fds[2])
{
	struct oe__warm_message message = { 0 };
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { &message, sizeof(message) };
	struct msghdr packet = { .msg_iov = &part,
		                     .msg_iovlen = 1,
		                     .msg_control = control.space,
		                     .msg_controllen = sizeof(control.space) };

	ck_assert_int_eq(recvmsg(serving->control, &packet, MSG_CMSG_CLOEXEC), sizeof(message));
	const struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
	fds[0] = fds[1] = -1;
	if (header)
		memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
	return message;
}

static struct oe__warm_message hear(const struct serving *serving, int *orders)
{
	int fds[2];
	struct oe__warm_message message = hear_both(serving, fds);

	*orders = fds[0];
	if (fds[1] >= 0)
		close(fds[1]);
	return message;
}

/* The next spare: where its job goes. */
static int hear_spare(const struct serving *serving, int64_t number)
{
	int orders;
	struct oe__warm_message message = hear(serving, &orders);

	ck_assert_int_eq(message.type, OE__WARM_SPARE);
	ck_assert_int_eq(message.number, number);
	ck_assert_int_ge(orders, 0);
	return orders;
}

static void hear_exited(const struct serving *serving, int64_t number, int status)
{
	int none;
	struct oe__warm_message message = hear(serving, &none);

	ck_assert_int_eq(message.type, OE__WARM_EXITED);
	ck_assert_int_eq(message.number, number);
	ck_assert(WIFEXITED(message.status));
	ck_assert_int_eq(WEXITSTATUS(message.status), status);
}

static void tell(const struct serving *serving, enum oe__warm_type type, int64_t number)
{
	struct oe__warm_message message = { .type = type, .number = number };

	ck_assert_int_eq(send(serving->control, &message, sizeof(message), MSG_NOSIGNAL), sizeof(message));
}

static void give(int orders, const char *job)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), fds[2] = { nothing, nothing };
	union {
		char space[CMSG_SPACE(sizeof(fds))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec part = { (void *)(uintptr_t)job, strlen(job) };
	struct msghdr packet = { .msg_iov = &part,
		                     .msg_iovlen = 1,
		                     .msg_control = control.space,
		                     .msg_controllen = sizeof(control.space) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&packet);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	ck_assert_int_eq(sendmsg(orders, &packet, MSG_NOSIGNAL), strlen(job));
	close(nothing);
	close(orders);
}

static int begin_with_spare(struct serving *serving)
{
	int none;

	*serving = begin();
	struct oe__warm_message message = hear(serving, &none);
	ck_assert_int_eq(message.type, OE__WARM_READY);
	ck_assert_int_eq(message.status, 2);
	return hear_spare(serving, 1);
}

START_TEST(test_one_after_the_other)
{
	struct serving serving;
	int orders = begin_with_spare(&serving);

	for (int number = 1; number <= 3; number++) {
		tell(&serving, OE__WARM_GIVEN, number);
		give(orders, number == 2 ? "0" : "3");
		hear_exited(&serving, number, number == 2 ? 0 : 3);
		tell(&serving, OE__WARM_NEXT, 0);
		orders = hear_spare(&serving, number + 1);
	}
	close(orders);
	ck_assert_int_eq(end(&serving), 0);
}
END_TEST

/* Of one that it never had, or has forgotten, it does not say how it ended. */
START_TEST(test_an_end_that_nobody_knows)
{
	struct serving serving;
	int none, orders = begin_with_spare(&serving);

	tell(&serving, OE__WARM_GIVEN, 77);
	struct oe__warm_message message = hear(&serving, &none);
	ck_assert_int_eq(message.type, OE__WARM_EXITED);
	ck_assert_int_eq(message.number, 77);
	ck_assert_int_eq(message.status, -1);
	close(orders);
	ck_assert_int_eq(end(&serving), 0);
}
END_TEST

/* A child may have its job, and have ended, before the server hears that the host gave it one. Its end is
   told all the same, and is not that of a child which cannot even begin. */
START_TEST(test_an_end_before_its_beginning)
{
	struct serving serving;
	int orders = begin_with_spare(&serving);

	for (int number = 1; number <= 10; number++) {
		give(orders, "7");
		orders = hear_spare(&serving, number + 1); /* so the server has seen the end */
		tell(&serving, OE__WARM_GIVEN, number);
		hear_exited(&serving, number, 7);
	}
	close(orders);
	ck_assert_int_eq(end(&serving), 0);
}
END_TEST

/* ... of which there may not be many. */
START_TEST(test_children_that_cannot_begin)
{
	struct serving serving;
	int orders = begin_with_spare(&serving), number = 1;

	while (number < 4) {
		close(orders); /* no job: it ends */
		orders = hear_spare(&serving, ++number);
	}
	close(orders);
	struct oe__warm_message message;
	ck_assert_int_eq(recv(serving.control, &message, sizeof(message), 0), 0); /* it has gone */
	ck_assert_int_eq(end(&serving), 0);
}
END_TEST

/* Whether a child lives is seen without the server's help, which others may have stopped. */
START_TEST(test_a_death_that_nobody_tells)
{
	struct serving serving;
	int none, fds[2], orders = begin_with_spare(&serving);

	give(orders, "0");
	struct oe__warm_message message = hear_both(&serving, fds); /* the first one was for nothing */
	ck_assert_int_eq(message.type, OE__WARM_SPARE);
	struct pollfd process = { .fd = fds[1], .events = POLLIN };
	ck_assert_int_eq(poll(&process, 1, 0), 0);
	ck_assert_int_eq(kill(serving.pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(serving.pid, &none, WUNTRACED), serving.pid);
	give(fds[0], "0");
	ck_assert_int_eq(poll(&process, 1, TEST_PATIENCE_MS), 1);
	ck_assert_int_eq(kill(serving.pid, SIGCONT), 0);
	close(fds[1]);
	ck_assert_int_eq(end(&serving), 0);
}
END_TEST

TEST_MAIN("serve", test_one_after_the_other, test_a_death_that_nobody_tells, test_an_end_before_its_beginning, test_an_end_that_nobody_knows,
          test_children_that_cannot_begin)
