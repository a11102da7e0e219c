/*
 * The diversity of a source. See diversity.h.
 */

#include "hub/diversity.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

void oe__diversity_init(struct oe__diversity *diversity, size_t size, uint64_t seed)
{
	*diversity = (struct oe__diversity){ .size = size, .seed = seed };
}

static void drop_all(struct oe__source ***sources, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		oe__source_unref((*sources)[i]);
	oe__free(*sources);
	*sources = NULL;
	*count = 0;
}

static void drop_measured(struct oe__diversity *diversity)
{
	struct oe__map_entry *entry;
	size_t cursor = 0;

	while ((entry = oe__map_next(&diversity->measured, &cursor)) != NULL)
		oe__free(entry->value);
	oe__map_done(&diversity->measured);
}

void oe__diversity_done(struct oe__diversity *diversity)
{
	drop_all(&diversity->references, &diversity->reference_count);
	drop_all(&diversity->candidates, &diversity->candidate_count);
	drop_measured(diversity);
}

/* ---- the reference set ---- */

/* As many times more candidates than references are kept at most. */
#define CANDIDATES_FACTOR 4

static size_t count_candidates(const struct oe__diversity *diversity,
                               const struct oe__source *joining)
{
	return diversity->candidate_count + (joining ? 1 : 0);
}

/* Candidate number i; the one past the last is the source that is about to join, if any. */
static struct oe__source *candidate(const struct oe__diversity *diversity, size_t i,
                                    struct oe__source *joining)
{
	return i < diversity->candidate_count ? diversity->candidates[i] : joining;
}

/* Farthest-point choice: `nearest` is the distance of each candidate to the chosen ones, or
   negative for a chosen one. The first of equally far ones wins. */
static void choose(struct oe__diversity *diversity, struct oe__source *joining, double *nearest)
{
	size_t count = count_candidates(diversity, joining);
	struct oe__rng rng;

	for (size_t i = 0; i < count; i++)
		nearest[i] = INFINITY;
	oe__rng_init(&rng, diversity->seed, "diversity", count, 0);
	size_t next = (size_t)oe__rng_below(&rng, count);
	while (diversity->reference_count < diversity->size) {
		struct oe__source *chosen = candidate(diversity, next, joining);

		diversity->references[diversity->reference_count++] = oe__source_ref(chosen);
		nearest[next] = -1;
		double farthest = -1;
		for (size_t i = 0; i < count; i++) {
			if (nearest[i] < 0)
				continue;
			nearest[i] =
				fmin(nearest[i], oe__source_distance(candidate(diversity, i, joining), chosen));
			if (nearest[i] > farthest) {
				farthest = nearest[i];
				next = i;
			}
		}
		assert(farthest >= 0 || diversity->reference_count == diversity->size);
	}
}

static int rebuild(struct oe__diversity *diversity, struct oe__source *joining)
{
	size_t count = count_candidates(diversity, joining);
	size_t kept = count < diversity->size ? count : diversity->size;
	OE__AUTO(memory) void *scratch = oe__calloc(count, sizeof(double));
	struct oe__source **references = oe__calloc(kept > 0 ? kept : 1, sizeof(*references));

	if (!references || !scratch) {
		oe__free(references);
		return OE_ERR_NOMEM;
	}
	drop_all(&diversity->references, &diversity->reference_count);
	diversity->references = references;
	if (count > diversity->size) {
		choose(diversity, joining, scratch);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		references[i] = oe__source_ref(candidate(diversity, i, joining));
	diversity->reference_count = count;
	return 0;
}

/* ---- measuring ---- */

static double mean_distance(const struct oe__diversity *diversity, const struct oe__source *source)
{
	double sum = 0;
	size_t others = 0;

	for (size_t i = 0; i < diversity->reference_count; i++) {
		const struct oe__source *reference = diversity->references[i];

		if (memcmp(reference->hash, source->hash, sizeof(source->hash)) == 0)
			continue;
		sum += oe__source_distance(source, reference);
		others++;
	}
	return others > 0 ? sum / (double)others : 0;
}

int oe__diversity_recall(struct oe__diversity *diversity, const uint8_t hash[OE__SHA256_SIZE],
                         double value)
{
	double *copy = oe__memdup(&value, sizeof(value));

	if (!copy)
		return OE_ERR_NOMEM;
	int status = oe__map_put(&diversity->measured, hash, OE__SHA256_SIZE, copy);
	if (status < 0)
		oe__free(copy);
	return status;
}

int oe__diversity_measure(struct oe__diversity *diversity, struct oe__source *source, bool joined,
                          double *out)
{
	const double *before = oe__map_get(&diversity->measured, source->hash, sizeof(source->hash));
	int status = 0;

	if (before) {
		*out = *before;
		return 0;
	}
	bool was_frozen = oe__diversity_frozen(diversity);
	if (!was_frozen)
		status = rebuild(diversity, joined ? NULL : source);
	if (status < 0)
		return status;
	double value = mean_distance(diversity, source);
	if (!was_frozen)
		status = oe__diversity_recall(diversity, source->hash, value);
	if (status == 0)
		*out = value;
	return status;
}

/* ---- candidates ---- */

int oe__diversity_reserve(struct oe__diversity *diversity)
{
	void *candidates = diversity->candidates;

	if (oe__diversity_frozen(diversity))
		return 0;
	if (diversity->candidate_count >= CANDIDATES_FACTOR * diversity->size)
		return rebuild(diversity, NULL); /* nobody asks, and memory has an end */
	int status = oe__grow(&candidates, &diversity->candidate_capacity,
	                      diversity->candidate_count + 1, sizeof(*diversity->candidates));
	if (status == 0)
		diversity->candidates = candidates;
	return status;
}

void oe__diversity_join(struct oe__diversity *diversity, struct oe__source *source)
{
	if (oe__diversity_frozen(diversity)) {
		/* Nobody will ever choose again. */
		drop_all(&diversity->candidates, &diversity->candidate_count);
		diversity->candidate_capacity = 0;
		return;
	}
	assert(diversity->candidate_count < diversity->candidate_capacity);
	diversity->candidates[diversity->candidate_count++] = oe__source_ref(source);
}

/* Found by its text, not by its address: after a restart migrants no longer share the source of
   their original, and the order of the candidates has to be the same. */
void oe__diversity_leave(struct oe__diversity *diversity, const struct oe__source *source)
{
	for (size_t i = 0; i < diversity->candidate_count; i++) {
		struct oe__source *found = diversity->candidates[i];

		if (memcmp(found->hash, source->hash, sizeof(source->hash)) != 0)
			continue;
		memmove(&diversity->candidates[i], &diversity->candidates[i + 1],
		        (--diversity->candidate_count - i) * sizeof(*diversity->candidates));
		oe__source_unref(found);
		return;
	}
}

int oe__diversity_load(struct oe__diversity *diversity, struct oe__source *const *references,
                       size_t count)
{
	if (count > diversity->size)
		count = diversity->size;
	if (count == 0)
		return 0;
	struct oe__source **copy = oe__calloc(count, sizeof(*copy));
	if (!copy)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		copy[i] = oe__source_ref(references[i]);
	drop_all(&diversity->references, &diversity->reference_count);
	diversity->references = copy;
	diversity->reference_count = count;
	return 0;
}
