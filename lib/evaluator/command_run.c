/*
 * One evaluation by a command. It is begun on any thread, and lives on the reactor thread: a pipe
 * for its output, one for its result, a deadline, and reports of the spawner about its tree.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "evaluator/command_internal.h"
#include "evaluator/hidden.h"
#include "evaluator/python_result.h"
#include "program/program.h"

/* Where the result goes, in the child. */
#define RESULT_FD 3

#define CHUNK 65536

struct stream {
	int fd; /* -1: closed */
	struct oe__watch *watch;
};

struct oe__command_run {
	struct oe__task task;
	struct oe__command_evaluator *command;
	struct oe__command_run *next, *previous;
	oe_evaluation *evaluation; /* the handle to finish; the wrapper's request keeps the program */
	const oe_program *program;
	uint64_t seed;
	int64_t timeout_ms, started_ns;

	bool ending, dead; /* the tree is being killed; nothing is left of it */
	uint64_t tree;
	struct oe__timer deadline;
	struct stream output_stream, result_stream;
	struct oe__output output;
	struct oe__buffer result;
	struct oe__child_end end;
	char *scratch;
};

/* ---- the end ---- */

static void stream_close(struct stream *stream)
{
	oe__watch_close(OE__STEAL(stream->watch));
	oe__fd_close(stream->fd);
	stream->fd = -1;
}

static int bad_result(oe_evaluation *evaluation, int verdict, const char *why)
{
	OE__AUTO(buffer) struct oe__buffer sentence = OE__BUFFER_INIT(512);

	oe__buffer_printf(&sentence, "its result is not usable: %s", why);
	return oe_evaluation_set_verdict(evaluation, verdict, oe__buffer_string(&sentence));
}

/* {"metrics": {...}, "artifacts": {...}}, or the metrics themselves. */
static int read_result(oe_evaluation *evaluation, const struct oe__buffer *bytes)
{
	OE__AUTO(value) struct oe__value result = { 0 };
	oe_error err = { 0 };

	if (bytes->status == OE_ERR_LIMIT)
		return bad_result(evaluation, OE_VERDICT_PROTOCOL_VIOLATION, "it is too large");
	int status = oe__json_parse(oe__buffer_string(bytes), bytes->size, &result, &err);
	if (status == OE_ERR_NOMEM)
		return status;
	if (status < 0)
		return bad_result(evaluation, OE_VERDICT_BAD_RESULT, err.message);
	if (result.type != OE__VALUE_MAP)
		return bad_result(evaluation, OE_VERDICT_BAD_RESULT, "expected a JSON object");
	struct oe__value *metrics = oe__value_get(&result, "metrics");
	if (!metrics || metrics->type != OE__VALUE_MAP)
		return oe__result_add(evaluation, &result, NULL);
	return oe__result_add(evaluation, metrics, oe__value_get(&result, "artifacts"));
}

static int judge(struct oe__command_run *run)
{
	if (oe__result_is_stopped(&run->end))
		return oe__result_stopped(run->evaluation, &run->end);
	if (run->end.lost || !run->end.exited)
		return oe_evaluation_set_verdict(run->evaluation, OE_VERDICT_SANDBOX_ERROR,
		                                 "the spawner ended during the evaluation");
	if (run->end.status != 0 || run->result.size == 0)
		return oe__result_silent_end(run->evaluation, &run->end);
	int status = read_result(run->evaluation, &run->result);
	return status < 0 ? status : oe__result_check_score(run->evaluation);
}

static void unlist(struct oe__command_run *run)
{
	*(run->previous ? &run->previous->next : &run->command->runs) = run->next;
	if (run->next)
		run->next->previous = run->previous;
}

static void run_free(struct oe__command_run *run)
{
	stream_close(&run->output_stream);
	stream_close(&run->result_stream);
	oe__output_done(&run->output);
	oe__buffer_done(&run->result);
	oe__free(run->scratch);
	oe__free(run);
}

/* After this the evaluation may be gone, and the evaluator with it. */
static void finish(struct oe__command_run *run, int status, const oe_error *err)
{
	oe_evaluation *evaluation = run->evaluation;
	bool cancelled = run->end.cancelled;

	oe__timer_cancel(&run->deadline);
	unlist(run);
	if (run->scratch)
		(void)oe__directory_remove(run->scratch, NULL); /* what resists goes with the sandbox */
	run_free(run);
	oe_evaluation_finish(evaluation, cancelled ? OE_ERR_CANCELLED : status, err);
}

