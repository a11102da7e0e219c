#ifndef OE__STORE_VERIFY_H
#define OE__STORE_VERIFY_H

/*
 * Is everything there that should be? Of a database: its end, its pages, what its rows say of each other, and
 * what is in them.
 * Whether the log leads where it led is for those who can play it. Checkpoints have
 * oe_population_verify().
 */

#include "program/program.h"
#include "store/database.h"

/* OE_ERR_FORMAT with the first thing that is wrong, and where it is. Reads all of it, as whoever needs it
   would. */
int oe__database_verify(struct oe__database *database, oe_error *err);

/* Likewise: every row is on one of so many islands. */
int oe__database_verify_islands(struct oe__database *database, int32_t count, oe_error *err);

/* Likewise: the fitness that reports show is that of the metrics. */
int oe__database_verify_fitness(struct oe__database *database, const struct oe__dimensions *dimensions,
                                oe_error *err);

#endif /* OE__STORE_VERIFY_H */
