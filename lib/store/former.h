#ifndef OE__STORE_FORMER_H
#define OE__STORE_FORMER_H

/*
 * What properties were before they changed: a run goes on with other settings than it began with, and what
 * was made with those is repeated with those.
 */

#include "store/database.h"
#include "store/rows.h"

/* OE__ROW_SETTING: as OE__ROW_META, but a value that makes way is kept. */
int oe__former_write(struct oe__database *database, const struct oe__row *row, oe_error *err);

/* Tell `each` all values of a property, from the first to the one of now, which is in `meta`: up to which
   call of the hub it was in force (INT64_MAX: it is), and the value, borrowed. A status of it ends that.
   OE_ERR_FORMAT: there is no value of now. */
int oe__former_read(struct oe__database *database, const char *key,
                    int (*each)(void *owner, int64_t until, const char *value, oe_error *err),
                    void *owner, oe_error *err);

#endif /* OE__STORE_FORMER_H */
