#ifndef OE__BASE_JSON_H
#define OE__BASE_JSON_H

/*
 * JSON both ways, without a tree where none is needed.
 *
 * The reader pulls tokens from bytes it does not own. It is strict about structure and lenient
 * where Python's json module writes what JSON forbids: NaN, Infinity and -Infinity are read,
 * lone surrogates become U+FFFD, integers beyond 64 bits become reals. Depth is limited.
 * The writer appends to a buffer and takes care of commas; non-finite numbers become null.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/value.h"

/* ---- reading ---- */

enum oe__json_token {
	OE__JSON_END,   /* the document is complete and only blanks followed */
	OE__JSON_ERROR, /* see `error` and `offset`                          */
	OE__JSON_NULL,
	OE__JSON_TRUE,
	OE__JSON_FALSE,
	OE__JSON_INT,
	OE__JSON_REAL,
	OE__JSON_STRING,
	OE__JSON_KEY,
	OE__JSON_LIST,     /* [ */
	OE__JSON_LIST_END, /* ] */
	OE__JSON_MAP,      /* { */
	OE__JSON_MAP_END   /* } */
};

struct oe__json_reader {
	const char *start, *cursor, *end;
	const char *error;        /* static text, after OE__JSON_ERROR             */
	int status;               /* likewise: OE_ERR_FORMAT, or OE_ERR_NOMEM      */
	int64_t integer;          /* of OE__JSON_INT                               */
	double real;              /* of OE__JSON_INT and OE__JSON_REAL             */
	const char *raw;          /* of STRING and KEY: between the quotes, escaped */
	size_t raw_size;
	bool raw_escaped;         /* raw holds backslashes or invalid UTF-8        */
	unsigned depth;
	unsigned char state;      /* what may come next                            */
	unsigned char nesting[(OE__JSON_DEPTH_MAX + 7) / 8]; /* bit set: a map     */
};

void oe__json_reader_init(struct oe__json_reader *reader, const char *text, size_t size);
enum oe__json_token oe__json_next(struct oe__json_reader *reader);

/* Skip the value whose first token was just returned (nothing to do for scalars). */
int oe__json_skip(struct oe__json_reader *reader, enum oe__json_token first);

/* Append the current STRING or KEY, unescaped, valid UTF-8. May hold NULs. */
int oe__json_text(const struct oe__json_reader *reader, struct oe__buffer *out);
bool oe__json_is(const struct oe__json_reader *reader, const char *text);

/* A whole document, or the value whose first token was just returned, as a tree. */
int oe__json_parse(const char *text, size_t size, struct oe__value *out, oe_error *err);
int oe__json_value(struct oe__json_reader *reader, enum oe__json_token first, struct oe__value *out);

/* ---- writing ---- */

struct oe__json_writer {
	struct oe__buffer *out;
	int indent;       /* 0: one line; else blanks per level */
	bool python;      /* write NaN, Infinity as Python does instead of null */
	int depth;
	bool comma;       /* the next item needs one            */
	bool key;         /* a key was written, its value follows */
};

/* Values; between map and map_end each is preceded by a key. Sticky failures: see out->status. */
void oe__json_map(struct oe__json_writer *writer);
void oe__json_map_end(struct oe__json_writer *writer);
void oe__json_list(struct oe__json_writer *writer);
void oe__json_list_end(struct oe__json_writer *writer);
void oe__json_key(struct oe__json_writer *writer, const char *key);
void oe__json_key_sized(struct oe__json_writer *writer, const char *key, size_t size);
void oe__json_null(struct oe__json_writer *writer);
void oe__json_bool(struct oe__json_writer *writer, bool value);
void oe__json_int(struct oe__json_writer *writer, int64_t value);
void oe__json_real(struct oe__json_writer *writer, double value);
void oe__json_string(struct oe__json_writer *writer, const char *text); /* NULL writes null */
void oe__json_string_sized(struct oe__json_writer *writer, const char *text, size_t size);
void oe__json_raw(struct oe__json_writer *writer, const char *json, size_t size); /* trusted */
void oe__json_put(struct oe__json_writer *writer, const struct oe__value *value);

/* Append `text` escaped, without quotes; invalid UTF-8 becomes U+FFFD. The hot path of a request. */
int oe__json_escape(struct oe__buffer *out, const char *text, size_t size);

#endif /* OE__BASE_JSON_H */