/* It has ended, or is being ended: what comes now is not its time. */
static void stop_clock(struct oe__command_run *run)
{
	if (run->end.wall_ms < 0)
		run->end.wall_ms = (double)(oe__clock_ns() - run->started_ns) / 1e6;
}

/* All of the tree is dead, and so is everybody who could still write: the rest is in the pipes. */
static void check_end(struct oe__command_run *run)
{
	if (!run->dead || run->output_stream.fd >= 0 || run->result_stream.fd >= 0)
		return;
	stop_clock(run);
	int status = judge(run);
	status = oe__result_finish(run->evaluation, status, &run->output, &run->end);
	finish(run, status, NULL);
}

static void kill_tree(struct oe__command_run *run)
{
	stop_clock(run);
	if (!run->ending && !run->dead && run->command->sandbox)
		oe__sandbox_kill(run->command->sandbox, run->tree);
	run->ending = true;
}

static void deadline_passed(struct oe__timer *timer)
{
	struct oe__command_run *run = OE__CONTAINER(timer, struct oe__command_run, deadline);

	run->end.timed_out = !run->ending;
	kill_tree(run);
}

/* ---- pipes ---- */

/* One chunk per round of events: a child that prints without end must not keep the reactor. */
static bool read_chunk(struct stream *stream, char *chunk, ssize_t *size)
{
	do
		*size = read(stream->fd, chunk, CHUNK);
	while (*size < 0 && errno == EINTR);
	if (*size == 0 || (*size < 0 && errno != EAGAIN))
		stream_close(stream);
	return *size > 0;
}

static void hear_output(void *owner, int fd, int events)
{
	struct oe__command_run *run = owner;
	char chunk[CHUNK];
	ssize_t size = 0;

	(void)fd;
	(void)events;
	if (read_chunk(&run->output_stream, chunk, &size)) {
		oe__output_add(&run->output, chunk, (size_t)size);
		if (oe__output_is_flood(&run->output) && !run->ending) {
			run->end.limit = OE__LIMIT_OUTPUT;
			kill_tree(run);
		}
	}
	check_end(run);
}

static void hear_result(void *owner, int fd, int events)
{
	struct oe__command_run *run = owner;
	char chunk[CHUNK];
	ssize_t size = 0;

	(void)fd;
	(void)events;
	if (read_chunk(&run->result_stream, chunk, &size))
		(void)oe__buffer_append(&run->result, chunk, (size_t)size); /* beyond the cap it says so */
	check_end(run);
}

static int open_stream(struct oe__command_run *run, struct stream *stream, int *theirs,
                       oe__watch_function *ready, oe_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return oe__error_errno(err, "cannot make a pipe");
	stream->fd = ends[0];
	*theirs = ends[1];
	(void)fchmod(ends[1], 0666); /* /dev/stdout opens it again, as whoever it is by then */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		return oe__error_errno(err, "cannot prepare a pipe");
	if (oe__watch_open(run->command->reactor, ends[0], OE__READABLE, ready, run, &stream->watch) < 0)
		return oe__error_nomem(err);
	return 0;
}

/* ---- the process ---- */

