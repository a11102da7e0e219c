#ifndef OE__EDIT_TARGET_H
#define OE__EDIT_TARGET_H

/*
 * A text that is being edited: where a search text belongs in it, and putting something else there.
 * Only whole lines are found and replaced. One thread at a time.
 */

#include <stdbool.h>

#include "base/buffer.h"
#include "edit/lines.h"
#include "openevolve/edit.h"

struct oe__target {
	struct oe__buffer text; /* between two LF, so that every line has both its ends */
	struct oe__lines lines; /* of it, when `split`                                   */
	bool split;
};

/* Where a search text belongs. */
struct oe__place {
	size_t offset, size;    /* the lines without the last one's LF */
	size_t line, count;     /* the same in lines, from 1           */
	int level;              /* enum oe_edit_level                  */
	oe_bytes indent;        /* of the place, and ...               */
	oe_bytes search_indent; /* ... of the search text, if the level is SHIFTED */
};

/* `code` is copied. The target is written to in any case: release it always. */
int oe__target_init(struct oe__target *target, oe_bytes code);
void oe__target_done(struct oe__target *target);

/* The text as it is now; valid until it changes. */
oe_bytes oe__target_text(const struct oe__target *target);

/*
 * Find `search` at the first level that has any place: as it is, then with blanks at the ends of
 * lines forgiven, then also a shift. Without `tolerant` only as it is.
 *
 * Returns how many places there are: 0, 1, or 2 for several, with the first in `*place`.
 */
int oe__target_find(struct oe__target *target, oe_bytes search, bool tolerant,
					struct oe__place *place);

/*
 * Put `replacement` at `place`, moved as far as the search text was. Returns 1 if that is done, 0
 * if some line cannot be moved so. OE_ERR_LIMIT: the text would become larger than a program may
 * be.
 */
int oe__target_replace(struct oe__target *target, const struct oe__place *place,
					   oe_bytes replacement);

OE__AUTO_VALUE(target, struct oe__target, oe__target_done)

#endif /* OE__EDIT_TARGET_H */
