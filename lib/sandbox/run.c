/* The sandbox for tools: one command at a time, and what is guaranteed about it. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/output.h"
#include "openevolve/sandbox.h"
#include "sandbox/ending.h"
#include "sandbox/levels.h"
#include "sandbox/policy.h"
#include "sandbox/run.h"
#include "sandbox/sandbox.h"

#define CHUNK 65536

struct oe_sandbox {
	struct oe__sandbox *trees;
	struct oe__limits limits;
	size_t output_max;
	char *report; /* as JSON */
};

struct oe_sandbox_result {
	struct oe__ending ending;
	int verdict;
	char *message, *output;
	size_t output_size;
	oe_usage usage;
};

/* ---- the sandbox ---- */

static int write_report(oe_sandbox *sandbox)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	int status = oe__sandbox_report_write(oe__sandbox_report(sandbox->trees), &text);
	char *report = status < 0 ? NULL : oe__buffer_steal(&text, NULL);

	if (!report)
		return OE_ERR_NOMEM;
	oe__free(sandbox->report);
	sandbox->report = report;
	return 0;
}

int oe__sandbox_remark(oe_sandbox *sandbox, enum oe_guarantee guarantee, const char *text)
{
	oe__sandbox_report_add_reason(oe__sandbox_report(sandbox->trees), guarantee, "%s", text);
	return write_report(sandbox);
}

int oe_sandbox_new(const oe_sandbox_policy *policy, oe_sandbox **out, oe_error *err)
{
	oe_sandbox_policy own = OE_SANDBOX_POLICY_INIT;

	if (!out)
		return oe__error(err, OE_ERR_INVALID, "oe_sandbox_new: NULL argument");
	if (policy)
		memcpy(&own, policy, policy->struct_size < sizeof(own) ? policy->struct_size : sizeof(own));
	oe_sandbox *sandbox = oe__calloc(1, sizeof(*sandbox));
	if (!sandbox)
		return oe__error_nomem(err);
	sandbox->limits = oe__policy_limits(&own);
	sandbox->output_max = own.output_bytes > 0 ? (size_t)own.output_bytes : OE__ARTIFACT_MAX;
	int status = oe__sandbox_new(own.temporary ? own.temporary : "/tmp", &own, &sandbox->trees, err);
	if (status == 0 && write_report(sandbox) < 0)
		status = oe__error_nomem(err);
	if (status < 0) {
		oe_sandbox_free(sandbox);
		return status;
	}
	*out = sandbox;
	return 0;
}

void oe_sandbox_free(oe_sandbox *sandbox)
{
	if (!sandbox)
		return;
	oe__sandbox_free(sandbox->trees);
	oe__free(sandbox->report);
	oe__free(sandbox);
}

int oe_sandbox_tier(const oe_sandbox *sandbox)
{
	return oe__sandbox_tier(sandbox->trees);
}

int oe_sandbox_guarantee_at(const oe_sandbox *sandbox, size_t index, oe_guarantee_info *info)
{
	return oe__sandbox_report_at(oe__sandbox_report(sandbox->trees), index, info);
}

const char *oe_sandbox_report_json(const oe_sandbox *sandbox)
{
	return sandbox->report;
}

/* ---- one run ---- */

struct variables {
	const char **list; /* NULL-terminated */
	struct oe__buffer home, temporary;
};

static void variables_done(struct variables *variables)
{
	oe__free(variables->list);
	oe__buffer_done(&variables->home);
	oe__buffer_done(&variables->temporary);
}
OE__AUTO_VALUE(variables, struct variables, variables_done)

struct run {
	oe_sandbox *sandbox;
	oe_sandbox_result *result;
	uint64_t tree;
	char *scratch; /* of the host's, where there are no mounts; NULL */
	int output_fd; /* -1: at its end */
	struct oe__output output;
	bool started, over, asked; /* over: nothing is left of it; asked: for its end */
	bool failed;
	struct oe__report failure;
	int64_t began_ns, deadline_ns;
};

/* It has ended, or is being ended: what comes now is not its time. */
static void stop_clock(struct run *run)
{
	oe_usage *usage = &run->result->usage;

	if (usage->wall_ms < 0)
		usage->wall_ms = (double)(oe__clock_ns() - run->began_ns) / 1e6;
}

