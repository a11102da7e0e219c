#ifndef OE__EDIT_DIFF_H
#define OE__EDIT_DIFF_H

/*
 * How one text becomes another, line by line. The result borrows both texts. Any thread.
 */

#include <stddef.h>

#include "base/buffer.h"
#include "openevolve/edit.h"

/* `from_count` lines at `from` (from 0) are replaced by `to_count` lines at `to`. */
struct oe__hunk {
	size_t from, from_count;
	size_t to, to_count;
};

struct oe_diff {
	oe_bytes from, to;
	oe_bytes *from_lines, *to_lines; /* with their ends */
	size_t from_count, to_count;
	struct oe__hunk *hunks; /* in order; between two of them there is at least one equal line */
	size_t hunk_count;
	size_t added, removed;
	struct oe__buffer unified;
};

/* The lines of two texts as numbers that are equal exactly if the lines are. */
struct oe__script_side {
	const int32_t *lines;
	size_t count;
	unsigned char *changed; /* per line: not in the common subsequence; zeroed by the caller */
};

/* Mark what a shortest script (or a good one, when that costs too much) removes and adds. */
int oe__script_find(const struct oe__script_side *from, const struct oe__script_side *to);

OE__AUTO_POINTER(diff, oe_diff *, oe_diff_free)

#endif /* OE__EDIT_DIFF_H */
