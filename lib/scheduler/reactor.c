/*
 * One libuv loop in a thread of its own. Of libuv only loop, poll, timer, async and check are used:
 * the other parts install signal handlers or share a process-wide pool, which a library must not.
 */

#include "scheduler/reactor.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/thread.h"
#include "scheduler/timers.h"

struct oe__reactor {
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t alarm; /* at the first of `timers`                     */
	uv_check_t check; /* after each round of events                   */
	pthread_t thread;
	struct oe__timers timers; /* reactor thread, as all up to the mutex */
	struct oe__round *rounds;
	bool stopping;
	bool stopped;               /* no thread turns it                */
	void (*ended)(void *owner); /* set: nobody joins the thread      */
	void *owner;

	pthread_mutex_t mutex;
	struct oe__task_list posted; /* guarded by mutex */
};

struct oe__watch {
	uv_poll_t poll;
	int fd;
	oe__watch_function *call;
	void *owner;
};

/* ---- posted tasks ---- */

void oe__reactor_post(struct oe__reactor *reactor, struct oe__task *task)
{
	pthread_mutex_lock(&reactor->mutex);
	bool first = reactor->posted.count == 0;
	oe__task_push(&reactor->posted, task);
	pthread_mutex_unlock(&reactor->mutex);
	if (first) /* otherwise a wake-up is under way already */
		uv_async_send(&reactor->wake);
}

bool oe__reactor_run(struct oe__reactor *reactor)
{
	pthread_mutex_lock(&reactor->mutex);
	struct oe__task_list batch = reactor->posted;
	reactor->posted = (struct oe__task_list){ 0 };
	pthread_mutex_unlock(&reactor->mutex);

	bool any = batch.count > 0;
	struct oe__task *task;
	while ((task = oe__task_pop(&batch)) != NULL)
		task->run(task);
	return any;
}

static void run_posted(uv_async_t *wake)
{
	(void)oe__reactor_run(OE__CONTAINER(wake, struct oe__reactor, wake));
}

bool oe__reactor_is_current(const struct oe__reactor *reactor)
{
	return pthread_equal(reactor->thread, pthread_self()) != 0;
}

/* ---- watches ---- */

static void watch_ready(uv_poll_t *poll, int status, int events)
{
	struct oe__watch *watch = OE__CONTAINER(poll, struct oe__watch, poll);
	int seen = 0;

	if (status < 0) /* EBADF and friends: let the owner read the error from the descriptor */
		seen = OE__READABLE | OE__WRITABLE | OE__HANGUP;
	if (events & UV_READABLE)
		seen |= OE__READABLE;
	if (events & UV_WRITABLE)
		seen |= OE__WRITABLE;
	if (events & UV_DISCONNECT)
		seen |= OE__HANGUP;
	watch->call(watch->owner, watch->fd, seen);
}

static int start_poll(struct oe__watch *watch, int events)
{
	int wanted = 0;
	if (events & OE__READABLE)
		wanted |= UV_READABLE;
	if (events & OE__WRITABLE)
		wanted |= UV_WRITABLE;
	if (events & OE__HANGUP)
		wanted |= UV_DISCONNECT;
	int status = wanted ? uv_poll_start(&watch->poll, wanted, watch_ready)
	                    : uv_poll_stop(&watch->poll);
	return status < 0 ? OE_ERR_IO : 0;
}

static void free_watch(uv_handle_t *handle)
{
	oe__free(OE__CONTAINER(handle, struct oe__watch, poll));
}

int oe__watch_open(struct oe__reactor *reactor, int fd, int events, oe__watch_function *call,
                   void *owner, struct oe__watch **out)
{
	assert(oe__reactor_is_current(reactor));
	struct oe__watch *watch = oe__calloc(1, sizeof(*watch));
	if (!watch)
		return OE_ERR_NOMEM;
	watch->fd = fd;
	watch->call = call;
	watch->owner = owner;
	if (uv_poll_init(&reactor->loop, &watch->poll, fd) < 0) {
		oe__free(watch);
		return OE_ERR_IO;
	}
	if (start_poll(watch, events) < 0) {
		uv_close((uv_handle_t *)&watch->poll, free_watch);
		return OE_ERR_IO;
	}
	*out = watch;
	return 0;
}

