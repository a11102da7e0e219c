#ifndef OE__BASE_LINE_ENDS_H
#define OE__BASE_LINE_ENDS_H

/*
 * LF and CRLF. What reads lines works on LF, and gives back what there was. Pure functions; any
 * thread.
 */

#include <stdbool.h>

#include "base/buffer.h"
#include "openevolve/common.h"

/* At least one line, and every line end is CRLF. */
bool oe__is_crlf(oe_bytes text);

/* Append `text` with CRLF turned into LF, or LF into CRLF. */
int oe__append_lf(struct oe__buffer *out, oe_bytes text);
int oe__append_crlf(struct oe__buffer *out, oe_bytes text);

#endif /* OE__BASE_LINE_ENDS_H */
