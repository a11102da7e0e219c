/*
 * Growing text, checked memory, and how numbers are written for people.
 */

#include "text.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
	if (!memory) {
		fputs("oe: out of memory\n", stderr);
		_Exit(1);
	}
	return memory;
}

void *must_alloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size));
}

void *must_resize(void *memory, size_t count, size_t size)
{
	return checked(reallocarray(memory, count ? count : 1, size));
}

char *must_copy(const char *string)
{
	return checked(strdup(string));
}

char *must_format(const char *format, ...)
{
	struct text text = TEXT_INIT;
	va_list arguments;

	va_start(arguments, format);
	text_vformat(&text, format, arguments);
	va_end(arguments);
	return text_take(&text);
}

void auto_string(char **string)
{
	free(*string);
}

void text_copy(char *out, size_t size, const char *string)
{
	size_t length = strnlen(string, size - 1);

	memcpy(out, string, length);
	out[length] = '\0';
}

static void reserve(struct text *text, size_t more)
{
	if (more >= SIZE_MAX / 2 - text->size)
		checked(NULL);
	if (text->size + more + 1 <= text->capacity)
		return;
	size_t capacity = text->capacity ? text->capacity : 64;
	while (capacity < text->size + more + 1)
		capacity *= 2;
	text->data = must_resize(text->data, capacity, 1);
	text->capacity = capacity;
}

void text_add_bytes(struct text *text, const void *data, size_t size)
{
	reserve(text, size);
	if (size)
		memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
	text_add_bytes(text, &c, 1);
}

void text_repeat(struct text *text, const char *string, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_add(text, string);
}

void text_vformat(struct text *text, const char *format, va_list arguments)
{
	va_list again;

	va_copy(again, arguments);
	int size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size < 0)
		checked(NULL);
	reserve(text, (size_t)size);
	vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
	text->size += (size_t)size;
}

void text_format(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_vformat(text, format, arguments);
	va_end(arguments);
}

void text_cut(struct text *text, size_t size)
{
	if (size < text->size) {
		text->size = size;
		text->data[size] = '\0';
	}
}

void text_clear(struct text *text)
{
	text_cut(text, 0);
}

void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text)TEXT_INIT;
}

void auto_text(struct text *text)
{
	text_done(text);
}

const char *text_string(const struct text *text)
{
	return text->data ? text->data : "";
}

char *text_take(struct text *text)
{
	char *string = text->data ? text->data : must_copy("");

	*text = (struct text)TEXT_INIT;
	return string;
}

bool text_starts(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *string, const char *suffix)
{
	size_t size = strlen(string), end = strlen(suffix);

	return size >= end && strcmp(string + size - end, suffix) == 0;
}

/* Levenshtein's distance in one row; words longer than the row are simply far away. */
size_t text_distance(const char *a, const char *b)
{
	size_t row[64];
	size_t columns = strlen(b);

	if (columns >= sizeof(row) / sizeof(row[0]))
		return SIZE_MAX;
	for (size_t j = 0; j <= columns; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < columns; j++) {
			size_t replace = diagonal + (a[i] != b[j]);
			diagonal = row[j + 1];
			size_t shorter = row[j] < row[j + 1] ? row[j] : row[j + 1];
			row[j + 1] = replace < shorter + 1 ? replace : shorter + 1;
		}
	}
	return row[columns];
}

void text_duration(struct text *text, double seconds)
{
	if (!(seconds >= 0) || seconds > 1e9) {
		text_add(text, "-");
		return;
	}
	if (seconds < 59.95) {
		text_format(text, "%.1fs", seconds);
		return;
	}
	long whole = lround(seconds);
	if (whole >= 86400)
		text_format(text, "%ldd ", whole / 86400);
	if (whole >= 3600)
		text_format(text, "%ld:%02ld:%02ld", whole / 3600 % 24, whole / 60 % 60, whole % 60);
	else
		text_format(text, "%ld:%02ld", whole / 60, whole % 60);
}

void text_count(struct text *text, double count)
{
	static const char *const units[] = { "", " k", " M", " G", " T" };
	size_t unit = 0;

	while (count >= 999.5 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		count /= 1000;
		unit++;
	}
	text_format(text, unit == 0 || count >= 99.5 ? "%.0f%s" : count >= 9.95 ? "%.1f%s" : "%.2f%s",
				count, units[unit]);
}

void text_score(struct text *text, double score)
{
	if (isnan(score))
		text_add(text, "-");
	else if (isinf(score))
		text_add(text, score < 0 ? "failed" : "inf");
	else if (score != 0 && (fabs(score) >= 1e6 || fabs(score) < 1e-3))
		text_format(text, "%.4g", score);
	else
		text_format(text, "%.4f", score);
}
