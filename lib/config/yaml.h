#ifndef OE__CONFIG_YAML_H
#define OE__CONFIG_YAML_H

/*
 * YAML 1.1 as PyYAML's safe loader reads it, into a tree with the line and column of every value.
 * Parsing is libyaml's, composing and meaning are ours. Any thread.
 *
 * What JSON has no type for carries a `tag`: "date" and "timestamp" (strings in ISO 8601), "binary"
 * (a string of bytes), "bigint" (a string of digits), "set" (a map to nulls), "omap" and "pairs"
 * (lists of lists of two). Unlike in Python an alias may not stand inside of what it refers to.
 */

#include <stddef.h>

#include "base/error.h"
#include "base/value.h"

/*
 * Read a text that holds one document, or none: that is a null.
 *
 * `name` stands for the text in errors. OE_ERR_CONFIG: not YAML, or a value does not fit its tag,
 * with line and column from 1. OE_ERR_LIMIT: too large once its aliases are expanded, or too deep.
 */
int oe__yaml_load(const char *text, size_t size, const char *name, struct oe__value *out,
				  oe_error *err);

#endif /* OE__CONFIG_YAML_H */
