#ifndef OE__CONFINE_TRACE_H
#define OE__CONFINE_TRACE_H

/*
 * Has an evaluation left anything in its private files? Looking costs a few system calls, where making them
 * anew costs dozens, and their end as much again.
 *
 * Nothing is taken for granted that can be looked at: for each directory that was made before the evaluation
 * came its mode, owner and times (whatever is made, removed, renamed or changed in it or about it sets the
 * one that nobody can set), the room that is left in the file system, and the number that its next file gets,
 * which tells of files that came and went.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

#define TRACE_MAX 500 /* words; with more there is no telling */

struct trace {
	size_t count;
	bool whole;
	int64_t changed_ns; /* the latest change that it knows of */
	uint64_t next_file; /* number that the next one gets      */
	uint64_t words[TRACE_MAX];
};

/* What the host has where writes vanish, as seen where it is not covered. It starts the trace. */
void trace_sources(const struct oe__plan *plan, struct trace *trace);

/* What is private. Of two of them that follow one another without anything in between, the second one has
   as its file what the first one had as the next. @return the number of its file. */
uint64_t trace_private(const struct oe__plan *plan, struct trace *trace);

/* Would two changes at the same time show as two? Not where a file system tells time by the ticks of a clock. */
bool trace_is_exact(void);

bool trace_equals(const struct trace *a, const struct trace *b);

#endif /* OE__CONFINE_TRACE_H */
