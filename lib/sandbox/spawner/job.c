/* The child of a tree: the last steps before its program. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../confine/confine.h"
#include "../confine/limits.h"
#include "keeper.h"

void failure_send(int notice, int step)
{
	struct failure failure = { step, errno };
	ssize_t written = write(notice, &failure, sizeof(failure));
	(void)written;
}

/* The spawner was started with all of them as they should be: these it has changed, or its keeper. */
static void reset_signals(void)
{
	static const int changed[] = { SIGPIPE, SIGCHLD, SIGTERM };
	sigset_t none;

	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++)
		(void)signal(changed[i], SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Put the passed descriptors on 0, 1, 2, ... and close everything else but `notice`, which tells the
 * keeper why an exec failed: first all of them out of the way, then down.
 */
static bool place_fds(const struct start *start, int notice)
{
	int high[OE__FDS_MAX + 2];
	unsigned count = start->fd_count;

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

/* Children that it confines have limits of their own. It has to fork the next one while an evaluation
   has all the processes that it may, which are counted together; and what it takes itself for thousands of
   them is no evaluation's. */
static bool set_limits_of_server(const struct start *start)
{
	struct oe__limits limits = start->request.limits;

	if (start->plan)
		limits.processes = limits.cpu_seconds = 0;
	return limits_set(&limits);
}

/* 0, or the step that failed. */
static int prepare(const struct start *start, int notice)
{
	const struct oe__request *request = &start->request;
	const struct oe__plan *plan = start->plan;

	if (start->group >= 0 && !(request->flags & OE__START_WARM) && write(start->group, "0", 1) < 0)
		return OE__STEP_GROUP;
	/* Without namespaces, root becomes somebody else here. */
	if (plan && plan->head.tier < 2 && geteuid() == 0 && !privileges_become(plan->head.uid))
		return OE__STEP_IDENTITY;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(start->directory) < 0)
		return OE__STEP_DIRECTORY;
	if (!place_fds(start, notice))
		return OE__STEP_FDS;
	if (plan && !(request->flags & OE__START_WARM))
		return confine_self(plan, &request->limits);
	if (!set_limits_of_server(start))
		return OE__STEP_LIMITS;
	if (plan && plan->head.tier >= 2 && !privileges_keep_mounting())
		return OE__STEP_PRIVILEGES;
	return 0;
}

_Noreturn void job_run(const struct start *start, int notice)
{
	int out = fcntl(notice, F_DUPFD_CLOEXEC, 64); /* above everything that is placed */

	reset_signals();
	(void)setsid();
	int step = prepare(start, out);
	if (step != 0) {
		failure_send(out, step);
		_exit(127);
	}
	if (start->act) {
		close(out);
		start->act(start);
		_exit(0);
	}
	(void)execvpe(start->arguments[0], start->arguments, start->variables);
	failure_send(out, OE__STEP_EXEC);
	_exit(127);
}
