#ifndef CLI_TEXT_H
#define CLI_TEXT_H

/*
 * Text that grows, and memory that is always there: a command that finds none says so and ends,
 * so nobody here checks. Any thread, but one text in one thread at a time.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Release at the end of the scope: AUTO(text) struct text line = TEXT_INIT; */
#define AUTO(name) __attribute__((cleanup(auto_##name)))

#define AUTO_POINTER(name, type, release)                                                          \
	static inline void auto_##name(type *pointer)                                                  \
	{                                                                                              \
		release(*pointer);                                                                         \
	}

/* NUL-terminated as soon as it holds anything; `data` is NULL before. */
struct text {
	char *data;
	size_t size, capacity;
};

#define TEXT_INIT { NULL, 0, 0 }

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *data, size_t size);
void text_add_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_vformat(struct text *text, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
void text_repeat(struct text *text, const char *string, size_t count);
void text_cut(struct text *text, size_t size); /* keeps the first `size` bytes */
void text_clear(struct text *text);
void text_done(struct text *text);

const char *text_string(const struct text *text); /* never NULL */
char *text_take(struct text *text);               /* the string, the caller's from now on */

void auto_text(struct text *text);

void *must_alloc(size_t count, size_t size); /* zeroed */
void *must_resize(void *memory, size_t count, size_t size);
char *must_copy(const char *string);
char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

void auto_string(char **string);

/* Copy into an array, cut if need be; always terminated. */
void text_copy(char *out, size_t size, const char *string);

/* Edits between two short words, for "did you mean". */
size_t text_distance(const char *a, const char *b);

bool text_starts(const char *string, const char *prefix);
bool text_ends(const char *string, const char *suffix);

/* "1:12:40", "32:10", "9.8s" */
void text_duration(struct text *text, double seconds);

/* A count in few characters: "913", "5.1 k", "1.92 M". */
void text_count(struct text *text, double count);

/* A fitness: four decimals where these say something; "-" for none, "failed" for minus infinity. */
void text_score(struct text *text, double score);

#endif /* CLI_TEXT_H */
