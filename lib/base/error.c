#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Cut a text that does not fit at a character boundary, and keep it on one printable line. */
static void tidy(char *text, size_t capacity)
{
	size_t size = strlen(text);

	if (size + 1 >= capacity)
		while (size > 0 && ((unsigned char)text[size - 1] & 0x80)) {
			unsigned char last = (unsigned char)text[--size];
			text[size] = '\0';
			if (last >= 0xc0)
				break;
		}
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
}

OE__PRINTF(6, 0)
static int fill(oe_error *err, int status, const char *where, int line, int column,
                const char *format, va_list arguments)
{
	if (!err)
		return status;
	/* The arguments may point into `err` itself: format first, then overwrite. */
	oe_error made = { .status = status, .line = line, .column = column };
	(void)vsnprintf(made.message, sizeof(made.message), format, arguments);
	if (where)
		(void)snprintf(made.where, sizeof(made.where), "%s", where);
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

int oe__error_errno(oe_error *err, const char *format, ...)
{
	int code = errno;
	int status = code == ENOMEM ? OE_ERR_NOMEM : OE_ERR_IO;
	oe_error made;
	char reason[128];
	va_list arguments;

	va_start(arguments, format);
	fill(&made, status, NULL, 0, 0, format, arguments);
	va_end(arguments);
	return oe__error(err, status, "%s: %s", made.message, strerror_r(code, reason, sizeof(reason)));
}

int oe__error_nomem(oe_error *err)
{
	return oe__error(err, OE_ERR_NOMEM, "out of memory");
}

const char *oe__errno_text(int code)
{
	const char *text = strerrordesc_np(code);
	return text ? text : "unknown error";
}
