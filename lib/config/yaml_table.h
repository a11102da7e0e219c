#ifndef OE__CONFIG_YAML_TABLE_H
#define OE__CONFIG_YAML_TABLE_H

/*
 * A mapping under construction. Keys may be any scalar; those that are equal in Python are one key
 * (1, 1.0 and true are): it keeps the first one's place and takes the last one's value.
 * Called by yaml.c only, one thread.
 */

#include <stddef.h>

#include "base/auto.h"
#include "base/map.h"
#include "base/value.h"

struct oe__yaml_table {
	struct oe__value keys, items; /* lists in parallel         */
	struct oe__map places;        /* key as bytes -> index + 1 */
};

/* Set an entry. Moves both. */
int oe__yaml_table_put(struct oe__yaml_table *table, struct oe__value *key, struct oe__value *item);
int oe__yaml_table_put_all(struct oe__yaml_table *table, struct oe__value *keys,
						   struct oe__value *items, size_t count);

/* The finished map; the table is empty then. */
void oe__yaml_table_end(struct oe__yaml_table *table, struct oe__value *out);
void oe__yaml_table_done(struct oe__yaml_table *table);

OE__AUTO_VALUE(yaml_table, struct oe__yaml_table, oe__yaml_table_done)

#endif /* OE__CONFIG_YAML_TABLE_H */
