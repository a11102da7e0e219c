#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json.h"
#include "base/text.h"

/* ---- structure ---- */

static void newline(struct oe__json_writer *writer)
{
	if (writer->indent == 0)
		return;
	oe__buffer_char(writer->out, '\n');
	for (int i = 0; i < writer->depth * writer->indent; i++)
		oe__buffer_char(writer->out, ' ');
}

/* What comes between the items. */
static void begin(struct oe__json_writer *writer)
{
	if (writer->key) {
		writer->key = false;
		return;
	}
	if (writer->comma)
		oe__buffer_text(writer->out, writer->indent > 0 ? "," : ", ");
	if (writer->depth > 0)
		newline(writer);
}

static void open_nested(struct oe__json_writer *writer, char c)
{
	begin(writer);
	oe__buffer_char(writer->out, c);
	writer->depth++;
	writer->comma = false;
}

static void close_nested(struct oe__json_writer *writer, char c)
{
	writer->depth--;
	if (writer->comma)
		newline(writer);
	oe__buffer_char(writer->out, c);
	writer->comma = true;
}

void oe__json_map(struct oe__json_writer *writer)
{
	open_nested(writer, '{');
}

void oe__json_map_end(struct oe__json_writer *writer)
{
	close_nested(writer, '}');
}

void oe__json_list(struct oe__json_writer *writer)
{
	open_nested(writer, '[');
}

void oe__json_list_end(struct oe__json_writer *writer)
{
	close_nested(writer, ']');
}

void oe__json_key_sized(struct oe__json_writer *writer, const char *key, size_t size)
{
	oe__json_string_sized(writer, key, size);
	oe__buffer_text(writer->out, ": ");
	writer->key = true;
	writer->comma = true;
}

void oe__json_key(struct oe__json_writer *writer, const char *key)
{
	oe__json_key_sized(writer, key, strlen(key));
}

/* ---- scalars ---- */

void oe__json_raw(struct oe__json_writer *writer, const char *json, size_t size)
{
	begin(writer);
	oe__buffer_append(writer->out, json, size);
	writer->comma = true;
}

void oe__json_null(struct oe__json_writer *writer)
{
	oe__json_raw(writer, "null", 4);
}

void oe__json_bool(struct oe__json_writer *writer, bool value)
{
	oe__json_raw(writer, value ? "true" : "false", value ? 4 : 5);
}

void oe__json_int(struct oe__json_writer *writer, int64_t value)
{
	begin(writer);
	oe__buffer_printf(writer->out, "%lld", (long long)value);
	writer->comma = true;
}

void oe__json_real(struct oe__json_writer *writer, double value)
{
	char text[OE__REAL_TEXT_MAX];

	if (isfinite(value))
		oe__json_raw(writer, text, oe__format_real(value, text));
	else if (!writer->python)
		oe__json_null(writer);
	else
		oe__json_raw(writer, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity",
		             isnan(value) ? 3 : value > 0 ? 8 : 9);
}

void oe__json_string_sized(struct oe__json_writer *writer, const char *text, size_t size)
{
	begin(writer);
	oe__buffer_char(writer->out, '"');
	oe__json_escape(writer->out, text, size);
	oe__buffer_char(writer->out, '"');
	writer->comma = true;
}

void oe__json_string(struct oe__json_writer *writer, const char *text)
{
	if (text)
		oe__json_string_sized(writer, text, strlen(text));
	else
		oe__json_null(writer);
}

void oe__json_put(struct oe__json_writer *writer, const struct oe__value *value)
{
	switch (value->type) {
	case OE__VALUE_NULL:
		oe__json_null(writer);
		break;
	case OE__VALUE_BOOL:
		oe__json_bool(writer, value->boolean);
		break;
	case OE__VALUE_INT:
		oe__json_int(writer, value->integer);
		break;
	case OE__VALUE_REAL:
		oe__json_real(writer, value->real);
		break;
	case OE__VALUE_STRING:
		oe__json_string_sized(writer, value->string, value->size);
		break;
	case OE__VALUE_LIST:
		oe__json_list(writer);
		for (size_t i = 0; i < value->size; i++)
			oe__json_put(writer, &value->items[i]);
		oe__json_list_end(writer);
		break;
	case OE__VALUE_MAP:
		oe__json_map(writer);
		for (size_t i = 0; i < value->size; i++) {
			const struct oe__value *key = &value->keys[i];
			oe__json_key_sized(writer, key->string ? key->string : "", key->string ? key->size : 0);
			oe__json_put(writer, &value->items[i]);
		}
		oe__json_map_end(writer);
		break;
	}
}

/* ---- escaping ---- */

/* Bytes that stand for themselves: from 0x20 to 0x7f but " and \. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static size_t plain_run(const char *text, size_t size)
{
	size_t i = 0;
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i lowest = _mm_set1_epi8(0x20);
	for (; i + 16 <= size; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
		/* Signed: bytes from 0x80 are below 0x20 too. */
		__m128i special = _mm_or_si128(
			_mm_cmplt_epi8(bytes, lowest),
			_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)));
		int mask = _mm_movemask_epi8(special);
		if (mask != 0)
			return i + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	while (i < size && is_plain((unsigned char)text[i]))
		i++;
	return i;
}

/* Append a run that stands for itself with the escape of what ends it: mostly a line and its end, so
   that this is what the time goes into. */
static void append_escaped(struct oe__buffer *out, const char *text, size_t run, char letter)
{
	if (oe__buffer_reserve(out, run + 2) < 0)
		return;
	char *at = out->data + out->size;
	memcpy(at, text, run);
	at[run] = '\\';
	at[run + 1] = letter;
	at[run + 2] = '\0';
	out->size += run + 2;
}

static void escape_other(struct oe__buffer *out, const char **text, size_t *size)
{
	char bytes[4];

	if ((unsigned char)**text < 0x80) {
		oe__buffer_printf(out, "\\u%04x", (unsigned char)**text);
		++*text;
		--*size;
	} else {
		uint32_t code = oe__utf8_next(text, size);
		oe__buffer_append(out, bytes, oe__utf8_encode(code, bytes));
	}
}

int oe__json_escape(struct oe__buffer *out, const char *text, size_t size)
{
	static const char letters[128] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
		['\t'] = 't', ['"'] = '"',  ['\\'] = '\\',
	};

	/* Room for the usual text with its line ends, so that the loop hardly ever grows it; but what
	   fits under the cap must not fail for what may not be needed. */
	size_t size_max = out->size_max > 0 ? out->size_max : OE__FILE_MAX;
	size_t room = size_max - out->size;
	if (size <= room)
		oe__buffer_reserve(out, size + size / 16 <= room ? size + size / 16 : room);
	while (size > 0 && out->status == 0) {
		size_t run = plain_run(text, size);
		unsigned char next = run < size ? (unsigned char)text[run] : 0;
		if (next < 0x80 && letters[next]) {
			append_escaped(out, text, run, letters[next]);
			text += run + 1;
			size -= run + 1;
			continue;
		}
		oe__buffer_append(out, text, run);
		text += run;
		size -= run;
		if (size > 0)
			escape_other(out, &text, &size);
	}
	return out->status;
}
