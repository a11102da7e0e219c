#ifndef OE__STORE_ORIGIN_H
#define OE__STORE_ORIGIN_H

/*
 * The checkpoint that a log begins with. It is no export: without it the log says nothing. So the run
 * notes what its files were.
 */

#include "program/population.h"
#include "store/database.h"

/* What it is noted as. */
#define OE__ORIGIN_META  "checkpoint"
#define OE__ORIGIN_FILES "checkpoint_files"

/* The value of the latter: each file that is read of a checkpoint, with the begin of its hash. Appends. */
int oe__origin_files(const char *checkpoint, struct oe__buffer *out, oe_error *err);

/* The checkpoint that a log begins with; *out stays NULL if it begins with none. Programs of one that has no
   islands were dealt to so many (store/checkpoint.h). OE_ERR_FORMAT: it is not what it was when the run
   began. */
int oe__origin_load(struct oe__database *database, int32_t islands, oe_population **out, oe_error *err);

#endif /* OE__STORE_ORIGIN_H */
