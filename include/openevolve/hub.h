#ifndef OPENEVOLVE_HUB_H
#define OPENEVOLVE_HUB_H

/**
 * @file
 * The hub: the population, and the meaning of an iteration.
 *
 * It can be used alone, in the ask-tell manner, under a loop of your own:
 *
 *     oe_hub_seed(hub, initial)
 *     while (oe_hub_next_iteration(hub, &iteration, NULL) == 1)
 *         child = … made from oe_iteration_parent(iteration) …
 *         oe_hub_commit(hub, iteration, child, &result)   or   oe_hub_fail(hub, iteration, outcome)
 *
 * "hub.semantics" says when an iteration that came to an end does end, and what its sample sees:
 *
 *     steady      it ends at once; samples see everything that has ended
 *     generation  it is staged, and all of a generation ("hub.window" numbers) end at its barrier, in
 *                 number order; samples see the population as the generation began
 *     ordered     it is staged until all numbers before it have ended; the sample of number i sees the
 *                 population as number i - W ("hub.window") had just ended, whoever is fast or slow
 *
 * Until it ends nothing can be seen of what was staged, neither the child nor that the parent was
 * tried. In `ordered` the population is a function of configuration, seed and answers; in `generation`
 * too, as long as no generation is closed early.
 *
 * The algorithm is MAP-Elites (Mouret, Clune: Illuminating search spaces by mapping elites, 2015)
 * on islands with ring migration, as in AlphaEvolve and OpenEvolve.
 *
 * Threads: one hub is used by one thread at a time, its owner. It has no locks, no clock and does
 * no I/O: each decision is a function of the configuration, the seed and the order of calls.
 * Iterations and programs are immutable and may be read by any thread.
 */

#include "openevolve/common.h"
#include "openevolve/config.h"
#include "openevolve/population.h"
#include "openevolve/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The population, and the iterations that change it. */
typedef struct oe_hub oe_hub;

/** A number and what was sampled for it. Immutable, reference-counted. */
typedef struct oe_iteration oe_iteration;

/** How an iteration ended; each ends in exactly one. Values are part of the ABI. */
enum oe_outcome {
	OE_OUTCOME_COMMITTED = 0,         /**< the child joined the population                       */
	OE_OUTCOME_REJECTED = 1,          /**< evaluated, but not worth a place: as the caller of
	                                       oe_hub_fail() says, never the library                 */
	OE_OUTCOME_DUPLICATE = 2,         /**< same content as a program that is there already       */
	OE_OUTCOME_NOOP_EDIT = 3,         /**< the answer changes nothing                            */
	OE_OUTCOME_NO_EDIT = 4,           /**< the answer holds no usable edit                       */
	OE_OUTCOME_VIOLATES_BLOCK = 5,    /**< it changes text outside the EVOLVE-BLOCKs             */
	OE_OUTCOME_TOO_LONG = 6,          /**< the child is longer than "max_code_length"            */
	OE_OUTCOME_TRUNCATED = 7,         /**< the answer breaks off                                 */
	OE_OUTCOME_EVALUATION_FAILED = 8, /**< the child has no score: see its verdict */
	OE_OUTCOME_TIMED_OUT = 9,         /**< the evaluation did                                    */
	OE_OUTCOME_LLM_FAILED = 10,       /**< no answer: it was refused, or failed after all retries */
	OE_OUTCOME_CANCELLED = 11,        /**< the verdict of its evaluation is that. Iterations of a run
	                                       that is stopped do not end: they stay open            */
	OE_OUTCOME_LOST = 12,             /**< the child could not be taken: another program has its
	                                       identifier, or there was no memory                    */
	OE_OUTCOME_EQUIVALENT = 13,       /**< the same, but for comments and white space, as a program
	                                       that is there already                             */
	OE_OUTCOME_COUNT = 14             /**< of the outcomes above */
};

/** Stable name of an outcome ("no_edit"); "unknown" for a value that is not known. */
OE_API const char *oe_outcome_name(int outcome);

