#ifndef OE__PROGRAM_SAMPLE_H
#define OE__PROGRAM_SAMPLE_H

/*
 * A sample: what the hub drew for one iteration. It is the handle oe_iteration, immutable and
 * counted, and holds everything that rendering a prompt and making a child need: workers never ask
 * the hub. Made by the hub (or by the store, for a prompt that is rendered again).
 */

#include <stdatomic.h>
#include <stdint.h>

#include "base/auto.h"
#include "openevolve/hub.h"
#include "program/program.h"

/* One ended iteration on a parent, for the next prompts. Immutable, counted. */
struct oe__attempt {
	atomic_int refs;
	int64_t number;
	int outcome;
	oe_program *program; /* the child, evaluated or not; or NULL */
	char *message;       /* never NULL                           */
};

int oe__attempt_new(int64_t number, int outcome, oe_program *program, const char *message,
					struct oe__attempt **out);
struct oe__attempt *oe__attempt_ref(struct oe__attempt *attempt);
void oe__attempt_unref(struct oe__attempt *attempt);

/* Names of the feature dimensions, counted, with their storage. */
struct oe__axes {
	atomic_int refs;
	struct oe__dimensions dimensions;
	char **names; /* the storage behind it */
};
int oe__axes_new(const char *const *names, size_t count, struct oe__axes **out);
struct oe__axes *oe__axes_ref(struct oe__axes *axes);
void oe__axes_unref(struct oe__axes *axes);

struct oe_iteration {
	atomic_int refs;
	int64_t number;
	int32_t attempt;
	int32_t island;
	uint64_t run_seed; /* of the hub                                      */
	uint64_t seed;     /* of this attempt: see oe_iteration_seed()        */
	int64_t version;   /* hub changes before it, to report how stale it is */
	oe_program *parent;
	oe_program **inspirations;
	size_t inspiration_count;
	oe_program **top; /* of the island, best first; at most num_top + num_diverse */
	size_t top_count;
	struct oe__attempt **attempts; /* newest first */
	size_t attempt_count;
	struct oe__axes *axes;
	double *coordinates; /* raw value of each dimension for the parent; NaN where unknown */
};

struct oe__sample_spec {
	int64_t number;
	int32_t attempt, island;
	uint64_t run_seed;
	int64_t version;
	oe_program *parent;
	oe_program *const *inspirations;
	size_t inspiration_count;
	oe_program *const *top;
	size_t top_count;
	struct oe__attempt *const *attempts;
	size_t attempt_count;
	struct oe__axes *axes;
	const double *coordinates; /* one per dimension, or NULL */
};

/* See oe_iteration_seed(). */
uint64_t oe__iteration_seed(uint64_t run_seed, int64_t number, int32_t attempt);

/* Everything is referenced; arrays are copied. */
int oe__sample_build(const struct oe__sample_spec *spec, oe_iteration **out);

/* oe_iteration_child() for a source that exists already (referenced). */
int oe__iteration_child_of(const oe_iteration *iteration, struct oe__source *source,
                           oe_evaluation *evaluation, const char *changes, oe_program **out);

OE__AUTO_POINTER(iteration, oe_iteration *, oe_iteration_unref)
OE__AUTO_POINTER(attempt, struct oe__attempt *, oe__attempt_unref)
OE__AUTO_POINTER(axes, struct oe__axes *, oe__axes_unref)

#endif /* OE__PROGRAM_SAMPLE_H */
