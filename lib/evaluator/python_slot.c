/*
 * One fork server and the evaluation it runs.
 *
 *   EMPTY -> STARTING -> IDLE -> BUSY -> CLEARING -> IDLE ...      or DYING -> EMPTY
 *
 * The deadline counts from the moment the job is given to the waiting child. When it passes, the
 * spawner kills everything of the tree but the server, which then reports the end of its child as it
 * does any other.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "evaluator/python_internal.h"

#define SERVED_MAX 1000                      /* then a fresh server: whatever leaked is gone       */
#define STUCK_NS   (2 * (int64_t)1000000000) /* a server that says nothing after a kill is stopped */
#define CHUNK      65536
#define LOG_MAX    8192

static void check_end(struct oe__python_slot *slot);
static void kill_server(struct oe__python_slot *slot);

/* ---- descriptors ---- */

static void close_watched(struct oe__watch **watch, int *fd)
{
	oe__watch_close(*watch);
	*watch = NULL;
	oe__fd_close(*fd);
	*fd = -1;
}

/* Read what is there. @return false at the end, or on an error. */
static bool read_some(int fd, char *chunk, ssize_t *size)
{
	do
		*size = read(fd, chunk, CHUNK);
	while (*size < 0 && errno == EINTR);
	return *size > 0;
}

static void read_result(struct oe__python_slot *slot)
{
	char chunk[CHUNK];
	ssize_t size = 0;

	while (slot->result_fd >= 0 && read_some(slot->result_fd, chunk, &size))
		oe__buffer_append(&slot->result, chunk, (size_t)size); /* beyond the cap: it says so */
	if (slot->result_fd >= 0 && (size == 0 || errno != EAGAIN))
		close_watched(&slot->result_watch, &slot->result_fd);
}

static void result_ready(void *owner, int fd, int events)
{
	(void)fd;
	(void)events;
	read_result(owner);
}

/* One chunk per round of events: a child that prints without end must not keep the reactor. */
static void output_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;
	char chunk[CHUNK];
	ssize_t size = 0;

	(void)events;
	if (read_some(fd, chunk, &size))
		oe__output_add(&slot->output, chunk, (size_t)size);
	else if (size == 0 || errno != EAGAIN)
		close_watched(&slot->output_watch, &slot->output_fd);
}

static void log_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;
	char chunk[CHUNK];
	ssize_t size = 0;

	(void)events;
	if (read_some(fd, chunk, &size))
		oe__output_add(&slot->log, chunk, (size_t)size);
	else if (size == 0 || errno != EAGAIN)
		close_watched(&slot->log_watch, &slot->log_fd);
}

static int open_pipe(struct oe__python_slot *slot, int *ours, int *theirs,
                     struct oe__watch **watch, oe__watch_function *call)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return OE_ERR_IO;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*ours = ends[0];
	*theirs = ends[1];
	return oe__watch_open(slot->pool->reactor, ends[0], OE__READABLE, call, slot, watch);
}

/* ---- the server ---- */

static int64_t modified(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0
	           ? (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec
	           : 0;
}

static void note_failure(struct oe__python_slot *slot, const char *what)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(4 * LOG_MAX);
	struct oe__python_pool *pool = slot->pool;

	if (slot->log_fd >= 0)
		log_ready(slot, slot->log_fd, 0);
	(void)oe__output_text(&slot->log, &text);
	const char *said = oe__buffer_string(&text);
	size_t size = text.size;
	while (size > 0 && oe__is_space(said[size - 1]))
		size--;
	const char *last = size > 0 ? said + size : said;
	while (last > said && last[-1] != '\n')
		last--;
	(void)oe__error_at(&pool->failure, OE_ERR_EVALUATOR, pool->options.evaluator, 0, 0, "%s%s%.*s",
	                   what, size > 0 ? ": " : "", (int)(said + size - last), last);
}

static void emptied(struct oe__python_slot *slot)
{
	close_watched(&slot->control_watch, &slot->control);
	close_watched(&slot->log_watch, &slot->log_fd);
	oe__output_done(&slot->log);
	oe__timer_cancel(&slot->deadline);
	slot->state = OE__SLOT_EMPTY;
	slot->tree = 0;
	slot->sweeping = false;
}

