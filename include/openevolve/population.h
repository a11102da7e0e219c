#ifndef OPENEVOLVE_POPULATION_H
#define OPENEVOLVE_POPULATION_H

/**
 * @file
 * A population: everything the hub held at one moment, frozen.
 *
 * Immutable and reference-counted, like the programs it holds: take one from a running hub or
 * controller, or load one from a run or a checkpoint to look at it offline.
 */

#include "openevolve/common.h"
#include "openevolve/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Programs, where each stands, and the feature maps of the islands. */
typedef struct oe_population oe_population;

/** Island index that means "all islands". */
#define OE_ISLAND_ALL (-1)

/**
 * Read the population of a checkpoint directory, ours or OpenEvolve's.
 *
 * @retval OE_ERR_IO     the directory cannot be read.
 * @retval OE_ERR_FORMAT metadata.json is not usable; `err` names file and place. Programs that
 *                       cannot be read are skipped and counted, see oe_population_skipped() and
 *                       oe_population_problem().
 */
OE_API OE_NODISCARD int oe_population_load(const char *checkpoint, oe_population **out,
                                           oe_error *err);

/** Is the checkpoint complete: has it programs, can all of them be read, and is each one there that its
 *  metadata names? oe_population_load() makes the best of it; this says what is wrong.
 *  @retval OE_ERR_FORMAT it is not; `err` has the first thing that is wrong. */
OE_API OE_NODISCARD int oe_population_verify(const char *checkpoint, oe_error *err);

/**
 * Write a checkpoint in OpenEvolve's layout: complete, or not there at all.
 *
 * @param directory its final path ("…/checkpoint_100"); must not exist, or be empty, or be a checkpoint, with
 *                  nothing else in it, that is replaced as a whole. A link is not followed.
 * @param extension of the best program's file, with its dot.
 * @retval OE_ERR_IO      it cannot be written.
 * @retval OE_ERR_INVALID what is there is no checkpoint, or not only one: `err` names the first thing that none
 *                        has, or that is missing. Nothing was changed.
 * @retval OE_ERR_STATE   a run began with the checkpoint that is there: without it its log means nothing.
 */
OE_API OE_NODISCARD int oe_population_save(const oe_population *population, const char *directory,
                                           const char *extension, oe_error *err);

/** Take one more reference, which is returned; drop one. Any thread. */
OE_API oe_population *oe_population_ref(oe_population *population);
OE_API void oe_population_unref(oe_population *population);

/** Highest number of a finished iteration; with several under way, lower ones may still be open. */
OE_API int64_t oe_population_iteration(const oe_population *population);

/** Fittest program ever seen, or NULL when empty. */
OE_API oe_program *oe_population_best(const oe_population *population);

/** Program with this identifier, or NULL. */
OE_API oe_program *oe_population_find(const oe_population *population, const char *id);

/** Number of islands, empty ones included. */
OE_API int32_t oe_population_island_count(const oe_population *population);

/** Number of programs on an island, or on all of them. */
OE_API size_t oe_population_size(const oe_population *population, int32_t island);

/** Program at `rank` in order of falling fitness (older first on ties), or NULL past the last. */
OE_API oe_program *oe_population_ranked(const oe_population *population, int32_t island,
                                        size_t rank);

/** Number of programs in the archive. */
OE_API size_t oe_population_archive_size(const oe_population *population);

/** Archive member at `rank` in order of falling fitness, or NULL. */
OE_API oe_program *oe_population_archived(const oe_population *population, size_t rank);

/** Number of feature dimensions; the same for every island. */
OE_API size_t oe_population_dimension_count(const oe_population *population);

/** Name of a feature dimension and its number of bins; NULL past the last. */
OE_API const char *oe_population_dimension(const oe_population *population, size_t index,
                                           int32_t *bins);

/**
 * Elite of one feature-map cell, or NULL when the cell is empty.
 *
 * @param bin one bin index per feature dimension.
 */
OE_API oe_program *oe_population_elite(const oe_population *population, int32_t island,
                                       const int32_t *bin);

/** Generation counter of an island: children committed to it. */
OE_API int64_t oe_population_island_generation(const oe_population *population, int32_t island);

/** Programs that could not be read when this was loaded, or are named and not there; 0 for any other
 *  population. */
OE_API size_t oe_population_skipped(const oe_population *population);

/** What is wrong with the first of them, with its file; NULL if there is none. */
OE_API const oe_error *oe_population_problem(const oe_population *population);

/**
 * The archive hash: SHA-256, in hexadecimal, over what the search found, without ids, times or
 * hosts. Equal hashes mean equal archives.
 *
 * @param out 65 bytes.
 */
OE_API OE_NODISCARD int oe_population_hash(const oe_population *population, char *out);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_POPULATION_H */
