#ifndef OE_TEST_GOLDEN_H
#define OE_TEST_GOLDEN_H

/*
 * Vectors recorded from OpenEvolve: a JSON array of cases in the directory OE_GOLDEN, by default
 * ../shared/golden beside the sources (meson passes OE_SOURCE_ROOT). Every case is run; the
 * failures are counted and named. Without the directory the test is skipped, loudly.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "openevolve/common.h"

#define GOLDEN_SKIPPED 77

/* Where a file or folder of vectors is: 0 and its path, to be freed, or what the program has to
   exit with. */
static inline int golden_path(const char *name, char **path)
{
	const char *given = getenv("OE_GOLDEN"), *root = getenv("OE_SOURCE_ROOT");
	OE__AUTO(string)
	char *directory =
		given ? oe__strdup(given) : oe__path_join(root ? root : ".", "../shared/golden");

	if (!oe__file_is_directory(directory)) {
		fprintf(stderr, "SKIPPED: no golden vectors in %s (set OE_GOLDEN)\n", directory);
		return GOLDEN_SKIPPED;
	}
	*path = oe__path_join(directory, name);
	return 0;
}

/* Any JSON document. */
static inline int golden_read(const char *path, struct oe__value *out)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	oe_error err;

	if (oe__file_read(path, &text, &err) < 0 ||
		oe__json_parse(text.data, text.size, out, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.message);
		return EXIT_FAILURE;
	}
	return 0;
}

/* 0, or what the program has to exit with. */
static inline int golden_load(const char *name, struct oe__value *cases)
{
	OE__AUTO(string) char *path = NULL;
	int status = golden_path(name, &path);

	if (status == 0)
		status = golden_read(path, cases);
	if (status == 0 && (cases->type != OE__VALUE_LIST || cases->size == 0)) {
		fprintf(stderr, "%s: expected a list of cases\n", path);
		return EXIT_FAILURE;
	}
	return status;
}

/* Numbers, also those that JSON has no word for: {"$float": "nan"}, {"$int": "123..."}; true is 1.
 */
static inline bool golden_number(const struct oe__value *value, double *out)
{
	const struct oe__value *text = NULL;

	if (value->type == OE__VALUE_INT || value->type == OE__VALUE_REAL) {
		*out = value->real;
		return true;
	}
	if (value->type == OE__VALUE_BOOL) {
		*out = value->boolean ? 1 : 0;
		return true;
	}
	if (value->type == OE__VALUE_MAP && value->size == 1) {
		text = oe__value_get(value, "$float");
		if (!text)
			text = oe__value_get(value, "$int");
	}
	return text && oe__parse_real(text->string, text->size, out);
}

/* Text of a member; { NULL, 0 } if it is absent or null. */
static inline oe_bytes golden_text(const struct oe__value *map, const char *key)
{
	const struct oe__value *value = oe__value_get(map, key);

	if (!value || value->type != OE__VALUE_STRING)
		return (oe_bytes){ NULL, 0 };
	return (oe_bytes){ value->string, value->size };
}

static inline bool golden_same(oe_bytes a, oe_bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline void golden_print(const char *label, oe_bytes text)
{
	fprintf(stderr, "    %s: %s%.*s\n", label, text.data ? "" : "(none)", (int)text.size,
			text.data ? (const char *)text.data : "");
}

#endif /* OE_TEST_GOLDEN_H */
