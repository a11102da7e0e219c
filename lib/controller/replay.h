#ifndef OE__CONTROLLER_REPLAY_H
#define OE__CONTROLLER_REPLAY_H

/*
 * Playing a log to a new hub, call by call: the hub is a function of its calls, so it comes out as it
 * was, samples included. One thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/map.h"
#include "openevolve/config.h"
#include "openevolve/hub.h"
#include "program/program.h"
#include "program/sample.h"
#include "store/load.h"

struct oe__replay {
	oe_hub *hub; /* borrowed */
	struct oe__database *database;
	struct oe__program_cursor *programs;
	struct oe__log_cursor *log;
	struct oe__axes *axes;
	int32_t islands; /* as configured */
	struct oe__map open; /* (number, attempt) -> oe_iteration, a reference each, in order of issue */
	struct oe__map expected; /* number of a staged commit -> 1 + its outcome, as recorded */
	int64_t differs;         /* an iteration that ended otherwise than recorded; 0: none */

	/* Looks at what the hub is about to be told: a seed (without an iteration), or an end, with its
	   program if it has one. May be NULL. */
	int (*repeat)(void *owner, const struct oe__log_entry *entry, oe_iteration *iteration,
	              oe_program *program, oe_error *err);

	/* Told of each program that joins, and of each commit whose outcome is not recorded, though its
	   turn has come; may be NULL. */
	void (*joined)(void *owner, const oe_program *program, bool initial, bool best);
	void (*unrecorded)(void *owner, const oe_iteration *iteration, int outcome);
	void *owner;
};

/* Open the log of a run. */
int oe__replay_open(const char *database, const oe_config *config, oe_hub *hub,
                    struct oe__replay *out, oe_error *err);

/* And restore the checkpoint that it began from, if any. */
int oe__replay_begin(const char *database, const oe_config *config, oe_hub *hub,
                     struct oe__replay *out, oe_error *err);

/* The hub is as it was after row `seq`: go on from there. OE_ERR_FORMAT: the log says otherwise. */
int oe__replay_take_up(struct oe__replay *replay, int64_t seq, oe_error *err);

/* With another hub, which is new: from the begin, checkpoint included. */
int oe__replay_restart(struct oe__replay *replay, oe_hub *hub, oe_error *err);

/*
 * Play until the end, or until that attempt of iteration `number` is issued (0: the end).
 *
 * @return 1 if it stopped at that iteration, which is in `open` then; 0 at the end.
 * @retval OE_ERR_FORMAT the log is damaged, or was made by something that decides otherwise.
 */
int oe__replay_run(struct oe__replay *replay, int64_t number, int32_t attempt, oe_error *err);

/* Iteration `number` among the open ones, borrowed; NULL if it is not. */
oe_iteration *oe__replay_find(const struct oe__replay *replay, int64_t number, int32_t attempt);

void oe__replay_done(struct oe__replay *replay); /* accepts a zeroed one */

OE__AUTO_VALUE(replay, struct oe__replay, oe__replay_done)

#endif /* OE__CONTROLLER_REPLAY_H */
