#ifndef CLI_STORY_H
#define CLI_STORY_H

/*
 * A run as its watchers see it: the library's numbers, and what the events so far say that these
 * leave out. Kept once, by the loop; the display and the other watchers only read it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "openevolve/openevolve.h"

#define STORY_LATENCIES 256
#define STORY_HISTORY 512
#define STORY_RATES 128
#define STORY_ID 40

struct story_rate {
	double at;
	int64_t ended, tokens_out;
};

struct story {
	/* What the run is; borrowed from the session, set before the first event. */
	const char *name, *directory;
	int64_t iterations_max; /* the number it goes to; < 0: no end    */
	double target;          /* NaN if there is none                  */
	double time_max_s;      /* < 0 if there is none                  */
	int64_t evaluation_slots;

	oe_statistics now;
	oe_statistics before; /* when this session began */
	bool lost;            /* the log failed: what is not in it did not happen */

	/* Iterations that ended and were told of, so that they are in the log. */
	int64_t told, told_outcomes[OE_OUTCOME_COUNT];

	/* Best so far, and before its last improvement. NaN if there is none. */
	double best, best_before, initial;
	int64_t best_iteration, best_at; /* the one that made it, and iterations ended by then */
	char best_id[STORY_ID];

	double *island_best; /* NaN for one without programs */
	size_t island_count;

	/* Fitness of the best over the iterations: halved in resolution when full. */
	double history[STORY_HISTORY];
	size_t history_count;
	int64_t history_step, history_next;

	double latencies[STORY_LATENCIES]; /* of the last LLM calls, seconds; a ring */
	size_t latency_count;

	struct story_rate rates[STORY_RATES]; /* a ring, one entry per tick */
	size_t rate_count;

	char refused[512]; /* what the last call of a model failed for, or ""          */
	char paused[256]; /* why nothing is issued, or ""                            */
	int stopping;     /* 0; 1 stop asked; 2 kill asked                           */
	double grace_end; /* when running evaluations are killed, on story_clock()   */

	const char *reason; /* why it ended: "iterations", "target" ...           */
	char reason_text[512];
	char checkpoint[4096]; /* the last one that was written, or ""                   */
	bool exports;          /* there are checkpoints and best/ to be written          */
	int64_t saved;         /* iterations that had ended by the last; < 0: none       */
	char trouble[512];     /* the last error that was told of, or ""                 */
};

/* What one event meant, worked out before the story moves on. */
struct story_news {
	bool best;             /* a new best                                       */
	double parent_fitness; /* NaN if unknown                                   */
	double fitness;        /* of the child; NaN if it has none                 */
	double seconds;        /* of the call and the evaluation; < 0: none of both */
};

void story_init(struct story *story);
void story_done(struct story *story);

/* Take over what there is already, when a run goes on. */
void story_begin(struct story *story, const oe_statistics *now, const oe_population *population);

struct story_news story_event(struct story *story, const oe_event *event);

/* The event of the end: the reason is known. */
void story_end(struct story *story, const oe_event *event);

/* At most every 100 ms or so. */
void story_tick(struct story *story, const oe_statistics *now);

/* Are best/ and the checkpoints as the run is, unless somebody could not wait for them? */
bool story_exported(const struct story *story);

/* Iterations per second and tokens per second, lately; 0 if unknown. */
double story_rate(const struct story *story, double *tokens_per_s);

/* Seconds to the last iteration, or negative if nobody knows. */
double story_left(const struct story *story);

/* Part of the iterations that ended in a child (0 to 1), and in a failure. */
double story_accepted(const struct story *story);
double story_failed(const struct story *story);

/* Latency that `part` of the last calls kept below; negative if there were none. */
double story_latency(const struct story *story, double part);

/* Seconds on a clock that never jumps. */
double story_clock(void);

#endif /* CLI_STORY_H */
