#ifndef OE__CONFIG_PATTERN_SYNTAX_H
#define OE__CONFIG_PATTERN_SYNTAX_H

/*
 * A regular expression of Python's `re`, said in the syntax of PCRE2. Any thread.
 */

#include "base/buffer.h"
#include "base/error.h"

/*
 * Append to `out` what PCRE2 (with DOTALL, UTF and UCP) has to be given so that it matches what
 * Python 3.11 does. What only one of the two understands is refused: OE_ERR_CONFIG, with the
 * column.
 */
int oe__pattern_translate(const char *pattern, size_t size, struct oe__buffer *out, oe_error *err);

#endif /* OE__CONFIG_PATTERN_SYNTAX_H */
