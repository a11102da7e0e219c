#ifndef OE__BASE_TEXT_H
#define OE__BASE_TEXT_H

/*
 * Text: UTF-8, numbers without a locale, lines, names that look alike. Pure functions; any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* ---- UTF-8 ---- */

bool oe__utf8_valid(const char *text, size_t size); /* strict: no surrogates, no overlong forms */

/* Decode one code point; invalid bytes give U+FFFD and advance by one. `*size` is the rest. */
uint32_t oe__utf8_next(const char **text, size_t *size);
size_t oe__utf8_encode(uint32_t code_point, char out[4]); /* surrogates and beyond: U+FFFD */

/* Code points, as Python's len() counts them. */
size_t oe__utf8_length(const char *text, size_t size);

/* Bytes of the first `count` code points. */
size_t oe__utf8_prefix(const char *text, size_t size, size_t count);

/* Bytes of the longest beginning of at most `size_max` bytes that ends between two code points. */
size_t oe__utf8_beginning(const char *text, size_t size, size_t size_max);

/* Append with invalid bytes replaced by U+FFFD. */
int oe__utf8_append_lossy(struct oe__buffer *buffer, const char *text, size_t size);

/* ---- numbers ---- */

/* Whole text must be the number; no locale, no leading or trailing blanks. */
bool oe__parse_int(const char *text, size_t size, int64_t *out);
bool oe__parse_real(const char *text, size_t size, double *out); /* also nan, inf, infinity */

/* Shortest text that reads back equal, spelled as Python's repr(): 1.0, 1e+16, nan, inf, -inf. */
#define OE__REAL_TEXT_MAX 32
size_t oe__format_real(double value, char out[OE__REAL_TEXT_MAX]);

/* Python's format(value, ".<decimals>f"), with inf, -inf and nan spelled as such. */
int oe__append_fixed(struct oe__buffer *buffer, double value, int decimals);

/* ---- bytes and lines ---- */

struct oe__line {
	const char *text; /* without its end */
	size_t size;
	size_t end_size; /* 0 at the end of the text, 1 for LF, 2 for CRLF */
};

/* Next line of [*cursor, end); false when nothing is left. A final LF makes no extra empty line. */
bool oe__line_next(const char **cursor, const char *end, struct oe__line *line);

bool oe__has_prefix(const char *text, const char *prefix);
bool oe__has_suffix(const char *text, const char *suffix);
bool oe__equal_nocase(const char *a, const char *b); /* ASCII */
const char *oe__find(const char *text, size_t size, const char *what, size_t what_size);
bool oe__is_space(char c); /* ASCII blanks of the C locale */

/* ---- names ---- */

/* Levenshtein distance of two short ASCII names (at most 128 bytes each; longer: SIZE_MAX). */
size_t oe__name_distance(const char *a, const char *b);

#endif /* OE__BASE_TEXT_H */
