/* base/clock.h, and what the product takes from the kernel's random numbers: of the world. */

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include "world.h"

int64_t oe__clock_ns(void)
{
	return world.now_ns;
}

int64_t oe__clock_ms(void)
{
	return world.now_ns / MS;
}

double oe__clock_wall(void)
{
	return 1.8e9 + (double)world.now_ns / 1e9;
}

void oe__clock_text(double wall, char out[OE__CLOCK_TEXT_SIZE])
{
	(void)snprintf(out, OE__CLOCK_TEXT_SIZE, "%.3f", wall);
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < size; i++)
		((unsigned char *)bytes)[i] = (unsigned char)oe__rng_next(&world.rng);
	return (ssize_t)size;
}
