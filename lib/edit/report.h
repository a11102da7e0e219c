#ifndef OE__EDIT_REPORT_H
#define OE__EDIT_REPORT_H

/*
 * What an edit says about itself: to people, to programs, to the next prompt. Any thread.
 */

#include "edit/edit.h"

/*
 * Append one line per block, as OpenEvolve's metadata.changes has it:
 *     Change 1: 'old' to 'new'
 *     Change 2: Replace 3 lines with new line
 * Without `all`, only for those that were applied.
 */
int oe__edit_summarise(const oe_edit *edit, bool all, struct oe__buffer *out);

/* Append one sentence per block that was not applied, up to a few. */
int oe__edit_explain_blocks(const oe_edit *edit, struct oe__buffer *out);

/*
 * Append what the author of the edit should know before the next try: the message, and for each
 * block without a place the lines of `parent` that come nearest. Several lines; "" if all is well.
 */
int oe__edit_report(const oe_edit *edit, oe_bytes parent, struct oe__buffer *out);

#endif /* OE__EDIT_REPORT_H */