static void heard(void *owner, const struct oe__report *report)
{
	struct run *run = owner;
	struct oe__ending *ending = &run->result->ending;

	switch (report->type) {
	case OE__REPORT_STARTED:
		run->result->usage.setup_ms = (double)(oe__clock_ns() - run->began_ns) / 1e6;
		break;
	case OE__REPORT_EXCEEDED: /* and is being killed */
		stop_clock(run);
		ending->limit = (enum oe__limit)report->status;
		break;
	case OE__REPORT_MEMORY:
		if (report->memory_peak >= 0) {
			run->result->usage.memory_peak = report->memory_peak;
			run->result->usage.memory_source = "cgroup";
		}
		ending->oom_kills += report->count;
		break;
	case OE__REPORT_EXITED:
		stop_clock(run);
		ending->exited = true;
		ending->status = report->status;
		ending->cpu_ms = report->cpu_ms;
		run->result->usage.memory_peak = report->memory_peak;
		if (oe__sandbox_tier(run->sandbox->trees) == 3)
			oe__sandbox_memory(run->sandbox->trees, run->tree);
		if (oe__sandbox_tier(run->sandbox->trees) < 2) /* else it ends by itself */
			oe__sandbox_kill(run->sandbox->trees, run->tree);
		break;
	case OE__REPORT_FAILED:
		run->failed = run->over = true;
		run->failure = *report;
		break;
	case OE__REPORT_DEAD:
		run->result->usage.strays_killed = report->count;
		run->over = true;
		break;
	case OE__REPORT_LOST:
		run->over = true;
		break;
	default:
		break;
	}
}

static void end(struct run *run)
{
	stop_clock(run);
	oe__sandbox_kill(run->sandbox->trees, run->tree);
	run->asked = true;
}

static void read_output(struct run *run)
{
	char chunk[CHUNK];
	ssize_t size = read(run->output_fd, chunk, sizeof(chunk));

	if (size > 0) {
		oe__output_add(&run->output, chunk, (size_t)size);
		if (oe__output_is_flood(&run->output) && !run->asked && !run->result->ending.exited) {
			run->result->ending.limit = OE__LIMIT_OUTPUT;
			end(run);
		}
	} else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
		oe__fd_close(run->output_fd);
		run->output_fd = -1;
	}
}