/** Why oe_hub_next_iteration() gave none. */
enum oe_hub_wait {
	OE_HUB_READY = 0,       /**< it gave one */
	OE_HUB_WINDOW_FULL = 1, /**< as many iterations as "hub.window" are open, or, in `ordered`,
	                             the number that is so far behind has not ended    */
	OE_HUB_BARRIER = 2,     /**< the generation must close first                   */
	OE_HUB_FINISHED = 3,    /**< "max_iterations" numbers were given               */
	OE_HUB_EMPTY = 4        /**< there is no program to start from                 */
};

/** What a commit did. The caller sets `struct_size` (OE_COMMIT_INIT), the hub the rest; append-only. */
typedef struct oe_commit {
	size_t struct_size;
	int32_t outcome;     /**< enum oe_outcome: COMMITTED, DUPLICATE, LOST (another program took its
	                        identifier while it was staged), or the failure of the child's
	                        evaluation; -1 if `late` or `staged`                               */
	int32_t island;      /**< where the child went, or would have gone                           */
	int32_t best;        /**< nonzero: the fittest program so far                                */
	int32_t new_cell;    /**< nonzero: the first program of its feature-map cell                 */
	int32_t replaced;    /**< nonzero: it took a cell from another program, which left           */
	int32_t late;        /**< nonzero: the iteration had ended before; nothing changed           */
	int32_t repeated;    /**< nonzero: it failed, and its number is given again                  */
	int32_t migrated;    /**< programs that migrated after this commit                           */
	int32_t staged;      /**< nonzero: waits for its generation or its turn; what it did is not
	                          known yet                                                        */
	oe_program *program; /**< as it is in the hub (of a duplicate: the one that is there), or
	                          NULL, also if it had to leave again for one that migrated;
	                          borrowed until the next call                                     */
} oe_commit;

/** What a commit starts from. */
#define OE_COMMIT_INIT \
	{ sizeof(oe_commit), 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL }

/**
 * Make a hub from "database.*", "hub.*", "prompt.num_*", "max_iterations" and "random_seed".
 *
 * @retval OE_ERR_CONFIG the options contradict each other.
 */
OE_API OE_NODISCARD int oe_hub_new(const oe_config *config, oe_hub **out, oe_error *err);

/** Iterations and programs that were given out live on. Accepts NULL. */
OE_API void oe_hub_free(oe_hub *hub);

/**
 * Put an initial program, evaluated, into the hub. Several may be seeded, at any time; they are spread
 * over the islands in order. An empty island samples the first of them that joined. One that comes
 * while a generation is under way joins at its barrier, before the children; in `ordered` it joins at
 * once, and so at a place in the order that depends on the moment.
 *
 * One whose evaluation failed does not join the population, but if it is the first, iterations start
 * from it until one joins. One whose content is there already changes nothing.
 *
 * @param program referenced.
 * @retval OE_ERR_CONFIG  "database.feature_dimensions" names something that is neither built in nor
 *                        among the metrics of the first program.
 * @retval OE_ERR_INVALID it was not evaluated, or another program has its identifier.
 */
OE_API OE_NODISCARD int oe_hub_seed(oe_hub *hub, oe_program *program, oe_error *err);

/**
 * Continue from a population, of a checkpoint for example. Before anything else.
 * Populations with fewer or more islands than configured are accepted: see "database.num_islands".
 *
 * @retval OE_ERR_STATE  the hub is in use already.
 * @retval OE_ERR_FORMAT its counters, islands or cells contradict each other.
 */
OE_API OE_NODISCARD int oe_hub_restore(oe_hub *hub, const oe_population *population, oe_error *err);

/**
 * Next number and its sample. A number that failed and is given again comes first. Its sample is drawn
 * anew, but in `ordered` it is that of the attempt before, which shows how that failed: the state that
 * it was drawn from is gone, and to wait for another would hold up all that follow.
 *
 * @param iteration receives a reference.
 * @param why       enum oe_hub_wait; may be NULL.
 * @return 1 and an iteration; 0 if there is none now, with the reason; a negative status.
 */
OE_API OE_NODISCARD int oe_hub_next_iteration(oe_hub *hub, oe_iteration **iteration, int *why);

