#ifndef OE__PROMPT_FORMAT_H
#define OE__PROMPT_FORMAT_H

/*
 * Python's format specifications ("Format Specification Mini-Language" of its library reference):
 * what stands behind the colon of {value:>10.4f}. Text, integers and reals; the locale's type "n"
 * counts as the plain one. Pure functions; any thread.
 */

#include "base/buffer.h"

/* Append `text`, integer or real as Python's format(value, spec) gives it.
   OE_ERR_CONFIG: Python would raise an error; `err` says why. */
int oe__format_text(struct oe__buffer *out, const char *text, size_t size, oe_bytes spec,
					oe_error *err);
int oe__format_int(struct oe__buffer *out, int64_t value, oe_bytes spec, oe_error *err);
int oe__format_float(struct oe__buffer *out, double value, oe_bytes spec, oe_error *err);

#endif /* OE__PROMPT_FORMAT_H */
