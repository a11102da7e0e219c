#ifndef OE__STORE_SNAPSHOT_H
#define OE__STORE_SNAPSHOT_H

/*
 * A snapshot: what a run had become after some row of its log, so that the rows before need not be played
 * again. The log is the truth; a snapshot is a short cut to what it says, and one that is damaged or
 * missing costs time only. There is one at a time.
 */

#include "base/auto.h"
#include "store/database.h"
#include "store/rows.h"

struct oe__snapshot {
	int64_t seq; /* the last call of the hub that it knows of */
	char *data;
	size_t size;
};

/* OE__ROW_SNAPSHOT: `seq` and `answer.text`, in place of the one before. */
int oe__snapshot_write(struct oe__database *database, const struct oe__row *row, oe_error *err);

/* 1, or 0 if there is none. OE_ERR_FORMAT: it is damaged, or of a longer log than this one. */
int oe__snapshot_load(struct oe__database *database, struct oe__snapshot *out, oe_error *err);
void oe__snapshot_done(struct oe__snapshot *snapshot);

OE__AUTO_VALUE(snapshot, struct oe__snapshot, oe__snapshot_done)

#endif /* OE__STORE_SNAPSHOT_H */