/**
 * Open an iteration again after a restart, so that it can be committed: same number, same attempt,
 * and the sample that was recorded for it. First all that were open are opened again, in any order, then
 * the run goes on: in `generation` they belong to one generation with the numbers that follow; in
 * `ordered` they end in number order, and none can be added once a new number was given or one has ended.
 *
 * A restart by these means keeps what a checkpoint holds. To get the very same run, make the same calls
 * again: all decisions are functions of them.
 *
 * @param parent       referenced; it need not live any more.
 * @param inspirations referenced; may be NULL if `count` is 0.
 * @retval OE_ERR_INVALID `number` is not one that was given, nor the next one, or there is no such attempt
 *                        or island.
 * @retval OE_ERR_STATE   it is open or has ended, or, in `ordered`, later ones have begun.
 */
OE_API OE_NODISCARD int oe_hub_reopen(oe_hub *hub, int64_t number, int32_t attempt, int32_t island,
                                      oe_program *parent, oe_program *const *inspirations,
                                      size_t count, oe_iteration **iteration, oe_error *err);

/**
 * Give the child of an iteration. Ends it. A child whose evaluation failed does not join; it ends the
 * iteration as oe_hub_fail() does. Idempotent: a second commit or failure of the same
 * (number, attempt) is recognised, reported as `late`, and changes nothing.
 *
 * In `generation` and `ordered` the child is staged, and a commit may let others end that were waiting:
 * `result` speaks of this one only. Whether its content is there already is decided when it ends; under
 * "on_failure: replace" a failed evaluation is repeated at once, without a look at that.
 *
 * @param child  referenced; made by oe_iteration_child().
 * @param result may be NULL.
 * @retval OE_ERR_INVALID the iteration is none of this run, the child was not evaluated, or another program
 *                        has its identifier.
 */
OE_API OE_NODISCARD int oe_hub_commit(oe_hub *hub, oe_iteration *iteration, oe_program *child,
                                      oe_commit *result, oe_error *err);

/**
 * End an iteration without a child.
 *
 * @param outcome enum oe_outcome, not COMMITTED.
 * @param child   the program that failed, for the next prompts of its parent; or NULL.
 * @param message one sentence about what went wrong, for the same; copied; may be NULL.
 * @return 1 if it ended, or is staged to end so; 0 if it had ended before (late): nothing changed; 2 if
 *         the program failed and "hub.on_failure" is "replace": oe_hub_next_iteration() then gives the
 *         same number again, as its next attempt.
 * @retval OE_ERR_INVALID the iteration is none of this run, or `outcome` is COMMITTED, or none at all.
 */
OE_API OE_NODISCARD int oe_hub_fail(oe_hub *hub, oe_iteration *iteration, int outcome,
                                    oe_program *child, const char *message, oe_error *err);

/**
 * A program whose content an iteration may not repeat, or NULL. Its evaluation can be used again. Looked
 * for in what the iteration may see: in `ordered` in the population that its sample was drawn from, so
 * that the answer does not depend on the moment of the question.
 *
 * @param iteration    NULL: in the population of now.
 * @param content_hash as of oe_program_content_hash().
 */
OE_API oe_program *oe_hub_find_content(const oe_hub *hub, const oe_iteration *iteration,
                                       const char *content_hash);

/**
 * A program, of those that oe_hub_find_content() looks for, which is the same as `program` but for comments
 * and white space that means nothing; or NULL. It is for the caller to end the iteration as
 * OE_OUTCOME_EQUIVALENT then: a child that is committed joins, as its text is another one.
 *
 * What may be left out depends on oe_program_language(): Python, C, C++, CUDA, OpenCL, Metal, Java, Go,
 * Rust, JavaScript and TypeScript are known. Programs in others, and such as leave any doubt, are equivalent
 * to none. Strings, and comments that mean something to compilers or mark EVOLVE-BLOCKs, are compared byte
 * by byte. Programs that look at their own text (by names such as __file__, inspect, __LINE__) are
 * equivalent to none either.
 *
 * @param iteration NULL: in the population of now.
 * @return borrowed until the next call that changes the hub.
 */
