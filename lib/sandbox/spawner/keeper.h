#ifndef OE__SPAWNER_KEEPER_H
#define OE__SPAWNER_KEEPER_H

/*
 * The keeper: the root of one tree. It starts the tree's child, is the parent of everything that is
 * orphaned below it, reaps, and reports.
 */

#include "../protocol.h"

struct start {
	struct oe__request request;
	char **arguments, **variables; /* NULL-terminated; point into the packet */
	const char *directory;
	int fds[OE__FDS_MAX];
};

/* Runs in a fork of the spawner; never returns. */
_Noreturn void keeper_run(const struct start *start);

/* Send a report to the host. */
void report_send(const struct oe__report *report);

#endif /* OE__SPAWNER_KEEPER_H */
