#include "base/map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "openevolve/common.h"

/* Slots hold entry index + 1; 0 is free. A removed entry keeps its slot until the next rebuild, so
   that probing passes over it. */

static struct oe__map_entry *find(const struct oe__map *map, const void *key, size_t size,
                                  uint64_t hash)
{
	if (map->slot_count == 0)
		return NULL;
	for (size_t at = hash & (map->slot_count - 1);; at = (at + 1) & (map->slot_count - 1)) {
		uint32_t slot = map->slots[at];
		if (slot == 0)
			return NULL;
		struct oe__map_entry *entry = &map->entries[slot - 1];
		if (entry->key && entry->hash == hash && entry->key_size == size &&
		    (size == 0 || memcmp(entry->key, key, size) == 0))
			return entry;
	}
}

static void index_entry(struct oe__map *map, size_t entry)
{
	size_t at = map->entries[entry].hash & (map->slot_count - 1);
	while (map->slots[at] != 0)
		at = (at + 1) & (map->slot_count - 1);
	map->slots[at] = (uint32_t)entry + 1;
}

/* Drop the holes and make room for as many more as there are: under a steady coming and going, as in
   a full population, the cost of this is spread over that many changes. */
static int rebuild(struct oe__map *map)
{
	size_t slot_count = 16;
	while (slot_count < (map->count + 1) * 4)
		slot_count *= 2;
	uint32_t *slots = oe__calloc(slot_count, sizeof(*slots));
	if (!slots)
		return OE_ERR_NOMEM;

	size_t kept = 0;
	for (size_t i = 0; i < map->entries_used; i++)
		if (map->entries[i].key)
			map->entries[kept++] = map->entries[i];
	map->entries_used = kept;
	oe__free(map->slots);
	map->slots = slots;
	map->slot_count = slot_count;
	for (size_t i = 0; i < kept; i++)
		index_entry(map, i);
	return 0;
}

void *oe__map_get(const struct oe__map *map, const void *key, size_t size)
{
	const struct oe__map_entry *entry = find(map, key, size, oe__hash64(key, size, 0));
	return entry ? entry->value : NULL;
}

int oe__map_put(struct oe__map *map, const void *key, size_t size, void *value)
{
	uint64_t hash = oe__hash64(key, size, 0);
	struct oe__map_entry *entry = find(map, key, size, hash);
	if (entry) {
		entry->value = value;
		return 0;
	}

	/* Used entries, removed ones included, fill at most half of the slots. */
	if ((map->entries_used + 1) * 2 > map->slot_count && rebuild(map) < 0)
		return OE_ERR_NOMEM;
	void *entries = map->entries;
	int status = oe__grow(&entries, &map->entries_capacity, map->entries_used + 1, sizeof(*entry));
	map->entries = entries;
	if (status < 0)
		return status;
	char *copy = oe__strndup(key, size);
	if (!copy)
		return OE_ERR_NOMEM;
	map->entries[map->entries_used] =
		(struct oe__map_entry){ .key = copy, .key_size = size, .hash = hash, .value = value };
	index_entry(map, map->entries_used++);
	map->count++;
	return 0;
}

void *oe__map_remove(struct oe__map *map, const void *key, size_t size)
{
	struct oe__map_entry *entry = find(map, key, size, oe__hash64(key, size, 0));
	if (!entry)
		return NULL;
	oe__free(entry->key);
	entry->key = NULL;
	map->count--;
	return entry->value;
}

void oe__map_done(struct oe__map *map)
{
	for (size_t i = 0; i < map->entries_used; i++)
		oe__free(map->entries[i].key);
	oe__free(map->entries);
	oe__free(map->slots);
	*map = (struct oe__map)OE__MAP_INIT;
}

struct oe__map_entry *oe__map_next(const struct oe__map *map, size_t *cursor)
{
	while (*cursor < map->entries_used) {
		struct oe__map_entry *entry = &map->entries[(*cursor)++];
		if (entry->key)
			return entry;
	}
	return NULL;
}
