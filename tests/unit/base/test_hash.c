/* lib/base/hash.c: known values. Seeds, ids and run.db depend on them: they may never change. */

#include "base/hash.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "openevolve/common.h"
#include "test.h"

/* By the definition, in another language. */
START_TEST(test_hash64_is_stable)
{
	static const struct {
		const char *text;
		uint64_t plain, seeded; /* seed 0, seed 42 */
	} cases[] = {
		{ "", 0x18c7fcc651d1587e, 0xf85f686ae7662d3e },
		{ "a", 0xff908da16eb7e988, 0x6e56624c524362a9 },
		{ "1234567", 0xc297fee6afa1f974, 0x9309c8816940cf2e },
		{ "12345678", 0x41b39164aeed9a45, 0x3825e063d3e59e51 },
		{ "0123456789abcde", 0xcb73cd1e792da778, 0xb8336abf6b47d479 },
		{ "0123456789abcdef", 0x60a7869e74c628e2, 0xe86e07eb34e8be27 },
		{ "0123456789abcdef0", 0x4cbb9294dcb2d2d5, 0x24725151debd9d12 },
	};
	uint8_t bytes[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_uint_eq(oe__hash64(cases[i].text, strlen(cases[i].text), 0), cases[i].plain);
		ck_assert_uint_eq(oe__hash64(cases[i].text, strlen(cases[i].text), 42), cases[i].seeded);
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert_uint_eq(oe__hash64(bytes, sizeof(bytes), 0), 0x4996bea2d4a4dc45);
	ck_assert_uint_eq(oe__hash64(NULL, 0, 0), cases[0].plain);
}
END_TEST

START_TEST(test_mix_is_stable)
{
	ck_assert_uint_eq(oe__hash_mix(0, 0), 0x96ebbe173ff72a30);
	ck_assert_uint_eq(oe__hash_mix(0, 1), 0xaf9e5b50a34e3b60);
	ck_assert_uint_eq(oe__hash_mix(1, 0), 0x1610a5f2c7e4de8c);
	ck_assert_uint_eq(oe__hash_mix(UINT64_MAX, UINT64_MAX), 0x65266d1ec9562602);
	ck_assert_uint_eq(oe__hash_mix(0x0123456789abcdef, 42), 0x4c4d4499fd022b63);
}
END_TEST

/* Where the bytes lie in memory does not matter, and each bit of the input moves half of the
   output's. */
START_TEST(test_hash64_spreads)
{
	struct oe__rng rng;
	uint64_t flips = 0, trials = 0;

	oe__rng_init(&rng, 1, "hash", 0, 0);
	for (int round = 0; round < 2000; round++) {
		uint8_t bytes[48], moved[64];
		size_t size = 1 + oe__rng_below(&rng, sizeof(bytes));
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)oe__rng_next(&rng);
		uint64_t hash = oe__hash64(bytes, size, 7);
		size_t at = oe__rng_below(&rng, 16);
		memcpy(moved + at, bytes, size);
		ck_assert_uint_eq(oe__hash64(moved + at, size, 7), hash);
		bytes[oe__rng_below(&rng, size)] ^= (uint8_t)(1u << oe__rng_below(&rng, 8));
		flips += (uint64_t)__builtin_popcountll(hash ^ oe__hash64(bytes, size, 7));
		trials++;
	}
	ck_assert_uint_gt(flips, trials * 31);
	ck_assert_uint_lt(flips, trials * 33);
}
END_TEST

static void check_sha(const void *data, size_t size, const char *wanted)
{
	uint8_t digest[OE__SHA256_SIZE], pieces[OE__SHA256_SIZE];
	char hex[OE__SHA256_HEX_SIZE];

	ck_assert_int_eq(oe__sha256(data, size, digest), 0);
	oe__hex(digest, sizeof(digest), hex);
	ck_assert_str_eq(hex, wanted);
	struct oe__sha256 *sha = oe__sha256_new();
	ck_assert_ptr_nonnull(sha);
	for (size_t i = 0; i < size; i += 7)
		oe__sha256_add(sha, (const char *)data + i, size - i < 7 ? size - i : 7);
	oe__sha256_add(sha, NULL, 0);
	oe__sha256_end(sha, pieces);
	ck_assert_mem_eq(pieces, digest, sizeof(digest));
}

/* FIPS 180-2, appendix B, and the empty text. */
START_TEST(test_sha256)
{
	static char million[1000000];

	check_sha("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_sha("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
			  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof(million));
	check_sha(million, sizeof(million),
			  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(test_hex)
{
	char text[9];

	oe__hex((const uint8_t[]){ 0x00, 0x9a, 0xf0, 0xff }, 4, text);
	ck_assert_str_eq(text, "009af0ff");
	oe__hex(NULL, 0, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_uuid)
{
	uint8_t bytes[16];
	char text[OE__UUID_SIZE], other[OE__UUID_SIZE];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	oe__uuid_format(bytes, text);
	ck_assert_str_eq(text, "00010203-0405-4607-8809-0a0b0c0d0e0f");
	memset(bytes, 0xff, sizeof(bytes));
	oe__uuid_format(bytes, text);
	ck_assert_str_eq(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	ck_assert_int_eq(oe__uuid_random(text), 0);
	ck_assert_int_eq(oe__uuid_random(other), 0);
	ck_assert_str_ne(text, other);
	ck_assert_uint_eq(strlen(text), OE__UUID_SIZE - 1);
	for (size_t i = 0; text[i]; i++)
		ck_assert(text[i] == '-' || isxdigit((unsigned char)text[i]));
}
END_TEST

TEST_MAIN("hash", test_hash64_is_stable, test_mix_is_stable, test_hash64_spreads, test_sha256,
		  test_hex, test_uuid)
