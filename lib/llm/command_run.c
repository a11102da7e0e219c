/*
 * One question to a program. It is begun on any thread, and lives on the reactor thread: three
 * pipes, a deadline, and reports of the spawner about its process tree.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"
#include "llm/command_internal.h"
#include "llm/llm.h"

#define COMPLAINT ((size_t)2048) /* kept of the error output: its end, for a message */

/* A pipe's end on our side. */
struct stream {
	int fd; /* -1: closed */
	struct oe__watch *watch;
};

struct run {
	struct oe__command *command;
	oe_completion *completion;
	struct oe__task begin, cancel;
	bool cancelling; /* guarded by the completion's mutex: `cancel` is posted, or was */

	/* Reactor thread. */
	bool was_cancelled, over;
	bool ending, dead; /* the tree is being killed; nothing is left of it */
	struct oe__timer deadline;
	int64_t timeout_ms;
	uint64_t tree;
	struct stream in, out, complaints;
	struct oe__buffer prompt, answer, complaint;
	size_t written;
	uint64_t seed;
	int exit_status;
	int status; /* first failure */
	oe_error error;
};

/* ---- streams ---- */

static void stream_close(struct stream *stream)
{
	oe__watch_close(OE__STEAL(stream->watch));
	oe__fd_close(stream->fd);
	stream->fd = -1;
}

static int stream_open(struct run *run, struct stream *stream, int events,
					   oe__watch_function *ready)
{
	return oe__watch_open(run->command->reactor, stream->fd, events, ready, run, &stream->watch);
}

/* ---- the end ---- */

static void run_free(struct run *run)
{
	stream_close(&run->in);
	stream_close(&run->out);
	stream_close(&run->complaints);
	oe__buffer_done(&run->prompt);
	oe__buffer_done(&run->answer);
	oe__buffer_done(&run->complaint);
	oe__free(run);
}

/* After this the completion may be gone, and the command with it. */
static void finish(struct run *run)
{
	oe_completion *completion = run->completion;
	oe_error err = run->error;
	int status = run->status;

	oe__timer_cancel(&run->deadline);
	pthread_mutex_lock(&completion->mutex);
	completion->backend = NULL;
	bool cancelling = run->cancelling;
	pthread_mutex_unlock(&completion->mutex);
	run->over = true;
	if (status == 0)
		status =
			oe_completion_append(completion, oe__buffer_string(&run->answer), run->answer.size);
	if (status == 0) {
		oe_completion_set_finish(completion,
								 run->answer.size > 0 ? OE_FINISH_STOP : OE_FINISH_EMPTY);
		oe_completion_set_model(completion, run->command->name);
	}
	if (!cancelling || run->was_cancelled)
		run_free(run);
	oe_completion_finish(completion, status, &err);
}

/* The last line of the error output says most often what is wrong. */
static const char *last_complaint(struct run *run)
{
	struct oe__buffer *text = &run->complaint;

	while (text->size > 0 && oe__is_space(text->data[text->size - 1]))
		oe__buffer_truncate(text, text->size - 1);
	const char *line = text->size > 0 ? memrchr(text->data, '\n', text->size) : NULL;
	return line ? line + 1 : oe__buffer_string(text);
}

static void judge(struct run *run)
{
	int code = run->exit_status;

	if (run->status < 0 || code == 0)
		return;
	const char *complaint = last_complaint(run);
	const char *colon = *complaint ? ": " : "";
	run->status = OE_ERR_LLM;
	if (WIFSIGNALED(code))
		(void)oe__error(&run->error, run->status, "command '%s' was killed by signal %d%s%s",
						run->command->arguments[0], WTERMSIG(code), colon, complaint);
	else if (WEXITSTATUS(code) == EX_TEMPFAIL)
		oe_completion_set_failure(run->completion, OE_LLM_FAILURE_TRANSIENT, -1);
	if (!WIFSIGNALED(code))
		(void)oe__error(&run->error, run->status, "command '%s' exited with status %d%s%s",
						run->command->arguments[0], WEXITSTATUS(code), colon, complaint);
}

/* All of the tree is dead, and so is everybody who could still write: the rest is in the pipes. */
static void check_end(struct run *run)
{
	if (!run->dead || run->out.fd >= 0 || run->complaints.fd >= 0)
		return;
	judge(run);
	finish(run);
}

