#ifndef OE__PROGRAM_POPULATION_H
#define OE__PROGRAM_POPULATION_H

/*
 * The state of a hub as an immutable value: what a snapshot, a checkpoint and a restore share.
 * The checkpoint directory around its JSON belongs to the store layer.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/json.h"
#include "openevolve/population.h"
#include "program/program.h"
#include "program/sample.h"

struct oe__cell {
	int32_t island;
	int32_t *bins; /* one per dimension   */
	size_t elite;  /* index into programs */
};

struct oe__feature_stats {
	bool known; /* any value at all */
	double min, max;
	double *values; /* the last ones, oldest first */
	size_t value_count;
};

struct oe_population {
	atomic_int refs;
	oe_program **programs; /* in order of joining; each live program once */
	size_t program_count;
	bool *archived; /* parallel to programs */
	int32_t island_count;
	int64_t *island_generations;
	ptrdiff_t *island_best; /* index into programs, or -1 */
	ptrdiff_t best;         /* likewise                   */
	struct oe__cell *cells;
	size_t cell_count;
	struct oe__axes *axes; /* names of the dimensions */
	int32_t *bins;         /* per dimension           */
	struct oe__feature_stats *features;
	struct oe__source **references; /* diversity reference set */
	size_t reference_count;
	int64_t last_iteration, last_migration_generation;
	int64_t issued, ended;
	int64_t outcomes[OE_OUTCOME_COUNT];
	oe_program *initial; /* what an empty island samples; or NULL */
	size_t skipped;      /* unreadable records, when loaded       */

	/* Ranks and the index of ids, made by the first getter that needs them. See population.c. */
	_Atomic(struct oe__population_index *) index;
};

/* An empty one with room; the builder fills the members in, then nobody changes it. */
int oe__population_new(size_t program_count, int32_t island_count, struct oe__axes *axes,
                       oe_population **out);

/* metadata.json, and back onto programs that were read before. */
void oe__population_write_metadata(const oe_population *population, struct oe__json_writer *writer);
int oe__population_read_metadata(const struct oe__value *metadata, oe_program *const *programs,
                                 size_t program_count, oe_population **out, oe_error *err);

OE__AUTO_POINTER(population, oe_population *, oe_population_unref)

#endif /* OE__PROGRAM_POPULATION_H */
