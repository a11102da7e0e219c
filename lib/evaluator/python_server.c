/*
 * The fork server of a slot: its start, what it says, its end.
 *
 * It announces each child that it has ready (a spare), with the socket that its job is to be sent to and a
 * descriptor of the process. Where evaluations have a process namespace of their own, that of its first
 * process comes along: it ends everything in it. Elsewhere the spawner kills everything of the tree but the
 * server.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "evaluator/hidden.h"
#include "evaluator/python_internal.h"
#include "sandbox/levels.h"

#define LOG_MAX  8192
#define START_MS 30000

/* ---- what it prints ---- */

static void log_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;
	char chunk[OE__CHUNK];
	ssize_t size = 0;

	(void)events;
	if (oe__slot_read(fd, chunk, &size))
		oe__output_add(&slot->log, chunk, (size_t)size);
	else if (size == 0 || errno != EAGAIN)
		oe__slot_close_watched(&slot->log_watch, &slot->log_fd);
}

/* The last line of it, which is most often why it ended: behind what is in `text`. */
static void add_last_line(struct oe__python_slot *slot, struct oe__buffer *text)
{
	OE__AUTO(buffer) struct oe__buffer log = OE__BUFFER_INIT(4 * LOG_MAX);

	if (slot->log_fd >= 0)
		log_ready(slot, slot->log_fd, 0);
	(void)oe__output_text(&slot->log, &log);
	const char *said = oe__buffer_string(&log);
	size_t size = log.size;
	while (size > 0 && oe__is_space(said[size - 1]))
		size--;
	const char *last = size > 0 ? said + size : said;
	while (last > said && last[-1] != '\n')
		last--;
	oe__buffer_printf(text, "%s%.*s", size > 0 ? ": " : "", (int)(said + size - last), last);
}

static void note_failure(struct oe__python_slot *slot, const char *what)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(4 * LOG_MAX);
	struct oe__python_pool *pool = slot->pool;

	oe__buffer_text(&text, what);
	add_last_line(slot, &text);
	pool->failed_starts++;
	(void)oe__error_at(&pool->failure, OE_ERR_EVALUATOR, pool->options.evaluator, 0, 0, "%s",
	                   oe__buffer_string(&text));
}

static void note_loss(struct oe__python_slot *slot)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(4 * LOG_MAX);

	slot->end.lost = true;
	if (slot->end.lost_because[0] != '\0')
		return; /* that is why we ended the server */
	oe__buffer_text(&text, "its fork server has ended");
	add_last_line(slot, &text);
	oe__slot_lost(slot, oe__buffer_string(&text));
}

/* ---- its end ---- */

void oe__server_forget_child(struct oe__python_child *child)
{
	oe__slot_close_watched(&child->watch, &child->process);
	oe__fd_close(child->orders);
	oe__fd_close(child->init);
	*child = (struct oe__python_child)OE__NO_CHILD;
}

static void emptied(struct oe__python_slot *slot)
{
	oe__slot_close_watched(&slot->control_watch, &slot->control);
	oe__slot_close_watched(&slot->log_watch, &slot->log_fd);
	oe__output_done(&slot->log);
	oe__timer_cancel(&slot->deadline);
	oe__server_forget_child(&slot->spare);
	oe__server_forget_child(&slot->running);
	if (slot->directory)
		oe__python_pool_discard(slot->pool, OE__STEAL(slot->directory));
	oe__free(OE__STEAL(slot->scratch)); /* which is in there */
	slot->state = OE__SLOT_EMPTY;
	slot->tree = 0;
	slot->sweeping = slot->unheard = slot->emptying = false;
}

bool oe__server_is_starting(const struct oe__python_slot *slot)
{
	return slot->state == OE__SLOT_STARTING || (slot->state == OE__SLOT_CLEARING && !slot->proven);
}

/* In any state. */
static void server_gone(struct oe__python_slot *slot, const char *what)
{
	if (oe__server_is_starting(slot))
		note_failure(slot, what);
	if (slot->job) {
		note_loss(slot);
		slot->sweeping = false;
		slot->state = OE__SLOT_DYING;
		oe__slot_check_end(slot);
	}
	emptied(slot);
	oe__python_pool_dispatch(slot->pool);
}

void oe__server_kill(struct oe__python_slot *slot)
{
	slot->state = OE__SLOT_DYING;
	oe__timer_cancel(&slot->deadline);
	if (slot->pool->sandbox)
		oe__sandbox_kill(slot->pool->sandbox, slot->tree);
}

void oe__server_close(struct oe__python_slot *slot)
{
	if (slot->state != OE__SLOT_EMPTY)
		emptied(slot);
}

/* ---- what the spawner says of it ---- */

static void cannot_start(struct oe__python_slot *slot, const struct oe__report *report)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(1024);

	oe__buffer_printf(&text, "cannot start '%s': cannot %s: %s", slot->pool->options.interpreter,
	                  oe__step_name(report->step), oe__errno_text(report->status));
	server_gone(slot, oe__buffer_string(&text));
}

