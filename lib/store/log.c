#include "store/log.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

#define SPACING_NS (3 * (int64_t)1000000) /* between commits; see pipeline measurements in docs */
#define BATCH_MAX  512                    /* rows of one transaction: bounds its latency        */

struct oe__log {
	struct oe__database *database; /* store thread */
	oe_error failure;              /* store thread; copied under the mutex when it happens */
	int64_t committed_ns;          /* store thread */
	atomic_llong in_flight;
	atomic_llong durable; /* number of the last call that is */
	pthread_t thread;

	pthread_mutex_t mutex;
	pthread_cond_t filled;
	pthread_cond_t flushed;
	struct oe__row *head, *tail; /* guarded by mutex, from here to the end */
	int64_t queued;
	int64_t awaited;        /* of the queued ones: with a `done`            */
	int64_t appended, ended; /* rows ever                                   */
	int64_t next_seq;
	int64_t flush_to;       /* somebody waits for this many to be ended     */
	int status;             /* first failure: it is the last state          */
	bool sleeping, closed;
	bool together; /* rows are queued that are durable all at once, or not at all */
};

static bool urgent_locked(const struct oe__log *log)
{
	return log->closed || log->queued >= BATCH_MAX || log->flush_to > log->ended ||
	       log->awaited >= atomic_load_explicit(&log->in_flight, memory_order_relaxed);
}

void oe__log_append(struct oe__log *log, struct oe__row *row)
{
	row->next = NULL;
	pthread_mutex_lock(&log->mutex);
	row->joined = log->together;
	if (oe__row_is_call(row->kind))
		row->seq = log->next_seq++;
	if (log->tail)
		log->tail->next = row;
	else
		log->head = row;
	log->tail = row;
	log->queued++;
	log->appended++;
	if (row->done)
		log->awaited++;
	/* While it waits for the spacing to pass only urgency needs to wake it. */
	bool wake = log->sleeping && !log->together && (log->queued == 1 || urgent_locked(log));
	if (wake)
		pthread_cond_signal(&log->filled);
	pthread_mutex_unlock(&log->mutex);
}

void oe__log_join(struct oe__log *log)
{
	OE__LOCKED(&log->mutex);
	log->together = true;
}

void oe__log_part(struct oe__log *log)
{
	OE__LOCKED(&log->mutex);
	log->together = false;
	if (log->tail)
		log->tail->joined = false;
	pthread_cond_signal(&log->filled);
}

int64_t oe__log_next(const struct oe__log *log)
{
	return log->next_seq; /* nobody else changes it */
}

int64_t oe__log_durable(const struct oe__log *log)
{
	return atomic_load_explicit(&log->durable, memory_order_acquire);
}

void oe__log_set_in_flight(struct oe__log *log, int64_t count)
{
	atomic_store_explicit(&log->in_flight, count, memory_order_relaxed);
}

/* The next batch, or NULL at the end. */
static struct oe__row *take(struct oe__log *log)
{
	OE__LOCKED(&log->mutex);
	log->sleeping = true;
	while ((!log->head || log->together) && !log->closed)
		oe__cond_wait_until(&log->filled, &log->mutex, -1);
	int64_t due_ns = log->committed_ns + SPACING_NS;
	while (log->head && !urgent_locked(log))
		if (!oe__cond_wait_until(&log->filled, &log->mutex, due_ns))
			break;
	while (log->together)
		oe__cond_wait_until(&log->filled, &log->mutex, -1);
	log->sleeping = false;

	struct oe__row *batch = log->head, *last = batch;
	if (!batch)
		return NULL;
	int64_t count = 1, awaited = last->done != NULL;
	while (last->next && (count < BATCH_MAX || last->joined)) {
		last = last->next;
		count++;
		awaited += last->done != NULL;
	}
	log->head = last->next;
	if (!log->head)
		log->tail = NULL;
	last->next = NULL;
	log->queued -= count;
	log->awaited -= awaited;
	return batch;
}

static int write_batch(struct oe__log *log, const struct oe__row *batch)
{
	struct oe__database *database = log->database;
	oe_error *err = &log->failure;

	int status = oe__database_run(database,
	                              oe__database_statement(database, OE__STATEMENT_BEGIN, err), err);
	if (status < 0)
		return status;
	for (const struct oe__row *row = batch; row && status == 0; row = row->next)
		status = oe__row_write(database, row, err);
	if (status == 0)
		status = oe__database_run(
			database, oe__database_statement(database, OE__STATEMENT_COMMIT, err), err);
	if (status < 0)
		(void)oe__database_run(
			database, oe__database_statement(database, OE__STATEMENT_ROLLBACK, NULL), NULL);
	return status;
}

/* Before anybody is told: who is told may look. */
static void note_durable(struct oe__log *log, const struct oe__row *batch)
{
	int64_t last = 0;

	for (const struct oe__row *row = batch; row; row = row->next)
		if (oe__row_is_call(row->kind))
			last = row->seq;
	if (last > 0)
		atomic_store_explicit(&log->durable, last, memory_order_release);
}

static void end_batch(struct oe__log *log, struct oe__row *batch, int status)
{
	int64_t count = 0;
	struct oe__row *next;

	if (status == 0)
		note_durable(log, batch);
	for (struct oe__row *row = batch; row; row = next) {
		next = row->next; /* `done` may free the row */
		count++;
		if (row->done)
			row->done(row, status);
	}

	OE__LOCKED(&log->mutex);
	log->ended += count;
	log->status = status;
	if (log->flush_to > 0 && log->ended >= log->flush_to)
		pthread_cond_broadcast(&log->flushed);
}

static void *write_rows(void *argument)
{
	struct oe__log *log = argument;
	struct oe__row *batch;
	int status = 0;

	while ((batch = take(log)) != NULL) {
		/* A log with a hole is no log: after one failure nothing is written any more. */
		if (status == 0)
			status = write_batch(log, batch);
		log->committed_ns = oe__clock_ns();
		end_batch(log, batch, status);
	}
	return NULL;
}

int oe__log_new(struct oe__database *database, int64_t next_seq, struct oe__log **out,
                oe_error *err)
{
	struct oe__log *log = oe__calloc(1, sizeof(*log));
	if (!log)
		return oe__error_nomem(err);
	log->next_seq = next_seq;
	atomic_init(&log->durable, next_seq - 1);
	pthread_mutex_init(&log->mutex, NULL);
	oe__cond_init(&log->filled);
	oe__cond_init(&log->flushed);
	log->database = database;
	int status = oe__thread_start(&log->thread, "oe-store", write_rows, log, err);
	if (status < 0) {
		oe__free(log);
		return status;
	}
	*out = log;
	return 0;
}

int oe__log_flush(struct oe__log *log, oe_error *err)
{
	OE__LOCKED(&log->mutex);
	log->flush_to = log->appended;
	pthread_cond_signal(&log->filled);
	while (log->ended < log->flush_to)
		oe__cond_wait_until(&log->flushed, &log->mutex, -1);
	if (log->status < 0 && err)
		*err = log->failure;
	return log->status;
}

void oe__log_free(struct oe__log *log)
{
	if (!log)
		return;
	pthread_mutex_lock(&log->mutex);
	log->closed = true;
	pthread_cond_signal(&log->filled);
	pthread_mutex_unlock(&log->mutex);
	pthread_join(log->thread, NULL);

	oe__database_close(log->database);
	pthread_cond_destroy(&log->flushed);
	pthread_cond_destroy(&log->filled);
	pthread_mutex_destroy(&log->mutex);
	oe__free(log);
}
