#ifndef OE__CONTROLLER_FETCH_H
#define OE__CONTROLLER_FETCH_H

/*
 * Programs of a log, many at once. Reading, checking and hashing one takes some 20 us, and a run that
 * goes on may have a hundred thousand of them: the compute pool helps, each of its threads with a connection
 * of its own. One thread; it waits for nobody who has not begun.
 */

#include "hub/state.h"
#include "openevolve/scheduler.h"
#include "store/load.h"

/* `wanted` is put into the order of iterations, in which programs lie. One that is not there stays NULL. */
int oe__fetch_programs(oe_scheduler *scheduler, struct oe__database *database,
                       const struct oe__dimensions *dimensions, struct oe__wanted_program **wanted,
                       size_t count, oe_error *err);

#endif /* OE__CONTROLLER_FETCH_H */
