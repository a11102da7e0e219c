#ifndef OE__CONTROLLER_WINDOW_H
#define OE__CONTROLLER_WINDOW_H

/*
 * How many iterations may be under way, and how fast their number may rise. Pure; the caller brings
 * the time.
 *
 * Where evaluations are what takes the time, more questions would only make programs wait, and be
 * made from parents that are old by the time they are judged: a search gains less with each
 * evaluation (docs/performance.md). So no more is begun ahead of the evaluations than they use up
 * while one program is being made, and a few to spare.
 *
 * Questions that start at the same instant come back at the same instant when the latency is
 * constant, and go on as one burst for ever, each of its members waiting for all the others. So the
 * first ones are spread over RAMP_NS, or over the latency as soon as the first answer shows it.
 */

#include <stdbool.h>
#include <stdint.h>

struct oe__window {
	int64_t llm_max;         /* "llm.concurrency"                                 */
	int64_t evaluations_max; /* "evaluator.parallel_evaluations"                  */

	/* Moving averages; negative while unknown. */
	double making_ns;     /* from the draw of a parent to a program to evaluate */
	double evaluating_ns; /* of one evaluation                                  */
	double yield;         /* part of the answers that come to an evaluation     */

	int64_t spread;          /* issued since the ramp began                       */
	int64_t latency_ns;      /* of the first answer; 0 while unknown              */
	int64_t next_ns;         /* when the ramp lets the next one go                */
};

void oe__window_init(struct oe__window *window, int64_t llm_max, int64_t evaluations_max);

/* Begin the ramp anew: at the start, and when a provider comes back. */
void oe__window_restart(struct oe__window *window);

/* How many may be under way before their evaluation: asked, read, or waiting for a slot. */
int64_t oe__window_ahead_max(const struct oe__window *window);

/* May one more be asked now, with so many before their evaluation (`asking` among them)? */
bool oe__window_admits(const struct oe__window *window, int64_t asking, int64_t ahead,
                       int64_t now_ns);
void oe__window_issued(struct oe__window *window, int64_t now_ns);
void oe__window_answered(struct oe__window *window, int64_t latency_ns);

/* One was made in that time, and is to be evaluated, or came to nothing; an evaluation took ... */
void oe__window_made(struct oe__window *window, int64_t making_ns, bool evaluated);
void oe__window_evaluated(struct oe__window *window, int64_t evaluating_ns);

/* When the ramp admits the next; INT64_MAX when it is over or does not decide. */
int64_t oe__window_next(const struct oe__window *window, int64_t asking, int64_t ahead);

#endif /* OE__CONTROLLER_WINDOW_H */
