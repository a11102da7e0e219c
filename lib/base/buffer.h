#ifndef OE__BASE_BUFFER_H
#define OE__BASE_BUFFER_H

/*
 * Growing bytes with a cap. Failures stick: append as often as needed, look at `status` once.
 * The bytes are always NUL-terminated once anything was appended or oe__buffer_text() was called.
 */

#include <stdarg.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

struct oe__buffer {
	char *data;
	size_t size;
	size_t capacity;
	size_t size_max; /* 0 means OE__FILE_MAX                        */
	int status;      /* first failure: OE_ERR_NOMEM or OE_ERR_LIMIT */
};

#define OE__BUFFER_INIT(max) { NULL, 0, 0, (max), 0 }

int oe__buffer_append(struct oe__buffer *buffer, const void *data, size_t size);
int oe__buffer_text(struct oe__buffer *buffer, const char *text);
int oe__buffer_char(struct oe__buffer *buffer, char c);
int oe__buffer_printf(struct oe__buffer *buffer, const char *format, ...) OE__PRINTF(2, 3);
int oe__buffer_vprintf(struct oe__buffer *buffer, const char *format, va_list arguments)
	OE__PRINTF(2, 0);
int oe__buffer_reserve(struct oe__buffer *buffer, size_t more); /* room without growing size */

/* Cut to `size`, which must not be larger than the current one. Keeps the memory. */
void oe__buffer_truncate(struct oe__buffer *buffer, size_t size);
void oe__buffer_clear(struct oe__buffer *buffer); /* size 0, status 0, memory kept */
void oe__buffer_done(struct oe__buffer *buffer);  /* frees; the buffer is empty and usable again */

/* Contents as a string that the caller frees with oe__free(); NULL after a failure. */
char *oe__buffer_steal(struct oe__buffer *buffer, size_t *size);

/* Contents as a borrowed string: "" when empty. */
const char *oe__buffer_string(const struct oe__buffer *buffer);

OE__AUTO_VALUE(buffer, struct oe__buffer, oe__buffer_done)

#endif /* OE__BASE_BUFFER_H */
