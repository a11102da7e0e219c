#ifndef OE_TESTS_SIM_PLATTER_H
#define OE_TESTS_SIM_PLATTER_H

/*
 * The bytes of one file: as the kernel has them, and as they are safe, sector by sector.
 */

#include <stdbool.h>
#include <stddef.h>

#define PLATTER_SECTOR 512

struct platter {
	unsigned char *now, *safe; /* as the kernel has it, and as the disk does */
	unsigned char *dirty;      /* per sector: these differ                    */
	size_t size, safe_size, capacity;
	size_t first_dirty, last_dirty; /* sectors; nothing else is */
	bool unsynced;
};

void platter_write(struct platter *platter, const void *data, size_t size, size_t at);
/* @return how many of these bytes there are; the others are 0 */
size_t platter_read(const struct platter *platter, void *out, size_t size, size_t at);
void platter_truncate(struct platter *platter, size_t size); /* safe at once */
void platter_sync(struct platter *platter);
/* Of what was not synced each sector is there or not, and the end is somewhere in between. */
void platter_lose_power(struct platter *platter);
void platter_done(struct platter *platter);

#endif /* OE_TESTS_SIM_PLATTER_H */