int oe__watch_change(struct oe__watch *watch, int events)
{
	return start_poll(watch, events);
}

void oe__watch_close(struct oe__watch *watch)
{
	if (watch)
		uv_close((uv_handle_t *)&watch->poll, free_watch);
}

/* ---- timers ---- */

static void fire(uv_timer_t *alarm);

static void set_alarm(struct oe__reactor *reactor)
{
	struct oe__timer *first = oe__timers_first(&reactor->timers);
	if (!first) {
		uv_timer_stop(&reactor->alarm);
		return;
	}
	/* Round up: an alarm that is early by a fraction would spin until it is due. */
	int64_t left_ns = first->due_ns - oe__clock_ns();
	uint64_t left_ms = left_ns > 0 ? (uint64_t)(left_ns + 999999) / 1000000 : 0;
	uv_update_time(&reactor->loop);
	uv_timer_start(&reactor->alarm, fire, left_ms, 0);
}

static void fire(uv_timer_t *alarm)
{
	struct oe__reactor *reactor = OE__CONTAINER(alarm, struct oe__reactor, alarm);
	int64_t now_ns = oe__clock_ns();
	struct oe__timer *first;

	while ((first = oe__timers_first(&reactor->timers)) != NULL && first->due_ns <= now_ns) {
		oe__timers_remove(&reactor->timers, first);
		first->reactor = NULL;
		first->call(first);
	}
	set_alarm(reactor);
}

int oe__timer_arm(struct oe__reactor *reactor, struct oe__timer *timer, int64_t due_ns,
                  void (*call)(struct oe__timer *timer))
{
	assert(oe__reactor_is_current(reactor));
	oe__timer_cancel(timer);
	timer->due_ns = due_ns;
	timer->call = call;
	int status = oe__timers_add(&reactor->timers, timer);
	if (status < 0)
		return status;
	timer->reactor = reactor;
	if (oe__timers_first(&reactor->timers) == timer)
		set_alarm(reactor);
	return 0;
}

void oe__timer_cancel(struct oe__timer *timer)
{
	if (!timer->reactor)
		return;
	/* The alarm may ring for nothing later; that is cheaper than setting it anew each time. */
	oe__timers_remove(&timer->reactor->timers, timer);
	timer->reactor = NULL;
}

/* ---- rounds ---- */

static void end_round(uv_check_t *check)
{
	struct oe__reactor *reactor = OE__CONTAINER(check, struct oe__reactor, check);
	struct oe__round *next;

	for (struct oe__round *round = reactor->rounds; round; round = next) {
		next = round->next; /* a round may remove itself */
		round->call(round);
	}
}

void oe__round_add(struct oe__reactor *reactor, struct oe__round *round)
{
	round->next = reactor->rounds;
	reactor->rounds = round;
}

void oe__round_remove(struct oe__reactor *reactor, struct oe__round *round)
{
	for (struct oe__round **link = &reactor->rounds; *link; link = &(*link)->next) {
		if (*link == round) {
			*link = round->next;
			return;
		}
	}
}

/* ---- life ---- */

struct stop_task {
	struct oe__task task;
	struct oe__reactor *reactor;
};

static void stop(struct oe__task *task)
{
	OE__CONTAINER(task, struct stop_task, task)->reactor->stopping = true;
}

static void close_loop(struct oe__reactor *reactor)
{
	uv_close((uv_handle_t *)&reactor->wake, NULL);
	uv_close((uv_handle_t *)&reactor->alarm, NULL);
	uv_close((uv_handle_t *)&reactor->check, NULL);
	uv_run(&reactor->loop, UV_RUN_DEFAULT); /* runs the close callbacks, of watches too */
	int left = uv_loop_close(&reactor->loop);
	assert(left == 0); /* a watch that nobody closed */
	(void)left;
}

