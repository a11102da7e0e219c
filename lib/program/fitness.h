#ifndef OE__PROGRAM_FITNESS_H
#define OE__PROGRAM_FITNESS_H

/*
 * The one fitness function. Every comparison, weight, rank, report and threshold goes through it.
 *
 * A "combined_score" that reads as a number counts (bool and numeric text too); not finite is worst
 * (minus infinity). Text that is no number counts as missing. Otherwise the mean of the numeric,
 * finite metrics without feature dimensions, `error`, `timeout` and booleans; if none is left, the
 * same over all metrics; none at all: 0. A mean that is not finite is worst.
 */

#include <stdbool.h>
#include <stddef.h>

#include "program/evaluation.h"

/* Names of the feature dimensions; immutable, shared by hub, samples and prompts. */
struct oe__dimensions {
	const char *const *names;
	size_t count;
};

double oe__fitness(const oe_evaluation *evaluation, const struct oe__dimensions *dimensions);

/* Is there any finite number or boolean but `error` and `timeout`, and is the fitness not worst? If not,
   the second one says what is missing, in a clause. */
bool oe__has_score(const oe_evaluation *evaluation);
const char *oe__score_missing(const oe_evaluation *evaluation);

/* Mean of all numeric metrics except NaN (bool counts as 0 and 1), 0 if there is none. */
double oe__metric_mean(const oe_evaluation *evaluation);

/* Does `evaluation` reach a cascade threshold? combined_score if numeric, else the mean of the
   numeric metrics but `error`; no metric fails, NaN never passes. */
bool oe__passes_threshold(const oe_evaluation *evaluation, double threshold);

#endif /* OE__PROGRAM_FITNESS_H */
