#ifndef OE_TESTS_SIM_SESSION_H
#define OE_TESTS_SIM_SESSION_H

/*
 * A run of a world: one process after the other, each with the troubles that were drawn for it, until
 * the last number has ended.
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/config.h"

/* What ends a run before its last number. */
struct limits {
	int64_t target_percent, patience; /* INT64_MAX: none, as of all of them */
	int64_t tokens, cost;             /* the latter in billionths of a dollar */
	int64_t evaluations;
	int64_t time_ns;    /* of a process */
	int64_t seconds_ns; /* of the run   */
};
extern const struct limits no_limits;

enum judges {
	UNJUDGED,
	MAYBE_JUDGED, /* not if the model fails */
	JUDGED
};

/* What a world is like, drawn from its seed. */
struct plan {
	oe_config *config;
	int64_t iterations;
	uint64_t run_seed;
	int programs;       /* initial ones                                           */
	int sessions_max;   /* with troubles; then everything goes well               */
	bool power;         /* what kills a process may take what was not synced      */
	bool synced;        /* "durability: power": what is durable stays so    */
	bool replaces;      /* "hub.on_failure: replace"                              */
	bool faults;        /* the disk fails at times                                */
	bool user;          /* somebody pauses, stops, adds programs                  */
	bool retries;       /* the model is asked through the library's own retry     */
	bool pure;          /* outcomes do not depend on time: nor may the archive    */
	bool tokens;        /* "hub.duplicates: tokens"                               */
	enum judges judges;
	struct limits limits;
	char from[256];     /* the checkpoint that it begins with; "": none           */
	bool settles;       /* with islands and cells of its own, not with those      */
};

void plan_draw(struct plan *plan, int64_t iterations, const char *semantics);
/* The same run, with other numbers of calls and evaluations in flight, and no troubles. */
void plan_simplify(struct plan *plan);
/* What ends it, but for its last number. */
void plan_limit(struct plan *plan, const struct limits *limits);
/* One more run, which begins with that checkpoint of the first. */
void plan_heir(struct plan *plan, const char *checkpoint);
/* Of what each million tokens costs, for all worlds. */
void plan_write_prices(const char *directory);
void plan_done(struct plan *plan);

#define HASH_SIZE 65

/* The whole run; `directory` does not exist yet. `hash` receives that of the archive, `held` of the one
   that it had when a rule ended it, before that was lifted; or "". */
void run_world(struct plan *plan, const char *directory, char hash[HASH_SIZE],
               char held[HASH_SIZE]);

struct totals {
	int64_t worlds, iterations, sessions, kills, power_cuts, disk_faults, stops;
	int64_t steps, questions, repeated_questions, evaluations, committed, equivalent;
	int64_t judgements, ends, checkpoints, heirs, file_faults;
};
extern struct totals totals;

#endif /* OE_TESTS_SIM_SESSION_H */