/* The end of the server, in any state. */
static void server_gone(struct oe__python_slot *slot, const char *what)
{
	if (slot->state == OE__SLOT_STARTING)
		note_failure(slot, what);
	if (slot->job) {
		slot->end.lost = true;
		slot->sweeping = false;
		slot->state = OE__SLOT_DYING;
		check_end(slot);
	}
	emptied(slot);
	oe__python_pool_dispatch(slot->pool);
}

static void control_ready(void *owner, int fd, int events);

static void heard(void *owner, const struct oe__report *report)
{
	struct oe__python_slot *slot = owner;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(512);

	switch (report->type) {
	case OE__REPORT_STARTED:
		slot->keeper = report->keeper;
		slot->server = report->child;
		break;
	case OE__REPORT_FAILED:
		errno = report->status;
		oe__buffer_printf(&text, "cannot start '%s'", slot->pool->options.interpreter);
		oe_error err;
		(void)oe__error_errno(&err, "%s", oe__buffer_string(&text));
		server_gone(slot, err.message);
		break;
	case OE__REPORT_SWEPT:
		slot->sweeping = false;
		slot->clear = true; /* the spawner looked until there was nothing */
		check_end(slot);
		break;
	case OE__REPORT_EXITED: /* the server: nothing else of its tree is of use */
		if (slot->state != OE__SLOT_DYING)
			kill_server(slot);
		break;
	case OE__REPORT_DEAD:
	case OE__REPORT_LOST:
		server_gone(slot, "the fork server ended as it started");
		break;
	default:
		break;
	}
}

static int start_tree(struct oe__python_slot *slot, int theirs, int log_end, oe_error *err)
{
	struct oe__python_pool *pool = slot->pool;
	const struct oe__python_options *options = &pool->options;
	OE__AUTO(fd) int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fds[] = { nothing, log_end, log_end, theirs };
	const char *arguments[] = { options->interpreter, "-c",   oe__forkserver_py,
		                        options->evaluator,   options->preload, NULL };
	struct oe__tree_spec spec = { .arguments = arguments,
		                          .variables = (const char *const *)pool->variables,
		                          .directory = options->directory,
		                          .fds = fds,
		                          .fd_count = OE__COUNT(fds),
		                          .limits = options->limits };

	if (nothing < 0)
		return oe__error_errno(err, "cannot open /dev/null");
	return oe__sandbox_start(pool->sandbox, &spec, heard, slot, &slot->tree, err);
}

