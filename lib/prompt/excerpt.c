/*
 * Excerpts. A text much longer than its limit is not filtered as a whole: a window at its head (and
 * one at its tail) is, large enough that what is cut off reaches past whatever the filter looks at.
 */

#include "prompt/excerpt.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "prompt/filter.h"
#include "prompt/python.h"
#include "prompt/template.h"

/* Bytes of a window beyond what is shown of it. */
#define WINDOW_SLACK 4096

static unsigned steps_of(const struct oe__excerpt_options *options)
{
	unsigned steps = options->redact ? OE__FILTER_ESCAPES | OE__FILTER_SECRETS : 0;

	if (options->style == OE__STYLE_SAFE)
		steps |= OE__FILTER_ESCAPES | OE__FILTER_CONTROLS | (options->redact ? OE__FILTER_KEYS : 0);
	return steps;
}

static int append_filtered(struct oe__buffer *out, const char *text, size_t size,
						   const struct oe__excerpt_options *options)
{
	OE__AUTO(buffer) struct oe__buffer decoded = OE__BUFFER_INIT(out->size_max);

	if (oe__utf8_valid(text, size))
		return oe__filter_append(out, text, size, steps_of(options));
	int status = oe__python_decode(&decoded, text, size);
	if (status == 0)
		status = oe__filter_append(out, decoded.data, decoded.size, steps_of(options));
	return status;
}

/* ---- windows ---- */

static size_t window_size(const struct oe__excerpt_options *options)
{
	size_t chars = (size_t)options->chars_max;

	return chars > OE__PROMPT_MAX ? OE__PROMPT_MAX : chars * 4 + WINDOW_SLACK;
}

/* Where a window may end so that no word is cut in two: half a secret would not be recognised. */
static size_t word_end(const char *text, size_t size)
{
	size_t end = size;

	while (end > 0 && size - end < WINDOW_SLACK && !oe__is_space(text[end - 1]))
		end--;
	return end > 0 && oe__is_space(text[end - 1]) ? end : size;
}

static size_t word_start(const char *text, size_t from, size_t size)
{
	size_t start = from;

	while (start < size && start - from < WINDOW_SLACK && !oe__is_space(text[start]))
		start++;
	return start < size && oe__is_space(text[start]) ? start : from;
}

/* ---- cutting ---- */

/* Bytes before the last `count` characters. */
static size_t before_last(const char *text, size_t size, size_t count)
{
	size_t at = size;

	while (at > 0 && count > 0) {
		at--;
		while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
			at--;
		count--;
	}
	return at;
}

static void keep_head(struct oe__buffer *out, size_t from, size_t chars)
{
	if (out->status == 0)
		oe__buffer_truncate(out, from + oe__utf8_prefix(out->data + from, out->size - from, chars));
}

static int append_gap(struct oe__buffer *out, size_t size, bool tail,
					  const struct oe__excerpt_options *options, oe_error *err)
{
	oe__buffer_char(out, '\n');
	int status = options->write_gap(options->self, size, out, err);

	if (status == 0 && tail)
		oe__buffer_char(out, '\n');
	return status < 0 ? status : out->status;
}

/* Characters shown before the gap. */
static size_t head_chars(const struct oe__excerpt_options *options)
{
	size_t chars = (size_t)options->chars_max;

	return options->style == OE__STYLE_SAFE ? chars - chars / 2 : chars;
}

/* The text was filtered as a whole, to `from`: cut the middle, or the end, out of it. */
static int cut(struct oe__buffer *out, size_t from, size_t size,
			   const struct oe__excerpt_options *options, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer tail = OE__BUFFER_INIT(out->size_max);
	const char *text = out->data + from;
	size_t filtered = out->size - from, chars = (size_t)options->chars_max;

	/* No more bytes than characters allowed: no need to count. */
	if (filtered <= chars || oe__utf8_length(text, filtered) <= chars)
		return 0;
	size_t head = head_chars(options), rest = chars - head;
	size_t at = before_last(text, filtered, rest);
	oe__buffer_append(&tail, text + at, filtered - at);
	keep_head(out, from, head);
	int status = append_gap(out, size, rest > 0, options, err);
	if (status == 0)
		status = oe__buffer_append(out, tail.data, tail.size);
	return status < 0 ? status : tail.status;
}

/* The text is so long that something is left out, whatever the filter removes. */
static int append_windows(struct oe__buffer *out, const char *text, size_t size,
						  const struct oe__excerpt_options *options, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer tail = OE__BUFFER_INIT(out->size_max);
	size_t window = window_size(options), from = out->size;
	size_t head = head_chars(options), rest = (size_t)options->chars_max - head;

	int status = append_filtered(out, text, word_end(text, window), options);
	if (status == 0 && rest > 0) {
		size_t start = word_start(text, size - window, size);
		status = append_filtered(&tail, text + start, size - start, options);
	}
	if (status < 0)
		return status;
	keep_head(out, from, head);
	status = append_gap(out, size, rest > 0, options, err);
	if (status == 0 && rest > 0) {
		size_t at = before_last(tail.data, tail.size, rest);
		oe__buffer_append(out, tail.data + at, tail.size - at);
	}
	return status < 0 ? status : out->status;
}

int oe__excerpt_append(struct oe__buffer *out, const char *text, size_t size,
					   const struct oe__excerpt_options *options, oe_error *err)
{
	size_t from = out->size;

	if (size / 2 > window_size(options))
		return append_windows(out, text, size, options, err);
	int status = append_filtered(out, text, size, options);
	if (status == 0)
		status = cut(out, from, size, options, err);
	return status;
}

int oe__excerpt_append_line(struct oe__buffer *out, const char *text, size_t size,
							const struct oe__excerpt_options *options, oe_error *err)
{
	size_t from = out->size;
	int status = oe__excerpt_append(out, text, size, options, err);

	for (size_t i = from; status == 0 && i < out->size; i++)
		if (oe__is_space(out->data[i]))
			out->data[i] = ' ';
	return status;
}

int oe__excerpt_append_artifact(struct oe__buffer *out, const struct oe__artifact *artifact,
								const struct oe__excerpt_options *options, oe_error *err)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	/* What is no JSON after all is shown as the text that it is. */
	if (artifact->kind != OE__ARTIFACT_JSON ||
		oe__json_parse(artifact->data, artifact->size, &value, NULL) < 0)
		return oe__excerpt_append(out, artifact->data, artifact->size, options, err);
	int status = oe__python_str(&text, &value);
	if (status == 0)
		status = oe__excerpt_append(out, text.data, text.size, options, err);
	return status;
}

int oe__excerpt_fence(struct oe__buffer *out, size_t from, enum oe__excerpt_style style)
{
	size_t size = out->size - from, ticks = 3;

	if (out->status < 0)
		return out->status;
	if (style == OE__STYLE_SAFE && size > 0) {
		size_t longest = oe__longest_ticks(out->data + from, size);
		ticks = longest >= ticks ? longest + 1 : ticks;
	}
	if (oe__buffer_reserve(out, 2 * ticks + 2) < 0)
		return out->status;
	char *content = out->data + from;
	memmove(content + ticks + 1, content, size);
	memset(content, '`', ticks);
	content[ticks] = '\n';
	content[ticks + 1 + size] = '\n';
	memset(content + ticks + 2 + size, '`', ticks);
	out->size += 2 * ticks + 2;
	out->data[out->size] = '\0';
	return 0;
}