static void heard(void *owner, const struct oe__report *report)
{
	struct oe__command_run *run = owner;

	switch (report->type) {
	case OE__REPORT_STARTED:
		run->end.footprint.setup_ms = (float)((double)(oe__clock_ns() - run->started_ns) / 1e6);
		break;
	case OE__REPORT_FAILED:
		run->dead = true;
		if (report->step == OE__STEP_EXEC) {
			run->end.exited = true;
			run->end.status = 127 << 8; /* as a shell reports it */
		} else {
			run->end.lost = true;
		}
		break;
	case OE__REPORT_EXCEEDED: /* and is being killed */
		stop_clock(run);
		run->end.limit = (enum oe__limit)report->status;
		break;
	case OE__REPORT_MEMORY:
		if (report->memory_peak >= 0) {
			run->end.memory_peak = report->memory_peak;
			run->end.footprint.memory_source = OE__MEMORY_CGROUP;
		}
		run->end.oom_kills = report->count;
		break;
	case OE__REPORT_EXITED:
		run->end.exited = true;
		run->end.status = report->status;
		run->end.cpu_ms = report->cpu_ms;
		run->end.memory_peak = report->memory_peak;
		run->end.footprint.memory_source = OE__MEMORY_PROCESS;
		oe__timer_cancel(&run->deadline);
		if (oe__sandbox_tier(run->command->sandbox) == 3)
			oe__sandbox_memory(run->command->sandbox, run->tree);
		kill_tree(run); /* what it left behind counts for nothing */
		break;
	case OE__REPORT_LOST:
		run->dead = run->end.lost = true;
		break;
	case OE__REPORT_DEAD:
		run->dead = true;
		run->end.footprint.strays_killed = (int32_t)report->count;
		break;
	default:
		break;
	}
	check_end(run);
}

static int write_program(struct oe__command_run *run, char **path)
{
	struct oe__command_evaluator *command = run->command;
	const struct oe__source *source = run->program->source;
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(4096);

	oe__buffer_printf(&name, "%s/%lld", oe__sandbox_files(command->sandbox),
	                  (long long)command->next_scratch++);
	run->scratch = oe__strdup(oe__buffer_string(&name));
	oe__buffer_printf(&name, "/program%s", command->suffix);
	*path = oe__buffer_steal(&name, NULL);
	if (!run->scratch || !*path)
		return OE_ERR_NOMEM;
	int status = oe__directory_make(run->scratch, NULL);
	return status < 0 ? status : oe__file_write(*path, source->text, source->size, NULL);
}

OE__PRINTF(3, 4)
static int add_variable(struct oe__command_evaluator *command, size_t *count, const char *format,
                        ...)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	va_list arguments;

	va_start(arguments, format);
	oe__buffer_vprintf(&text, format, arguments);
	va_end(arguments);
	command->variables[*count] = oe__buffer_steal(&text, NULL);
	return command->variables[(*count)++] ? 0 : OE_ERR_NOMEM;
}

static int start_tree(struct oe__command_run *run, char *path, const int *fds, oe_error *err)
{
	struct oe__command_evaluator *command = run->command;
	int tier = oe__sandbox_tier(command->sandbox);
	/* Some put what they make beside the program. */
	bool overlay = command->policy.policy.overlay;
	OE__AUTO(hidden) struct oe__hidden hidden = { 0 };
	struct oe__tree_mount mounts[1 + OE__HIDDEN_MAX] = { { tier < 2  ? OE__MOUNT_WRITE
		                                                   : overlay ? OE__MOUNT_OVERLAY
		                                                             : OE__MOUNT_READ,
		                                                   run->scratch } };
	if (oe__hidden_find(&command->policy, &hidden) < 0)
		return oe__error(err, OE_ERR_LIMIT, "there are too many runs to be hidden from evaluations");
	uint32_t mount_count = 1 + (uint32_t)oe__hidden_mounts(&hidden, mounts + 1);
	size_t count = command->variable_count;
	struct oe__tree_spec spec = {
		.flags = tier >= 0 ? OE__START_CONFINED : 0,
		.arguments = (const char *const *)command->arguments,
		.variables = (const char *const *)command->variables,
		.directory = command->directory,
		.fds = fds,
		.fd_count = RESULT_FD + 1,
		.mounts = mounts,
		.mount_count = tier >= 0 ? mount_count : 0,
		.limits = command->limits,
	};

	command->arguments[command->argument_count] = path;
	int status = add_variable(command, &count, "OE_RESULT_FD=%d", RESULT_FD);
	if (status == 0)
		status = add_variable(command, &count, "OE_SEED=%llu", (unsigned long long)run->seed);
	if (status == 0)
		status = add_variable(command, &count, "TMPDIR=%s", tier >= 2 ? "/tmp" : run->scratch);
	if (status == 0 && tier >= 0)
		status = add_variable(command, &count, "HOME=%s", tier >= 2 ? "/tmp" : run->scratch);
	if (status == 0)
		status = oe__sandbox_start(command->sandbox, &spec, heard, run, &run->tree, err);
	else
		(void)oe__error_nomem(err);
	command->arguments[command->argument_count] = NULL;
	while (count > command->variable_count) {
		count--;
		oe__free(OE__STEAL(command->variables[count]));
	}
	return status;
}

