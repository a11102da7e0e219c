#ifndef OE__EDIT_FENCE_H
#define OE__EDIT_FENCE_H

/*
 * Fenced code blocks of Markdown, as models write them. Pure; any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "openevolve/common.h"

struct oe__fence {
	oe_bytes info;    /* what follows the opening ticks, trimmed         */
	oe_bytes content; /* without the fence lines                         */
	size_t indent;    /* blanks before the opening ticks                 */
	bool closed;      /* false: it goes on to the end of the text        */
};

/*
 * Next fence of [*cursor, end), which moves behind it; false if there is none. A fence opens with
 * at least three ticks or tildes after at most `indent_max` blanks, and closes at a line of at
 * least as many. A fence with an info text inside of another one, of the same kind and length or
 * longer, is part of that one's content, closing line included (CommonMark would end the outer one
 * there).
 */
bool oe__fence_next(const char **cursor, const char *end, size_t indent_max,
					struct oe__fence *fence);

/* The word of an info text that names the language: "python" of `{.python .numberLines}`. */
oe_bytes oe__fence_language(oe_bytes info);

#endif /* OE__EDIT_FENCE_H */
