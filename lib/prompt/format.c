/*
 * Python's format specifications. Numbers are taken apart into sign, prefix, digits and the rest, so
 * that grouping and padding find their places.
 */

#include "prompt/format.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"

struct spec {
	char fill[4];
	size_t fill_size;
	char align; /* < > = ^; 0: the default of the type */
	char sign;  /* + - blank; 0 */
	bool alternate;
	int64_t width;     /* -1: none */
	char grouping;     /* , _; 0 */
	int64_t precision; /* -1: none */
	char type;         /* 0: none */
};

static bool is_align(char c)
{
	return c == '<' || c == '>' || c == '=' || c == '^';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int bad(oe_error *err, oe_bytes spec, const char *why)
{
	return oe__error(err, OE_ERR_CONFIG, "format specification '%.*s': %s", (int)spec.size,
					 (const char *)spec.data, why);
}

/* Number of the digits at *c, or -1 where there are none. */
static int64_t take_number(const char **c, const char *end)
{
	int64_t value = 0;

	if (*c == end || !is_digit(**c))
		return -1;
	for (; *c < end && is_digit(**c); (*c)++)
		if (value <= OE__FORMAT_MAX)
			value = value * 10 + (**c - '0');
	return value;
}

/* Fill and alignment. */
static void take_align(const char **c, const char *end, struct spec *out)
{
	const char *next = *c;
	size_t left = (size_t)(end - *c);

	if (left == 0)
		return;
	(void)oe__utf8_next(&next, &left);
	if (left > 0 && is_align(*next)) {
		out->fill_size = (size_t)(next - *c);
		memcpy(out->fill, *c, out->fill_size);
		out->align = *next;
		*c = next + 1;
	} else if (is_align(**c)) {
		out->align = *(*c)++;
	}
}

static bool take(const char **c, const char *end, char what)
{
	if (*c == end || **c != what)
		return false;
	(*c)++;
	return true;
}

static int parse(oe_bytes text, bool number, struct spec *out, oe_error *err)
{
	const char *c = text.data, *end = c + text.size;

	*out = (struct spec){ .fill = " ", .width = -1, .precision = -1 };
	take_align(&c, end, out);
	if (c < end && (*c == '+' || *c == '-' || *c == ' '))
		out->sign = *c++;
	out->alternate = take(&c, end, '#');
	if (out->fill_size == 0 && take(&c, end, '0')) {
		out->fill[0] = '0';
		if (out->align == 0 && number)
			out->align = '=';
	}
	if (out->fill_size == 0)
		out->fill_size = 1;
	out->width = take_number(&c, end);
	if (c < end && (*c == ',' || *c == '_'))
		out->grouping = *c++;
	if (take(&c, end, '.')) {
		out->precision = take_number(&c, end);
		if (out->precision < 0)
			return bad(err, text, "the precision is missing");
	}
	if (end - c > 1)
		return bad(err, text, "not understood");
	if (c < end)
		out->type = *c;
	if (out->type == 'n' && out->grouping)
		return bad(err, text, "type n brings its own grouping");
	if (out->width > OE__FORMAT_MAX || out->precision > OE__FORMAT_MAX)
		return bad(err, text, "the number is too large");
	return 0;
}

static void fill(struct oe__buffer *out, const struct spec *spec, int64_t count)
{
	for (; count > 0 && out->status == 0; count--)
		oe__buffer_append(out, spec->fill, spec->fill_size);
}

/* ---- text ---- */

int oe__format_text(struct oe__buffer *out, const char *text, size_t size, oe_bytes given,
					oe_error *err)
{
	struct spec spec;
	int status = parse(given, false, &spec, err);

	if (status < 0)
		return status;
	if (spec.type && spec.type != 's')
		return bad(err, given, "the type does not suit text");
	if (spec.sign || spec.alternate || spec.grouping || spec.align == '=')
		return bad(err, given, "sign, '#', '=' and grouping do not suit text");
	if (spec.precision >= 0)
		size = oe__utf8_prefix(text, size, (size_t)spec.precision);

	int64_t pad = spec.width > 0 ? spec.width - (int64_t)oe__utf8_length(text, size) : 0;
	int64_t before = pad <= 0 || spec.align == 0 || spec.align == '<' ? 0
					 : spec.align == '>'                              ? pad
																	  : pad / 2;
	fill(out, &spec, before);
	oe__buffer_append(out, text, size);
	fill(out, &spec, pad - before);
	return out->status;
}

/* ---- numbers ---- */

struct number {
	char prefix[4]; /* sign and 0x */
	const char *digits;
	size_t digit_count;
	const char *rest; /* point, exponent, percent sign; or nothing */
	size_t rest_size;
};

/* How wide `count` digits are with a separator after each `group` of them. */
static int64_t grouped_width(int64_t count, int64_t group)
{
	return count + (count - 1) / group;
}

static int64_t zeros_in_front(const struct spec *spec, const struct number *number, int64_t group)
{
	int64_t room = spec->width - (int64_t)strlen(number->prefix) - (int64_t)number->rest_size;
	int64_t zeros = 0, count = (int64_t)number->digit_count;

	/* Python never lets a number begin with a separator, even if it gets too wide. */
	while (grouped_width(count + zeros, group) < room)
		zeros++;
	return zeros;
}

static void append_digits(struct oe__buffer *out, const struct spec *spec,
						  const struct number *number, int64_t group)
{
	/* nan and inf have no digits, and zeros before them form no groups. */
	bool zeros_too = spec->grouping && spec->align == '=' && spec->fill[0] == '0' &&
					 number->digit_count > 0;
	int64_t zeros = zeros_too ? zeros_in_front(spec, number, group) : 0;
	int64_t count = (int64_t)number->digit_count + zeros;

	for (int64_t i = 0; i < count && out->status == 0; i++) {
		if (spec->grouping && i > 0 && (count - i) % group == 0)
			oe__buffer_char(out, spec->grouping);
		oe__buffer_char(out, i < zeros ? '0' : number->digits[i - zeros]);
	}
}

static int append_number(struct oe__buffer *out, const struct spec *spec,
						 const struct number *number, int64_t group)
{
	OE__AUTO(buffer) struct oe__buffer digits = OE__BUFFER_INIT(0);

	append_digits(&digits, spec, number, group);
	if (digits.status < 0)
		return digits.status;
	size_t rest = oe__utf8_length(number->rest, number->rest_size); /* it may be one character */
	int64_t width = (int64_t)(strlen(number->prefix) + digits.size + rest);
	int64_t pad = spec->width > width ? spec->width - width : 0;
	char align = spec->align ? spec->align : '>';

	fill(out, spec, align == '>' ? pad : align == '^' ? pad / 2 : 0);
	oe__buffer_text(out, number->prefix);
	fill(out, spec, align == '=' ? pad : 0);
	oe__buffer_append(out, digits.data, digits.size);
	oe__buffer_append(out, number->rest, number->rest_size);
	fill(out, spec, align == '<' ? pad : align == '^' ? pad - pad / 2 : 0);
	return out->status;
}

static void set_sign(struct number *number, const struct spec *spec, bool negative)
{
	if (negative)
		number->prefix[0] = '-';
	else if (spec->sign == '+' || spec->sign == ' ')
		number->prefix[0] = spec->sign;
}

static const char *real_types = "eEfFgGn%";

static int append_code_point(struct oe__buffer *out, int64_t value, struct spec *spec,
							 oe_bytes given, oe_error *err)
{
	char text[4];

	if (spec->sign || spec->alternate || spec->grouping || value < 0 || value > 0x10ffff)
		return bad(err, given, "not a character");
	struct number number = { .digits = text, .rest = "" };
	number.rest = text; /* never grouped */
	number.rest_size = oe__utf8_encode((uint32_t)value, text);
	return append_number(out, spec, &number, 3);
}

static int integer_base(char type)
{
	return type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10;
}

int oe__format_int(struct oe__buffer *out, int64_t value, oe_bytes given, oe_error *err)
{
	struct spec spec;
	char digits[72];
	int status = parse(given, true, &spec, err);

	if (status < 0)
		return status;
	if (spec.type && spec.type != 'n' && strchr(real_types, spec.type))
		return oe__format_float(out, (double)value, given, err);
	if (spec.precision >= 0)
		return bad(err, given, "integers have no precision");
	if (spec.type == 'c')
		return append_code_point(out, value, &spec, given, err);
	if (spec.type && !strchr("bdoxXn", spec.type))
		return bad(err, given, "the type does not suit an integer");
	int base = integer_base(spec.type);
	if (spec.grouping == ',' && base != 10)
		return bad(err, given, "',' groups decimal digits only");

	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char *at = digits + sizeof(digits);
	do
		*--at = (spec.type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[left % (uint64_t)base];
	while ((left /= (uint64_t)base) > 0);

	struct number number = { .digits = at, .rest = "" };
	number.digit_count = (size_t)(digits + sizeof(digits) - at);
	set_sign(&number, &spec, value < 0);
	if (spec.alternate && base != 10) {
		size_t n = strlen(number.prefix);
		number.prefix[n] = '0';
		number.prefix[n + 1] = spec.type;
	}
	return append_number(out, &spec, &number, base == 10 ? 3 : 4);
}

/* ---- reals ---- */

static void print_real(struct oe__buffer *out, char conversion, int precision, double value)
{
	if (conversion == 'f')
		oe__append_fixed(out, value, precision);
	else
		oe__buffer_printf(out, "%.*e", precision, value);
}

/* Zeros behind the point that say nothing, before an exponent or at the end. */
static void drop_zeros(struct oe__buffer *out)
{
	char *exponent = memchr(out->data, 'e', out->size);
	size_t size = exponent ? (size_t)(exponent - out->data) : out->size, keep = size;

	if (!memchr(out->data, '.', size))
		return;
	while (out->data[keep - 1] == '0')
		keep--;
	if (out->data[keep - 1] == '.')
		keep--;
	memmove(out->data + keep, out->data + size, out->size - size);
	oe__buffer_truncate(out, keep + out->size - size);
}

/* `precision` significant digits, fixed or with an exponent, whichever is shorter. Without a type
   (`plain`) a number keeps at least one digit behind its point. */
static void print_general(struct oe__buffer *out, int precision, bool keep_zeros, bool plain,
						  double value)
{
	int64_t exponent = 0;

	precision = precision > 0 ? precision : 1;
	print_real(out, 'e', precision - 1, value);
	if (out->status < 0)
		return;
	const char *e = memchr(out->data, 'e', out->size);
	if (e)
		(void)oe__parse_int(e + 1, (size_t)(out->data + out->size - e) - 1, &exponent);
	bool fixed = exponent >= -4 && exponent < precision - (plain ? 1 : 0);
	if (fixed) {
		oe__buffer_clear(out);
		print_real(out, 'f', (int)(precision - 1 - exponent), value);
	}
	if (out->status == 0 && !keep_zeros)
		drop_zeros(out);
	if (fixed && plain && out->status == 0 && !memchr(out->data, '.', out->size))
		oe__buffer_text(out, ".0");
}

static void print_value(struct oe__buffer *out, const struct spec *spec, double value)
{
	char shortest[OE__REAL_TEXT_MAX];
	char type = spec->type | 0x20;
	int precision = spec->precision >= 0 ? (int)spec->precision : 6;

	if (!isfinite(value))
		oe__buffer_text(out, isnan(value) ? "nan" : "inf");
	else if (spec->type == 0 && spec->precision < 0)
		oe__buffer_append(out, shortest, oe__format_real(value, shortest));
	else if (spec->type == '%')
		print_real(out, 'f', precision, value * 100);
	else if (spec->type != 0 && (type == 'e' || type == 'f'))
		print_real(out, type, precision, value);
	else
		print_general(out, precision, spec->alternate, spec->type == 0, value);
	if (spec->type == '%')
		oe__buffer_char(out, '%');
	for (size_t i = 0; out->status == 0 && i < out->size; i++)
		if ((spec->type == 'E' || spec->type == 'F' || spec->type == 'G') && out->data[i] >= 'a' &&
			out->data[i] <= 'z')
			out->data[i] = (char)(out->data[i] - 0x20);
}

/* '#' keeps the point of a number without decimals. */
static void keep_point(struct oe__buffer *text)
{
	size_t at = 0;

	while (at < text->size && is_digit(text->data[at]))
		at++;
	if (at == 0 || (at < text->size && text->data[at] == '.'))
		return;
	if (oe__buffer_char(text, '.') < 0)
		return;
	memmove(text->data + at + 1, text->data + at, text->size - 1 - at);
	text->data[at] = '.';
}

int oe__format_float(struct oe__buffer *out, double value, oe_bytes given, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct spec spec;
	int status = parse(given, true, &spec, err);

	if (status < 0)
		return status;
	if (spec.type && !strchr(real_types, spec.type))
		return bad(err, given, "the type does not suit a number");
	print_value(&text, &spec, fabs(value));
	if (text.status == 0 && spec.alternate)
		keep_point(&text);
	if (text.status < 0)
		return text.status;

	struct number number = { .digits = text.data };
	while (number.digit_count < text.size && is_digit(text.data[number.digit_count]))
		number.digit_count++;
	number.rest = text.data + number.digit_count;
	number.rest_size = text.size - number.digit_count;
	set_sign(&number, &spec, signbit(value) && !isnan(value));
	return append_number(out, &spec, &number, 3);
}
