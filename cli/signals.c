/*
 * Signal handlers, and nothing else that is not safe in one. The library's threads block all
 * signals, so these run on the main thread.
 */

#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "cli.h"

static _Atomic(oe_controller *) running;
static atomic_int stops, first_signal, checkpoint, status, continued;
static atomic_int cursor_fd = -1;

static void show_cursor(void)
{
	static const char show[] = "\x1b[?7h\x1b[?25h\r\n";
	int fd = atomic_load(&cursor_fd);

	if (fd >= 0)
		(void)!write(fd, show, sizeof(show) - 1);
}

static void on_stop(int number)
{
	int error = errno;
	int count = atomic_fetch_add(&stops, 1) + 1;
	oe_controller *controller = atomic_load(&running);

	if (count == 1)
		atomic_store(&first_signal, number);
	if (count >= 3 || !controller) {
		show_cursor();
		_exit(EXIT_SIGNAL + number);
	}
	oe_controller_stop(controller, count == 1 ? OE_STOP_CANCEL : OE_STOP_KILL);
	errno = error;
}

static void on_checkpoint(int number)
{
	(void)number;
	atomic_store(&checkpoint, 1);
}

static void on_status(int number)
{
	(void)number;
	atomic_store(&status, 1);
}

/* Ctrl-Z: leave a usable terminal behind, stop, and draw anew when it goes on. */
static void on_suspend(int number)
{
	int error = errno;

	(void)number;
	show_cursor();
	raise(SIGSTOP);
	atomic_store(&continued, 1);
	errno = error;
}

/* An assertion failed. */
static void on_abort(int number)
{
	static const char text[] = "oe: internal error; please report it with what was printed above\n";

	(void)number;
	show_cursor();
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EXIT_INTERNAL);
}

/* Nothing to be saved, but the terminal is somebody else's from now on. */
static void on_fatal(int number)
{
	show_cursor();
	raise(number); /* the handler was for once */
}

static void handle(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void handle_fatal(int number)
{
	struct sigaction action = { .sa_handler = on_fatal, .sa_flags = SA_RESETHAND | SA_NODEFER };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* nohup(1) has this signal ignored: so it stays. Not so for SIGINT, which scripts ignore in all that
   they start in the background, and then send themselves. */
static void handle_wanted(int number, void (*handler)(int))
{
	struct sigaction old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		handle(number, handler);
}

void signals_expect(void)
{
	handle(SIGUSR1, on_checkpoint);
	handle(SIGUSR2, on_status);
}

void signals_begin(oe_controller *controller)
{
	atomic_store(&running, controller);
	handle(SIGINT, on_stop);
	handle(SIGTERM, on_stop);
	handle_wanted(SIGHUP, on_stop);
	signals_expect();
	handle(SIGABRT, on_abort);
}

void signals_end(void)
{
	atomic_store(&running, NULL);
}

int signals_stops(void)
{
	return atomic_load(&stops);
}

int signals_first(void)
{
	return atomic_load(&first_signal);
}

bool signals_checkpoint(void)
{
	return atomic_exchange(&checkpoint, 0) != 0;
}

bool signals_status(void)
{
	return atomic_exchange(&status, 0) != 0;
}

bool signals_continued(void)
{
	return atomic_exchange(&continued, 0) != 0;
}

void signals_keep_cursor(int fd)
{
	static const int fatal[] = { SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

	atomic_store(&cursor_fd, fd);
	if (fd < 0)
		return;
	handle_wanted(SIGTSTP, on_suspend);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		handle_fatal(fatal[i]);
}
