/*
 * The first process of an evaluation's process namespace, below a fork server: it reaps what is orphaned,
 * and when it goes, all go. Descriptor 0 is the server's end: when that is closed the evaluation is over,
 * and what still runs is killed and counted.
 *
 * Static, and small: one is started for each evaluation.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRAYS_MAX 250 /* that an exit status can tell */

static volatile sig_atomic_t ready_to_reap;

static void on_child(int number)
{
	(void)number;
	ready_to_reap = 1;
}

static int end_strays(void)
{
	int strays = 0;

	(void)kill(-1, SIGKILL);
	for (;;) {
		pid_t gone = waitpid(-1, NULL, 0);
		if (gone > 0)
			strays++;
		else if (errno != EINTR)
			return strays < STRAYS_MAX ? strays : STRAYS_MAX;
	}
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_child };
	struct pollfd over = { .fd = 0, .events = POLLIN };
	sigset_t blocked, open;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid();
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &blocked, &open);
	sigdelset(&open, SIGCHLD);
	(void)sigaction(SIGCHLD, &action, NULL);
	while (ppoll(&over, 1, NULL, &open) <= 0)
		while (ready_to_reap && waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	_exit(end_strays());
}
