/*
 * White space and line ends, see ends.h.
 *
 * The original trims with Python's strip(), which also removes white space beyond ASCII; sections
 * and programs would differ from its results otherwise.
 */

#include "edit/ends.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

static bool is_space(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
		   c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t oe__space_before(const char *text, size_t size)
{
	const char *cursor = text;
	size_t rest = size;

	while (rest > 0) {
		const char *here = cursor;
		if (!is_space(oe__utf8_next(&cursor, &rest)))
			return (size_t)(here - text);
	}
	return size;
}

/* Bytes of the code point that ends at `size`. */
static size_t last_size(const char *text, size_t size)
{
	size_t count = 1;

	while (count < 4 && count < size && ((unsigned char)text[size - count] & 0xc0) == 0x80)
		count++;
	return count;
}

size_t oe__space_after(const char *text, size_t size)
{
	size_t end = size;

	while (end > 0) {
		size_t count = 1;
		uint32_t c = (unsigned char)text[end - 1];
		if (c >= 0x80) {
			count = last_size(text, end);
			const char *cursor = text + end - count;
			size_t rest = count;
			c = oe__utf8_next(&cursor, &rest);
			if (rest > 0)
				break; /* not one whole code point: invalid, so no white space */
		}
		if (!is_space(c))
			break;
		end -= count;
	}
	return size - end;
}

oe_bytes oe__trimmed(oe_bytes text)
{
	const char *start = text.data;
	size_t before = oe__space_before(start, text.size);
	size_t size = text.size - before;

	if (size == 0)
		return (oe_bytes){ "", 0 };
	start += before;
	return (oe_bytes){ start, size - oe__space_after(start, size) };
}

size_t oe__blanks_before(const char *text, size_t size)
{
	size_t count = 0;

	while (count < size && (text[count] == ' ' || text[count] == '\t'))
		count++;
	return count;
}

size_t oe__blanks_after(const char *text, size_t size)
{
	size_t count = 0;

	while (count < size) {
		char c = text[size - count - 1];
		if (c != ' ' && c != '\t' && c != '\r' && c != '\v' && c != '\f')
			break;
		count++;
	}
	return count;
}

size_t oe__count_lf(const char *text, size_t size)
{
	const char *end = text + size;
	size_t count = 0;

	while (size > 0 && (text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		count++;
		text++;
	}
	return count;
}
