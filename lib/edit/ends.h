#ifndef OE__EDIT_ENDS_H
#define OE__EDIT_ENDS_H

/*
 * White space at the ends of a text and of its lines. Pure functions; any thread.
 */

#include <stddef.h>

#include "base/buffer.h"
#include "openevolve/common.h"

/* White space as Python's str.strip() knows it: ASCII, the separators of Unicode, U+0085. */
size_t oe__space_before(const char *text, size_t size); /* bytes of it at the start */
size_t oe__space_after(const char *text, size_t size);  /* bytes of it at the end   */
oe_bytes oe__trimmed(oe_bytes text);

/* Bytes of spaces and tabs at the start; of spaces, tabs and stray CR, VT, FF at the end. */
size_t oe__blanks_before(const char *text, size_t size);
size_t oe__blanks_after(const char *text, size_t size);

size_t oe__count_lf(const char *text, size_t size);

#endif /* OE__EDIT_ENDS_H */
