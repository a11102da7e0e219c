#ifndef OE_TEST_SCHEDULER_THREADS_H
#define OE_TEST_SCHEDULER_THREADS_H

/* How many threads there are besides the first one. */

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

#if defined(__SANITIZE_THREAD__)
#define THREADS_OF_OTHERS 2 /* ThreadSanitizer keeps one of its own */
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS_OF_OTHERS 2
#endif
#endif
#ifndef THREADS_OF_OTHERS
#define THREADS_OF_OTHERS 1
#endif

/* By system calls: ThreadSanitizer does not see how libuv closes a descriptor, and would take one that
   has the same number afterwards for the same. */
static inline int threads_now(void)
{
	char text[4096] = "";
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY | O_CLOEXEC);
	long size = fd >= 0 ? syscall(SYS_read, fd, text, sizeof(text) - 1) : -1;

	if (fd >= 0)
		(void)syscall(SYS_close, fd);
	text[size > 0 ? size : 0] = '\0';
	const char *line = strstr(text, "Threads:");
	return line ? atoi(line + strlen("Threads:")) - THREADS_OF_OTHERS : -1;
}

/* A thread that was joined is counted for a moment yet. */
static inline bool threads_become(int wanted)
{
	int64_t deadline_ns = oe__clock_ns() + TEST_PATIENCE_S * (int64_t)1000000000;

	while (threads_now() != wanted && oe__clock_ns() < deadline_ns)
		(void)sched_yield();
	return threads_now() == wanted;
}

static inline void wait_for_threads(int wanted)
{
	if (!threads_become(wanted))
		ck_assert_int_eq(threads_now(), wanted);
}

#endif /* OE_TEST_SCHEDULER_THREADS_H */
