#ifndef OE__STORE_VERIFY_H
#define OE__STORE_VERIFY_H

/*
 * Is everything there that should be? Of a database: its pages, and what its rows say of each other.
 * Whether the log leads where it led is for those who can play it. Checkpoints have
 * oe_population_verify().
 */

#include "store/database.h"

/* OE_ERR_FORMAT with the first thing that is wrong. Reads all of it. */
int oe__database_verify(struct oe__database *database, oe_error *err);

#endif /* OE__STORE_VERIFY_H */
