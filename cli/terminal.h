#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

/*
 * What the terminal can do, and the one door through which text of strangers reaches it: programs,
 * answers and messages are written by models, and may hold anything.
 */

#include <stdbool.h>
#include <stdio.h>

#include "text.h"

/* Read the locale and the environment; once, at the start. */
void terminal_start(void);

/* "auto", "always" or "never". */
void terminal_set_colour(const char *mode);

/* Whether to colour what goes to this stream. */
bool terminal_colours(FILE *stream);

bool terminal_is(FILE *stream);

/* Whether box-drawing characters will be understood. */
bool terminal_unicode(void);

/* False if the terminal has no size; then 80 x 24. */
bool terminal_size(FILE *stream, size_t *columns, size_t *rows);

/* Append `data` made harmless: control characters, escape sequences, text direction overrides and
   bytes that are not UTF-8 become visible (\x1b); without `lines`, so do line feeds and tabs. */
void terminal_clean(struct text *text, const void *data, size_t size, bool lines);

/* The same for a string on one line. */
void terminal_clean_line(struct text *text, const char *string);

/* Columns that harmless text takes, ESC[...m sequences not counted. */
size_t terminal_width(const char *string);

/* Append as much of `string` as fits into `columns`; the cut shows. */
void terminal_fit(struct text *text, const char *string, size_t columns);

/* Print program code, an answer, an artifact: harmless on a terminal, byte by byte elsewhere. */
void terminal_print(FILE *stream, const void *data, size_t size);
/* The same for a path or a name that is all of a line on standard output. */
void terminal_print_line(const char *string);

/* Escape sequence of a colour, or "" if this stream takes none. */
enum terminal_colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_WARN, COLOUR_DIM, COLOUR_BOLD };
const char *terminal_colour(FILE *stream, enum terminal_colour colour);

#endif /* CLI_TERMINAL_H */