void oe__slot_start(struct oe__python_slot *slot)
{
	struct oe__python_pool *pool = slot->pool;
	int ends[2], log_end = -1;

	slot->state = OE__SLOT_STARTING;
	slot->control = slot->log_fd = -1;
	slot->served = 0;
	slot->evaluator_mtime = modified(pool->options.evaluator);
	int status = oe__python_pool_sandbox(pool, &pool->failure);
	if (status == 0)
		status = oe__output_init(&slot->log, LOG_MAX);
	if (status == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		status = oe__error_errno(&pool->failure, "cannot make a socket");
	if (status == 0) {
		slot->control = ends[0];
		(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
		status = oe__watch_open(pool->reactor, ends[0], OE__READABLE, control_ready, slot,
		                        &slot->control_watch);
		if (status == 0)
			status = open_pipe(slot, &slot->log_fd, &log_end, &slot->log_watch, log_ready);
		if (status == 0)
			status = start_tree(slot, ends[1], log_end, &pool->failure);
		oe__fd_close(ends[1]);
		oe__fd_close(log_end);
	}
	if (status < 0) {
		if (pool->failure.status == 0)
			(void)oe__error(&pool->failure, status, "cannot start a fork server: %s",
			                oe_status_string(status));
		emptied(slot);
	}
}

static void kill_server(struct oe__python_slot *slot)
{
	slot->state = OE__SLOT_DYING;
	oe__timer_cancel(&slot->deadline);
	if (slot->pool->sandbox)
		oe__sandbox_kill(slot->pool->sandbox, slot->tree);
}

/* ---- one evaluation ---- */

static int write_program(struct oe__python_slot *slot, char **path)
{
	struct oe__python_pool *pool = slot->pool;
	const struct oe__source *source = slot->job->program->source;
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(4096);

	oe__buffer_printf(&name, "%s/%lld", oe__sandbox_scratch(pool->sandbox),
	                  (long long)pool->next_scratch++);
	slot->scratch = oe__strdup(oe__buffer_string(&name));
	if (name.status < 0 || !slot->scratch)
		return OE_ERR_NOMEM;
	int status = oe__directory_make(slot->scratch, NULL);
	oe__buffer_printf(&name, "/program%s", pool->options.suffix);
	*path = oe__buffer_steal(&name, NULL);
	if (!*path)
		return OE_ERR_NOMEM;
	return status < 0 ? status : oe__file_write(*path, source->text, source->size, NULL);
}

static int write_job(struct oe__python_slot *slot, struct oe__buffer *out)
{
	const struct oe__python_job *job = slot->job;
	OE__AUTO(string) char *path = NULL;
	struct oe__json_writer writer = { .out = out };
	int status = job->program ? write_program(slot, &path) : 0;

	oe__json_map(&writer);
	oe__json_key(&writer, job->program ? "program" : "probe");
	oe__json_string(&writer, path ? path : "");
	oe__json_key(&writer, "function");
	oe__json_string(&writer, job->function);
	oe__json_key(&writer, "seed");
	oe__json_int(&writer, (int64_t)(job->seed >> 1)); /* not negative */
	oe__json_key(&writer, "directory");
	oe__json_string(&writer, slot->pool->options.directory);
	oe__json_key(&writer, "scratch");
	oe__json_string(&writer, slot->scratch ? slot->scratch : oe__sandbox_scratch(slot->pool->sandbox));
	oe__json_map_end(&writer);
	return status < 0 ? status : out->status;
}

static int send_job(struct oe__python_slot *slot, const struct oe__buffer *text, const int *fds)
{
	union {
		char space[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec part = { text->data, text->size };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = sizeof(control.space) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(header), fds, 2 * sizeof(int));
	return sendmsg(slot->control, &message, MSG_NOSIGNAL) == (ssize_t)text->size ? 0 : OE_ERR_IO;
}

static void sweep(struct oe__python_slot *slot)
{
	if (slot->sweeping || slot->state == OE__SLOT_DYING)
		return;
	slot->sweeping = true;
	oe__sandbox_sweep(slot->pool->sandbox, slot->tree, slot->server);
}

static void stuck(struct oe__timer *timer)
{
	kill_server(OE__CONTAINER(timer, struct oe__python_slot, deadline));
}

static void deadline_passed(struct oe__timer *timer)
{
	struct oe__python_slot *slot = OE__CONTAINER(timer, struct oe__python_slot, deadline);

	slot->end.timed_out = !slot->end.cancelled;
	sweep(slot);
	if (oe__timer_arm(slot->pool->reactor, &slot->deadline, oe__clock_ns() + STUCK_NS, stuck) < 0)
		kill_server(slot);
}

void oe__slot_cancel(struct oe__python_slot *slot)
{
	if (slot->end.timed_out || slot->end.cancelled)
		return;
	slot->end.cancelled = true;
	deadline_passed(&slot->deadline);
}

static int begin(struct oe__python_slot *slot)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__MESSAGE_MAX);
	int theirs[2] = { -1, -1 };

	int status = oe__output_init(&slot->output, slot->pool->options.output_max);
	if (status == 0)
		status = write_job(slot, &text);
	if (status == 0)
		status = open_pipe(slot, &slot->result_fd, &theirs[0], &slot->result_watch, result_ready);
	if (status == 0)
		status = open_pipe(slot, &slot->output_fd, &theirs[1], &slot->output_watch, output_ready);
	if (status == 0)
		status = send_job(slot, &text, theirs);
	oe__fd_close(theirs[0]);
	oe__fd_close(theirs[1]);
	return status;
}

void oe__slot_give(struct oe__python_slot *slot, struct oe__python_job *job)
{
	slot->state = OE__SLOT_BUSY;
	slot->clear = false;
	slot->job = job;
	slot->result_fd = slot->output_fd = -1;
	slot->result = (struct oe__buffer)OE__BUFFER_INIT(OE__FRAME_MAX);
	slot->end = (struct oe__child_end){ .timeout_ms = job->timeout_ms, .cpu_ms = -1,
		                                .memory_peak = -1 };
	slot->started_ns = oe__clock_ns();
	int status = begin(slot);
	if (status == 0 && job->timeout_ms > 0)
		status = oe__timer_arm(slot->pool->reactor, &slot->deadline,
		                       slot->started_ns + job->timeout_ms * 1000000, deadline_passed);
	if (status < 0) /* the report of the server's end finishes the job, as lost */
		kill_server(slot);
}

/* ---- the end of one ---- */

static void drain_output(struct oe__python_slot *slot)
{
	char chunk[CHUNK];
	ssize_t size = 0;

	/* At most what a pipe holds: a stray that goes on printing is about to be killed. */
	for (int i = 0; i < 16 && slot->output_fd >= 0 && read_some(slot->output_fd, chunk, &size); i++)
		oe__output_add(&slot->output, chunk, (size_t)size);
}

static void finish_job(struct oe__python_slot *slot)
{
	struct oe__python_job *job = OE__STEAL(slot->job);

	oe__timer_cancel(&slot->deadline);
	read_result(slot);
	drain_output(slot);
	slot->end.wall_ms = (double)(oe__clock_ns() - slot->started_ns) / 1e6;
	close_watched(&slot->result_watch, &slot->result_fd);
	close_watched(&slot->output_watch, &slot->output_fd);
	int status = oe__python_result(job->evaluation, &slot->result, &slot->output, &slot->end);
	oe__buffer_done(&slot->result);
	oe__output_done(&slot->output);
	oe__python_job_finish(job, status, NULL);
}

static void become_idle(struct oe__python_slot *slot)
{
	static const char next[] = "{\"next\": true}";
	bool fresh = slot->served >= SERVED_MAX ||
	             modified(slot->pool->options.evaluator) != slot->evaluator_mtime;

	if (slot->scratch)
		oe__python_pool_discard(slot->pool, OE__STEAL(slot->scratch));
	if (fresh || send(slot->control, next, sizeof(next) - 1, MSG_NOSIGNAL) < 0) {
		kill_server(slot);
		return;
	}
	slot->state = OE__SLOT_IDLE;
	oe__python_pool_dispatch(slot->pool);
}

/* The job ends when its child has; the slot is free when nothing of it is left. */
static void check_end(struct oe__python_slot *slot)
{
	bool over = slot->end.exited || slot->end.lost;

	if (slot->job && over) {
		slot->served++;
		finish_job(slot);
		if (slot->state == OE__SLOT_BUSY)
			slot->state = OE__SLOT_CLEARING;
	}
	if (slot->state == OE__SLOT_DYING && slot->scratch)
		oe__python_pool_discard(slot->pool, OE__STEAL(slot->scratch));
	if (slot->state != OE__SLOT_CLEARING || slot->sweeping)
		return;
	if (slot->clear || oe__sandbox_is_clear(slot->keeper, slot->server))
		become_idle(slot);
	else
		sweep(slot);
}

static void child_exited(struct oe__python_slot *slot, const struct oe__value *message)
{
	const struct oe__value *status = oe__value_get(message, "exited");
	const struct oe__value *cpu = oe__value_get(message, "cpu_ms");
	const struct oe__value *memory = oe__value_get(message, "memory");

	slot->end.exited = true;
	slot->end.status = (int)status->integer;
	slot->end.cpu_ms = cpu ? cpu->real : -1;
	slot->end.memory_peak = memory ? memory->integer : -1;
	check_end(slot);
}

static void control_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;
	OE__AUTO(value) struct oe__value message = { 0 };
	char text[4096];

	(void)events;
	ssize_t size = recv(fd, text, sizeof(text), 0);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) { /* the keeper reports the rest */
		oe__watch_close(OE__STEAL(slot->control_watch));
		return;
	}
	bool known = oe__json_parse(text, (size_t)size, &message, NULL) == 0;
	if (known && slot->state == OE__SLOT_STARTING && oe__value_get(&message, "ready")) {
		slot->pool->was_ready = true;
		slot->state = OE__SLOT_IDLE;
		oe__python_pool_dispatch(slot->pool);
	} else if (known && slot->state == OE__SLOT_BUSY && oe__value_get(&message, "exited")) {
		child_exited(slot, &message);
	} else if (slot->state != OE__SLOT_DYING) {
		kill_server(slot); /* not what a server says: something else has its socket */
	}
}

void oe__slot_close(struct oe__python_slot *slot)
{
	if (slot->job) {
		oe_error err;
		struct oe__python_job *job = OE__STEAL(slot->job);
		close_watched(&slot->result_watch, &slot->result_fd);
		close_watched(&slot->output_watch, &slot->output_fd);
		oe__buffer_done(&slot->result);
		oe__output_done(&slot->output);
		oe__python_job_finish(job, oe__error(&err, OE_ERR_CANCELLED, "cancelled"), &err);
	}
	if (slot->state != OE__SLOT_EMPTY)
		emptied(slot);
	oe__free(slot->scratch);
	slot->scratch = NULL;
}