OE_API oe_program *oe_hub_find_equivalent(oe_hub *hub, const oe_iteration *iteration,
                                          const oe_program *program);

/**
 * Close the generation with what has been committed (semantics `generation`). The hub has no clock: the
 * caller's deadline or quorum policy decides when. Iterations that are under way stay open, and are not
 * waited for any more: what they come to ends at the barrier of the generation that is under way then.
 *
 * Without this call a generation closes when all its numbers have come to an end, or when no further
 * number is to be given and nothing is under way. Does nothing if no number of it was given and nothing is
 * staged.
 *
 * @retval OE_ERR_STATE the semantics are others.
 */
OE_API OE_NODISCARD int oe_hub_close_generation(oe_hub *hub, oe_error *err);

/** Everything as it is now; a copy of pointers, not of programs. Nothing that is staged. */
OE_API OE_NODISCARD int oe_hub_population(oe_hub *hub, oe_population **out);

/** Numbers given so far, and of these the ended ones: not those that are staged. */
OE_API int64_t oe_hub_issued(const oe_hub *hub);
OE_API int64_t oe_hub_ended(const oe_hub *hub);

/** How many iterations ended with this outcome. */
OE_API int64_t oe_hub_outcome_count(const oe_hub *hub, int outcome);

/** Fittest program, or NULL. Borrowed until the next call that changes the hub. */
OE_API oe_program *oe_hub_best(const oe_hub *hub);

/* ---- iterations: any thread ---- */

/** Take one more reference, which is returned; drop one. */
OE_API oe_iteration *oe_iteration_ref(oe_iteration *iteration);
OE_API void oe_iteration_unref(oe_iteration *iteration);
/** Its place in the run: number, attempt, and the island that its child belongs to. */
OE_API int64_t oe_iteration_number(const oe_iteration *iteration);
OE_API int32_t oe_iteration_attempt(const oe_iteration *iteration); /**< from 0 */
OE_API int32_t oe_iteration_island(const oe_iteration *iteration);

/** Seed of this attempt's random streams: a function of the run's seed, number and attempt. */
OE_API uint64_t oe_iteration_seed(const oe_iteration *iteration);

/** The program that the child is made from. Borrowed, like all programs below. */
OE_API oe_program *oe_iteration_parent(const oe_iteration *iteration);

/** Programs to learn from, as they were drawn; NULL past the last one. */
OE_API size_t oe_iteration_inspiration_count(const oe_iteration *iteration);
OE_API oe_program *oe_iteration_inspiration_at(const oe_iteration *iteration, size_t index);

/** Programs of the parent's island in order of falling fitness, as many as prompts show. */
OE_API size_t oe_iteration_top_count(const oe_iteration *iteration);
OE_API oe_program *oe_iteration_top_at(const oe_iteration *iteration, size_t index);

/** Recent attempts on the same parent, else on its island, failures included; newest first. */
OE_API size_t oe_iteration_attempt_count(const oe_iteration *iteration);

/**
 * @param outcome may be NULL; enum oe_outcome.
 * @param message may be NULL; what went wrong, or "".
 * @return the program that was tried, or NULL if the attempt never came to one.
 */
OE_API oe_program *oe_iteration_attempt_at(const oe_iteration *iteration, size_t index,
                                           int *outcome, const char **message);

/**
 * The child that this iteration's answer makes of its parent: lineage, generation, identifier. The
 * identifier is a function of the run's seed, number, attempt and content.
 *
 * @param evaluation referenced; finished. NULL: not evaluated yet, or never.
 * @param changes    copied; may be NULL.
 * @retval OE_ERR_STATE   the evaluation has not finished.
 * @retval OE_ERR_INVALID `code` is not UTF-8.
 * @retval OE_ERR_LIMIT   it is longer than any program may be.
 */
OE_API OE_NODISCARD int oe_iteration_child(const oe_iteration *iteration, const char *code,
                                           size_t size, oe_evaluation *evaluation,
                                           const char *changes, oe_program **out);

#ifdef __cplusplus
}
#endif

#endif /* OPENEVOLVE_HUB_H */
