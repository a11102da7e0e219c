#ifndef OE__CONFINE_ROOM_H
#define OE__CONFINE_ROOM_H

/*
 * Where evaluations of a fork server run: a process namespace and its first process, and files. Two take
 * turns: in one an evaluation runs, in the other the spare waits. One that nothing was left in is used
 * again, and so are its files.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "warm.h"

struct room {
	pid_t init;        /* its first process; 0: there is none */
	int handle;        /* pidfd of that                       */
	int hold;          /* ends what is left in it             */
	int space;         /* the namespace                       */
	int children;      /* of the first process, as /proc has them */
	struct files files; /* of the last evaluation that had a job in it */
	struct kept *kept; /* what is known about them; NULL: they are not used again */
};

/* Children go into it until oe_warm_end(). @return false where there are no rooms. Ends the process if there
   should be. */
bool room_enter(struct room *room);

/* Does anything in it live on? */
bool room_has_strays(const struct room *room);

/* End what is left in it, and it, but for its files: that takes its time. @return how many there were. */
int64_t room_end(struct room *room, struct rusage *usage);

/* The files that are used next are these. */
void room_take_files(struct room *room, struct files *files);

void files_close(struct files *files);

_Noreturn void give_up(const char *what, int status);

#endif /* OE__CONFINE_ROOM_H */
