#ifndef CLI_EVOLVE_H
#define CLI_EVOLVE_H

/* The evolution itself, as `oe run`, `oe resume` and `oe demo` do it. */

#include "options.h"
#include "session.h"

/* A run to begin, or to go on with. */
struct evolve_plan {
	const char *name;       /* shown in the display; NULL: that of the program  */
	const char *directory;  /* of the run                                       */
	const char *checkpoint; /* to begin from, or NULL                           */
	bool resume;            /* go on with the run in the directory, if it holds one */
};

/* Make the controller, and run it with watchers until it ends. `session` has everything but the
   controller. Returns the command's exit status. */
int evolve(struct session *session, const struct arguments *arguments,
		   const struct evolve_plan *plan);

/* Whether a directory holds a run of ours. */
bool evolve_has_run(const char *directory);

#endif /* CLI_EVOLVE_H */
