#ifndef OE__EDIT_LINES_H
#define OE__EDIT_LINES_H

/*
 * Lines of a text with what makes them comparable: to look for a run of lines in another text while
 * forgiving trailing blanks, or also a shift of the indentation. One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "openevolve/common.h"

struct oe__text_line {
	const char *text;
	uint32_t size;   /* without LF                                        */
	uint32_t indent; /* bytes of blanks before ...                        */
	uint32_t core;   /* ... and of what is between them and those after it */
};

struct oe__lines {
	struct oe__text_line *items; /* split at LF: one more than there are LF */
	uint64_t *hashes;            /* per line, of the comparison prepared last */
	size_t count;
};

/* How much is forgiven when lines are compared. */
enum oe__slack {
	OE__SLACK_TRAILING, /* blanks at the end of each line                                 */
	OE__SLACK_SHIFT     /* also the common indentation; blank lines equal all blank lines */
};

/* Split. OE_ERR_LIMIT if there are more than OE__EDIT_LINES_MAX lines. `text` is borrowed. */
int oe__lines_init(struct oe__lines *lines, oe_bytes text);
void oe__lines_done(struct oe__lines *lines);

/*
 * Count the runs of lines in `lines` that equal all of `search` (0, 1, or 2 for several); the place
 * of the first comes in `*first`. Takes time in proportion to the two texts.
 */
int oe__lines_find(struct oe__lines *lines, struct oe__lines *search, enum oe__slack slack,
				   size_t *first);

/* Leading blanks that `count` lines from `start` share, blank lines aside. */
oe_bytes oe__lines_indent(const struct oe__lines *lines, size_t start, size_t count);

OE__AUTO_VALUE(lines, struct oe__lines, oe__lines_done)

#endif /* OE__EDIT_LINES_H */
