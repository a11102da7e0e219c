#ifndef OE__BASE_MAP_H
#define OE__BASE_MAP_H

/*
 * Hash map from byte strings to pointers; keys are copied. Iteration order is insertion order
 * as long as nothing was removed. One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

struct oe__map {
	struct oe__map_entry *entries; /* dense, with holes of removed ones */
	uint32_t *slots;               /* open addressing: index + 1        */
	size_t count, entries_used, entries_capacity, slot_count;
};

struct oe__map_entry {
	char *key; /* NULL: removed */
	size_t key_size;
	uint64_t hash;
	void *value;
};

#define OE__MAP_INIT { NULL, NULL, 0, 0, 0, 0 }

void *oe__map_get(const struct oe__map *map, const void *key, size_t size);
int oe__map_put(struct oe__map *map, const void *key, size_t size, void *value); /* or replace */
void *oe__map_remove(struct oe__map *map, const void *key, size_t size); /* its value, or NULL */
void oe__map_done(struct oe__map *map); /* values are not touched */

/* Walk: start with *cursor = 0; NULL at the end. */
struct oe__map_entry *oe__map_next(const struct oe__map *map, size_t *cursor);

OE__AUTO_VALUE(map, struct oe__map, oe__map_done)

#endif /* OE__BASE_MAP_H */
