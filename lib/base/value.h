#ifndef OE__BASE_VALUE_H
#define OE__BASE_VALUE_H

/*
 * A dynamic value: what YAML and JSON documents are read into. Maps keep their order; a repeated
 * key keeps its first place and takes the last value, as Python's dict does.
 * One thread at a time; plain tree, no sharing (YAML aliases are copied, under a cap).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buffer.h"

enum oe__value_type {
	OE__VALUE_NULL,
	OE__VALUE_BOOL,
	OE__VALUE_INT,
	OE__VALUE_REAL,
	OE__VALUE_STRING,
	OE__VALUE_LIST,
	OE__VALUE_MAP
};

struct oe__value {
	enum oe__value_type type;
	int line, column;  /* where it was read, from 1; 0 = nowhere */
	const char *tag;   /* static; what JSON has no type for: "date", "timestamp", "binary", "set",
	                      "bigint" (digits in `string`), "pairs" ...; NULL for plain values */
	bool boolean;
	int64_t integer;
	double real;       /* also set for OE__VALUE_INT */
	char *string;      /* OE__VALUE_STRING, NUL-terminated; may hold NULs: see size */
	size_t size;       /* bytes of the string, or number of items */
	size_t capacity;
	struct oe__value *items;  /* list items, or map values */
	struct oe__value *keys;   /* map keys, parallel to items; mostly strings */
};

void oe__value_done(struct oe__value *value); /* frees what it holds; leaves a null */
int oe__value_copy(const struct oe__value *value, struct oe__value *out);

/* Whatever it was, a string now; place, tag and numbers stay. */
int oe__value_set_string(struct oe__value *value, const char *text, size_t size);

/* Append to a list (a null value becomes one). `item` is moved: the caller's copy is cleared on
   success and left alone on failure. */
int oe__value_push(struct oe__value *list, struct oe__value *item);

/* Set a map entry by a string key; `item` is moved like in push. */
int oe__value_put(struct oe__value *map, const char *key, struct oe__value *item);

/* The same for a key that is known to be new: no search. */
int oe__value_append(struct oe__value *map, const char *key, size_t key_size,
                     struct oe__value *item);

/* Entry of a map, or NULL. */
struct oe__value *oe__value_get(const struct oe__value *map, const char *key);

bool oe__value_is(const struct oe__value *value, const char *text); /* a string equal to text */

/* "string", "integer", "number", "list", ... for messages. */
const char *oe__value_type_name(const struct oe__value *value);

OE__AUTO_VALUE(value, struct oe__value, oe__value_done)

#endif /* OE__BASE_VALUE_H */
