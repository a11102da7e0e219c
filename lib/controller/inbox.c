#include "controller/inbox.h"

#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static int add(int poll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
}

int oe__inbox_init(struct oe__inbox *inbox, oe_error *err)
{
	*inbox = (struct oe__inbox){ .fd = -1, .timer_fd = -1, .due_ns = INT64_MAX, .signal.fd = -1 };
	pthread_mutex_init(&inbox->mutex, NULL);
	int status = oe__signal_init(&inbox->signal, err);
	if (status < 0)
		return status;
	inbox->fd = epoll_create1(EPOLL_CLOEXEC);
	inbox->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (inbox->fd < 0 || inbox->timer_fd < 0 || add(inbox->fd, inbox->signal.fd) < 0 ||
	    add(inbox->fd, inbox->timer_fd) < 0)
		return oe__error_errno(err, "cannot make an event descriptor");
	return 0;
}

void oe__inbox_done(struct oe__inbox *inbox)
{
	oe__fd_close(inbox->fd);
	oe__fd_close(inbox->timer_fd);
	oe__signal_done(&inbox->signal);
	pthread_mutex_destroy(&inbox->mutex);
}

void oe__inbox_post(struct oe__inbox *inbox, struct oe__task *task)
{
	OE__LOCKED(&inbox->mutex);
	oe__task_push(&inbox->posted, task);
	if (!inbox->raised) { /* one system call per batch, not per task */
		inbox->raised = true;
		oe__signal_set(&inbox->signal);
	}
}

void oe__inbox_wake(struct oe__inbox *inbox)
{
	oe__signal_set(&inbox->signal); /* no lock: a signal handler may have interrupted its holder */
}

void oe__inbox_raise(struct oe__inbox *inbox)
{
	OE__LOCKED(&inbox->mutex);
	if (!inbox->raised) {
		inbox->raised = true;
		oe__signal_set(&inbox->signal);
	}
}

void oe__inbox_run(struct oe__inbox *inbox)
{
	pthread_mutex_lock(&inbox->mutex);
	struct oe__task_list batch = inbox->posted;
	inbox->posted = (struct oe__task_list){ 0 };
	inbox->raised = false;
	oe__signal_clear(&inbox->signal);
	pthread_mutex_unlock(&inbox->mutex);

	struct oe__task *task;
	while ((task = oe__task_pop(&batch)) != NULL)
		task->run(task);
}

void oe__inbox_set_alarm(struct oe__inbox *inbox, int64_t due_ns)
{
	uint64_t expirations;

	/* A timer that rang stays readable until it is read, or set anew. */
	if (inbox->due_ns != INT64_MAX && read(inbox->timer_fd, &expirations, sizeof(expirations)) > 0)
		inbox->due_ns = INT64_MAX;
	if (due_ns == inbox->due_ns)
		return;
	inbox->due_ns = due_ns;
	struct itimerspec when = { 0 };
	if (due_ns != INT64_MAX) {
		if (due_ns < 1)
			due_ns = 1; /* zero would switch it off */
		when.it_value.tv_sec = (time_t)(due_ns / 1000000000);
		when.it_value.tv_nsec = (long)(due_ns % 1000000000);
	}
	(void)timerfd_settime(inbox->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

void oe__inbox_wait(struct oe__inbox *inbox, int64_t timeout_ms)
{
	struct pollfd ready = { .fd = inbox->fd, .events = POLLIN };
	int limit = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;

	(void)poll(&ready, 1, limit); /* an interruption is as good as a wake-up */
}
