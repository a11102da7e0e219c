#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"

void oe__rng_init(struct oe__rng *rng, uint64_t seed, const char *purpose, uint64_t number,
                  uint64_t attempt)
{
	uint64_t key = oe__hash64(purpose, strlen(purpose), seed);
	rng->state = oe__hash_mix(oe__hash_mix(key, number), attempt);
}

uint64_t oe__rng_next(struct oe__rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ull;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t oe__rng_below(struct oe__rng *rng, uint64_t limit)
{
	/* Reject the incomplete last stretch (Lemire: Fast random integer generation, 2019, by the
	   simpler division). */
	uint64_t rest = (0 - limit) % limit, draw;
	do
		draw = oe__rng_next(rng);
	while (draw < rest);
	return draw % limit;
}

double oe__rng_real(struct oe__rng *rng)
{
	return (double)(oe__rng_next(rng) >> 11) * 0x1.0p-53;
}

double oe__rng_normal(struct oe__rng *rng)
{
	/* Box and Muller, 1958; the second value is not kept, so that a stream has no hidden state. */
	double u = 1.0 - oe__rng_real(rng), v = oe__rng_real(rng);
	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
