#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define STACK_SIZE ((size_t)1024 * 1024) /* plugins run on these: modest, not tiny */

int oe__thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *argument,
                     oe_error *err)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	/* A new thread inherits the mask: block everything while it is made, so that no signal of the
	   host can ever be delivered to it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	int code = pthread_create(out, &attributes, run, argument);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code != 0) {
		errno = code;
		return oe__error_errno(err, "cannot start a thread");
	}
	(void)pthread_setname_np(*out, name);
	return 0;
}

int oe__cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	int code = pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
	return code == 0 ? 0 : OE_ERR_NOMEM;
}

bool oe__cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ns)
{
	if (deadline_ns < 0)
		return pthread_cond_wait(cond, mutex) == 0;
	struct timespec until = { .tv_sec = (time_t)(deadline_ns / 1000000000),
		                      .tv_nsec = (long)(deadline_ns % 1000000000) };
	return pthread_cond_timedwait(cond, mutex, &until) != ETIMEDOUT;
}

int oe__cpu_count(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		return CPU_COUNT(&set);
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	return count > 0 ? (int)count : 1;
}

int oe__signal_init(struct oe__signal *signal, oe_error *err)
{
	signal->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (signal->fd < 0)
		return oe__error_errno(err, "cannot make an event descriptor");
	return 0;
}

void oe__signal_set(struct oe__signal *signal)
{
	uint64_t one = 1;
	ssize_t written = write(signal->fd, &one, sizeof(one)); /* full: readable anyway */
	(void)written;
}

void oe__signal_clear(struct oe__signal *signal)
{
	uint64_t count;
	ssize_t got = read(signal->fd, &count, sizeof(count));
	(void)got;
}

void oe__signal_done(struct oe__signal *signal)
{
	oe__fd_close(signal->fd);
	signal->fd = -1;
}