static int wait_ms(const struct run *run)
{
	if (run->asked || run->deadline_ns == INT64_MAX)
		return -1;
	int64_t left = run->deadline_ns - oe__clock_ns();
	return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

/* Until nothing of the tree is left, and everything that it wrote has been read. */
static void wait_for_end(struct run *run)
{
	while (!run->over || run->output_fd >= 0) {
		struct pollfd ready[2] = { { .fd = oe__sandbox_fd(run->sandbox->trees), .events = POLLIN },
			                       { .fd = run->output_fd, .events = POLLIN } };

		int count = poll(ready, 2, run->over ? 0 : wait_ms(run));
		if (count > 0 && ready[0].revents && !oe__sandbox_dispatch(run->sandbox->trees))
			run->over = true;
		if (count > 0 && ready[1].revents)
			read_output(run);
		if (count == 0 && run->over) { /* somebody outside of the tree holds the pipe */
			oe__fd_close(run->output_fd);
			run->output_fd = -1;
		}
		if (!run->asked && !run->over && oe__clock_ns() >= run->deadline_ns) {
			run->result->ending.timed_out = !run->result->ending.exited;
			end(run);
		}
	}
}

/* Without mounts, the place for temporary files is a directory of the host's. */
static int make_scratch(struct run *run, oe_error *err)
{
	int tier = oe__sandbox_tier(run->sandbox->trees);

	if (tier < 0 || tier >= 2)
		return 0;
	run->scratch = oe__path_join(oe__sandbox_scratch(run->sandbox->trees), "run");
	return run->scratch ? oe__directory_make(run->scratch, err) : oe__error_nomem(err);
}

/* What the caller gave, or the usual; /tmp is where the scratch is. */
static int make_variables(struct run *run, const oe_sandbox_command *command, struct variables *out)
{
	static const char *const usual[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL };
	const char *const *given = command->variables ? command->variables : usual;
	const char *place = run->scratch ? run->scratch : "/tmp";
	size_t count = 0;

	while (given[count])
		count++;
	out->list = oe__calloc(count + 3, sizeof(char *));
	if (!out->list)
		return OE_ERR_NOMEM;
	memcpy(out->list, given, count * sizeof(char *));
	if (command->variables)
		return 0;
	oe__buffer_printf(&out->home, "HOME=%s", place);
	oe__buffer_printf(&out->temporary, "TMPDIR=%s", place);
	out->list[count] = oe__buffer_string(&out->home);
	out->list[count + 1] = oe__buffer_string(&out->temporary);
	return out->home.status < 0 ? out->home.status : out->temporary.status;
}

static int start(struct run *run, const oe_sandbox_command *command, const int *fds, oe_error *err)
{
	OE__AUTO(variables) struct variables variables = { 0 };
	const struct oe__tree_mount mount = { OE__MOUNT_WRITE, run->scratch };
	struct oe__tree_spec spec = {
		.flags = oe__sandbox_tier(run->sandbox->trees) >= 0 ? OE__START_CONFINED : 0,
		.arguments = command->arguments,
		.directory = command->directory ? command->directory : run->scratch ? run->scratch : "/tmp",
		.fds = fds,
		.fd_count = 3,
		.mounts = &mount,
		.mount_count = run->scratch != NULL,
		.limits = run->sandbox->limits,
	};

	if (make_variables(run, command, &variables) < 0)
		return oe__error_nomem(err);
	spec.variables = variables.list;
	run->began_ns = oe__clock_ns();
	run->deadline_ns = command->timeout_ms > 0 ? run->began_ns + command->timeout_ms * 1000000
	                                           : INT64_MAX;
	return oe__sandbox_start(run->sandbox->trees, &spec, heard, run, &run->tree, err);
}

static int launch(struct run *run, const oe_sandbox_command *command, oe_error *err)
{
	int ends[2];
	OE__AUTO(fd) int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return oe__error_errno(err, "cannot make a pipe");
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	(void)fchmod(ends[1], 0666); /* /dev/stdout opens it again, as whoever it is by then */
	run->output_fd = ends[0];
	const int fds[] = { nothing, ends[1], ends[1] };
	int status = make_scratch(run, err);
	if (status == 0)
		status = start(run, command, fds, err);
	oe__fd_close(ends[1]);
	return status;
}

static int sum_up(struct run *run)
{
	oe_sandbox_result *result = run->result;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer message = OE__BUFFER_INIT(0);

	stop_clock(run);
	result->usage.cpu_ms = result->ending.cpu_ms;
	result->usage.output_bytes = (int64_t)run->output.total;
	result->verdict = oe__ending_verdict(&result->ending);
	(void)oe__ending_describe(&result->ending, &message);
	(void)oe__output_text(&run->output, &text);
	result->message = oe__strdup(oe__buffer_string(&message));
	result->output_size = text.size;
	result->output = text.size > 0 ? oe__buffer_steal(&text, NULL) : oe__strdup("");
	return result->message && result->output ? 0 : OE_ERR_NOMEM;
}

int oe_sandbox_run(oe_sandbox *sandbox, const oe_sandbox_command *command, oe_sandbox_result **out,
                   oe_error *err)
{
	if (!sandbox || !command || !command->arguments || !command->arguments[0] || !out)
		return oe__error(err, OE_ERR_INVALID, "oe_sandbox_run: NULL argument");
	oe_sandbox_result *result = oe__calloc(1, sizeof(*result));
	struct run run = { .sandbox = sandbox, .result = result, .output_fd = -1 };
	if (!result || oe__output_init(&run.output, sandbox->output_max) < 0) {
		oe__free(result);
		return oe__error_nomem(err);
	}
	result->ending = (struct oe__ending){ .timeout_ms = command->timeout_ms,
		                                  .limits = sandbox->limits };
	result->usage = (oe_usage){ .struct_size = sizeof(result->usage),
		                                .wall_ms = -1,
		                                .setup_ms = -1,
		                                .memory_peak = -1,
		                                .memory_source = "process",
		                                .path = "cold" };
	int status = launch(&run, command, err);
	if (status == 0)
		wait_for_end(&run);
	if (status == 0 && run.failed)
		status = oe__error(err, OE_ERR_SANDBOX, "cannot run '%s': cannot %s: %s",
		                   command->arguments[0], oe__step_name(run.failure.step),
		                   oe__errno_text(run.failure.status));
	if (status == 0 && sum_up(&run) < 0)
		status = oe__error_nomem(err);
	if (run.scratch)
		(void)oe__directory_remove(run.scratch, NULL); /* what resists goes with the sandbox */
	oe__free(run.scratch);
	oe__fd_close(run.output_fd);
	oe__output_done(&run.output);
	if (status < 0)
		oe_sandbox_result_free(OE__STEAL(result));
	else
		*out = result;
	return status;
}

/* ---- the result ---- */

void oe_sandbox_result_free(oe_sandbox_result *result)
{
	if (!result)
		return;
	oe__free(result->message);
	oe__free(result->output);
	oe__free(result);
}

int oe_sandbox_result_verdict(const oe_sandbox_result *result)
{
	return result->verdict;
}

const char *oe_sandbox_result_message(const oe_sandbox_result *result)
{
	return result->message;
}

int oe_sandbox_result_status(const oe_sandbox_result *result)
{
	int status = result->ending.status;
	return status & 0x7f ? -(status & 0x7f) : status >> 8 & 0xff;
}

const char *oe_sandbox_result_output(const oe_sandbox_result *result, size_t *size)
{
	if (size)
		*size = result->output_size;
	return result->output;
}

void oe_sandbox_result_usage(const oe_sandbox_result *result, oe_usage *usage)
{
	size_t size = usage->struct_size < sizeof(*usage) ? usage->struct_size : sizeof(*usage);

	memcpy(usage, &result->usage, size);
	usage->struct_size = size;
}
