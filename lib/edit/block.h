#ifndef OE__EDIT_BLOCK_H
#define OE__EDIT_BLOCK_H

/*
 * SEARCH/REPLACE blocks of an answer:
 *
 *     <<<<<<< SEARCH
 *     lines to find
 *     =======
 *     lines to put there
 *     >>>>>>> REPLACE
 *
 * Here they are only read; place.h finds where they belong. Any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "edit/answer.h"
#include "edit/pattern.h"

struct oe__block {
	oe_bytes search, replacement; /* without white space at their ends; in the answer     */
	const char *rest, *end;       /* the replacement and what follows, up to the end mark */
	size_t line;                  /* of the start mark in the raw answer, from 1          */
	size_t dividers;              /* lines that may be the divider; more than one: choose */
	bool loose;                   /* the original would not see its marks                 */
};

/* How the reading of an answer ended. */
enum oe__reading {
	OE__READING_BLOCKS, /* at least one block, and nothing that looks like half of one */
	OE__READING_NONE,   /* no mark of a block                                          */
	OE__READING_BROKEN, /* marks that make no block: out of order, without a divider   */
	OE__READING_OPEN,   /* a block is still open at the end                            */
	OE__READING_LIMIT   /* too many blocks, or the pattern takes too long              */
};

struct oe__blocks {
	struct oe__block *items;
	size_t count, capacity;
	enum oe__reading reading;
	size_t line; /* where it is broken or open, from 1 */
};

/*
 * Read the blocks of `answer`. With `tolerant`, a mark is a line that holds nothing else but
 * blanks, and the pattern is only asked when this gives no clean reading; without it the pattern
 * alone decides. `out` is written to in any case: release it always. Fails only with OE_ERR_NOMEM.
 */
int oe__blocks_read(const struct oe__pattern *pattern, const struct oe__edit_answer *answer,
					bool tolerant, struct oe__blocks *out);

/* Make the next line that may be the divider the one; false when there is none. */
bool oe__block_divide_later(struct oe__block *block);

void oe__blocks_done(struct oe__blocks *blocks);

OE__AUTO_VALUE(blocks, struct oe__blocks, oe__blocks_done)

#endif /* OE__EDIT_BLOCK_H */
