/*
 * One evaluation on a slot.
 *
 *   EMPTY -> STARTING -> CLEARING -> IDLE -> BUSY -> CLEARING -> IDLE ...      or DYING -> EMPTY
 *
 * The deadline counts from the moment the job is given to the waiting child. When it passes, the child is
 * killed and with it its namespace, or the spawner kills everything of the tree but the server. The server
 * then reports the end of its child as it does any other; but it may be late, as others want the processors,
 * and somebody may have stopped it. So the child's death is watched for here, and a job that was ended waits
 * for that, and a moment for the report. The slot waits for more: for the end of all that was left.
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
#include "base/limits.h"
#include "base/text.h"
#include "evaluator/python_internal.h"

#define SERVED_MAX 1000                      /* then a fresh server: whatever leaked is gone        */
#define WORD_NS    (100 * (int64_t)1000000)  /* for a server to say how a child ended that is dead  */
#define STUCK_NS   (2 * (int64_t)1000000000) /* a server that says nothing after a kill is killed   */
#define SPARE_NS   (5 * (int64_t)1000000000) /* ... and one that forks nothing for the next job     */

/* ---- descriptors ---- */

void oe__slot_close_watched(struct oe__watch **watch, int *fd)
{
	oe__watch_close(*watch);
	*watch = NULL;
	oe__fd_close(*fd);
	*fd = -1;
}

/* Read what is there. @return false at the end, or on an error. */
bool oe__slot_read(int fd, char *chunk, ssize_t *size)
{
	do
		*size = read(fd, chunk, OE__CHUNK);
	while (*size < 0 && errno == EINTR);
	return *size > 0;
}

static void read_result(struct oe__python_slot *slot)
{
	char chunk[OE__CHUNK];
	ssize_t size = 0;

	while (slot->result_fd >= 0 && oe__slot_read(slot->result_fd, chunk, &size))
		oe__buffer_append(&slot->result, chunk, (size_t)size); /* beyond the cap: it says so */
	if (slot->result_fd >= 0 && (size == 0 || errno != EAGAIN))
		oe__slot_close_watched(&slot->result_watch, &slot->result_fd);
}

static void result_ready(void *owner, int fd, int events)
{
	(void)fd;
	(void)events;
	read_result(owner);
}

/* One chunk per round of events: a child that prints without end must not keep the reactor. */
static void read_output(struct oe__python_slot *slot, struct oe__watch **watch, int *fd)
{
	char chunk[OE__CHUNK];
	ssize_t size = 0;

	if (oe__slot_read(*fd, chunk, &size)) {
		oe__output_add(&slot->output, chunk, (size_t)size);
		if (oe__output_is_flood(&slot->output))
			oe__slot_exceeded(slot, OE__LIMIT_OUTPUT);
	} else if (size == 0 || errno != EAGAIN)
		oe__slot_close_watched(watch, fd);
}

static void output_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;

	(void)fd;
	(void)events;
	read_output(slot, &slot->output_watch, &slot->output_fd);
}

/* A pipe of its own: nothing that it does to that reaches the evaluator's. */
static void candidate_ready(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;

	(void)fd;
	(void)events;
	read_output(slot, &slot->candidate_watch, &slot->candidate_fd);
}

static void close_streams(struct oe__python_slot *slot)
{
	oe__slot_close_watched(&slot->result_watch, &slot->result_fd);
	oe__slot_close_watched(&slot->output_watch, &slot->output_fd);
	oe__slot_close_watched(&slot->candidate_watch, &slot->candidate_fd);
}

int oe__slot_open_pipe(struct oe__python_slot *slot, int *ours, int *theirs,
                       struct oe__watch **watch, oe__watch_function *call)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return OE_ERR_IO;
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	(void)fchmod(ends[1], 0666); /* /dev/stdout opens it again, as whoever it is by then */
	*ours = ends[0];
	*theirs = ends[1];
	return oe__watch_open(slot->pool->reactor, ends[0], OE__READABLE, call, slot, watch);
}

