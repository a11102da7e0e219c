#ifndef OE_TORTURE_SCENARIOS_H
#define OE_TORTURE_SCENARIOS_H

/*
 * What is done while calls are refused. Each scenario works in the current directory, on "run", and
 * leaves nothing in memory.
 */

#include <stddef.h>

struct scenario {
	const char *name;
	int (*act)(void); /* a status, or how it came out */
	int uses;         /* bits of enum refuse_kind: what else would only repeat another scenario */
	const char *base; /* the run that it goes on with, or NULL */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/* Once: where the fake model server is; and what scenarios begin with, made in the current directory. */
void scenarios_use(const char *url);
void scenarios_make_base(void);

/* After one: the store is intact and has what was told, and the run goes on from it. NULL, or what is
   wrong. */
const char *scenario_check(void);

/* Make "run" anew: empty, or as it was when `scenario` is to go on with it. */
void scenario_prepare(const struct scenario *scenario);

#endif /* OE_TORTURE_SCENARIOS_H */
