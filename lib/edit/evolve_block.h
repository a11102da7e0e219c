#ifndef OE__EDIT_EVOLVE_BLOCK_H
#define OE__EDIT_EVOLVE_BLOCK_H

/*
 * EVOLVE-BLOCKs: the parts of a program that an edit may change. A block begins after a line that
 * contains EVOLVE-BLOCK-START and ends before one that contains EVOLVE-BLOCK-END, in whatever
 * comment the language has. A block that is not closed reaches to the end of the program; a program
 * without markers may be changed everywhere. Pure; any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "openevolve/common.h"

struct oe__evolve_block {
	size_t offset, size; /* of what may be changed, in bytes                            */
	size_t start_line;   /* of the start marker, from 1                                 */
	size_t end_line;     /* of the end marker; one past the last line if there is none */
};

struct oe__evolve_blocks {
	struct oe__evolve_block *items;
	size_t count, capacity;
};

int oe__evolve_blocks_list(oe_bytes code, struct oe__evolve_blocks *out);
void oe__evolve_blocks_done(struct oe__evolve_blocks *blocks);

/* Are there any markers? */
bool oe__evolve_blocks_any(oe_bytes code);

/*
 * Does `child` keep everything of `parent` outside of its blocks, and the marker lines, byte by
 * byte? If not, `*line` is where the child begins to differ, from 1.
 */
bool oe__evolve_blocks_kept(oe_bytes parent, oe_bytes child, size_t *line);

OE__AUTO_VALUE(evolve_blocks, struct oe__evolve_blocks, oe__evolve_blocks_done)

#endif /* OE__EDIT_EVOLVE_BLOCK_H */
