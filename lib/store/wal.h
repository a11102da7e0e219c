#ifndef OE__STORE_WAL_H
#define OE__STORE_WAL_H

/*
 * run.db-wal, the write-ahead log of SQLite: what was written and is not in run.db yet. SQLite reads it up
 * to the first frame that does not fit, and takes the rest for what an earlier time left there; so a bit that
 * changed in the middle silently ends it, and the next writer writes over what follows.
 */

#include "store/database.h"

/* Of the database that a connection has read from; 0: there is none. */
int64_t oe__wal_size(struct oe__database *database);

struct oe__wal_damage {
	int64_t frame; /* the first one that is damaged, from 1; 0: the header   */
	int64_t whole; /* how many of the same time are behind it, and fit each other */
};

/*
 * Did SQLite stop reading before what was written and relied on? 1, 0 or a status. Also while another
 * process writes.
 *
 * Frames behind a damaged one prove nothing by themselves: a transaction that was cut off leaves whole
 * ones, the next process writes over the first of them, and a loss of power keeps any of what was not
 * synced. It is proven by a transaction that ends there, followed by the begin of another one: who wrote
 * that had read the whole of the former.
 */
int oe__wal_inspect(struct oe__database *database, struct oe__wal_damage *out, oe_error *err);

/* Say so, of this database, as OE_ERR_FORMAT. */
int oe__wal_error(const struct oe__database *database, const struct oe__wal_damage *damage,
                  oe_error *err);

/* Have all that is in the database, whoever wrote it, survive a loss of power, too. */
int oe__wal_sync(struct oe__database *database, oe_error *err);

#endif /* OE__STORE_WAL_H */
