#ifndef OE__CONFIG_OPTION_H
#define OE__CONFIG_OPTION_H

/*
 * The option table: every key of a configuration, once. Parsing, checking, help, manual, schema and
 * documentation are made from it. Constant; any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "openevolve/config.h"

/* What a text option is beyond its type; for this layer only. */
enum oe__option_trait {
	OE__TRAIT_EXPAND = 1,     /* ${VARIABLE} is replaced                             */
	OE__TRAIT_EMPTY_NULL = 2, /* "" is null                                          */
	OE__TRAIT_PATTERN = 4,    /* a regular expression with at least two groups       */
	OE__TRAIT_INTEGRAL = 8,   /* OpenEvolve wants an integer: 60.0 is written as 60  */
	OE__TRAIT_ENTRY = 16,     /* means something only in an entry of a model list    */
	OE__TRAIT_PATH = 32,      /* becomes a whole path: a run goes on from anywhere   */
	OE__TRAIT_PROGRAM = 64    /* likewise, if it has a slash; of a list the first    */
};

struct oe__option {
	oe_option shown;
	unsigned traits;
	const char *former_choices; /* words that once meant the choices, in their order; or NULL */
};

extern const struct oe__option oe__options[];
extern const size_t oe__option_count;

/* Index in the table, aliases followed; -1 if there is no such option. */
int oe__option_index(const char *name);

/* The same for `key` in the section `section` ("" for the top). */
int oe__option_index_in(const char *section, const char *key);

bool oe__option_is_section(const char *name);

/* What somebody may have meant with an unknown name: one or two option names for a message, as
   "'a' or 'b'". False if nothing is near. */
bool oe__option_suggest(const char *name, char *out, size_t size);

/* The option that a key of a model's entry is checked by, or NULL: "llm." and the key. */
const struct oe__option *oe__option_of_model(const char *key);

/* Part of the name behind the last dot. */
const char *oe__option_leaf(const char *name);

#endif /* OE__CONFIG_OPTION_H */