static void kill_tree(struct run *run)
{
	if (!run->ending && !run->dead && run->command->sandbox)
		oe__sandbox_kill(run->command->sandbox, run->tree);
	run->ending = true;
}

static void give_up(struct run *run, int status, const char *message)
{
	if (run->status == 0)
		run->status =
			oe__error(&run->error, status, "command '%s': %s", run->command->arguments[0], message);
	kill_tree(run);
}

static void time_out(struct oe__timer *timer)
{
	struct run *run = OE__CONTAINER(timer, struct run, deadline);
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	oe__buffer_printf(&text, "no answer within %.6g s", (double)run->timeout_ms / 1000);
	give_up(run, OE_ERR_TIMEOUT, oe__buffer_string(&text));
}

/* ---- pipes ---- */

static void feed(void *owner, int fd, int events)
{
	struct run *run = owner;
	(void)events;

	ssize_t size = write(fd, run->prompt.data + run->written, run->prompt.size - run->written);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* A program that does not read its prompt to the end may still answer. */
	if (size < 0 || (run->written += (size_t)size) == run->prompt.size) {
		stream_close(&run->in);
		oe__buffer_done(&run->prompt);
	}
}

/* @return bytes appended, 0 at the end, negative: nothing now. */
static ssize_t read_some(int fd, struct oe__buffer *out)
{
	char piece[16 * 1024];
	ssize_t size = read(fd, piece, sizeof(piece));

	if (size > 0)
		(void)oe__buffer_append(out, piece, (size_t)size);
	return size < 0 && errno != EAGAIN && errno != EINTR ? 0 : size;
}

static void hear_answer(void *owner, int fd, int events)
{
	struct run *run = owner;
	(void)events;

	ssize_t size = read_some(fd, &run->answer);
	if (run->answer.status == OE_ERR_LIMIT)
		give_up(run, OE_ERR_LIMIT, "the answer is longer than llm.max_response_bytes");
	else if (run->answer.status < 0)
		give_up(run, run->answer.status, oe_status_string(run->answer.status));
	if (size == 0) {
		stream_close(&run->out);
		check_end(run);
	}
}

static void hear_complaint(void *owner, int fd, int events)
{
	struct run *run = owner;
	struct oe__buffer *text = &run->complaint;
	(void)events;

	ssize_t size = read_some(fd, text);
	if (text->size > COMPLAINT) {
		memmove(text->data, text->data + text->size - COMPLAINT, COMPLAINT);
		oe__buffer_truncate(text, COMPLAINT);
	}
	if (size == 0) {
		stream_close(&run->complaints);
		check_end(run);
	}
}

/* ---- the process ---- */

static void heard(void *owner, const struct oe__report *report)
{
	struct run *run = owner;
	oe_error err;

	switch (report->type) {
	case OE__REPORT_FAILED:
		errno = report->status;
		(void)oe__error_errno(&err, "cannot be started");
		oe_completion_set_failure(run->completion, OE_LLM_FAILURE_ACCESS, -1);
		run->dead = true;
		give_up(run, OE_ERR_LLM, err.message);
		break;
	case OE__REPORT_EXITED:
		if (!run->ending) /* else it is we who killed it */
			run->exit_status = report->status;
		kill_tree(run); /* what it left behind cannot answer any more */
		break;
	case OE__REPORT_LOST:
		run->dead = true;
		give_up(run, OE_ERR_IO, "the spawner ended");
		break;
	case OE__REPORT_DEAD:
		run->dead = true;
		break;
	default:
		break;
	}
	check_end(run);
}

/* `theirs` are the child's ends, to be closed by the caller. */
static int open_pipes(struct run *run, int theirs[3], oe_error *err)
{
	struct stream *const ours[3] = { &run->in, &run->out, &run->complaints };

	for (size_t i = 0; i < 3; i++) {
		int ends[2];
		if (pipe2(ends, O_CLOEXEC) < 0)
			return oe__error_errno(err, "cannot make a pipe");
		theirs[i] = ends[i == 0 ? 0 : 1];
		ours[i]->fd = ends[i == 0 ? 1 : 0];
		if (fcntl(ours[i]->fd, F_SETFL, O_NONBLOCK) < 0)
			return oe__error_errno(err, "cannot prepare a pipe");
	}
	return 0;
}