static void *turn(void *argument)
{
	struct oe__reactor *reactor = argument;

	while (!reactor->stopping)
		uv_run(&reactor->loop, UV_RUN_ONCE);
	void (*ended)(void *owner) = reactor->ended;
	if (ended) {
		pthread_detach(pthread_self());
		reactor->stopped = true;
		ended(reactor->owner);
	}
	return NULL;
}

/* A loop takes four descriptors, and the first one of a process two more, which libuv keeps. Where
   they are wanting it ends the process, or loses some of them: so look before. */
static bool has_descriptors(void)
{
	int ends[6] = { -1, -1, -1, -1, -1, -1 };
	bool enough = true;

	for (int i = 0; i < 6; i += 2)
		enough = enough && pipe2(ends + i, O_CLOEXEC) == 0;
	for (int i = 0; i < 6; i++)
		oe__fd_close(ends[i]);
	return enough;
}

/* A host may run with its standard descriptors closed, as some daemons do. libuv aborts when it closes
   one with such a number, so they are kept occupied while its own are made. */
static size_t hold_standard(int held[STDERR_FILENO + 1])
{
	size_t count = 0;
	int fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		held[count++] = fd;
	oe__fd_close(fd);
	return count;
}

static int init_loop(struct oe__reactor *reactor, oe_error *err)
{
	if (!has_descriptors())
		return oe__error_errno(err, "cannot make an event loop");
	reactor->loop.backend_fd = -1;
	int code = uv_loop_init(&reactor->loop);
	if (code < 0) {
		/* It has made its epoll set first, and leaves that to whoever knows of it. */
		oe__fd_close(reactor->loop.backend_fd);
		return oe__error(err, OE_ERR_IO, "cannot make an event loop: %s", uv_strerror(code));
	}
	code = uv_async_init(&reactor->loop, &reactor->wake, run_posted);
	if (code < 0) {
		(void)uv_loop_close(&reactor->loop);
		return oe__error(err, OE_ERR_IO, "cannot wake an event loop: %s", uv_strerror(code));
	}
	return 0;
}

int oe__reactor_new(struct oe__reactor **out, oe_error *err)
{
	int held[STDERR_FILENO + 1];
	struct oe__reactor *reactor = oe__calloc(1, sizeof(*reactor));

	if (!reactor)
		return oe__error_nomem(err);
	size_t count = hold_standard(held);
	int status = init_loop(reactor, err);
	while (count > 0)
		oe__fd_close(held[--count]);
	if (status < 0) {
		oe__free(reactor);
		return status;
	}
	pthread_mutex_init(&reactor->mutex, NULL);
	uv_timer_init(&reactor->loop, &reactor->alarm);
	uv_check_init(&reactor->loop, &reactor->check);
	uv_check_start(&reactor->check, end_round);

	/* The thread reads its own identity from `thread`: it must not run before that is written. */
	status = oe__thread_start(&reactor->thread, "oe-reactor", turn, reactor, err);
	if (status < 0) {
		close_loop(reactor);
		pthread_mutex_destroy(&reactor->mutex);
		oe__free(reactor);
		return status;
	}
	*out = reactor;
	return 0;
}

void oe__reactor_stop(struct oe__reactor *reactor)
{
	if (reactor->stopped)
		return;
	struct stop_task last = { .task.run = stop, .reactor = reactor };
	oe__reactor_post(reactor, &last.task);
	pthread_join(reactor->thread, NULL);
	reactor->thread = pthread_self();
	reactor->stopped = true;
}

void oe__reactor_free(struct oe__reactor *reactor)
{
	if (!reactor)
		return;
	oe__reactor_stop(reactor);
	/* Tasks that came after the stop, and those that they post. */
	while (oe__reactor_run(reactor))
		continue;
	close_loop(reactor);
	oe__timers_done(&reactor->timers);
	pthread_mutex_destroy(&reactor->mutex);
	oe__free(reactor);
}

void oe__reactor_leave(struct oe__reactor *reactor, void (*ended)(void *owner), void *owner)
{
	assert(oe__reactor_is_current(reactor));
	reactor->ended = ended;
	reactor->owner = owner;
	reactor->stopping = true;
}