static void heard(void *owner, const struct oe__report *report)
{
	struct oe__python_slot *slot = owner;

	switch (report->type) {
	case OE__REPORT_STARTED:
		slot->keeper = report->keeper;
		slot->server = report->child;
		break;
	case OE__REPORT_FAILED:
		cannot_start(slot, report);
		break;
	case OE__REPORT_SWEPT:
		slot->sweeping = false;
		slot->clear = true; /* the spawner looked until there was nothing */
		/* It was not yet known to have ended: then it is one of them. */
		slot->strays += report->count - (slot->swept_child && report->count > 0);
		oe__slot_check_end(slot);
		break;
	case OE__REPORT_EXCEEDED:
		oe__slot_exceeded(slot, report->status);
		break;
	case OE__REPORT_MEMORY:
		oe__slot_measured(slot, report);
		break;
	case OE__REPORT_EXITED: /* the server: nothing else of its tree is of use */
		if (oe__server_is_starting(slot))
			note_failure(slot, "the fork server ended as it started");
		if (slot->state != OE__SLOT_DYING)
			oe__server_kill(slot);
		break;
	case OE__REPORT_DEAD:
	case OE__REPORT_LOST:
		server_gone(slot, "the fork server ended as it started");
		break;
	default:
		break;
	}
}

/* ---- what it says itself ---- */

#define FDS_MAX 3 /* that come with a message */

/* A message and the descriptors that came with it, -1 where there are less. */
static ssize_t receive(int fd, void *data, size_t size, int fds[FDS_MAX])
{
	union {
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec part = { data, size };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = sizeof(control.space) };

	for (size_t i = 0; i < FDS_MAX; i++)
		fds[i] = -1;
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	const struct cmsghdr *header = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return got;
}

static void take_spare(struct oe__python_slot *slot, int64_t number, int fds[FDS_MAX])
{
	oe__server_forget_child(&slot->spare);
	if (!slot->proven) {
		slot->proven = slot->pool->was_ready = true;
		slot->pool->failed_starts = 0;
		oe__timer_cancel(&slot->deadline);
	}
	slot->spare = (struct oe__python_child){
		.number = number, .orders = fds[0], .process = fds[1], .init = fds[2]
	};
	fds[0] = fds[1] = fds[2] = -1;
	if (slot->state == OE__SLOT_CLEARING && !slot->job && !slot->unheard && !slot->emptying) {
		oe__timer_cancel(&slot->deadline);
		slot->state = OE__SLOT_IDLE;
	}
	if (slot->state == OE__SLOT_IDLE)
		oe__python_pool_dispatch(slot->pool);
}

/* Something of one may still be said. */
static bool is_evaluating(const struct oe__python_slot *slot)
{
	return slot->state == OE__SLOT_BUSY || (slot->state == OE__SLOT_CLEARING && slot->proven);
}

static void obey(struct oe__python_slot *slot, const struct oe__warm_message *message, int fds[FDS_MAX])
{
	if (slot->state == OE__SLOT_STARTING && message->type == OE__WARM_READY) {
		slot->state = OE__SLOT_CLEARING; /* until it has a spare */
	} else if (slot->state == OE__SLOT_DYING) {
		return;
	} else if (slot->state != OE__SLOT_STARTING && message->type == OE__WARM_SPARE && fds[0] >= 0) {
		take_spare(slot, message->number, fds);
	} else if (is_evaluating(slot) && message->type == OE__WARM_EXITED) {
		oe__slot_exited(slot, message);
	} else if (is_evaluating(slot) && message->type == OE__WARM_CLEARED) {
		oe__slot_cleared(slot, message);
	} else {
		oe__slot_lost(slot, "its fork server said what makes no sense"); /* somebody else has its socket */
		oe__server_kill(slot);
	}
}

static void control_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;
	struct oe__warm_message message;
	int fds[FDS_MAX];

	(void)events;
	ssize_t size = receive(fd, &message, sizeof(message), fds);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) { /* the keeper reports the rest */
		oe__watch_close(OE__STEAL(slot->control_watch));
		return;
	}
	if (size == (ssize_t)sizeof(message))
		obey(slot, &message, fds);
	else if (slot->state != OE__SLOT_DYING) {
		oe__slot_lost(slot, "its fork server sent half a message");
		oe__server_kill(slot);
	}
	for (size_t i = 0; i < FDS_MAX; i++)
		oe__fd_close(fds[i]);
}

/* ---- its start ---- */

