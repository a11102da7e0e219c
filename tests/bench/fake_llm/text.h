/* Growing text, and just enough JSON to read a request and write an answer in a few microseconds.
   A test program may end itself: out of memory is the end. */
#ifndef FAKE_LLM_TEXT_H
#define FAKE_LLM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed bytes; not terminated. */
struct slice {
	const char *data;
	size_t size;
};

struct text {
	char *data;
	size_t size, room;
};

#define SLICE(literal) ((struct slice){ literal, sizeof(literal) - 1 })

/* Makes room for `more` bytes behind the ones in use. */
void text_reserve(struct text *text, size_t more);
void text_add(struct text *text, const void *data, size_t size);
void text_puts(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds `size` bytes as the inside of a JSON string. */
void text_add_escaped(struct text *text, const char *data, size_t size);
/* Adds what the inside of a JSON string means. */
void text_add_unescaped(struct text *text, struct slice escaped);
void text_free(struct text *text);

bool slice_is(struct slice slice, const char *string);
bool slice_ends(struct slice slice, const char *ending);
/* Same as slice_is() but for the case of ASCII letters. */
bool slice_is_nocase(struct slice slice, const char *string);
/* Without blanks at both ends. */
struct slice slice_trim(struct slice slice);
/* First place of `needle` in `slice`, or NULL. */
const char *slice_find(struct slice slice, const char *needle);
const char *slice_search(struct slice slice, struct slice needle);

/* Reading JSON without building it. A value is skipped, not checked: `--strict 1` is for that. */
struct scan {
	const char *at, *end;
};

/* Enters the object or array that starts here ('{' or '['). */
bool scan_enter(struct scan *scan, char bracket);
/* Goes to the next member of the object entered, whose value `scan` then stands at; false at its
   end. The caller must read or skip that value before the next call. `key` is still escaped. */
bool scan_member(struct scan *scan, struct slice *key);
/* The same for the next element of the array entered. */
bool scan_element(struct scan *scan);
/* Reads the string that starts here, still escaped; false and no move if there is none. */
bool scan_string(struct scan *scan, struct slice *string);
/* Skips a value; false if the text ends before it does. */
bool scan_skip(struct scan *scan);

#endif
