#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void report_send(const struct oe__report *report)
{
	while (send(OE__SPAWNER_SOCKET, report, sizeof(*report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		continue;
}

void report_exit(const struct oe__request *request, int status, const struct rusage *usage)
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

/* The first process of the tree's namespaces: killed when the spawner says so. */
static volatile pid_t first;
static volatile sig_atomic_t unwanted;

static void on_term(int number)
{
	(void)number;
	unwanted = 1;
	if (first > 0)
		(void)kill(first, SIGKILL);
}

static pid_t start_child(const struct start *start, int notice, int *step)
{
	if (start->plan && start->plan->head.tier >= 2) {
		pid_t child = enter_namespaces(start, notice, step);
		first = child;
		if (unwanted && child > 0)
			(void)kill(child, SIGKILL);
		return child;
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)signal(SIGTERM, SIG_DFL); /* the spawner kills such trees itself */
	*step = OE__STEP_FORK;
	pid_t child = fork();
	if (child == 0)
		job_run(start, notice);
	return child;
}

static ssize_t read_notice(int fd, void *data, size_t size)
{
	ssize_t got;

	while ((got = read(fd, data, size)) < 0 && errno == EINTR)
		continue;
	return got;
}

/* Whatever went wrong before the program runs; a code of 0: nothing did. */
static struct failure start_tree(struct start *start, pid_t *child)
{
	struct failure failure = { OE__STEP_FORK, 0 };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return (struct failure){ OE__STEP_FORK, errno };
	*child = start_child(start, ends[1], &failure.step);
	if (*child < 0) {
		failure.code = errno;
		return failure;
	}
	close(ends[1]);
	if (start->orders >= 0) {
		uint64_t *tree = &start->request.tree;
		close(start->orders);
		if (read_notice(ends[0], tree, sizeof(*tree)) != (ssize_t)sizeof(*tree))
			_exit(1); /* it never was one */
	}
	ssize_t got = read_notice(ends[0], &failure, sizeof(failure));
	close(ends[0]);
	return got == (ssize_t)sizeof(failure) ? failure : (struct failure){ OE__STEP_FORK, 0 };
}

/* Without namespaces: reap all there is, and tell about the child. */
static uint32_t reap_below(const struct oe__request *request, pid_t child)
{
	struct rusage usage;
	pid_t gone;
	int status;
	bool exited = false;
	uint32_t strays = 0;

	while ((gone = wait4(-1, &status, 0, &usage)) > 0 || (gone < 0 && errno == EINTR)) {
		if (gone == child)
			report_exit(request, status, &usage);
		strays += exited && gone > 0;
		exited |= gone == child;
	}
	return strays;
}

/* With them: the first process told about the child itself, and leaves with the number of strays. */
static uint32_t reap_first(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 0;
}

static _Noreturn void end_failed(const struct start *start, const struct failure *failure)
{
	if (start->act) { /* the self-test is told where its answer would have come from */
		ssize_t written = write(start->fds[0], failure, sizeof(*failure));
		(void)written;
	} else {
		report_send(&(struct oe__report){ .type = OE__REPORT_FAILED,
		                                  .tree = start->request.tree,
		                                  .status = failure->code,
		                                  .step = (uint32_t)failure->step });
	}
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	_exit(0);
}

_Noreturn void keeper_run(const struct start *given)
{
	static struct start own;
	struct start *start = &own;
	const struct oe__request *request = &own.request;
	bool apart = given->plan && given->plan->head.tier >= 2;
	struct sigaction action = { .sa_handler = on_term };
	sigset_t none;
	pid_t child = 0;

	own = *given;
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)setsid();
	struct failure failure = start_tree(start, &child);
	if (failure.code != 0)
		end_failed(start, &failure);
	for (unsigned i = 0; i < start->fd_count; i++)
		close(start->fds[i]);
	if (start->act) {
		while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
			continue;
		_exit(0);
	}
	report_send(&(struct oe__report){ .type = OE__REPORT_STARTED,
	                                  .tree = request->tree,
	                                  .keeper = getpid(),
	                                  .child = child });
	uint32_t strays = apart ? reap_first(child) : reap_below(request, child);
	report_send(
		&(struct oe__report){ .type = OE__REPORT_DEAD, .tree = request->tree, .count = strays });
	_exit(0);
}
