#include "config/yaml_scalar.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/text.h"

/* ---- resolving ---- */

/* Bytes at `s` that are in `set`. */
static size_t span(const char *s, const char *end, const char *set)
{
	const char *c = s;
	while (c < end && *c != '\0' && strchr(set, *c))
		c++;
	return (size_t)(c - s);
}

static bool is_digit(const char *s, const char *end)
{
	return s < end && *s >= '0' && *s <= '9';
}

static const char *skip_sign(const char *s, const char *end)
{
	return s < end && (*s == '-' || *s == '+') ? s + 1 : s;
}

/* One or more of ":" and a number below 60; NULL if there is none. */
static const char *skip_sixtieths(const char *s, const char *end)
{
	const char *start = s;

	while (s + 1 < end && *s == ':' && is_digit(s + 1, end)) {
		s += s[1] <= '5' && is_digit(s + 2, end) ? 3 : 2;
	}
	return s > start ? s : NULL;
}

static bool is_int(const char *text, const char *end)
{
	const char *s = skip_sign(text, end);

	if (!is_digit(s, end))
		return false;
	if (*s == '0') {
		if (s + 2 < end && (s[1] == 'b' || s[1] == 'x'))
			return s + 2 + span(s + 2, end, s[1] == 'b' ? "01_" : "0123456789abcdefABCDEF_") == end;
		return s + 1 + span(s + 1, end, "01234567_") == end;
	}
	s += span(s, end, "0123456789_");
	return s == end || skip_sixtieths(s, end) == end;
}

