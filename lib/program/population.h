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
#include "base/map.h"
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
	/* In order of joining; each live program once. OpenEvolve's checkpoints hold more of them,
	   which live on no island (island -1): it leaves displaced elites behind. */
	oe_program **programs;
	size_t program_count;
	bool *archived; /* parallel to programs */
	int32_t island_count;
	int64_t *island_generations;
	ptrdiff_t *island_best; /* index into programs, or -1 */
	ptrdiff_t best;         /* likewise                   */
	struct oe__cell *cells;
	size_t cell_count, cell_capacity;
	struct oe__axes *axes; /* names of the dimensions */
	int32_t *bins;         /* per dimension           */
	struct oe__feature_stats *features;
	struct oe__source **references; /* diversity reference set */
	size_t reference_count;
	int64_t last_iteration, last_migration_generation;
	int64_t issued, ended;
	int64_t outcomes[OE_OUTCOME_COUNT];
	oe_program *initial; /* what an empty island samples, alive or not; or NULL */
	size_t skipped;      /* programs that could not be read, when loaded  */
	oe_error problem;    /* what was wrong with the first of them         */
	bool outside;        /* it names files that are not in it, when loaded */

	/* Ranks and the index of ids, made by the first getter that needs them. */
	_Atomic(struct oe__population_index *) index;
};

/* An empty one with room; the builder fills the members in, then nobody changes it. It owns a
   reference to each of its programs, its sources and its axes. */
int oe__population_new(size_t program_count, int32_t island_count, struct oe__axes *axes,
					   oe_population **out);

/* The program that a checkpoint has to hold besides `programs`: the initial one, unless it lives.
 */
oe_program *oe__population_extra(const oe_population *population);

/* Room for `count` more cells, whose `bins` the caller makes. */
int oe__population_reserve_cells(oe_population *population, size_t count);

/* The fitter one first, the older one (smaller index) on ties; what has no fitness comes last. */
struct oe__rank {
	double fitness;
	size_t index; /* into programs */
};
int oe__rank_compare(const void *a, const void *b);

/* What the getters look things up in. Immutable once published. */
struct oe__population_index {
	struct oe__map ids;       /* to 1 + index into programs                   */
	struct oe__rank *ranked;  /* all programs                                 */
	struct oe__rank *islands; /* those of island 0, then those of 1, ...      */
	size_t *island_starts;    /* island_count + 1 positions in `islands`      */
	struct oe__rank *archive;
	size_t archive_count;
	struct oe__map cells; /* (island, bins) to 1 + index into programs */
};
const struct oe__population_index *oe__population_index(const oe_population *population);
void oe__population_index_free(struct oe__population_index *index);

/* What a run wrote of itself: which run, and after how many calls in its log. */
struct oe__provenance {
	const char *run;
	int64_t calls;
};

/*
 * metadata.json, and back onto programs that were read before (in any order). What OpenEvolve does
 * not know is in the member "oe", which it ignores.
 *
 * `dimensions` are the configured ones; NULL: those that the metadata name. A program that is
 * listed nowhere lives on no island; where nothing is listed at all they are dealt out in order.
 * `from` is NULL where no run wrote it of itself; it is for store/tail.h, and not part of the population.
 */
void oe__population_write_metadata(const oe_population *population, const struct oe__provenance *from,
								   struct oe__json_writer *writer);
int oe__population_read_metadata(const struct oe__value *metadata,
								 const struct oe__dimensions *dimensions,
								 oe_program *const *programs, size_t program_count,
								 oe_population **out, oe_error *err);

OE__AUTO_POINTER(population_index, struct oe__population_index *, oe__population_index_free)
OE__AUTO_POINTER(population, oe_population *, oe_population_unref)

#endif /* OE__PROGRAM_POPULATION_H */
