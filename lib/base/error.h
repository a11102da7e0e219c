#ifndef OE__BASE_ERROR_H
#define OE__BASE_ERROR_H

/*
 * Failing in one line: fill in the caller's oe_error and give back the status.
 * Messages are lower case, one clause, name the thing in quotes and say what was expected.
 */

#include <stdarg.h>

#include "openevolve/common.h"

#define OE__PRINTF(at, first) __attribute__((format(printf, at, first)))

/* `err` may be NULL. Long messages are cut at a character boundary. Control characters of foreign
   text and what is not UTF-8 are replaced, so a message is always one printable line. */
int oe__error(oe_error *err, int status, const char *format, ...) OE__PRINTF(3, 4);

/* The same with a place: file, option or URL, line and column from 1 (0 = unknown). Of a long one the end. */
int oe__error_at(oe_error *err, int status, const char *where, int line, int column,
                 const char *format, ...) OE__PRINTF(6, 7);

/* "what: strerror(errno)" as OE_ERR_IO (OE_ERR_NOMEM for ENOMEM). Of both, "what" is cut. */
int oe__error_errno(oe_error *err, const char *format, ...) OE__PRINTF(2, 3);

int oe__error_nomem(oe_error *err);

/* What an errno means, in the language of the C locale; static. */
const char *oe__errno_text(int code);

#endif /* OE__BASE_ERROR_H */
