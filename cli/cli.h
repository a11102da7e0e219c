#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * What all commands share: exit statuses and messages. The statuses are documented in oe(1) and
 * never change their meaning.
 */

#include "openevolve/openevolve.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,
	EXIT_EVALUATOR = 4,
	EXIT_LLM = 5,
	EXIT_TARGET = 6,
	EXIT_STORE = 7,
	EXIT_SANDBOX = 8,
	EXIT_INTERNAL = 70,
	EXIT_SIGNAL = 128 /* and the number of the signal */
};

/* How much is said on standard error: 0 with --quiet, 1, 2 with --verbose. */
void message_set_level(int level);
int message_level(void);

/* Name that messages begin with, such as "oe run"; borrowed. */
void message_set_program(const char *name);
const char *message_program(void);

/* One line on standard error, made harmless for a terminal. message_fail() returns its status. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));
int message_fail(int exit_status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the library says, with place; `exit_status` is returned unless the code tells better. */
int message_error(int exit_status, int status, const oe_error *err);

/* "warning: ..." with place; nothing with --quiet. */
void message_warning(const oe_error *warning);

/* Call before returning from a command: reports what could not be written to standard output. */
int message_finish(int exit_status);

#endif /* CLI_CLI_H */
