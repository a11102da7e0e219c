#ifndef OE__PROGRAM_PROGRAM_H
#define OE__PROGRAM_PROGRAM_H

/*
 * A program: immutable, counted, shared by every thread. Built in one go from a specification.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "base/auto.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "openevolve/program.h"
#include "program/evaluation.h"
#include "program/fitness.h"
#include "program/source.h"

struct oe_program {
	atomic_int refs;
	bool migrant;
	int32_t island; /* -1: none */
	int64_t generation;
	int64_t iteration;
	double timestamp;
	double fitness; /* NaN before evaluation */
	struct oe__source *source;
	oe_evaluation *evaluation;        /* or NULL */
	oe_evaluation *parent_evaluation; /* metrics that the child is compared with; or NULL */
	const char *id;
	const char *parent_id; /* or NULL */
	const char *language;
	const char *changes;
	const char *prompts; /* JSON text of an imported record's prompts, or NULL */
	char texts[];        /* the five above */
};

/* Everything is copied or referenced. Zero means: default. */
struct oe__program_spec {
	const char *id; /* NULL: made from `id_seed`, or at random if that is 0 */
	uint64_t id_seed[2];
	const char *parent_id;
	struct oe__source *source;
	const char *language;
	const char *changes;
	const char *prompts;
	int64_t generation, iteration;
	double timestamp; /* 0: now */
	int32_t island;
	bool migrant;
	oe_evaluation *evaluation, *parent_evaluation;
	const struct oe__dimensions *dimensions; /* for the fitness; NULL: none */
};

int oe__program_build(const struct oe__program_spec *spec, oe_program **out);

/* What is said to be the number of an iteration or a generation, as one that can be counted on from. */
static inline int64_t oe__number_within(int64_t number)
{
	return number > OE__NUMBER_MAX ? OE__NUMBER_MAX : number < -OE__NUMBER_MAX ? -OE__NUMBER_MAX : number;
}

/* A specification that says what `program` is (borrowed pointers): for copies that differ. */
void oe__program_describe(const oe_program *program, struct oe__program_spec *spec);

/* a over b, as OpenEvolve compares: fitness strictly, metrics at all, newer. */
bool oe__program_better(const oe_program *a, const oe_program *b);

/* The record of OpenEvolve's programs/<id>.json, and back; unknown members are dropped. Artifacts
   of at most `inline_max` bytes go into artifacts_json, the others are the caller's. */
struct oe__record_options {
	size_t inline_max;
	const char *artifact_directory; /* written as artifact_dir, or NULL */
	const char *prompts;            /* JSON instead of the program's own, or NULL */
};
void oe__program_write(const oe_program *program, const struct oe__record_options *options,
					   struct oe__json_writer *writer);
int oe__program_read(const struct oe__value *record, const struct oe__dimensions *dimensions,
					 oe_program **out, oe_error *err);

OE__AUTO_POINTER(program, oe_program *, oe_program_unref)

#endif /* OE__PROGRAM_PROGRAM_H */