static int64_t modified(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0
	           ? (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec
	           : 0;
}

/* The evaluator is the one that it has read, and no run has begun since. */
bool oe__server_is_current(const struct oe__python_slot *slot)
{
	return modified(slot->pool->options.evaluator) == slot->evaluator_mtime &&
	       oe__hidden_count() == slot->hidden;
}

/* The directory that programs are put into for it: what it sees of the scratch of all of them. */
static int make_directory(struct oe__python_slot *slot)
{
	struct oe__python_pool *pool = slot->pool;
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(4096);

	oe__buffer_printf(&name, "%s/s%lld", oe__sandbox_files(pool->sandbox),
	                  (long long)pool->next_scratch++);
	slot->directory = oe__buffer_steal(&name, NULL);
	return slot->directory ? oe__directory_make(slot->directory, NULL) : OE_ERR_NOMEM;
}

static int start_tree(struct oe__python_slot *slot, int theirs, int log_end, oe_error *err)
{
	struct oe__python_pool *pool = slot->pool;
	const struct oe__python_options *options = &pool->options;
	OE__AUTO(fd) int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int tier = oe__sandbox_tier(pool->sandbox);
	int fds[] = { nothing, log_end, log_end, theirs };
	const char *arguments[] = {
		options->interpreter,
		"-c",
		oe__forkserver_py,
		options->evaluator,
		options->preload,
		tier >= 2 ? OE__INSIDE_LIBRARY : oe__sandbox_library(pool->sandbox),
		tier >= 0 ? "confined" : "",
		options->split ? slot->directory : "",
		NULL,
	};
	OE__AUTO(hidden) struct oe__hidden hidden = { 0 };
	struct oe__tree_mount mounts[2 + OE__HIDDEN_MAX] = {
		{ tier >= 2 ? OE__MOUNT_READ : OE__MOUNT_WRITE, slot->directory },
		{ OE__MOUNT_READ, pool->shim },
	};

	if (oe__hidden_find(&pool->policy, &hidden) < 0)
		return oe__error(err, OE_ERR_LIMIT, "there are too many runs to be hidden from evaluations");
	uint32_t mount_count = 2 + (uint32_t)oe__hidden_mounts(&hidden, mounts + 2);
	struct oe__tree_spec spec = { .flags = tier >= 0 ? OE__START_CONFINED | OE__START_WARM : 0,
		                          .arguments = arguments,
		                          .variables = (const char *const *)pool->variables,
		                          .directory = options->directory,
		                          .fds = fds,
		                          .fd_count = OE__COUNT(fds),
		                          .mounts = mounts,
		                          .mount_count = tier >= 0 ? mount_count : 0,
		                          .limits = options->limits };

	if (nothing < 0)
		return oe__error_errno(err, "cannot open /dev/null");
	return oe__sandbox_start(pool->sandbox, &spec, heard, slot, &slot->tree, err);
}

static int connect_server(struct oe__python_slot *slot, oe_error *err)
{
	struct oe__python_pool *pool = slot->pool;
	int ends[2], log_end = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return oe__error_errno(err, "cannot make a socket");
	slot->control = ends[0];
	int status = oe__watch_open(pool->reactor, ends[0], OE__READABLE, control_ready, slot,
	                            &slot->control_watch);
	if (status == 0)
		status = oe__slot_open_pipe(slot, &slot->log_fd, &log_end, &slot->log_watch, log_ready);
	if (status == 0)
		status = start_tree(slot, ends[1], log_end, err);
	oe__fd_close(ends[1]);
	oe__fd_close(log_end);
	return status;
}

static void start_late(struct oe__timer *timer)
{
	struct oe__python_slot *slot = OE__CONTAINER(timer, struct oe__python_slot, deadline);

	note_failure(slot, "the fork server does not start: what it imports takes too long");
	oe__server_kill(slot);
}

/* It may take as long as the evaluation that waits for it, and in any case what slow disks take. */
static int limit_start(struct oe__python_slot *slot)
{
	int64_t limit_ms = slot->pool->head ? slot->pool->head->timeout_ms : 0;

	if (limit_ms <= 0)
		return 0;
	if (limit_ms < START_MS)
		limit_ms = START_MS;
	return oe__timer_arm(slot->pool->reactor, &slot->deadline, oe__clock_ns() + limit_ms * 1000000,
	                     start_late);
}

void oe__server_start(struct oe__python_slot *slot)
{
	struct oe__python_pool *pool = slot->pool;

	slot->state = OE__SLOT_STARTING;
	slot->proven = false;
	slot->control = slot->log_fd = -1;
	slot->served = 0;
	slot->evaluator_mtime = modified(pool->options.evaluator);
	slot->hidden = oe__hidden_count();
	int status = oe__python_pool_sandbox(pool, &pool->failure);
	if (status == 0)
		status = make_directory(slot);
	if (status == 0)
		status = oe__output_init(&slot->log, LOG_MAX);
	if (status == 0)
		status = limit_start(slot);
	if (status == 0)
		status = connect_server(slot, &pool->failure);
	if (status < 0) {
		pool->failed_starts++;
		if (pool->failure.status == 0)
			(void)oe__error(&pool->failure, status, "cannot start a fork server: %s",
			                oe_status_string(status));
		emptied(slot);
	}
}
