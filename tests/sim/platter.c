#include "platter.h"

#include <stdlib.h>
#include <string.h>

#include "world.h"

static void grow(struct platter *platter, size_t size)
{
	size_t capacity = platter->capacity ? platter->capacity : 64 * 1024;

	if (size <= platter->capacity)
		return;
	while (capacity < size)
		capacity *= 2;
	platter->now = realloc(platter->now, capacity);
	platter->safe = realloc(platter->safe, capacity);
	platter->dirty = realloc(platter->dirty, capacity / PLATTER_SECTOR);
	if (!platter->now || !platter->safe || !platter->dirty)
		abort();
	memset(platter->now + platter->capacity, 0, capacity - platter->capacity);
	memset(platter->safe + platter->capacity, 0, capacity - platter->capacity);
	memset(platter->dirty + platter->capacity / PLATTER_SECTOR, 0, (capacity - platter->capacity) / PLATTER_SECTOR);
	platter->capacity = capacity;
}

void platter_write(struct platter *platter, const void *data, size_t size, size_t at)
{
	if (size == 0)
		return;
	grow(platter, at + size);
	memcpy(platter->now + at, data, size);
	size_t first = at / PLATTER_SECTOR, last = (at + size - 1) / PLATTER_SECTOR;
	memset(platter->dirty + first, 1, last - first + 1);
	if (!platter->unsynced || first < platter->first_dirty)
		platter->first_dirty = first;
	if (!platter->unsynced || last > platter->last_dirty)
		platter->last_dirty = last;
	if (at + size > platter->size)
		platter->size = at + size;
	platter->unsynced = true;
}

void platter_sync(struct platter *platter)
{
	if (!platter->unsynced)
		return;
	for (size_t i = platter->first_dirty; i <= platter->last_dirty; i++) {
		if (!platter->dirty[i])
			continue;
		memcpy(platter->safe + i * PLATTER_SECTOR, platter->now + i * PLATTER_SECTOR, PLATTER_SECTOR);
		platter->dirty[i] = 0;
	}
	platter->safe_size = platter->size;
	platter->unsynced = false;
}

void platter_lose_power(struct platter *platter)
{
	if (!platter->unsynced)
		return;
	for (size_t i = platter->first_dirty; i <= platter->last_dirty; i++) {
		if (!platter->dirty[i])
			continue;
		unsigned char *kept = world_below(2) ? platter->now : platter->safe;
		memmove(platter->now + i * PLATTER_SECTOR, kept + i * PLATTER_SECTOR, PLATTER_SECTOR);
		memcpy(platter->safe + i * PLATTER_SECTOR, kept + i * PLATTER_SECTOR, PLATTER_SECTOR);
		platter->dirty[i] = 0;
	}
	if (platter->size > platter->safe_size) {
		size_t sectors = (platter->size - platter->safe_size + PLATTER_SECTOR - 1) / PLATTER_SECTOR;
		size_t size = platter->safe_size + PLATTER_SECTOR * (size_t)world_below(sectors + 1);
		if (size < platter->size)
			platter->size = size;
	}
	memset(platter->now + platter->size, 0, platter->capacity - platter->size);
	memset(platter->safe + platter->size, 0, platter->capacity - platter->size);
	platter->safe_size = platter->size;
	platter->unsynced = false;
}

size_t platter_read(const struct platter *platter, void *out, size_t size, size_t at)
{
	size_t have = at < platter->size ? platter->size - at : 0;

	if (have > size)
		have = size;
	if (have > 0)
		memcpy(out, platter->now + at, have);
	memset((char *)out + have, 0, size - have);
	return have;
}

void platter_truncate(struct platter *platter, size_t size)
{
	if (size >= platter->size)
		return;
	memset(platter->now + size, 0, platter->capacity - size);
	platter->size = size;
	if (platter->safe_size > size) {
		memset(platter->safe + size, 0, platter->capacity - size);
		platter->safe_size = size;
	}
}

void platter_done(struct platter *platter)
{
	free(platter->now);
	free(platter->safe);
	free(platter->dirty);
}
