#ifndef OE__CONTROLLER_SNAPSHOT_H
#define OE__CONTROLLER_SNAPSHOT_H

/*
 * Snapshots of a run: its hub, and what its rules have seen, after some call. One is queued for the log
 * when so many calls have been made since the last one that playing them again would be felt; a run that
 * goes on plays those after it. Owner thread.
 */

#include "controller/replay.h"
#include "openevolve/controller.h"

void oe__controller_read_snapshots(oe_controller *controller); /* how often, from the configuration */

/* The log has all calls of the hub. */
void oe__controller_snapshot_if_due(oe_controller *controller);
void oe__controller_snapshot_at_end(oe_controller *controller); /* if that is worth it */

/* Play the log from its snapshot on: 1; 0: there is none, or it is of no use, which is said, and nothing
   has been played; or a status. */
int oe__controller_play_snapshot(oe_controller *controller, struct oe__replay *replay,
                                 oe_error *err);

#endif /* OE__CONTROLLER_SNAPSHOT_H */
