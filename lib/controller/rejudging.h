#ifndef OE__CONTROLLER_REJUDGING_H
#define OE__CONTROLLER_REJUDGING_H

/*
 * Evaluations of a run that are made again, several at a time: the log is read on meanwhile. All calls by
 * one thread, on which the results are told too, in the order in which they come.
 */

#include "openevolve/evaluator.h"
#include "program/evaluation.h"
#include "program/program.h"

struct oe__rejudging;

/* One that was made again. Lives as long as the call that tells it. */
struct oe__rejudged {
	int64_t seq, number;           /* of the log's row               */
	const oe_evaluation *before, *after;
};

struct oe__rejudging_options {
	oe_evaluator *evaluator; /* borrowed until the end */
	int64_t timeout_ms;
	int32_t jobs; /* at a time */
	void (*judged)(void *owner, const struct oe__rejudged *rejudged);
	void *owner;
};

int oe__rejudging_new(const struct oe__rejudging_options *options, struct oe__rejudging **out, oe_error *err);

/* Evaluate a program of that row again; waits as long as there are `jobs` of them. A failure may be that of an
   earlier one: the evaluator broke. */
int oe__rejudging_add(struct oe__rejudging *rejudging, int64_t seq, int64_t number, oe_program *program,
                      uint64_t seed, oe_error *err);

/* Wait for all of them. */
int oe__rejudging_finish(struct oe__rejudging *rejudging, oe_error *err);

/* What is under way is cancelled, and not told. Accepts NULL. */
void oe__rejudging_free(struct oe__rejudging *rejudging);

#endif /* OE__CONTROLLER_REJUDGING_H */
