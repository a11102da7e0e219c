#ifndef OE__STORE_CONTRADICTION_H
#define OE__STORE_CONTRADICTION_H

/*
 * Rows of run.db that no run writes: they contradict each other, or say what means nothing. Each row but
 * those of a checkpoint hangs on the row of the log that came before it; so what is missing in the log, at
 * its end too, shows in what hung on it.
 */

#include "store/database.h"

/* OE_ERR_FORMAT, with the table and row of the first one. */
int oe__contradiction_find(struct oe__database *database, oe_error *err);

/* The position of the first program that the run made itself; those before it are from its checkpoint. */
int oe__first_made(struct oe__database *database, int64_t *position, oe_error *err);

#endif /* OE__STORE_CONTRADICTION_H */
