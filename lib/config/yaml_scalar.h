#ifndef OE__CONFIG_YAML_SCALAR_H
#define OE__CONFIG_YAML_SCALAR_H

/*
 * What one YAML 1.1 scalar means, as PyYAML's safe loader has it: which type a plain text has, and
 * its value. Pure functions; any thread. Called by yaml.c only.
 *
 * The types: https://yaml.org/type/ ; where PyYAML is narrower (a real number needs a dot, its
 * exponent a sign), PyYAML's reading is the one users of OpenEvolve know.
 */

#include <stddef.h>

#include "base/value.h"

enum oe__yaml_type {
	OE__YAML_STR,
	OE__YAML_NULL,
	OE__YAML_BOOL,
	OE__YAML_INT,
	OE__YAML_FLOAT,
	OE__YAML_TIMESTAMP,
	OE__YAML_MERGE,  /* "<<" */
	OE__YAML_DEFAULT /* "="  */
};

/* Type of a scalar that has neither quotes nor tag. */
enum oe__yaml_type oe__yaml_resolve(const char *text, size_t size);

/* Value of a scalar of that type, which may come from a tag and not fit the text.
   OE_ERR_CONFIG: it does not, and `problem` says why. */
int oe__yaml_construct(enum oe__yaml_type type, const char *text, size_t size,
					   struct oe__value *out, const char **problem);

/* Bytes of base64 text: a string tagged "binary". */
int oe__yaml_construct_binary(const char *text, size_t size, struct oe__value *out,
							  const char **problem);

#endif /* OE__CONFIG_YAML_SCALAR_H */