/* ---- one evaluation ---- */

static bool is_apart(const struct oe__python_slot *slot)
{
	return oe__sandbox_tier(slot->pool->sandbox) >= 2;
}

static int write_program(struct oe__python_slot *slot, char **path)
{
	struct oe__python_pool *pool = slot->pool;
	const struct oe__source *source = slot->job->program->source;
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(4096);

	oe__buffer_printf(&name, "%s/%lld", slot->directory, (long long)pool->next_scratch++);
	slot->scratch = oe__strdup(oe__buffer_string(&name));
	if (name.status < 0 || !slot->scratch)
		return OE_ERR_NOMEM;
	int status = oe__directory_make(slot->scratch, NULL);
	/* Its temporary files go there, too, if it has no place of its own: as whoever it is by then. */
	if (status == 0 && !is_apart(slot) && oe__sandbox_tier(pool->sandbox) >= 0)
		(void)chmod(slot->scratch, 0777); /* the directory above is for the slot alone */
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
	if (slot->pool->options.keywords) {
		const char *keywords = slot->pool->options.keywords;
		oe__json_key(&writer, "keywords");
		oe__json_raw(&writer, keywords, strlen(keywords));
	}
	oe__json_key(&writer, "seed");
	oe__json_int(&writer, (int64_t)(job->seed & INT64_MAX)); /* not negative */
	oe__json_key(&writer, "directory");
	oe__json_string(&writer, slot->pool->options.directory);
	oe__json_key(&writer, "scratch");
	oe__json_string(&writer, is_apart(slot)    ? "/tmp"
	                         : slot->scratch ? slot->scratch
	                                         : slot->directory);
	oe__json_key(&writer, "home");
	oe__json_bool(&writer, oe__sandbox_tier(slot->pool->sandbox) >= 0);
	oe__json_map_end(&writer);
	return status < 0 ? status : out->status;
}

/* Its frame, its output, and its candidate's if that is apart. */
#define JOB_FDS 3