static int launch(struct oe__command_run *run, oe_error *err)
{
	OE__AUTO(string) char *path = NULL;
	int fds[RESULT_FD + 1] = { -1, -1, -1, -1 };

	int status = oe__command_evaluator_need_sandbox(run->command, err);
	if (status == 0 && (write_program(run, &path) < 0 ||
	                    oe__output_init(&run->output, run->command->output_max) < 0))
		status = oe__error(err, OE_ERR_IO, "the program cannot be written to '%s'",
		                   run->command->temporary);
	if (status == 0 && (fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		status = oe__error_errno(err, "cannot open /dev/null");
	if (status == 0)
		status = open_stream(run, &run->output_stream, &fds[1], hear_output, err);
	if (status == 0)
		status = open_stream(run, &run->result_stream, &fds[RESULT_FD], hear_result, err);
	fds[2] = fds[1];
	run->started_ns = oe__clock_ns();
	/* Everything that can fail comes before the tree, which reports to this run until it is dead. */
	if (status == 0 && run->timeout_ms > 0 &&
	    oe__timer_arm(run->command->reactor, &run->deadline,
	                  run->started_ns + run->timeout_ms * 1000000, deadline_passed) < 0)
		status = oe__error_nomem(err);
	if (status == 0)
		status = start_tree(run, path, fds, err);
	oe__fd_close(fds[0]);
	oe__fd_close(fds[1]);
	oe__fd_close(fds[RESULT_FD]);
	return status;
}

static void begin(struct oe__task *task)
{
	struct oe__command_run *run = OE__CONTAINER(task, struct oe__command_run, task);
	struct oe__command_evaluator *command = run->command;
	oe_error err = { 0 };

	run->next = command->runs;
	if (run->next)
		run->next->previous = run;
	command->runs = run;
	run->end.cancelled = oe_evaluation_cancelled(run->evaluation) != 0;
	int status = run->end.cancelled ? OE_ERR_CANCELLED : launch(run, &err);
	if (status < 0)
		finish(run, status, &err);
}

/* ---- any thread ---- */

int oe__command_evaluate(void *self, const oe_evaluation_request *request,
                         oe_evaluation *evaluation, oe_error *err)
{
	struct oe__command_run *run = oe__calloc(1, sizeof(*run));

	if (!run)
		return oe__error_nomem(err);
	run->command = self;
	run->evaluation = evaluation;
	run->program = request->program;
	run->seed = request->seed;
	run->timeout_ms = request->timeout_ms;
	run->output_stream.fd = run->result_stream.fd = -1;
	run->result.size_max = OE__FRAME_MAX;
	run->end = (struct oe__child_end)OE__CHILD_END_INIT(request->timeout_ms);
	run->end.limits = run->command->limits;
	run->end.footprint.path = OE__PATH_COLD;
	run->task.run = begin;
	oe__reactor_post(run->command->reactor, &run->task);
	return 0;
}

struct cancelling {
	struct oe__task task;
	struct oe__command_evaluator *command;
	oe_evaluation *evaluation; /* a reference, which keeps the evaluator alive too */
};

static void cancel_on_reactor(struct oe__task *task)
{
	struct cancelling *cancelling = OE__CONTAINER(task, struct cancelling, task);

	for (struct oe__command_run *run = cancelling->command->runs; run; run = run->next) {
		if (run->evaluation != cancelling->evaluation || run->end.timed_out || run->end.exited)
			continue;
		run->end.cancelled = true;
		kill_tree(run);
		break;
	}
	oe_evaluation_unref(cancelling->evaluation);
	oe__free(cancelling);
}

void oe__command_evaluator_cancel(void *self, oe_evaluation *evaluation)
{
	struct oe__command_evaluator *command = self;
	struct cancelling *cancelling = oe__calloc(1, sizeof(*cancelling));

	if (!cancelling)
		return; /* it ends at its deadline */
	cancelling->task.run = cancel_on_reactor;
	cancelling->command = command;
	cancelling->evaluation = oe_evaluation_ref(evaluation);
	oe__reactor_post(command->reactor, &cancelling->task);
}
