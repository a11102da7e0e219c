#ifndef CLI_SESSION_H
#define CLI_SESSION_H

/*
 * The objects that a run is made of, built in order and released in reverse. Also for commands that
 * need only some of them.
 */

#include <stdbool.h>

#include "openevolve/openevolve.h"

struct session {
	oe_config *config;
	oe_scheduler *scheduler;
	oe_llm *llm, *judge;
	oe_evaluator *evaluator;
	oe_controller *controller;
	oe_program *program; /* the initial one */

	char *program_path, *evaluator_path, *directory;
	char *extension; /* of the program's file, with its dot     */
	char *suffix;    /* of the files that the evaluator is given */
};

/* Each returns an exit status, after a message if it is not EXIT_DONE. Paths are copied. */

/* Read the program; its language and suffixes become known. Needs `config`. */
int session_read_program(struct session *session, const char *path);

int session_start_scheduler(struct session *session);

/* The evaluator, and its judges if the configuration wants any. */
int session_make_evaluator(struct session *session, const char *path);

/* All of it: the scheduler, the models of the evolution, and the evaluator. */
int session_start(struct session *session, const char *evaluator);

/* Let this process have as many descriptors as it may. */
void session_raise_limits(void);

void session_done(struct session *session);

/* What the caller may do about a configuration without models. */
extern const char session_no_model[];

#endif /* CLI_SESSION_H */