static int start_tree(struct run *run, const int theirs[3], oe_error *err)
{
	struct oe__command *command = run->command;
	OE__AUTO(buffer) struct oe__buffer seed = OE__BUFFER_INIT(0);
	struct oe__tree_spec spec = {
		.arguments = (const char *const *)command->arguments,
		.variables = (const char *const *)command->variables,
		.directory = command->directory,
		.fds = theirs,
		.fd_count = 3,
	};

	if (oe__buffer_printf(&seed, "OE_SEED=%llu", (unsigned long long)run->seed) < 0)
		return oe__error_nomem(err);
	command->variables[command->variable_count] = seed.data;
	int status = oe__sandbox_start(command->sandbox, &spec, heard, run, &run->tree, err);
	command->variables[command->variable_count] = NULL;
	return status;
}

static int launch(struct run *run, oe_error *err)
{
	int theirs[3] = { -1, -1, -1 };
	struct oe__reactor *reactor = run->command->reactor;

	int status = oe__command_need_sandbox(run->command, err);
	if (status == 0)
		status = open_pipes(run, theirs, err);
	/* Everything that can fail comes before the tree, which reports to this run until it is dead.
	 */
	if (status == 0 && (stream_open(run, &run->in, OE__WRITABLE, feed) < 0 ||
						stream_open(run, &run->out, OE__READABLE, hear_answer) < 0 ||
						stream_open(run, &run->complaints, OE__READABLE, hear_complaint) < 0 ||
						oe__timer_arm(reactor, &run->deadline,
									  oe__clock_ns() + run->timeout_ms * 1000000, time_out) < 0))
		status = oe__error_nomem(err);
	if (status == 0)
		status = start_tree(run, theirs, err);
	for (size_t i = 0; i < 3; i++)
		oe__fd_close(theirs[i]);
	return status;
}

static void begin(struct oe__task *task)
{
	struct run *run = OE__CONTAINER(task, struct run, begin);

	run->status = oe_completion_cancelled(run->completion)
					  ? oe__error(&run->error, OE_ERR_CANCELLED, "cancelled")
					  : launch(run, &run->error);
	if (run->status < 0)
		finish(run);
}

static void cancel_run(struct oe__task *task)
{
	struct run *run = OE__CONTAINER(task, struct run, cancel);

	if (run->over) {
		run_free(run);
		return;
	}
	run->was_cancelled = true;
	give_up(run, OE_ERR_CANCELLED, "cancelled");
}

/* ---- questions ---- */

static void post_cancel(struct run *run)
{
	run->cancelling = true;
	run->cancel.run = cancel_run;
	oe__reactor_post(run->command->reactor, &run->cancel);
}

void oe__command_cancel(void *self, oe_completion *completion)
{
	(void)self;
	OE__LOCKED(&completion->mutex);
	struct run *run = completion->backend;
	if (run && !run->cancelling)
		post_cancel(run);
}

static int write_prompt(struct run *run, const oe_llm_request *request)
{
	struct oe__buffer *prompt = &run->prompt;

	if (request->system_size > 0) {
		oe__buffer_append(prompt, request->system, request->system_size);
		oe__buffer_text(prompt, "\n\n");
	}
	return oe__buffer_append(prompt, request->user, request->user_size);
}

int oe__command_start(void *self, const oe_llm_request *request, oe_completion *completion,
					  oe_error *err)
{
	struct oe__command *command = self;
	struct run *run = oe__calloc(1, sizeof(*run));

	if (!run)
		return oe__error_nomem(err);
	run->command = command;
	run->completion = completion;
	run->in.fd = run->out.fd = run->complaints.fd = -1;
	run->seed = request->seed;
	run->answer.size_max = command->response_max;
	run->timeout_ms = command->timeout_ms;
	if (request->timeout_ms > 0 && request->timeout_ms < run->timeout_ms)
		run->timeout_ms = request->timeout_ms;
	if (write_prompt(run, request) < 0) {
		run_free(run);
		return oe__error_nomem(err);
	}
	run->begin.run = begin;
	/* From here on cancel() finds it; posted under the lock, so a cancellation comes behind. */
	OE__LOCKED(&completion->mutex);
	completion->backend = run;
	oe__completion_count_requests(completion, 1);
	oe__reactor_post(command->reactor, &run->begin);
	if (oe_completion_cancelled(completion))
		post_cancel(run);
	return 0;
}
