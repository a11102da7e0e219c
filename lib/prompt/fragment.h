#ifndef OE__PROMPT_FRAGMENT_H
#define OE__PROMPT_FRAGMENT_H

/*
 * Fragments: the short texts between the templates. Each has a key, under which a template directory
 * may override it, and places of its own. Read-only once compiled; any thread.
 */

#include "prompt/catalog.h"
#include "prompt/template.h"

enum oe__fragment {
	OE__FRAGMENT_FITNESS_IMPROVED,
	OE__FRAGMENT_FITNESS_DECLINED,
	OE__FRAGMENT_FITNESS_STABLE,
	OE__FRAGMENT_EXPLORING_REGION,
	OE__FRAGMENT_NO_COORDINATES,
	OE__FRAGMENT_CODE_TOO_LONG,
	OE__FRAGMENT_NO_GUIDANCE,
	OE__FRAGMENT_ARTIFACT_TITLE,
	OE__FRAGMENT_DIVERSE_TITLE,
	OE__FRAGMENT_UNKNOWN_CHANGES,
	OE__FRAGMENT_ALL_IMPROVED,
	OE__FRAGMENT_ALL_REGRESSED,
	OE__FRAGMENT_MIXED,
	OE__FRAGMENT_TOP_PREFIX,
	OE__FRAGMENT_DIVERSE_PREFIX,
	OE__FRAGMENT_TYPE_DIVERSE,
	OE__FRAGMENT_TYPE_MIGRANT,
	OE__FRAGMENT_TYPE_RANDOM,
	OE__FRAGMENT_TYPE_HIGH,
	OE__FRAGMENT_TYPE_ALTERNATIVE,
	OE__FRAGMENT_TYPE_EXPERIMENTAL,
	OE__FRAGMENT_TYPE_EXPLORATORY,
	OE__FRAGMENT_FEATURE_CHANGES,
	OE__FRAGMENT_FEATURE_EXCELLENT,
	OE__FRAGMENT_FEATURE_ALTERNATIVE,
	OE__FRAGMENT_FEATURE_CLASS,
	OE__FRAGMENT_FEATURE_NUMPY,
	OE__FRAGMENT_FEATURE_LOOPS,
	OE__FRAGMENT_FEATURE_CONCISE,
	OE__FRAGMENT_FEATURE_COMPREHENSIVE,
	OE__FRAGMENT_NO_FEATURES,
	/* From here on ours: OpenEvolve has no such fragments, and without one nothing is written. */
	OE__FRAGMENT_OURS,
	OE__FRAGMENT_NO_CHANGES = OE__FRAGMENT_OURS,
	OE__FRAGMENT_NOT_EVALUATED,
	OE__FRAGMENT_REJECTED,
	OE__FRAGMENT_DUPLICATE,
	OE__FRAGMENT_EQUIVALENT,
	OE__FRAGMENT_NOOP_EDIT,
	OE__FRAGMENT_NO_EDIT,
	OE__FRAGMENT_VIOLATES_BLOCK,
	OE__FRAGMENT_TOO_LONG,
	OE__FRAGMENT_TRUNCATED,
	OE__FRAGMENT_EVALUATION_FAILED,
	OE__FRAGMENT_TIMED_OUT,
	OE__FRAGMENT_MESSAGE,
	OE__FRAGMENT_DETAIL,
	OE__FRAGMENT_GAP,
	OE__FRAGMENT_BUDGET_NOTE,
	OE__FRAGMENT_COUNT
};

struct oe__fragments {
	struct oe__template *compiled[OE__FRAGMENT_COUNT]; /* NULL: absent, or malformed */
	const struct oe__catalog *catalog;                 /* borrowed: says which       */
};

/* Compile what the catalog has. Malformed ones are errors when they are used, or checked. */
int oe__fragments_compile(struct oe__fragments *fragments, const struct oe__catalog *catalog);

/* Is each one well formed? OE_ERR_CONFIG: no. Calls `warn` with a sentence about each that has a
   place that nothing fills. */
int oe__fragments_check(const struct oe__fragments *fragments,
						int (*warn)(void *self, const char *sentence), void *self, oe_error *err);

/* Append one, with an argument for each of its places. A place that nothing fills, or a fragment
   that is not there, gives OpenEvolve's error text instead. */
int oe__fragment_append(const struct oe__fragments *fragments, enum oe__fragment which,
						const struct oe__argument *arguments, struct oe__buffer *out,
						oe_error *err);

void oe__fragments_done(struct oe__fragments *fragments);

#endif /* OE__PROMPT_FRAGMENT_H */
