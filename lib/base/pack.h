#ifndef OE__BASE_PACK_H
#define OE__BASE_PACK_H

/*
 * Values as bytes, and back, for what only this library reads again: whole numbers in as few bytes as
 * they need, reals to the bit, the same on machines of either byte order.
 *
 * Reading trusts nothing: what lies behind the end is 0, or empty, and the reader is broken from then
 * on. So read as much as is wanted, and look once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

void oe__pack_uint(struct oe__buffer *out, uint64_t value); /* seven bits a byte */
void oe__pack_int(struct oe__buffer *out, int64_t value);   /* small ones of either sign are short */
void oe__pack_real(struct oe__buffer *out, double value);
void oe__pack_text(struct oe__buffer *out, const char *text); /* may be NULL */
void oe__pack_sized(struct oe__buffer *out, const void *data, size_t size);

struct oe__unpack {
	const unsigned char *at, *end;
	bool broken;
};

static inline struct oe__unpack oe__unpack_begin(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	return (struct oe__unpack){ bytes, bytes + size, false };
}

static inline size_t oe__unpack_left(const struct oe__unpack *in)
{
	return (size_t)(in->end - in->at);
}

/* It is broken, for what was read makes no sense. @return 0 */
uint64_t oe__unpack_fail(struct oe__unpack *in);

uint64_t oe__unpack_uint(struct oe__unpack *in);
int64_t oe__unpack_int(struct oe__unpack *in);
double oe__unpack_real(struct oe__unpack *in);
bool oe__unpack_bool(struct oe__unpack *in); /* of a whole number that is 0 or 1 */

/* Whole numbers within bounds. */
int64_t oe__unpack_between(struct oe__unpack *in, int64_t min, int64_t max);

/* How many items follow, of at least one byte each: so no more than there are bytes, and memory for them
   is bounded by the input. */
size_t oe__unpack_count(struct oe__unpack *in);

/* Borrowed; NULL for NULL, and if broken. A text has no NUL within. */
const char *oe__unpack_text(struct oe__unpack *in);
const void *oe__unpack_raw(struct oe__unpack *in, size_t size);
const void *oe__unpack_sized(struct oe__unpack *in, size_t *size);

#endif /* OE__BASE_PACK_H */
