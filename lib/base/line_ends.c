#include "base/line_ends.h"

#include <string.h>

bool oe__is_crlf(oe_bytes text)
{
	const char *start = text.data;
	const char *end = start + text.size;
	const char *cursor = start;
	const char *lf;

	if (text.size == 0)
		return false;
	while ((lf = memchr(cursor, '\n', (size_t)(end - cursor))) != NULL) {
		if (lf == start || lf[-1] != '\r')
			return false;
		cursor = lf + 1;
	}
	return cursor != start;
}

/* Append `text` line by line: each end (CRLF or LF) goes, `with` comes instead. */
static int append_ends(struct oe__buffer *out, oe_bytes text, const char *with)
{
	const char *cursor = text.data;
	const char *end = cursor + text.size;

	if (oe__buffer_reserve(out, text.size) < 0)
		return out->status;
	while (cursor < end) {
		const char *lf = memchr(cursor, '\n', (size_t)(end - cursor));
		if (!lf)
			return oe__buffer_append(out, cursor, (size_t)(end - cursor));
		size_t size = (size_t)(lf - cursor);
		if (size > 0 && lf[-1] == '\r')
			size--;
		oe__buffer_append(out, cursor, size);
		oe__buffer_text(out, with);
		cursor = lf + 1;
	}
	return out->status;
}

int oe__append_lf(struct oe__buffer *out, oe_bytes text)
{
	return text.size == 0 ? out->status : append_ends(out, text, "\n");
}

int oe__append_crlf(struct oe__buffer *out, oe_bytes text)
{
	return text.size == 0 ? out->status : append_ends(out, text, "\r\n");
}
