/*
 * Base64. OpenEvolve writes artifacts that are bytes this way.
 */

#include "program/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int oe__base64_append(struct oe__buffer *out, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
						 (left > 2 ? (uint32_t)bytes[i + 2] : 0);
		char text[4] = { digits[group >> 18], digits[group >> 12 & 63],
						 left > 1 ? digits[group >> 6 & 63] : '=',
						 left > 2 ? digits[group & 63] : '=' };
		int status = oe__buffer_append(out, text, sizeof(text));

		if (status < 0)
			return status;
	}
	return 0;
}

static int digit_of(char c)
{
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

int oe__base64_decode(struct oe__buffer *out, const char *text, size_t size)
{
	if (size % 4 != 0)
		return OE_ERR_FORMAT;
	for (size_t i = 0; i < size; i += 4) {
		size_t padding = 0;
		uint32_t group = 0;

		if (i + 4 == size)
			padding =
				(size_t)(text[i + 3] == '=') + (size_t)(text[i + 3] == '=' && text[i + 2] == '=');
		for (size_t k = 0; k < 4 - padding; k++) {
			int digit = digit_of(text[i + k]);

			if (digit < 0)
				return OE_ERR_FORMAT;
			group |= (uint32_t)digit << (18 - 6 * k);
		}
		uint8_t bytes[3] = { (uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group };
		int status = oe__buffer_append(out, bytes, 3 - padding);

		if (status < 0)
			return status;
	}
	return 0;
}
