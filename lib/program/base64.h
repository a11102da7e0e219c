#ifndef OE__PROGRAM_BASE64_H
#define OE__PROGRAM_BASE64_H

/* Base64 (RFC 4648, with padding), for bytes inside of JSON. Pure functions; any thread. */

#include "base/buffer.h"

int oe__base64_append(struct oe__buffer *out, const void *data, size_t size);

/* Strict: whole groups of four, padding only at the end. @retval OE_ERR_FORMAT anything else. */
int oe__base64_decode(struct oe__buffer *out, const char *text, size_t size);

#endif /* OE__PROGRAM_BASE64_H */
