/* lib/base/alloc.c, auto.h: one allocator for everything, sizes that overflow, release by scope. */

#include "base/alloc.h"

#include <stdint.h>
#include <string.h>

#include "nomem.h"

static int nothing_released;

static void count_release(int *counted)
{
	if (counted)
		*counted += 1;
}

OE__AUTO_POINTER(counted, int *, count_release)

START_TEST(test_allocator_is_set_once)
{
	const oe_allocator whole = { nomem_take, nomem_change, nomem_give, NULL };
	oe_allocator part;

	ck_assert_int_eq(oe_set_allocator(NULL), OE_ERR_INVALID);
	part = whole, part.malloc = NULL;
	ck_assert_int_eq(oe_set_allocator(&part), OE_ERR_INVALID);
	part = whole, part.realloc = NULL;
	ck_assert_int_eq(oe_set_allocator(&part), OE_ERR_INVALID);
	part = whole, part.free = NULL;
	ck_assert_int_eq(oe_set_allocator(&part), OE_ERR_INVALID);
	/* Until something was allocated the choice may change; then memory could not be given back. */
	ck_assert_int_eq(oe_set_allocator(&whole), 0);
	void *block = oe__malloc(1);
	ck_assert_int_eq(oe_set_allocator(&whole), OE_ERR_STATE);
	oe__free(block);
	ck_assert_int_eq(oe_set_allocator(&whole), OE_ERR_STATE);
}
END_TEST

START_TEST(test_everything_comes_from_it)
{
	long before = atomic_load(&nomem_live);
	void *blocks[] = { oe__malloc(0),       oe__calloc(3, 5),    oe__realloc(NULL, 7),
					   oe__strdup("text"),  oe__strndup("", 0),  oe__memdup("", 0),
					   oe__realloc(NULL, 0) };

	for (size_t i = 0; i < OE__COUNT(blocks); i++)
		ck_assert_ptr_nonnull(blocks[i]);
	ck_assert_int_eq(atomic_load(&nomem_live), before + (long)OE__COUNT(blocks));
	for (size_t i = 0; i < OE__COUNT(blocks); i++)
		oe__free(blocks[i]);
	oe__free(NULL);
	ck_assert_int_eq(atomic_load(&nomem_live), before);
}
END_TEST

START_TEST(test_calloc)
{
	unsigned char *bytes = oe__calloc(1000, 3);

	for (size_t i = 0; i < 3000; i++)
		ck_assert_uint_eq(bytes[i], 0);
	oe__free(bytes);
	long before = atomic_load(&nomem_count);
	ck_assert_ptr_null(oe__calloc(SIZE_MAX / 2, 3));
	ck_assert_ptr_null(oe__calloc(3, SIZE_MAX / 2));
	ck_assert_int_eq(atomic_load(&nomem_count), before);
}
END_TEST

START_TEST(test_grow)
{
	void *items = NULL;
	size_t capacity = 0, moves = 0;

	for (size_t count = 1; count <= 100000; count++) {
		size_t had = capacity;
		ck_assert_int_eq(oe__grow(&items, &capacity, count, sizeof(uint32_t)), 0);
		ck_assert_uint_ge(capacity, count);
		moves += capacity != had;
		((uint32_t *)items)[count - 1] = (uint32_t)count;
	}
	ck_assert_uint_lt(moves, 40); /* geometric */
	for (size_t i = 0; i < 100000; i++)
		ck_assert_uint_eq(((uint32_t *)items)[i], i + 1);

	void *same = items;
	size_t had = capacity;
	ck_assert_int_eq(oe__grow(&items, &capacity, 5, sizeof(uint32_t)), 0);
	ck_assert_int_eq(oe__grow(&items, &capacity, SIZE_MAX / 2, sizeof(uint32_t)), OE_ERR_NOMEM);
	nomem_arm(1, false);
	ck_assert_int_eq(oe__grow(&items, &capacity, had + 1, sizeof(uint32_t)), OE_ERR_NOMEM);
	nomem_arm(0, false);
	ck_assert_ptr_eq(items, same);
	ck_assert_uint_eq(capacity, had);
	ck_assert_uint_eq(((uint32_t *)items)[99999], 100000);
	oe__free(items);
}
END_TEST

START_TEST(test_copies)
{
	OE__AUTO(string) char *text = oe__strdup("größe");
	OE__AUTO(string) char *part = oe__strndup("a\0bcd", 3);
	OE__AUTO(memory) void *bytes = oe__memdup("\0\1\2", 3);

	ck_assert_str_eq(text, "größe");
	ck_assert_mem_eq(part, "a\0b", 4);
	ck_assert_mem_eq(bytes, "\0\1\2", 3);
	ck_assert_ptr_null(oe__strdup(NULL));
	ck_assert_ptr_null(oe__strndup("", SIZE_MAX));
}
END_TEST

static int *keep(int *counter)
{
	OE__AUTO(counted) int *held = counter;

	return OE__STEAL(held);
}

START_TEST(test_scopes)
{
	int released = 0;

	for (int i = 0; i < 3; i++) {
		OE__AUTO(counted) int *held = &released;
		ck_assert_int_eq(*held, i);
	}
	ck_assert_int_eq(released, 3);
	nothing_released = 0;
	OE__AUTO(counted) int *kept = keep(&released);
	ck_assert_int_eq(released, 3);
	ck_assert_ptr_eq(kept, &released);
	kept = &nothing_released;
}
END_TEST

NOMEM_MAIN("alloc", test_allocator_is_set_once, test_everything_comes_from_it, test_calloc, test_grow,
		   test_copies, test_scopes)
