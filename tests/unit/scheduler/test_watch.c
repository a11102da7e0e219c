/* Descriptors on the reactor: what is seen, and when nothing is seen any more. */

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "reactor_world.h"

/* One watched descriptor, and what its callback is to do. The fields are the reactor thread's, but
   for those that are atomic. */
struct looker {
	struct oe__reactor *reactor;
	struct oe__watch *watch;
	int fd, events, status;
	int reads_at; /* reads when called that often, closes the watch with close_at */
	int close_at;
	atomic_int calls, seen;
	sem_t called;
};

static void look(void *owner, int fd, int events)
{
	struct looker *looker = owner;
	char byte;

	int calls = atomic_fetch_add(&looker->calls, 1) + 1;
	atomic_fetch_or(&looker->seen, events | (fd == looker->fd ? 0 : 0x100));
	if (calls == looker->reads_at && read(fd, &byte, 1) != 1)
		atomic_fetch_or(&looker->seen, 0x200);
	if (calls == looker->close_at) {
		oe__watch_close(looker->watch);
		looker->watch = NULL;
	}
	sem_post(&looker->called);
}

static void open_watch(void *argument)
{
	struct looker *looker = argument;

	looker->status = oe__watch_open(looker->reactor, looker->fd, looker->events, look, looker,
									&looker->watch);
}

static void change_watch(void *argument)
{
	struct looker *looker = argument;

	looker->status = oe__watch_change(looker->watch, looker->events);
}

static void close_watch(void *argument)
{
	struct looker *looker = argument;

	oe__watch_close(looker->watch);
	looker->watch = NULL;
}

static void start(struct looker *looker, struct oe__reactor *reactor, int fd, int events)
{
	looker->reactor = reactor;
	looker->fd = fd;
	looker->events = events;
	sem_init(&looker->called, 0, 0);
	world_on_reactor(reactor, open_watch, looker);
	ck_assert_int_eq(looker->status, 0);
}

static void change(struct looker *looker, int events)
{
	looker->events = events;
	world_on_reactor(looker->reactor, change_watch, looker);
	ck_assert_int_eq(looker->status, 0);
}

static void stop(struct looker *looker)
{
	world_on_reactor(looker->reactor, close_watch, looker);
}

static void wait_for_calls(struct looker *looker, int calls)
{
	while (atomic_load(&looker->calls) < calls)
		sem_wait(&looker->called);
}

START_TEST(test_level)
{
	struct oe__reactor *reactor = world_reactor();
	struct looker looker = { .reads_at = 3 };
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	start(&looker, reactor, ends[0], OE__READABLE);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), 0);
	/* Called again and again until it is read. */
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	wait_for_calls(&looker, 3);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), 3);
	ck_assert_int_eq(atomic_load(&looker.seen), OE__READABLE);
	stop(&looker);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), 3);
	oe__reactor_free(reactor);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(test_change)
{
	struct oe__reactor *reactor = world_reactor();
	struct looker looker = { .fd = -1 };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	start(&looker, reactor, ends[0], 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), 0); /* nothing was asked for yet */
	change(&looker, OE__WRITABLE);
	wait_for_calls(&looker, 1);
	change(&looker, 0);
	int seen = atomic_load(&looker.seen);
	ck_assert_int_eq(seen, OE__WRITABLE);
	int calls = atomic_load(&looker.calls);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), calls);
	ck_assert_int_eq(close(ends[1]), 0);
	stop(&looker);
	oe__reactor_free(reactor);
	close(ends[0]);
}
END_TEST

/* In the callback itself; the owner may be gone then. */
START_TEST(test_closing_in_the_callback)
{
	struct oe__reactor *reactor = world_reactor();
	struct looker looker = { .close_at = 1 }, once_more = { .close_at = 1 };
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	start(&looker, reactor, ends[0], OE__READABLE);
	wait_for_calls(&looker, 1);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), 1);
	ck_assert_ptr_null(looker.watch);
	stop(&looker); /* closing none is fine */
	/* The descriptor can be watched once more. */
	start(&once_more, reactor, ends[0], OE__READABLE);
	wait_for_calls(&once_more, 1);
	oe__reactor_free(reactor);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(test_hangup)
{
	struct oe__reactor *reactor = world_reactor();
	struct looker socket = { .close_at = 1 }, pipe_end = { .close_at = 1 };
	int pair[2], ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ck_assert_int_eq(pipe(ends), 0);
	start(&socket, reactor, pair[0], OE__HANGUP);
	start(&pipe_end, reactor, ends[0], OE__READABLE);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&socket.calls) + atomic_load(&pipe_end.calls), 0);
	close(pair[1]);
	close(ends[1]);
	wait_for_calls(&socket, 1);
	wait_for_calls(&pipe_end, 1);
	ck_assert(atomic_load(&socket.seen) & OE__HANGUP);
	ck_assert(atomic_load(&pipe_end.seen) & OE__READABLE); /* its end is to be read */
	oe__reactor_free(reactor);
	close(pair[0]);
	close(ends[0]);
}
END_TEST

/* A pipe that nobody reads any more: the writer learns it from its descriptor. */
START_TEST(test_broken_pipe)
{
	struct oe__reactor *reactor = world_reactor();
	struct looker looker = { .close_at = 1 };
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	char full[4096] = { 0 };
	while (write(ends[1], full, sizeof(full)) > 0)
		continue;
	start(&looker, reactor, ends[1], OE__WRITABLE);
	world_turns(reactor);
	ck_assert_int_eq(atomic_load(&looker.calls), 0);
	close(ends[0]);
	wait_for_calls(&looker, 1);
	ck_assert(atomic_load(&looker.seen) & OE__WRITABLE);
	oe__reactor_free(reactor);
	close(ends[1]);
}
END_TEST

START_TEST(test_what_cannot_be_watched)
{
	struct oe__reactor *reactor = world_reactor();
	struct looker looker = { .reactor = reactor, .close_at = 1 }, other = { .reactor = reactor };
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), ends[2];

	sem_init(&looker.called, 0, 0);
	looker.events = other.events = OE__READABLE;
	for (int i = 0; i < 3; i++) {
		looker.fd = i == 0 ? file : i == 1 ? 1000000 : -1;
		world_on_reactor(reactor, open_watch, &looker);
		ck_assert_int_eq(looker.status, OE_ERR_IO);
		ck_assert_ptr_null(looker.watch);
	}
	ck_assert_int_eq(pipe(ends), 0);
	start(&looker, reactor, ends[0], OE__READABLE);
	other.fd = ends[0]; /* twice: one would take the other's events */
	world_on_reactor(reactor, open_watch, &other);
	ck_assert_int_eq(other.status, OE_ERR_IO);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	wait_for_calls(&looker, 1);
	oe__reactor_free(reactor);
	close(file);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

TEST_MAIN("watch", test_level, test_change, test_closing_in_the_callback, test_hangup,
		  test_broken_pipe, test_what_cannot_be_watched)
