#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/locale.h"
#include "base/text.h"

/* Bytes without the beginning of a character that was cut off. */
static size_t whole(const char *text, size_t size)
{
	size_t last = size;

	while (last > 0 && size - last < 3 && ((unsigned char)text[last - 1] & 0xc0) == 0x80)
		last--;
	unsigned char lead = last > 0 ? (unsigned char)text[last - 1] : 0;
	size_t wanted = lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	return wanted > size - last + 1 ? last - 1 : size;
}

/* One printable line of UTF-8, whatever foreign text is in it: control characters become blanks,
   bytes that are no text a question mark. */
static void tidy(char *text, size_t capacity)
{
	size_t size = strlen(text), left;

	if (size + 1 == capacity)
		text[size = whole(text, size)] = '\0';
	left = size;
	for (const char *at = text; left > 0;) {
		char *start = text + (at - text);
		uint32_t code = oe__utf8_next(&at, &left);
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			memset(start, ' ', (size_t)(at - start));
		else if (code == 0xfffd && at - start == 1)
			*start = '?';
	}
}

/* Of a place that is too long the end: a path ends in the file that is meant. */
static void set_where(oe_error *made, const char *where)
{
	size_t size = strlen(where);

	if (size < sizeof(made->where)) {
		memcpy(made->where, where, size + 1);
		return;
	}
	where += size - (sizeof(made->where) - 4);
	while (((unsigned char)*where & 0xc0) == 0x80)
		where++; /* the rest of a character */
	(void)snprintf(made->where, sizeof(made->where), "...%s", where);
}

OE__PRINTF(6, 0)
static int fill(oe_error *err, int status, const char *where, int line, int column,
                const char *format, va_list arguments)
{
	if (!err)
		return status;
	OE__LOCALE_PLAIN();
	/* The arguments may point into `err` itself: format first, then overwrite. */
	oe_error made = { .status = status, .line = line, .column = column };
	(void)vsnprintf(made.message, sizeof(made.message), format, arguments);
	if (where)
		set_where(&made, where);
	tidy(made.message, sizeof(made.message));
	tidy(made.where, sizeof(made.where));
	*err = made;
	return status;
}

int oe__error(oe_error *err, int status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(err, status, NULL, 0, 0, format, arguments);
	va_end(arguments);
	return status;
}

int oe__error_at(oe_error *err, int status, const char *where, int line, int column,
                 const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fill(err, status, where, line, column, format, arguments);
	va_end(arguments);
	return status;
}

const char *oe__errno_text(int code)
{
	const char *text = strerrordesc_np(code);
	return text ? text : "unknown error";
}

int oe__error_errno(oe_error *err, const char *format, ...)
{
	int code = errno;
	int status = code == ENOMEM ? OE_ERR_NOMEM : OE_ERR_IO;
	oe_error made;
	va_list arguments;

	va_start(arguments, format);
	fill(&made, status, NULL, 0, 0, format, arguments);
	va_end(arguments);
	/* A long path must not push the reason out. */
	const char *reason = oe__errno_text(code);
	size_t size = strlen(made.message), size_max = sizeof(made.message) - strlen(reason) - 3;
	if (size > size_max)
		size = whole(made.message, size_max);
	return oe__error(err, status, "%.*s: %s", (int)size, made.message, reason);
}

int oe__error_nomem(oe_error *err)
{
	return oe__error(err, OE_ERR_NOMEM, "out of memory");
}
