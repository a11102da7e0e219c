/* lib/base/thread.c: threads that are good guests, waiting on the right clock, events with a level. */

#include "base/thread.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "test.h"

static atomic_int signals;

static void count_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

struct guest {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool go;
	sigset_t mask;
	char name[16];
	size_t stack;
};

static void *look_around(void *argument)
{
	struct guest *guest = argument;
	pthread_attr_t attributes;

	pthread_sigmask(SIG_SETMASK, NULL, &guest->mask);
	OE__LOCKED(&guest->mutex);
	while (!guest->go)
		(void)oe__cond_wait_until(&guest->changed, &guest->mutex, -1);
	pthread_getname_np(pthread_self(), guest->name, sizeof(guest->name));
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstacksize(&attributes, &guest->stack);
	pthread_attr_destroy(&attributes);
	return guest;
}

/* Signals go to the host's threads only, and its own mask is as before. */
START_TEST(test_threads_are_good_guests)
{
	static const int asked[] = { SIGINT, SIGTERM, SIGCHLD, SIGPIPE, SIGALRM, SIGUSR1, SIGHUP };
	struct guest guest = { .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct sigaction handler = { .sa_handler = count_signal };
	sigset_t before, after;
	pthread_t thread;
	void *result = NULL;

	ck_assert_int_eq(oe__cond_init(&guest.changed), 0);
	sigaction(SIGUSR1, &handler, NULL);
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	ck_assert_int_eq(oe__thread_start(&thread, "oe-guest", look_around, &guest, NULL), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int number = 1; number < 32; number++)
		ck_assert_int_eq(sigismember(&after, number), number == SIGUSR2);
	pthread_mutex_lock(&guest.mutex);
	guest.go = true;
	pthread_cond_signal(&guest.changed);
	pthread_mutex_unlock(&guest.mutex);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, &guest);
	for (size_t i = 0; i < OE__COUNT(asked); i++)
		ck_assert_int_eq(sigismember(&guest.mask, asked[i]), 1);
	ck_assert_str_eq(guest.name, "oe-guest");
	ck_assert_uint_ge(guest.stack, 512 * 1024);
	raise(SIGUSR1);
	ck_assert_int_eq(atomic_load(&signals), 1);
	pthread_cond_destroy(&guest.changed);
}
END_TEST

START_TEST(test_deadlines)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;

	ck_assert_int_eq(oe__cond_init(&cond), 0);
	pthread_mutex_lock(&mutex);
	int64_t start_ns = oe__clock_ns(), deadline_ns = start_ns + 20 * 1000000;
	while (oe__cond_wait_until(&cond, &mutex, deadline_ns))
		continue; /* woken for nothing */
	ck_assert_int_ge(oe__clock_ns(), deadline_ns);
	ck_assert(!oe__cond_wait_until(&cond, &mutex, 0)); /* long past */
	ck_assert(!oe__cond_wait_until(&cond, &mutex, start_ns));
	pthread_mutex_unlock(&mutex);
	pthread_cond_destroy(&cond);
}
END_TEST

/* A turnstile that would count wrong without the lock. */
struct counter {
	pthread_mutex_t mutex;
	int value;
};

static void *count_up(void *argument)
{
	struct counter *counter = argument;

	for (int i = 0; i < 20000; i++) {
		OE__LOCKED(&counter->mutex);
		if (i % 5 == 4)
			continue; /* leaves the scope too */
		counter->value++;
	}
	return NULL;
}

START_TEST(test_locked)
{
	struct counter counter = { .mutex = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(oe__thread_start(&threads[i], "count", count_up, &counter, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(counter.value, 4 * 16000);
	ck_assert_int_eq(pthread_mutex_trylock(&counter.mutex), 0);
}
END_TEST

START_TEST(test_cpu_count)
{
	cpu_set_t all, one;
	int count = oe__cpu_count();

	ck_assert_int_ge(count, 1);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	ck_assert_int_eq(oe__cpu_count(), 1);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
	ck_assert_int_eq(oe__cpu_count(), count);
}
END_TEST

static bool is_set(const struct oe__signal *signal)
{
	struct pollfd poller = { .fd = signal->fd, .events = POLLIN };

	return poll(&poller, 1, 0) == 1 && (poller.revents & POLLIN);
}

START_TEST(test_signal_has_a_level)
{
	struct oe__signal signal;

	ck_assert_int_eq(oe__signal_init(&signal, NULL), 0);
	ck_assert(!is_set(&signal));
	oe__signal_clear(&signal); /* of nothing: does not wait */
	for (int i = 0; i < 3; i++)
		oe__signal_set(&signal);
	ck_assert(is_set(&signal) && is_set(&signal));
	oe__signal_clear(&signal);
	ck_assert(!is_set(&signal));
	/* Full: setting it once more does not wait either. */
	uint64_t most = UINT64_MAX - 1;
	ck_assert_int_eq(write(signal.fd, &most, sizeof(most)), sizeof(most));
	oe__signal_set(&signal);
	ck_assert(is_set(&signal));
	oe__signal_done(&signal);
	ck_assert_int_eq(signal.fd, -1);
	oe__signal_done(&signal);
}
END_TEST

TEST_MAIN("thread", test_threads_are_good_guests, test_deadlines, test_locked, test_cpu_count,
		  test_signal_has_a_level)
