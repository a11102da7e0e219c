#ifndef OE__BASE_HASH_H
#define OE__BASE_HASH_H

/*
 * Hashes: a fast one for tables and streams (stable across machines and versions: seeds and ids
 * depend on it), SHA-256 for contents (libcrypto), identifiers made of hashes.
 */

#include <stddef.h>
#include <stdint.h>

uint64_t oe__hash64(const void *data, size_t size, uint64_t seed);
uint64_t oe__hash_mix(uint64_t a, uint64_t b); /* one well-mixed word of two */

#define OE__SHA256_SIZE     32
#define OE__SHA256_HEX_SIZE 65

struct oe__sha256; /* incremental; single thread */
struct oe__sha256 *oe__sha256_new(void);
void oe__sha256_add(struct oe__sha256 *sha, const void *data, size_t size);
void oe__sha256_end(struct oe__sha256 *sha, uint8_t out[OE__SHA256_SIZE]); /* and frees `sha` */

int oe__sha256(const void *data, size_t size, uint8_t out[OE__SHA256_SIZE]);
void oe__hex(const uint8_t *bytes, size_t size, char *out); /* 2 * size + 1 bytes */

/* UUID text (version 4 layout) of 16 given bytes, or of fresh randomness. */
#define OE__UUID_SIZE 37
void oe__uuid_format(const uint8_t bytes[16], char out[OE__UUID_SIZE]);
int oe__uuid_random(char out[OE__UUID_SIZE]);

#endif /* OE__BASE_HASH_H */
