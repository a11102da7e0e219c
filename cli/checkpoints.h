#ifndef CLI_CHECKPOINTS_H
#define CLI_CHECKPOINTS_H

/* What `oe checkpoint` does with checkpoints, but for verifying them. Each returns an exit status. */

#include "options.h"

int checkpoints_list(const struct arguments *arguments);
int checkpoints_export(const struct arguments *arguments);
int checkpoints_import(const struct arguments *arguments);
int checkpoints_prune(const struct arguments *arguments);

/* Whether a run can begin with it, before anything is made for that: EXIT_DONE, or it is said what is wrong. */
int checkpoints_check(const char *checkpoint);

/* The extension of program files, which that of the best one has; for the caller to free. */
char *checkpoints_extension(const char *checkpoint);

#endif /* CLI_CHECKPOINTS_H */
