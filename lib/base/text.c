#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/locale.h"

/* ---- UTF-8 ---- */

/* Size of the valid sequence at `s`, or 0. */
static size_t sequence(const unsigned char *s, size_t size)
{
	size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3
	                : s[0] < 0xf5 ? 4 : 0;
	if (length == 0 || length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0; /* overlong, a surrogate, or beyond U+10FFFF */
	return length;
}

/* Bytes of plain ASCII at the start, eight at a time. */
static size_t ascii_run(const char *text, size_t size)
{
	size_t i = 0;
	uint64_t eight;

	while (i + 8 <= size) {
		memcpy(&eight, text + i, 8);
		if (eight & 0x8080808080808080ull)
			break;
		i += 8;
	}
	while (i < size && !((unsigned char)text[i] & 0x80))
		i++;
	return i;
}

bool oe__utf8_valid(const char *text, size_t size)
{
	for (size_t i = 0; i < size;) {
		i += ascii_run(text + i, size - i);
		if (i == size)
			break;
		size_t length = sequence((const unsigned char *)text + i, size - i);
		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

uint32_t oe__utf8_next(const char **text, size_t *size)
{
	const unsigned char *s = (const unsigned char *)*text;
	size_t length = sequence(s, *size);
	uint32_t code = 0xfffd;

	if (length == 1)
		code = s[0];
	else if (length == 2)
		code = (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
	else if (length == 3)
		code = (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 | (s[2] & 0x3f);
	else if (length == 4)
		code = (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 |
		       (uint32_t)(s[2] & 0x3f) << 6 | (s[3] & 0x3f);
	else
		length = 1;
	*text += length;
	*size -= length;
	return code;
}

size_t oe__utf8_encode(uint32_t code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		code = 0xfffd;
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

size_t oe__utf8_length(const char *text, size_t size)
{
	size_t count = 0;

	while (size > 0) {
		size_t plain = ascii_run(text, size);
		count += plain;
		text += plain;
		size -= plain;
		if (size > 0) {
			(void)oe__utf8_next(&text, &size);
			count++;
		}
	}
	return count;
}

size_t oe__utf8_prefix(const char *text, size_t size, size_t count)
{
	const char *at = text;
	size_t left = size;

	for (; count > 0 && left > 0; count--)
		(void)oe__utf8_next(&at, &left);
	return size - left;
}

size_t oe__utf8_beginning(const char *text, size_t size, size_t size_max)
{
	if (size <= size_max)
		return size;
	/* At most three bytes of a character are behind its first: bytes of another kind have none. */
	for (size = size_max; size > 0 && size_max - size < 3; size--)
		if (((unsigned char)text[size] & 0xc0) != 0x80)
			break;
	return size;
}

int oe__utf8_append_lossy(struct oe__buffer *buffer, const char *text, size_t size)
{
	while (size > 0) {
		const char *start = text;
		size_t length = ascii_run(text, size);
		if (length == 0)
			length = sequence((const unsigned char *)text, size);
		if (length == 0) {
			oe__buffer_append(buffer, "\xef\xbf\xbd", 3);
			length = 1;
		} else {
			oe__buffer_append(buffer, start, length);
		}
		text += length;
		size -= length;
	}
	return buffer->status;
}

/* ---- numbers ---- */

bool oe__parse_int(const char *text, size_t size, int64_t *out)
{
	size_t i = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
	int64_t value = 0;

	if (i == size)
		return false;
	for (; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		int digit = text[i] - '0';
		if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
		    __builtin_sub_overflow(value, (int64_t)digit, &value)) /* negative: reaches INT64_MIN */
			return false;
	}
	if (text[0] != '-' && value == INT64_MIN)
		return false;
	*out = text[0] == '-' ? value : -value;
	return true;
}

bool oe__parse_real(const char *text, size_t size, double *out)
{
	char small[64];
	char *end;

	if (size == 0 || oe__is_space(text[0]) || memchr(text, 'x', size) || memchr(text, 'X', size) ||
	    memchr(text, '(', size))
		return false;
	char *copy = size < sizeof(small) ? small : oe__malloc(size + 1);
	if (!copy)
		return false;
	memcpy(copy, text, size);
	copy[size] = '\0';
	double value = strtod_l(copy, &end, oe__locale_plain());
	bool whole = (size_t)(end - copy) == size;
	if (copy != small)
		oe__free(copy);
	if (whole)
		*out = value;
	return whole;
}

/* Digits and exponent of the shortest decimal that reads back equal. */
static int shortest(double value, char digits[32])
{
	char text[40];
	double back;

	OE__LOCALE_PLAIN();
	/* 15 digits always survive, but for subnormal numbers, which have fewer. */
	for (int precision = value < 0x1p-1022 ? 0 : 14; precision <= 16; precision++) {
		(void)snprintf(text, sizeof(text), "%.*e", precision, value);
		if (precision == 16 ||
		    (oe__parse_real(text, strlen(text), &back) && back == value))
			break;
	}
	size_t n = 0;
	const char *c = text;
	for (; *c && *c != 'e'; c++)
		if (*c != '.')
			digits[n++] = *c;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	int64_t exponent = 0;
	(void)oe__parse_int(c + 1, strlen(c + 1), &exponent);
	return (int)exponent;
}

size_t oe__format_real(double value, char out[OE__REAL_TEXT_MAX])
{
	char digits[32];
	size_t n = 0;

	if (isnan(value))
		return (size_t)snprintf(out, OE__REAL_TEXT_MAX, "nan");
	if (signbit(value))
		out[n++] = '-';
	if (isinf(value))
		return n + (size_t)snprintf(out + n, OE__REAL_TEXT_MAX - n, "inf");
	if (value == 0)
		return n + (size_t)snprintf(out + n, OE__REAL_TEXT_MAX - n, "0.0");

	int exponent = shortest(fabs(value), digits);
	int count = (int)strlen(digits);
	if (exponent < -4 || exponent >= 16) {
		out[n++] = digits[0];
		if (count > 1) {
			out[n++] = '.';
			memcpy(out + n, digits + 1, (size_t)count - 1);
			n += (size_t)count - 1;
		}
		return n + (size_t)snprintf(out + n, OE__REAL_TEXT_MAX - n, "e%c%02d",
		                            exponent < 0 ? '-' : '+', abs(exponent));
	}
	if (exponent < 0) {
		out[n++] = '0';
		out[n++] = '.';
		for (int i = -1; i > exponent; i--)
			out[n++] = '0';
	}
	for (int i = 0; i < count || i <= exponent; i++) {
		out[n++] = i < count ? digits[i] : '0';
		if (i == exponent)
			out[n++] = '.';
	}
	if (out[n - 1] == '.')
		out[n++] = '0';
	out[n] = '\0';
	return n;
}

/* Decimals that fixed_fast() writes, and the largest number of their units that it takes: the
   product with the scale is then off by less than a tenth of FIXED_DOUBT. */
#define FIXED_DECIMALS 9
#define FIXED_MAX      0x1p40
#define FIXED_DOUBT    1e-3
#define FIXED_TEXT_MAX 32

/* The common case without printf: false where the binary value is too near the middle between two
   decimals for the rounding of the product to be trusted. */
static bool fixed_fast(double value, int decimals, char out[FIXED_TEXT_MAX], size_t *size)
{
	static const double scales[FIXED_DECIMALS + 1] = { 1e0, 1e1, 1e2, 1e3, 1e4,
	                                                   1e5, 1e6, 1e7, 1e8, 1e9 };
	char *at = out + FIXED_TEXT_MAX;

	if (decimals < 1 || decimals > FIXED_DECIMALS)
		return false;
	double units = fabs(value) * scales[decimals];
	if (!(units < FIXED_MAX))
		return false;
	uint64_t whole = (uint64_t)units;
	double rest = units - (double)whole;
	if (fabs(rest - 0.5) < FIXED_DOUBT)
		return false;
	whole += rest > 0.5;
	for (int i = 0; i < decimals; i++, whole /= 10)
		*--at = (char)('0' + whole % 10);
	*--at = '.';
	do
		*--at = (char)('0' + whole % 10);
	while ((whole /= 10) > 0);
	if (signbit(value))
		*--at = '-';
	*size = (size_t)(out + FIXED_TEXT_MAX - at);
	memmove(out, at, *size);
	return true;
}

int oe__append_fixed(struct oe__buffer *buffer, double value, int decimals)
{
	char text[FIXED_TEXT_MAX];
	size_t size;

	if (isnan(value))
		return oe__buffer_text(buffer, "nan");
	if (isinf(value))
		return oe__buffer_text(buffer, value < 0 ? "-inf" : "inf");
	if (fixed_fast(value, decimals, text, &size))
		return oe__buffer_append(buffer, text, size);
	return oe__buffer_printf(buffer, "%.*f", decimals, value);
}

/* ---- bytes and lines ---- */

bool oe__line_next(const char **cursor, const char *end, struct oe__line *line)
{
	if (*cursor >= end)
		return false;
	const char *feed = memchr(*cursor, '\n', (size_t)(end - *cursor));
	const char *stop = feed ? feed : end;

	line->text = *cursor;
	line->size = (size_t)(stop - *cursor);
	line->end_size = feed ? 1 : 0;
	if (feed && line->size > 0 && stop[-1] == '\r') {
		line->size--;
		line->end_size = 2;
	}
	*cursor = feed ? feed + 1 : end;
	return true;
}

bool oe__has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool oe__has_suffix(const char *text, const char *suffix)
{
	size_t size = strlen(text), suffix_size = strlen(suffix);
	return size >= suffix_size && memcmp(text + size - suffix_size, suffix, suffix_size) == 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool oe__equal_nocase(const char *a, const char *b)
{
	for (; *a && lower(*a) == lower(*b); a++, b++)
		continue;
	return lower(*a) == lower(*b);
}

const char *oe__find(const char *text, size_t size, const char *what, size_t what_size)
{
	return what_size == 0 ? text : memmem(text, size, what, what_size);
}

bool oe__is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- names ---- */

size_t oe__name_distance(const char *a, const char *b)
{
	size_t row[129];
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size > 128 || b_size > 128)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_size; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_size; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t swap = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			size_t gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
			row[j] = swap < gap ? swap : gap;
		}
	}
	return row[b_size];
}
