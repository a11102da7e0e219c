#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "openevolve/common.h"

/* Multiply-and-fold over 8-byte little-endian words, in the manner of wyhash (Wang Yi, 2019). */

static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word(const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

#define K0 0xa0761d6478bd642full
#define K1 0xe7037ed1a0b428dbull
#define K2 0x8ebc6af09c88c6e3ull

uint64_t oe__hash64(const void *data, size_t size, uint64_t seed)
{
	const unsigned char *bytes = data;
	size_t left = size;
	uint64_t hash = seed ^ K0;

	for (; left >= 16; left -= 16, bytes += 16)
		hash = fold(word(bytes, 8) ^ K1, word(bytes + 8, 8) ^ hash);
	uint64_t a = left >= 8 ? word(bytes, 8) : word(bytes, left);
	uint64_t b = left >= 8 ? word(bytes + 8, left - 8) : 0;
	return fold(K1 ^ (uint64_t)size, fold(a ^ K2, b ^ hash));
}

uint64_t oe__hash_mix(uint64_t a, uint64_t b)
{
	return fold(fold(a ^ K0, b ^ K1) ^ K2, a ^ (b << 32 | b >> 32) ^ K1);
}

/* ---- SHA-256 ---- */

struct oe__sha256 *oe__sha256_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	return (struct oe__sha256 *)context;
}

void oe__sha256_add(struct oe__sha256 *sha, const void *data, size_t size)
{
	if (size > 0)
		EVP_DigestUpdate((EVP_MD_CTX *)sha, data, size);
}

void oe__sha256_end(struct oe__sha256 *sha, uint8_t out[OE__SHA256_SIZE])
{
	EVP_DigestFinal_ex((EVP_MD_CTX *)sha, out, NULL);
	EVP_MD_CTX_free((EVP_MD_CTX *)sha);
}

int oe__sha256(const void *data, size_t size, uint8_t out[OE__SHA256_SIZE])
{
	struct oe__sha256 *sha = oe__sha256_new();
	if (!sha)
		return OE_ERR_NOMEM;
	oe__sha256_add(sha, data, size);
	oe__sha256_end(sha, out);
	return 0;
}

void oe__hex(const uint8_t *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * size] = '\0';
}

/* ---- UUIDs ---- */

void oe__uuid_format(const uint8_t bytes[16], char out[OE__UUID_SIZE])
{
	uint8_t marked[16];
	char hex[33];

	memcpy(marked, bytes, sizeof(marked));
	marked[6] = (uint8_t)((marked[6] & 0x0f) | 0x40); /* version 4 */
	marked[8] = (uint8_t)((marked[8] & 0x3f) | 0x80); /* RFC 4122  */
	oe__hex(marked, sizeof(marked), hex);
	for (size_t i = 0, o = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[o++] = '-';
		out[o++] = hex[i];
	}
	out[OE__UUID_SIZE - 1] = '\0';
}

int oe__uuid_random(char out[OE__UUID_SIZE])
{
	uint8_t bytes[16];
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return OE_ERR_IO;
	oe__uuid_format(bytes, out);
	return 0;
}
