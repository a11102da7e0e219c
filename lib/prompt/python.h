#ifndef OE__PROMPT_PYTHON_H
#define OE__PROMPT_PYTHON_H

/*
 * What Python's str(), repr(), ascii(), str.strip() and bytes.decode() make of a value: OpenEvolve's
 * templates and prompts show lists, maps and numbers in this spelling. Pure functions; any thread.
 */

#include "base/buffer.h"
#include "base/value.h"

/* str.isspace() of one character. */
bool oe__python_is_space(uint32_t code_point);

/* Bytes of white space at the start and at the end of valid UTF-8, as str.strip() takes them. */
size_t oe__python_leading_space(const char *text, size_t size);
size_t oe__python_trailing_space(const char *text, size_t size);

/* bytes.decode("utf-8", "replace"): one U+FFFD for the longest part of a broken sequence that could
   have become a character, as Unicode recommends. */
int oe__python_decode(struct oe__buffer *out, const char *bytes, size_t size);

/* repr() of text, or ascii(), which escapes everything beyond ASCII as well. */
int oe__python_repr(struct oe__buffer *out, const char *text, size_t size);
int oe__python_ascii(struct oe__buffer *out, const char *text, size_t size);

/* str() of a value that was read from JSON: text as it is, everything else as repr() shows it. */
int oe__python_str(struct oe__buffer *out, const struct oe__value *value);

#endif /* OE__PROMPT_PYTHON_H */
