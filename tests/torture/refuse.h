#ifndef OE_TORTURE_REFUSE_H
#define OE_TORTURE_REFUSE_H

/*
 * Calls of this process that are refused on purpose: the n-th, or all from the n-th on, counted over
 * all threads and libraries. refuse.c defines them in place of the C library's.
 */

#include <stdbool.h>

enum refuse_kind {
	REFUSE_MEMORY,  /* malloc() and its kin                                            */
	REFUSE_FILE,    /* open, write, read, sync, truncate, rename, mkdir ... and sockets */
	REFUSE_PROCESS, /* fork(), posix_spawn()                                           */
	REFUSE_THREAD,  /* pthread_create()                                                */
	REFUSE_KINDS
};

extern const char *const refuse_names[REFUSE_KINDS];

/* Count calls of `kind` from now on; refuse number `at` (0: none), and with `ever` all that follow. */
void refuse_arm(enum refuse_kind kind, long at, bool ever);

/* Refuse and count no more. @return how many there were. */
long refuse_disarm(void);

/* Remember where blocks come from; when switched off, tell of those that are still there. */
void refuse_trace(bool on);

long refuse_live(void); /* blocks of memory that are not freed */

#endif /* OE_TORTURE_REFUSE_H */