static bool is_float(const char *text, const char *end)
{
	static const char *const names[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN" };
	const char *s = skip_sign(text, end);

	for (size_t i = 0; i < OE__COUNT(names); i++)
		if (end - s == 4 && memcmp(s, names[i], 4) == 0)
			return i < 3 || s == text; /* a NaN has no sign */
	if (is_digit(s, end)) {
		s += span(s, end, "0123456789_");
		const char *sixtieths = skip_sixtieths(s, end);
		if (sixtieths)
			return sixtieths < end && *sixtieths == '.' &&
				   sixtieths + 1 + span(sixtieths + 1, end, "0123456789_") == end;
		if (s == end || *s++ != '.')
			return false;
	} else if (s != text || s == end || *s++ != '.' || !is_digit(s, end)) {
		return false; /* without digits before the dot: no sign, but digits behind it */
	}
	s += span(s, end, "0123456789_");
	if (s == end)
		return true;
	if ((*s != 'e' && *s != 'E') || s + 1 == end || (s[1] != '-' && s[1] != '+'))
		return false;
	return is_digit(s + 2, end) && s + 2 + span(s + 2, end, "0123456789") == end;
}

struct moment {
	int year, month, day, hour, minute, second, microsecond;
	bool has_time, has_zone;
	int zone_minutes;
};

/* Between `low` and `high` digits; -1 if there are fewer. */
static int number(const char **s, const char *end, int low, int high)
{
	int value = 0, count = 0;

	for (; count < high && is_digit(*s, end); count++)
		value = value * 10 + (*(*s)++ - '0');
	return count < low ? -1 : value;
}

static bool literal(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	(*s)++;
	return true;
}

static bool match_zone(const char *s, const char *end, struct moment *out)
{
	s += span(s, end, " \t");
	out->has_zone = true;
	if (literal(&s, end, 'Z'))
		return s == end;
	int sign = s < end && *s == '-' ? -1 : 1;
	if (s == end || (*s != '-' && *s != '+'))
		return false;
	s++;
	int hours = number(&s, end, 1, 2), minutes = 0;
	if (hours >= 0 && literal(&s, end, ':'))
		minutes = number(&s, end, 2, 2);
	out->zone_minutes = sign * (hours * 60 + minutes);
	return hours >= 0 && minutes >= 0 && s == end;
}

static bool match_time(const char *s, const char *end, struct moment *out)
{
	size_t blanks = span(s, end, " \t");

	if (blanks == 0 && !literal(&s, end, 'T') && !literal(&s, end, 't'))
		return false;
	s += blanks;
	out->has_time = true;
	out->hour = number(&s, end, 1, 2);
	if (out->hour < 0 || !literal(&s, end, ':') || (out->minute = number(&s, end, 2, 2)) < 0 ||
		!literal(&s, end, ':') || (out->second = number(&s, end, 2, 2)) < 0)
		return false;
	if (literal(&s, end, '.')) {
		for (int scale = 100000; is_digit(s, end); s++, scale /= 10)
			out->microsecond += scale * (*s - '0'); /* further digits have scale 0 */
	}
	return s == end || match_zone(s, end, out);
}

/* A date, or a date and a time; `strict` as for plain text, where a date alone has all its digits.
 */
static bool match_moment(const char *s, const char *end, bool strict, struct moment *out)
{
	const char *start = s;

	*out = (struct moment){ 0 };
	out->year = number(&s, end, 4, 4);
	if (out->year < 0 || !literal(&s, end, '-') || (out->month = number(&s, end, 1, 2)) < 0 ||
		!literal(&s, end, '-') || (out->day = number(&s, end, 1, 2)) < 0)
		return false;
	if (s == end)
		return !strict || end - start == 10;
	return match_time(s, end, out);
}

enum oe__yaml_type oe__yaml_resolve(const char *text, size_t size)
{
	static const char *const bools[] = {
		"yes",   "Yes",   "YES",   "no", "No", "NO", "true", "True", "TRUE",
		"false", "False", "FALSE", "on", "On", "ON", "off",  "Off",  "OFF",
	};
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
	const char *end = text + size;
	struct moment moment;

	for (size_t i = 0; i < OE__COUNT(bools); i++)
		if (strlen(bools[i]) == size && memcmp(text, bools[i], size) == 0)
			return OE__YAML_BOOL;
	for (size_t i = 0; i < OE__COUNT(nulls); i++)
		if (strlen(nulls[i]) == size && memcmp(text, nulls[i], size) == 0)
			return OE__YAML_NULL;
	if (size == 2 && memcmp(text, "<<", 2) == 0)
		return OE__YAML_MERGE;
	if (size == 1 && *text == '=')
		return OE__YAML_DEFAULT;
	if (is_float(text, end))
		return OE__YAML_FLOAT;
	if (is_int(text, end))
		return OE__YAML_INT;
	if (match_moment(text, end, true, &moment))
		return OE__YAML_TIMESTAMP;
	return OE__YAML_STR;
}

/* ---- integers of any size ---- */

#define LIMB       1000000000u
#define DIGITS_MAX 4300 /* what Python reads; more is a mistake, not a number */

/* A magnitude, least significant limb first. */
struct natural {
	uint32_t limbs[DIGITS_MAX / 9 + 2];
	size_t count;
};

/* value = value * factor + addend; false when it gets too large. */
static bool scale_and_add(struct natural *value, uint32_t factor, uint32_t addend)
{
	uint64_t carry = addend;

	for (size_t i = 0; i < value->count; i++) {
		carry += (uint64_t)value->limbs[i] * factor;
		value->limbs[i] = (uint32_t)(carry % LIMB);
		carry /= LIMB;
	}
	if (carry == 0)
		return true;
	if (value->count == OE__COUNT(value->limbs))
		return false;
	value->limbs[value->count++] = (uint32_t)carry;
	return true;
}

/* Digits of a base, at least one; underscores do not count. */
static bool read_digits(const char *s, const char *end, unsigned base, struct natural *out)
{
	bool any = false;

	for (; s < end; s++) {
		if (*s == '_')
			continue;
		unsigned digit = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
						 : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
						 : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A') + 10
												  : 16;
		if (digit >= base || !scale_and_add(out, base, digit))
			return false;
		any = true;
	}
	return any;
}

static bool read_sixtieths(const char *s, const char *end, struct natural *out)
{
	const char *colon = memchr(s, ':', (size_t)(end - s));

	if (!read_digits(s, colon, 10, out))
		return false;
	while (colon < end) {
		struct natural part = { .count = 0 };
		const char *start = colon + 1;
		colon = memchr(start, ':', (size_t)(end - start));
		if (!colon)
			colon = end;
		if (!read_digits(start, colon, 10, &part) || part.count > 1 ||
			!scale_and_add(out, 60, part.count ? part.limbs[0] : 0))
			return false;
	}
	return true;
}

static int set_integer(const struct natural *value, bool negative, struct oe__value *out)
{
	__extension__ unsigned __int128 magnitude = 0;
	OE__AUTO(buffer) struct oe__buffer digits = OE__BUFFER_INIT(2 * DIGITS_MAX);

	for (size_t i = value->count; value->count <= 3 && i-- > 0;)
		magnitude = magnitude * LIMB + value->limbs[i];
	if (value->count <= 3 && magnitude <= (uint64_t)INT64_MAX + (negative ? 1u : 0u)) {
		out->type = OE__VALUE_INT;
		out->integer = (int64_t)(negative ? 0 - (uint64_t)magnitude : (uint64_t)magnitude);
		out->real = (double)out->integer;
		return 0;
	}
	if (negative)
		oe__buffer_char(&digits, '-');
	oe__buffer_printf(&digits, "%u", value->limbs[value->count - 1]);
	for (size_t i = value->count - 1; i-- > 0;)
		oe__buffer_printf(&digits, "%09u", value->limbs[i]);
	if (digits.status < 0)
		return digits.status;
	out->tag = "bigint";
	(void)oe__parse_real(digits.data, digits.size, &out->real);
	return oe__value_set_string(out, digits.data, digits.size);
}

static int construct_int(const char *s, const char *end, struct oe__value *out,
						 const char **problem)
{
	struct natural value = { .count = 0 };
	bool read;

	*problem = "not an integer";
	while (s < end && (oe__is_space(*s) || *s == '_'))
		s++;
	while (end > s && oe__is_space(end[-1]))
		end--;
	bool negative = s < end && *s == '-';
	s = skip_sign(s, end);
	if (end - s >= 2 && *s == '0' && s[1] == 'b')
		read = read_digits(s + 2, end, 2, &value);
	else if (end - s >= 2 && *s == '0' && s[1] == 'x')
		read = read_digits(s + 2, end, 16, &value);
	else if (end - s >= 2 && *s == '0')
		read = read_digits(s[1] == 'o' || s[1] == 'O' ? s + 2 : s, end, 8, &value);
	else if (s < end && memchr(s, ':', (size_t)(end - s)))
		read = read_sixtieths(s, end, &value);
	else
		read = read_digits(s, end, 10, &value);
	return read ? set_integer(&value, negative, out) : OE_ERR_CONFIG;
}

/* ---- the other types ---- */

static bool parse_part(const char *s, const char *end, double *out)
{
	while (s < end && oe__is_space(*s))
		s++;
	while (end > s && oe__is_space(end[-1]))
		end--;
	return oe__parse_real(s, (size_t)(end - s), out);
}

static bool sum_sixtieths(const char *s, const char *end, double *out)
{
	double sum = 0, part;

	for (;;) {
		const char *colon = memchr(s, ':', (size_t)(end - s));
		if (!parse_part(s, colon ? colon : end, &part))
			return false;
		sum = sum * 60 + part;
		if (!colon)
			break;
		s = colon + 1;
	}
	*out = sum;
	return true;
}

static int construct_float(const char *text, size_t size, struct oe__value *out,
						   const char **problem)
{
	OE__AUTO(buffer) struct oe__buffer plain = OE__BUFFER_INIT(0);
	double value = 0;

	for (size_t i = 0; i < size; i++)
		if (text[i] != '_')
			oe__buffer_char(&plain, text[i]);
	if (plain.status < 0)
		return plain.status;
	const char *s = oe__buffer_string(&plain), *end = s + plain.size;
	bool negative = *s == '-', read = true;
	const char *unsigned_part = skip_sign(s, end);

	if (oe__equal_nocase(unsigned_part, ".inf"))
		value = HUGE_VAL;
	else if (oe__equal_nocase(unsigned_part, ".nan"))
		value = (double)NAN;
	else if (memchr(s, ':', plain.size))
		read = sum_sixtieths(unsigned_part, end, &value);
	else
		read = parse_part(unsigned_part, end, &value);
	if (!read) {
		*problem = "not a number";
		return OE_ERR_CONFIG;
	}
	out->type = OE__VALUE_REAL;
	out->real = negative ? -value : value;
	return 0;
}

static int construct_bool(const char *text, size_t size, struct oe__value *out,
						  const char **problem)
{
	static const char *const words[] = { "no", "false", "off", "yes", "true", "on" };
	char word[8] = "";

	if (size < sizeof(word))
		memcpy(word, text, size);
	for (size_t i = 0; i < OE__COUNT(words); i++)
		if (oe__equal_nocase(word, words[i])) {
			out->type = OE__VALUE_BOOL;
			out->boolean = i >= 3;
			return 0;
		}
	*problem = "not a boolean";
	return OE_ERR_CONFIG;
}

static bool exists(const struct moment *m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = m->year % 4 == 0 && (m->year % 100 != 0 || m->year % 400 == 0);

	return m->year >= 1 && m->month >= 1 && m->month <= 12 && m->day >= 1 &&
		   m->day <= days[m->month - 1] + (leap && m->month == 2) && m->hour < 24 &&
		   m->minute < 60 && m->second < 60 && m->zone_minutes > -1440 && m->zone_minutes < 1440;
}

/* The text in ISO 8601, as Python's isoformat() has it. */
static int construct_moment(const char *text, size_t size, struct oe__value *out,
							const char **problem)
{
	OE__AUTO(buffer) struct oe__buffer iso = OE__BUFFER_INIT(64);
	struct moment m;

	if (!match_moment(text, text + size, false, &m) || !exists(&m)) {
		*problem = "not a date or time";
		return OE_ERR_CONFIG;
	}
	oe__buffer_printf(&iso, "%04d-%02d-%02d", m.year, m.month, m.day);
	if (m.has_time)
		oe__buffer_printf(&iso, "T%02d:%02d:%02d", m.hour, m.minute, m.second);
	if (m.microsecond != 0)
		oe__buffer_printf(&iso, ".%06d", m.microsecond);
	int zone = m.zone_minutes < 0 ? -m.zone_minutes : m.zone_minutes;
	if (m.has_zone)
		oe__buffer_printf(&iso, "%c%02d:%02d", m.zone_minutes < 0 ? '-' : '+', zone / 60,
						  zone % 60);
	if (iso.status < 0)
		return iso.status;
	out->tag = m.has_time ? "timestamp" : "date";
	return oe__value_set_string(out, iso.data, iso.size);
}

int oe__yaml_construct_binary(const char *text, size_t size, struct oe__value *out,
							  const char **problem)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
	uint32_t bits = 0;
	unsigned have = 0, padding = 0;

	for (size_t i = 0; i < size; i++) {
		const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
		if (text[i] == '=' && have >= 2 && have + ++padding >= 4)
			break; /* what follows the padding does not count */
		if ((unsigned char)text[i] >= 0x80) {
			*problem = "not base64";
			return OE_ERR_CONFIG;
		}
		if (!at)
			continue; /* blanks and line ends */
		padding = 0;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		if (++have == 1)
			continue;
		oe__buffer_char(&bytes, (char)(bits >> (have == 2 ? 4 : have == 3 ? 2 : 0)));
		if (have == 4)
			have = 0;
	}
	if (bytes.status < 0)
		return bytes.status;
	if (have != 0 && have + padding < 4) {
		*problem = "not base64";
		return OE_ERR_CONFIG;
	}
	out->tag = "binary";
	return oe__value_set_string(out, oe__buffer_string(&bytes), bytes.size);
}

int oe__yaml_construct(enum oe__yaml_type type, const char *text, size_t size,
					   struct oe__value *out, const char **problem)
{
	switch (type) {
	case OE__YAML_STR:
		return oe__value_set_string(out, text, size);
	case OE__YAML_NULL:
		return 0;
	case OE__YAML_BOOL:
		return construct_bool(text, size, out, problem);
	case OE__YAML_INT:
		return construct_int(text, text + size, out, problem);
	case OE__YAML_FLOAT:
		return construct_float(text, size, out, problem);
	case OE__YAML_TIMESTAMP:
		return construct_moment(text, size, out, problem);
	case OE__YAML_MERGE:
	case OE__YAML_DEFAULT:
		break;
	}
	*problem = "'<<' and '=' are no values: quote them";
	return OE_ERR_CONFIG;
}
