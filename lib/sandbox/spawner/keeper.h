#ifndef OE__SPAWNER_KEEPER_H
#define OE__SPAWNER_KEEPER_H

/*
 * The keeper: the root of one tree. It starts the tree's child, waits until nothing of the tree is left,
 * and reports. What keeps the tree together is a process namespace, whose end is the end of everything in
 * it; without namespaces the keeper is the parent of everything that is orphaned below it.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "../confine/plan.h"
#include "../protocol.h"

struct start {
	struct oe__request request;
	char **arguments, **variables; /* NULL-terminated; point into the packet */
	const char *directory;
	int fds[OE__FDS_MAX + 2]; /* the last two, of a warm tree, are the spawner's */
	unsigned fd_count;
	const struct oe__plan *plan; /* with this tree's own mounts; NULL: not confined */
	const struct namespaces *namespaces; /* to use; NULL: it makes its own          */
	const char *staging;         /* an empty directory                              */
	int group;                   /* "cgroup.procs" of the tree's control group; -1: none */
	int orders;                  /* of a spare: where the rest of this comes from; -1    */
	void (*act)(const struct start *start); /* in place of a program: the self-test */
};

/* Runs in a fork of the spawner; never returns. */
_Noreturn void keeper_run(const struct start *start);

/* The last steps of the child, and its program. What fails is written to `notice`. */
_Noreturn void job_run(const struct start *start, int notice);

/* What failed, as it goes through the notice pipe. */
struct failure {
	int step, code;
};
void failure_send(int notice, int step);

/* Start the child in namespaces of its own: a process that is the first of them, and what it starts.
   @return the process; -1: errno, with the step that failed. */
pid_t enter_namespaces(const struct start *start, int notice, int *step);

/* Send a report to the host. */
void report_send(const struct oe__report *report);
void report_exit(const struct oe__request *request, int status, const struct rusage *usage);

#endif /* OE__SPAWNER_KEEPER_H */
