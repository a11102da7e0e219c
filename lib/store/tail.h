#ifndef OE__STORE_TAIL_H
#define OE__STORE_TAIL_H

/*
 * Is the end of the log there? A log without its end is a log still: whoever goes on with it gives the same
 * numbers again, and nobody notices. Two know better: a checkpoint that the run wrote when the log had
 * more, and the write-ahead log behind the place where it can be read to (store/wal.h).
 */

#include "store/database.h"

/* OE_ERR_FORMAT: a checkpoint in the run's own directory knows of more than the log. Else `cut` has what
   the write-ahead log proves; its status is 0 if that is nothing. */
int oe__tail_check(struct oe__database *database, oe_error *cut, oe_error *err);

/* Did this run write that checkpoint? 1 or 0; also 1 if that does not say who did, as of an older version. */
int oe__tail_is_own(struct oe__database *database, const char *checkpoint, oe_error *err);

#endif /* OE__STORE_TAIL_H */
