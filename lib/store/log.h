#ifndef OE__STORE_LOG_H
#define OE__STORE_LOG_H

/*
 * The log: one thread that writes rows to run.db in the order in which they were queued, many to a
 * transaction, and says when they are durable. So any prefix of the file is a consistent run.
 *
 * Commits are at least `spacing` apart, which groups rows when many iterations are under way; but
 * when every one of them waits for this commit, nothing more can come, and it happens at once.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "store/database.h"
#include "store/rows.h"

struct oe__log;

/* Takes over `database` on success. `next_seq` is the first number that the log gives. */
int oe__log_new(struct oe__database *database, int64_t next_seq, struct oe__log **out,
                oe_error *err);

/* Queue a row; any thread. Rows of calls of the hub come from the owner thread only, in the order of
   the calls, and get their sequence numbers here. After a failed write every row fails. */
void oe__log_append(struct oe__log *log, struct oe__row *row);

/* What is queued from the one to the other is durable all at once, or not at all. The owner thread, which
   waits for nothing in between. */
void oe__log_join(struct oe__log *log);
void oe__log_part(struct oe__log *log);

/* The number that the next call of the hub gets, and that of the last one that is durable: so what a
   call brought about can wait until it cannot be lost any more. The former is the owner thread's. */
int64_t oe__log_next(const struct oe__log *log);
int64_t oe__log_durable(const struct oe__log *log);

/* How many iterations are under way: as many awaited rows in the queue end the waiting. Any thread. */
void oe__log_set_in_flight(struct oe__log *log, int64_t count);

/* Wait until everything queued so far is durable, or lost. Not on the store thread. */
int oe__log_flush(struct oe__log *log, oe_error *err);

/* Write what is queued, join, close the database. */
void oe__log_free(struct oe__log *log);

OE__AUTO_POINTER(log, struct oe__log *, oe__log_free)

#endif /* OE__STORE_LOG_H */
