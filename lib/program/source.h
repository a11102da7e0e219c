#ifndef OE__PROGRAM_SOURCE_H
#define OE__PROGRAM_SOURCE_H

/*
 * Source text with everything that is derived from it once: hash, lengths, the characters it uses.
 * Immutable and counted, so that migrants, re-evaluations and snapshots share one copy. Any thread.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/hash.h"
#include "openevolve/common.h"

struct oe__source {
	atomic_int refs;
	size_t size;   /* bytes       */
	size_t length; /* code points */
	size_t newlines;
	uint64_t ascii[2]; /* set of ASCII characters used                */
	uint32_t *others;  /* other code points used, sorted and distinct */
	size_t other_count;
	_Atomic uint64_t form; /* see program/form.h; 0: nobody asked yet    */
	uint8_t hash[OE__SHA256_SIZE];
	char hash_hex[OE__SHA256_HEX_SIZE];
	char text[]; /* NUL-terminated */
};

/* The text must be valid UTF-8 (OE_ERR_INVALID) and at most OE__CODE_MAX (OE_ERR_LIMIT). */
int oe__source_new(const char *text, size_t size, struct oe__source **out);

/* The same in memory of this thread. What lives long should not lie among what threads of the pool
   allocate and free all the time: it would leave holes there that nothing fits. */
int oe__source_copy(const struct oe__source *source, struct oe__source **out);

struct oe__source *oe__source_ref(struct oe__source *source);
void oe__source_unref(struct oe__source *source);

/* The distance of OpenEvolve's feature "diversity": 0 for equal texts, else 0.1 per character of
   difference in length, 10 per line, 0.5 per character that only one of them uses. */
double oe__source_distance(const struct oe__source *a, const struct oe__source *b);

OE__AUTO_POINTER(source, struct oe__source *, oe__source_unref)

#endif /* OE__PROGRAM_SOURCE_H */
