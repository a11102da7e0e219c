#ifndef OE__CONTROLLER_RUN_INTERNAL_H
#define OE__CONTROLLER_RUN_INTERNAL_H

/* A run that is read: run.c opens it and makes its hub again; run_status.c, run_program.c and
   run_iteration.c read its rows. */

#include "controller/replay.h"
#include "openevolve/config.h"
#include "openevolve/run.h"
#include "prompt/prompt.h"
#include "store/load.h"

struct oe_run {
	char *path, *file;
	struct oe__database *database;
	char *property;           /* what oe_run_property() returned last */
	struct oe__answer answer; /* what oe_run_iteration_at() lent      */
	char *program_id, *parent_id, *message;
};

OE__AUTO_POINTER(run, oe_run *, oe_run_close)

/* oe_run_open(), also of one that did not begin. @return 1, 0: nothing was made there yet, and *out stays
   NULL; or a status */
int oe__run_open(const char *directory, oe_run **out, oe_error *err);
/* What it was configured with. */
int oe__run_config(oe_run *run, oe_config **out, oe_error *err);
/* Make its hub again, from the rows up to the sample of that attempt; number 0: from all of them. @return as
   oe__replay_run(). The hub is the caller's, also when it fails half way. */
int oe__run_rebuild(oe_run *run, int64_t number, int32_t attempt, oe_hub **hub, struct oe__replay *replay,
                    oe_error *err);
/* The hash that it ended with, the caller's; "": it has not ended, or goes on meanwhile. */
int oe__run_archive_hash(oe_run *run, char **out, oe_error *err);
/* Free what oe_run_iteration_at() lent. */
void oe__run_forget_iteration(oe_run *run);

/* Append the SQL condition on rows of the log that ended an iteration: also the last attempt alone of one
   whose failures are replaced. */
int oe__run_write_ended(oe_run *run, struct oe__buffer *out, oe_error *err);

#endif /* OE__CONTROLLER_RUN_INTERNAL_H */