static int send_job(struct oe__python_slot *slot, const struct oe__buffer *text, const int *fds)
{
	size_t size = (fds[2] >= 0 ? 3 : 2) * sizeof(int);
	union {
		char space[CMSG_SPACE(JOB_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec part = { text->data, text->size };
	struct msghdr message = { .msg_iov = &part,
		                      .msg_iovlen = 1,
		                      .msg_control = control.space,
		                      .msg_controllen = CMSG_SPACE(size) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), fds, size);
	ssize_t sent = sendmsg(slot->running.orders, &message, MSG_NOSIGNAL);
	/* A spare that is gone by now takes no job: the server says so when it hears of it. */
	slot->undelivered = sent < 0 && errno == EPIPE;
	return sent == (ssize_t)text->size || slot->undelivered ? 0 : OE_ERR_IO;
}

static bool tell_server(struct oe__python_slot *slot, enum oe__warm_type type, int64_t number)
{
	struct oe__warm_message message = { .type = type, .number = number };

	return send(slot->control, &message, sizeof(message), MSG_NOSIGNAL) == (ssize_t)sizeof(message);
}

/* Kill what is left of the evaluation, and nothing else. */
static void sweep(struct oe__python_slot *slot)
{
	if (slot->sweeping || slot->state == OE__SLOT_DYING)
		return;
	if (slot->running.init >= 0) {
		/* The child itself first: it need not wait for the other's turn to die. */
		(void)syscall(SYS_pidfd_send_signal, slot->running.process, SIGKILL, NULL, 0);
		(void)syscall(SYS_pidfd_send_signal, slot->running.init, SIGKILL, NULL, 0);
		return;
	}
	if (slot->emptying) /* in a namespace: the server does that */
		return;
	slot->sweeping = true;
	slot->swept_child = !slot->end.exited;
	oe__sandbox_sweep(slot->pool->sandbox, slot->tree, slot->server);
}

void oe__slot_lost(struct oe__python_slot *slot, const char *why)
{
	size_t size = oe__utf8_beginning(why, strlen(why), sizeof(slot->end.lost_because) - 1);

	slot->end.lost = true;
	memcpy(slot->end.lost_because, why, size);
	slot->end.lost_because[size] = '\0';
}

/* It has ended, or is being ended: what comes now is not its time. */
static void stop_clock(struct oe__python_slot *slot)
{
	if (slot->end.wall_ms < 0)
		slot->end.wall_ms = (double)(oe__clock_ns() - slot->started_ns) / 1e6;
}

static void finish_job(struct oe__python_slot *slot);

/* Neither a death nor a word: whatever holds it, the job is over. */
static void stuck(struct oe__timer *timer)
{
	struct oe__python_slot *slot = OE__CONTAINER(timer, struct oe__python_slot, deadline);

	if (slot->job)
		finish_job(slot);
	oe__server_kill(slot);
}

static void wait_for(struct oe__python_slot *slot, int64_t ns, void (*call)(struct oe__timer *timer))
{
	if (oe__timer_arm(slot->pool->reactor, &slot->deadline, oe__clock_ns() + ns, call) < 0)
		oe__server_kill(slot);
}

/* Its server is busy, or somebody has stopped it. It is heard out, but not by who waits for the job. */
static void word_is_late(struct oe__timer *timer)
{
	struct oe__python_slot *slot = OE__CONTAINER(timer, struct oe__python_slot, deadline);

	slot->unheard = !slot->end.exited;
	wait_for(slot, STUCK_NS, stuck);
	oe__slot_check_end(slot);
}

static void is_dead(void *owner, int fd, int events)
{
	struct oe__python_slot *slot = owner;

	(void)fd;
	(void)events;
	oe__watch_close(OE__STEAL(slot->running.watch));
	if (slot->job)
		wait_for(slot, WORD_NS, word_is_late);
}

/* It is over, for a reason that `end` knows. Its death is seen here: nobody has to tell. */
static void end_evaluation(struct oe__python_slot *slot)
{
	struct oe__python_child *child = &slot->running;

	stop_clock(slot);
	wait_for(slot, STUCK_NS, stuck);
	sweep(slot);
	if (slot->state == OE__SLOT_BUSY && child->process >= 0 && !child->watch)
		(void)oe__watch_open(slot->pool->reactor, child->process, OE__READABLE, is_dead, slot,
		                     &child->watch);
}

static void deadline_passed(struct oe__timer *timer)
{
	struct oe__python_slot *slot = OE__CONTAINER(timer, struct oe__python_slot, deadline);

	slot->end.timed_out = !slot->end.exited;
	end_evaluation(slot);
}

void oe__slot_exceeded(struct oe__python_slot *slot, int total)
{
	if (!slot->job || slot->end.exited || oe__result_is_stopped(&slot->end))
		return;
	slot->end.limit = (enum oe__limit)total;
	end_evaluation(slot);
}

void oe__slot_cancel(struct oe__python_slot *slot)
{
	if (slot->end.timed_out || slot->end.cancelled)
		return;
	slot->end.cancelled = true;
	end_evaluation(slot);
}

static int begin(struct oe__python_slot *slot)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__JOB_MAX);
	int theirs[JOB_FDS] = { -1, -1, -1 };

	int status = oe__output_init(&slot->output, slot->pool->options.output_max);
	if (status == 0)
		status = write_job(slot, &text);
	if (status == 0)
		status = oe__slot_open_pipe(slot, &slot->result_fd, &theirs[0], &slot->result_watch, result_ready);
	if (status == 0)
		status = oe__slot_open_pipe(slot, &slot->output_fd, &theirs[1], &slot->output_watch, output_ready);
	if (status == 0 && slot->pool->options.split)
		status = oe__slot_open_pipe(slot, &slot->candidate_fd, &theirs[2], &slot->candidate_watch,
		                            candidate_ready);
	if (status == 0)
		status = send_job(slot, &text, theirs);
	if (status == 0 && !tell_server(slot, OE__WARM_GIVEN, slot->running.number))
		status = OE_ERR_IO;
	for (size_t i = 0; i < JOB_FDS; i++)
		oe__fd_close(theirs[i]);
	return status;
}

