#ifndef OE__BASE_THREAD_H
#define OE__BASE_THREAD_H

/*
 * Threads that are good guests: every signal blocked, a name, a modest stack. Locks are plain
 * pthread ones (C11 threads are not understood by ThreadSanitizer).
 */

#include <pthread.h>
#include <stdbool.h>

#include "base/error.h"

int oe__thread_start(pthread_t *out, const char *name, void *(*run)(void *), void *argument,
                     oe_error *err);

/* Condition variables that wait on the monotonic clock. */
int oe__cond_init(pthread_cond_t *cond);
/* false when `deadline_ns` (oe__clock_ns(); negative: never) passed first. */
bool oe__cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ns);

int oe__cpu_count(void); /* that this process may use; at least 1 */

/* An eventfd with a level: readable while set. Any thread. */
struct oe__signal {
	int fd;
};
int oe__signal_init(struct oe__signal *signal, oe_error *err);
void oe__signal_set(struct oe__signal *signal);
void oe__signal_clear(struct oe__signal *signal);
void oe__signal_done(struct oe__signal *signal);

/* Held for the rest of the scope:  OE__LOCKED(&queue->mutex); */
static inline void oe__auto_unlock(pthread_mutex_t **mutex)
{
	pthread_mutex_unlock(*mutex);
}
#define OE__LOCKED(mutex)                                                                          \
	__attribute__((cleanup(oe__auto_unlock), unused)) pthread_mutex_t *oe__held = (mutex);         \
	pthread_mutex_lock(oe__held)

#endif /* OE__BASE_THREAD_H */
