#ifndef OE_TESTS_SIM_WORLD_H
#define OE_TESTS_SIM_WORLD_H

/*
 * A world on one thread: its time is a number, its threads are coroutines and lists of tasks, and
 * which of them goes next is drawn. All draws come from one seed, so a world that went wrong goes
 * wrong again.
 *
 * The product runs in it as it is, but for the few files whose interfaces the seam_*.c implement:
 * the clock, threads, the scheduler with its reactor, the controller's inbox.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "scheduler/scheduler.h"
#include "scheduler/timers.h"

#define MS ((int64_t)1000000) /* in nanoseconds */
#define S  (1000 * MS)

enum source {
	FROM_POOL,    /* tasks of the compute pool     */
	FROM_REACTOR, /* its posted tasks and timers   */
	FROM_THREADS, /* coroutines                    */
	FROM_OUTSIDE, /* models, evaluators, the user  */
	SOURCES
};

/* Something outside of the product that happens at its time. */
struct happening {
	struct happening *next;
	int64_t due_ns;
	void (*happen)(struct happening *happening);
};

struct coroutine;
struct oe__inbox;

struct world {
	uint64_t seed;
	const char *semantics;
	struct oe__rng rng; /* which goes next, and what it takes */
	int64_t now_ns, steps;
	int64_t progress; /* the step at which something was last achieved */
	int64_t tick_ns;  /* a step takes at most this */
	uint32_t weights[SOURCES + 1]; /* the last is the owner's */
	bool dead; /* the process was killed: what it still does, nobody sees */
	bool verbose;

	struct oe__task_list computing, posted;
	struct oe__timers timers;
	bool in_reactor;
	struct happening *happenings;
	struct oe__inbox *inbox;
	struct coroutine *coroutines;
};

extern struct world world;

void world_begin(uint64_t seed);
void world_end(void);

/* One step of anybody but the owner. @return false if nothing can happen any more. */
bool world_step(void);
/* The same when the owner may go next. @return whether it is its turn; the world is stuck if neither
   it nor anybody else can go. */
bool world_step_to_owner(void);

void world_happen(struct happening *happening, int64_t due_ns);
bool world_forget(struct happening *happening); /* @return whether it was still to come */

/* Draws that depend on the course of things, unlike those of what models answer. */
uint64_t world_below(uint64_t limit);
bool world_chance(double probability);
int64_t world_time(int64_t min_ns, int64_t max_ns); /* log-uniform */

/* A sentence of the design does not hold: say which and in which world, and end the process. */
_Noreturn void violated(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2))); /* with --verbose */
extern const char *world_repeat; /* how to see this world again */

/* ---- seam_thread.c ---- */

bool threads_ready(void);
int64_t threads_due(void); /* when one goes on by time alone */
void threads_step(void);
void threads_overtake(void); /* one may go on between two instructions of the owner */
bool thread_is_inside(void); /* of one, now */
void thread_sleep(int64_t ns); /* inside one */

/* ---- seam_scheduler.c ---- */

bool reactor_ready(void);
void reactor_step(void);
oe_scheduler *sim_scheduler_new(void);

/* ---- seam_inbox.c ---- */

bool inbox_ready(void);
int64_t inbox_due(void);

#endif /* OE_TESTS_SIM_WORLD_H */