void oe__slot_give(struct oe__python_slot *slot, struct oe__python_job *job)
{
	slot->state = OE__SLOT_BUSY;
	slot->clear = slot->measured = slot->unheard = slot->emptying = false;
	slot->strays = 0;
	slot->job = job;
	slot->running = slot->spare;
	slot->spare = (struct oe__python_child)OE__NO_CHILD;
	slot->result_fd = slot->output_fd = slot->candidate_fd = -1;
	slot->result = (struct oe__buffer)OE__BUFFER_INIT(OE__FRAME_MAX);
	slot->end = (struct oe__child_end)OE__CHILD_END_INIT(job->timeout_ms);
	slot->end.limits = slot->pool->options.limits;
	slot->end.footprint.path = OE__PATH_SPARE;
	slot->started_ns = oe__clock_ns();
	int status = begin(slot);
	if (status == 0 && job->timeout_ms > 0)
		status = oe__timer_arm(slot->pool->reactor, &slot->deadline,
		                       slot->started_ns + job->timeout_ms * 1000000, deadline_passed);
	if (status < 0) { /* the report of the server's end finishes the job */
		oe__slot_lost(slot, "its job could not be given to it");
		oe__server_kill(slot);
	}
}

/* ---- the end of one ---- */

static void drain(struct oe__python_slot *slot, int fd)
{
	char chunk[OE__CHUNK];
	ssize_t size = 0;

	/* At most what a pipe holds: a stray that goes on printing is about to be killed. */
	for (int i = 0; i < 16 && fd >= 0 && oe__slot_read(fd, chunk, &size); i++)
		oe__output_add(&slot->output, chunk, (size_t)size);
}

static void finish_job(struct oe__python_slot *slot)
{
	struct oe__python_job *job = OE__STEAL(slot->job);

	oe__timer_cancel(&slot->deadline);
	read_result(slot);
	drain(slot, slot->candidate_fd);
	drain(slot, slot->output_fd);
	stop_clock(slot);
	slot->end.footprint.strays_killed = (int32_t)slot->strays;
	close_streams(slot);
	int status = oe__python_result(job->evaluation, &slot->result, &slot->output, &slot->end);
	oe__buffer_done(&slot->result);
	oe__output_done(&slot->output);
	oe__python_job_finish(job, status, NULL);
}

/* Nothing is left of the evaluation: the next one may come. */
static void become_idle(struct oe__python_slot *slot)
{
	bool fresh = slot->served >= SERVED_MAX || !oe__server_is_current(slot);

	oe__timer_cancel(&slot->deadline);
	if (slot->scratch)
		oe__python_pool_discard(slot->pool, OE__STEAL(slot->scratch));
	if (fresh || (slot->running.number > 0 && !tell_server(slot, OE__WARM_NEXT, slot->running.number))) {
		oe__server_kill(slot);
		return;
	}
	slot->running.number = 0;
	if (slot->spare.orders < 0) { /* one comes */
		wait_for(slot, SPARE_NS, stuck);
		return;
	}
	slot->state = OE__SLOT_IDLE;
	oe__python_pool_dispatch(slot->pool);
}

void oe__slot_measured(struct oe__python_slot *slot, const struct oe__report *report)
{
	slot->measured = true;
	if (report->memory_peak >= 0) {
		slot->end.memory_peak = report->memory_peak;
		slot->end.footprint.memory_source = OE__MEMORY_CGROUP;
	}
	slot->end.oom_kills = report->count;
	oe__slot_check_end(slot);
}

/* The control group knows the memory of all of its processes. */
static bool must_measure(struct oe__python_slot *slot)
{
	if (slot->measured || slot->end.lost || slot->state != OE__SLOT_BUSY ||
	    oe__sandbox_tier(slot->pool->sandbox) < 3)
		return false;
	oe__sandbox_memory(slot->pool->sandbox, slot->tree);
	return true;
}

