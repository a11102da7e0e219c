#ifndef OE__HUB_FEATURE_H
#define OE__HUB_FEATURE_H

/*
 * The axes of the feature map: the raw value of a program on each, the running bounds that scale
 * it, the bin it falls into. Owner thread.
 *
 * The first that applies: a metric of that name; "complexity": characters of the code; "diversity":
 * see diversity.h; "score": the fitness. What is missing, no number or not finite goes to bin 0 and
 * leaves the bounds alone.
 */

#include <stdbool.h>

#include "hub/diversity.h"
#include "program/population.h"
#include "program/program.h"

struct oe__features {
	const struct oe__dimensions *dimensions; /* borrowed */
	const int32_t *bins;                     /* borrowed */
	struct oe__feature_stats *stats; /* per dimension; `values` is a ring of the last ones */
	size_t *value_next;              /* per dimension: where the ring goes on             */
};

int oe__features_init(struct oe__features *features, const struct oe__dimensions *dimensions,
					  const int32_t *bins);
void oe__features_done(struct oe__features *features);

/*
 * Raw values of a program among `others`. It joined before, or is about to. Nothing is changed but
 * the reference set of diversity.
 */
int oe__features_measure(const struct oe__features *features, struct oe__diversity *diversity,
						 const oe_program *program, size_t others, bool joined, double *values);

/* Bins of raw values, with the bounds as they will be when these have been entered. */
void oe__features_bins(const struct oe__features *features, const double *values, int32_t *bins);

/* Enter values into the bounds of all dimensions, or of one. Not finite: nothing happens. */
void oe__features_enter(struct oe__features *features, const double *values);
void oe__features_enter_one(struct oe__features *features, size_t dimension, double value);

/* The last values of one dimension in order, and its bounds; `values` is allocated. */
int oe__features_save(const struct oe__features *features, size_t dimension,
					  struct oe__feature_stats *out);
void oe__features_load(struct oe__features *features, size_t dimension,
					   const struct oe__feature_stats *stats);

/* The bin of a finite value between bounds that include it. Pure. */
int32_t oe__feature_bin(double value, double min, double max, int32_t bins);

/* Is this dimension measured by the hub itself, whatever the evaluator says? */
bool oe__feature_is_builtin(const char *name);

#endif /* OE__HUB_FEATURE_H */
