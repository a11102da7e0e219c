#include "base/pack.h"

#include <string.h>

#define LAST_SHIFT 63 /* of a number's tenth byte, which has one bit */

/* ---- writing ---- */

void oe__pack_uint(struct oe__buffer *out, uint64_t value)
{
	char bytes[10];
	size_t size = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[size++] = (char)(value | 0x80);
	bytes[size++] = (char)value;
	oe__buffer_append(out, bytes, size);
}

void oe__pack_int(struct oe__buffer *out, int64_t value)
{
	uint64_t bits = (uint64_t)value << 1;
	oe__pack_uint(out, value < 0 ? ~bits : bits);
}

void oe__pack_real(struct oe__buffer *out, double value)
{
	char bytes[sizeof(value)];
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(bits >> 8 * i);
	oe__buffer_append(out, bytes, sizeof(bytes));
}

/* Its NUL goes along, so that it can be borrowed. */
void oe__pack_text(struct oe__buffer *out, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;

	oe__pack_uint(out, size);
	oe__buffer_append(out, text, size);
}

void oe__pack_sized(struct oe__buffer *out, const void *data, size_t size)
{
	oe__pack_uint(out, size);
	oe__buffer_append(out, data, size);
}

/* ---- reading ---- */

uint64_t oe__unpack_fail(struct oe__unpack *in)
{
	in->at = in->end;
	in->broken = true;
	return 0;
}

uint64_t oe__unpack_uint(struct oe__unpack *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; in->at < in->end; shift += 7) {
		unsigned char byte = *in->at++;

		if (shift == LAST_SHIFT && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	return oe__unpack_fail(in);
}

int64_t oe__unpack_int(struct oe__unpack *in)
{
	uint64_t bits = oe__unpack_uint(in);
	return (int64_t)(bits & 1 ? ~(bits >> 1) : bits >> 1);
}

double oe__unpack_real(struct oe__unpack *in)
{
	const unsigned char *bytes = oe__unpack_raw(in, sizeof(double));
	uint64_t bits = 0;
	double value;

	for (size_t i = 0; bytes && i < sizeof(bits); i++)
		bits |= (uint64_t)bytes[i] << 8 * i;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool oe__unpack_bool(struct oe__unpack *in)
{
	return oe__unpack_between(in, 0, 1) != 0;
}

int64_t oe__unpack_between(struct oe__unpack *in, int64_t min, int64_t max)
{
	int64_t value = oe__unpack_int(in);

	if (value >= min && value <= max)
		return value;
	(void)oe__unpack_fail(in);
	return min;
}

size_t oe__unpack_count(struct oe__unpack *in)
{
	uint64_t count = oe__unpack_uint(in);
	return count <= oe__unpack_left(in) ? (size_t)count : (size_t)oe__unpack_fail(in);
}

const void *oe__unpack_raw(struct oe__unpack *in, size_t size)
{
	const unsigned char *bytes = in->at;

	if (size > oe__unpack_left(in)) {
		(void)oe__unpack_fail(in);
		return NULL;
	}
	in->at += size;
	return in->broken ? NULL : bytes;
}

const void *oe__unpack_sized(struct oe__unpack *in, size_t *size)
{
	*size = oe__unpack_count(in);
	return oe__unpack_raw(in, *size);
}

const char *oe__unpack_text(struct oe__unpack *in)
{
	size_t size;
	const char *text = oe__unpack_sized(in, &size);

	if (size == 0)
		return NULL;
	if (memchr(text, '\0', size) == text + size - 1)
		return text;
	(void)oe__unpack_fail(in);
	return NULL;
}