/* What it left behind is counted before it is reported. Where it has a process namespace, the server did that. */
static bool must_clear(struct oe__python_slot *slot)
{
	if (is_apart(slot) || slot->clear || !slot->end.exited || slot->state != OE__SLOT_BUSY)
		return false;
	slot->clear = oe__sandbox_is_clear(slot->keeper, slot->server);
	if (!slot->clear)
		sweep(slot);
	return !slot->clear;
}

/* What it left counts, unless it was ended: then nobody wants to know. */
static bool must_count(const struct oe__python_slot *slot)
{
	return slot->emptying && slot->state == OE__SLOT_BUSY && !oe__result_is_stopped(&slot->end);
}

static void end_job(struct oe__python_slot *slot)
{
	slot->served++;
	finish_job(slot);
	if (slot->state != OE__SLOT_BUSY)
		return;
	slot->state = OE__SLOT_CLEARING;
	if (slot->unheard || slot->emptying)
		wait_for(slot, STUCK_NS, stuck);
}

/* The job ends when its child has; the slot is free when nothing of it is left. */
void oe__slot_check_end(struct oe__python_slot *slot)
{
	bool over = slot->end.exited || slot->end.lost || slot->unheard;

	if (slot->job && over && (must_count(slot) || must_clear(slot) || must_measure(slot)))
		return;
	if (slot->job && over)
		end_job(slot);
	if (slot->state == OE__SLOT_DYING && slot->scratch)
		oe__python_pool_discard(slot->pool, OE__STEAL(slot->scratch));
	if (slot->state != OE__SLOT_CLEARING || slot->sweeping || slot->unheard || slot->emptying ||
	    slot->job)
		return;
	if (is_apart(slot) || slot->clear || oe__sandbox_is_clear(slot->keeper, slot->server))
		become_idle(slot);
	else
		sweep(slot);
}

/* ---- what the server says of it ---- */

/* Where it had no namespace, the server has to be told that nothing is left of this one. */
static void forget_running(struct oe__python_slot *slot)
{
	int64_t number = slot->running.number;

	oe__server_forget_child(&slot->running);
	slot->running.number = is_apart(slot) ? 0 : number;
}

void oe__slot_exited(struct oe__python_slot *slot, const struct oe__warm_message *message)
{
	if (message->number != slot->running.number || slot->end.exited)
		return; /* of one that never got a job */
	stop_clock(slot);
	/* Whatever ended it before it had its job, the program did not. */
	if (slot->undelivered)
		oe__slot_lost(slot, "what waited for it had ended");
	else if (message->status == -1)
		oe__slot_lost(slot, "its fork server does not know of it");
	slot->end.exited = !slot->end.lost;
	slot->end.status = message->status;
	slot->end.cpu_ms = message->cpu_ms;
	slot->end.memory_peak = message->memory;
	slot->end.footprint.memory_source = OE__MEMORY_PROCESS;
	slot->unheard = false;
	slot->emptying = message->strays < 0;
	if (!slot->emptying)
		forget_running(slot);
	oe__slot_check_end(slot);
}

void oe__slot_cleared(struct oe__python_slot *slot, const struct oe__warm_message *message)
{
	if (message->number != slot->running.number || !slot->emptying)
		return;
	slot->emptying = false;
	slot->strays += message->strays;
	slot->end.cpu_ms += message->cpu_ms;
	forget_running(slot);
	oe__slot_check_end(slot);
}

void oe__slot_close(struct oe__python_slot *slot)
{
	if (slot->job) {
		oe_error err;
		struct oe__python_job *job = OE__STEAL(slot->job);
		close_streams(slot);
		oe__buffer_done(&slot->result);
		oe__output_done(&slot->output);
		oe__python_job_finish(job, oe__error(&err, OE_ERR_CANCELLED, "cancelled"), &err);
	}
	oe__server_close(slot);
	oe__free(slot->scratch);
	slot->scratch = NULL;
}
