#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void report_send(const struct oe__report *report)
{
	while (send(OE__SPAWNER_SOCKET, report, sizeof(*report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

static void limit(int which, uint64_t value)
{
	struct rlimit limit = { .rlim_cur = value, .rlim_max = value };
	if (value > 0)
		(void)setrlimit(which, &limit);
}

static void set_limits(const struct oe__limits *limits)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	limit(RLIMIT_AS, limits->memory_bytes);
	limit(RLIMIT_CPU, limits->cpu_seconds);
	limit(RLIMIT_FSIZE, limits->file_bytes);
	limit(RLIMIT_NPROC, limits->processes);
	limit(RLIMIT_NOFILE, limits->descriptors);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Put the passed descriptors on 0, 1, 2, ... and close everything else but `notice`, which tells the
 * keeper why an exec failed: first all of them out of the way, then down.
 */
static bool place_fds(const struct start *start, int notice)
{
	int high[OE__FDS_MAX];
	unsigned count = start->request.fd_count;

	for (unsigned i = 0; i < count; i++) {
		high[i] = fcntl(start->fds[i], F_DUPFD_CLOEXEC, notice + 1);
		if (high[i] < 0)
			return false;
	}
	for (unsigned i = 0; i < count; i++)
		if (dup2(high[i], (int)i) < 0) /* clears CLOEXEC */
			return false;
	(void)syscall(SYS_close_range, count, (unsigned)notice - 1, 0);
	(void)syscall(SYS_close_range, (unsigned)notice + 1, ~0u, 0);
	return true;
}

static _Noreturn void child_run(const struct start *start, int failure)
{
	int notice = fcntl(failure, F_DUPFD_CLOEXEC, 64); /* above everything that is placed */

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	reset_signals();
	(void)setsid();
	if (chdir(start->directory) == 0 && place_fds(start, notice)) {
		set_limits(&start->request.limits);
		(void)execvpe(start->arguments[0], start->arguments, start->variables);
	}
	int code = errno;
	ssize_t written = write(notice, &code, sizeof(code));
	(void)written;
	_exit(127);
}

/* 0, or the errno of what went wrong before the exec. */
static int start_child(const struct start *start, pid_t *child)
{
	int ends[2], code = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	*child = fork();
	if (*child < 0)
		return errno;
	if (*child == 0)
		child_run(start, ends[1]);
	close(ends[1]);
	ssize_t got;
	while ((got = read(ends[0], &code, sizeof(code))) < 0 && errno == EINTR)
		continue;
	close(ends[0]);
	return got == (ssize_t)sizeof(code) ? code : 0;
}

static void report_exit(const struct oe__request *request, int status, const struct rusage *usage)
{
	report_send(&(struct oe__report){
		.type = OE__REPORT_EXITED,
		.tree = request->tree,
		.status = status,
		.cpu_ms = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
		          (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3,
		.memory_peak = (int64_t)usage->ru_maxrss * 1024,
	});
}

_Noreturn void keeper_run(const struct start *start)
{
	const struct oe__request *request = &start->request;
	pid_t child = 0, gone;
	struct rusage usage;
	int status;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)setsid();
	int code = start_child(start, &child);
	for (uint32_t i = 0; i < request->fd_count; i++)
		close(start->fds[i]);
	if (code != 0) {
		report_send(&(struct oe__report){
			.type = OE__REPORT_FAILED, .tree = request->tree, .status = code });
		_exit(0);
	}
	report_send(&(struct oe__report){ .type = OE__REPORT_STARTED,
	                                  .tree = request->tree,
	                                  .keeper = getpid(),
	                                  .child = child });
	while ((gone = wait4(-1, &status, 0, &usage)) > 0 || (gone < 0 && errno == EINTR))
		if (gone == child)
			report_exit(request, status, &usage);
	report_send(&(struct oe__report){ .type = OE__REPORT_DEAD, .tree = request->tree });
	_exit(0);
}
