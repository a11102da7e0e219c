#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

/* What is said when a run ends. */

#include <stdbool.h>

#include "session.h"
#include "story.h"

/* A summary on standard error (not with --quiet). If standard output is not a terminal and `path`:
   the best program's path on it, one line. */
void summary_print(const struct story *story, const struct session *session, bool path);

#endif /* CLI_SUMMARY_H */
