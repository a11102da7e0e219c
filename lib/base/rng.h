#ifndef OE__BASE_RNG_H
#define OE__BASE_RNG_H

/*
 * Counter-based randomness: a stream is keyed by (seed, purpose, number, attempt) and has no other
 * state, so nothing needs saving and no order of threads can change a draw.
 * The generator is SplitMix64 over a hashed key (Steele, Lea, Flood: Fast splittable pseudorandom
 * number generators, OOPSLA 2014).
 */

#include <stddef.h>
#include <stdint.h>

struct oe__rng {
	uint64_t state;
};

void oe__rng_init(struct oe__rng *rng, uint64_t seed, const char *purpose, uint64_t number,
                  uint64_t attempt);
uint64_t oe__rng_next(struct oe__rng *rng);
uint64_t oe__rng_below(struct oe__rng *rng, uint64_t limit); /* unbiased, limit > 0 */
double oe__rng_real(struct oe__rng *rng);                    /* [0, 1), 53 bits     */
double oe__rng_normal(struct oe__rng *rng);                  /* mean 0, deviation 1 */

#endif /* OE__BASE_RNG_H */
