/* lib/base/slab.c */

#include <stdint.h>
#include <string.h>

#include "base/rng.h"
#include "base/slab.h"
#include "test.h"

#define ITEMS 70000 /* with 320 bytes each: more than one block of the largest size */

struct item {
	size_t number;
	char rest[300];
};

static struct item *items[ITEMS];

static struct item *take(struct oe__slab *slab, size_t number)
{
	static const struct item zero;
	struct item *item = oe__slab_take(slab);

	ck_assert_ptr_nonnull(item);
	ck_assert_uint_eq((uintptr_t)item % OE__SLAB_ALIGNMENT, 0);
	ck_assert_mem_eq(item, &zero, sizeof(zero));
	memset(item, 0xff, sizeof(*item));
	item->number = number;
	return item;
}

START_TEST(test_items_are_apart)
{
	OE__AUTO(slab) struct oe__slab slab;
	struct oe__rng rng;

	oe__slab_init(&slab, sizeof(struct item));
	for (size_t i = 0; i < ITEMS; i++)
		items[i] = take(&slab, i);
	oe__rng_init(&rng, 1, "slab", 0, 0);
	for (size_t step = 0; step < 2 * ITEMS; step++) {
		size_t i = oe__rng_below(&rng, ITEMS);

		if (items[i])
			oe__slab_give(&slab, items[i]);
		items[i] = items[i] ? NULL : take(&slab, i);
	}
	for (size_t i = 0; i < ITEMS; i++)
		ck_assert(!items[i] || items[i]->number == i);
}
END_TEST

START_TEST(test_given_back_is_used_again)
{
	OE__AUTO(slab) struct oe__slab slab;

	oe__slab_init(&slab, sizeof(struct item));
	struct item *first = take(&slab, 1), *second = take(&slab, 2);
	oe__slab_give(&slab, NULL);
	oe__slab_give(&slab, first);
	ck_assert_ptr_eq(take(&slab, 3), first);
	ck_assert_uint_eq(second->number, 2);
	ck_assert_ptr_ne(take(&slab, 4), first);
}
END_TEST

START_TEST(test_item_larger_than_a_block)
{
	enum { SIZE = 20 << 20 };
	OE__AUTO(slab) struct oe__slab slab;

	oe__slab_init(&slab, SIZE);
	char *first = oe__slab_take(&slab), *second = oe__slab_take(&slab);
	memset(first, 1, SIZE);
	memset(second, 2, SIZE);
	ck_assert_int_eq(first[SIZE - 1], 1);
}
END_TEST

TEST_MAIN("slab", test_items_are_apart, test_given_back_is_used_again,
          test_item_larger_than_a_block)
