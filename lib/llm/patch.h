#ifndef OE__LLM_PATCH_H
#define OE__LLM_PATCH_H

/*
 * A list of replacements in a text, and the SEARCH/REPLACE answer that says the same: each block with
 * as many lines around it as it takes to be found in one place only.
 */

#include "base/auto.h"
#include "base/buffer.h"

struct oe__patch {
	struct oe__change {
		size_t start, size; /* in the old text */
		char *text;         /* instead         */
	} *changes;             /* in order, apart from each other */
	size_t count, capacity;
};

/* Add a replacement; ignored (0) if it overlaps one that is there, else 1. */
int oe__patch_add(struct oe__patch *patch, size_t start, size_t size, const char *text);
void oe__patch_done(struct oe__patch *patch);

/* The new text. */
int oe__patch_apply(const struct oe__patch *patch, const char *text, size_t size,
                    struct oe__buffer *out);

/* The answer: blocks whose application to `text` gives the new text. */
int oe__patch_write(const struct oe__patch *patch, const char *text, size_t size,
                    struct oe__buffer *out);

OE__AUTO_VALUE(patch, struct oe__patch, oe__patch_done)

#endif /* OE__LLM_PATCH_H */
