/* lib/base/map.c: random changes against a plain table, order, and memory that runs out. */

#include "base/map.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "nomem.h"

static void *number(uintptr_t value)
{
	return (void *)value;
}

START_TEST(test_empty)
{
	OE__AUTO(map) struct oe__map map = OE__MAP_INIT;
	size_t cursor = 0;

	ck_assert_ptr_null(oe__map_get(&map, "a", 1));
	ck_assert_ptr_null(oe__map_remove(&map, "a", 1));
	ck_assert_ptr_null(oe__map_next(&map, &cursor));
	oe__map_done(&map);
}
END_TEST

/* Keys are bytes: NULs, none at all, prefixes of each other; and they are the map's own. */
START_TEST(test_keys_are_bytes)
{
	OE__AUTO(map) struct oe__map map = OE__MAP_INIT;
	char key[] = "a\0b";

	ck_assert_int_eq(oe__map_put(&map, key, 3, number(1)), 0);
	ck_assert_int_eq(oe__map_put(&map, key, 1, number(2)), 0);
	ck_assert_int_eq(oe__map_put(&map, "", 0, number(3)), 0);
	memset(key, 'x', sizeof(key));
	ck_assert_ptr_eq(oe__map_get(&map, "a\0b", 3), number(1));
	ck_assert_ptr_eq(oe__map_get(&map, "a", 1), number(2));
	ck_assert_ptr_eq(oe__map_get(&map, NULL, 0), number(3));
	ck_assert_ptr_null(oe__map_get(&map, "a\0c", 3));
	ck_assert_ptr_null(oe__map_get(&map, "a\0", 2));
	ck_assert_int_eq(oe__map_put(&map, "a", 1, number(4)), 0);
	ck_assert_uint_eq(map.count, 3);
	ck_assert_ptr_eq(oe__map_remove(&map, "a", 1), number(4));
	ck_assert_ptr_null(oe__map_get(&map, "a", 1));
	ck_assert_ptr_null(oe__map_remove(&map, "a", 1));
	ck_assert_uint_eq(map.count, 2);
}
END_TEST

START_TEST(test_order_of_insertion)
{
	OE__AUTO(map) struct oe__map map = OE__MAP_INIT;
	size_t cursor = 0;

	for (uintptr_t i = 1; i <= 1000; i++)
		ck_assert_int_eq(oe__map_put(&map, &i, sizeof(i), number(i)), 0);
	for (uintptr_t i = 1; i <= 1000; i++) {
		struct oe__map_entry *entry = oe__map_next(&map, &cursor);
		ck_assert_ptr_nonnull(entry);
		ck_assert_ptr_eq(entry->value, number(i));
		ck_assert_uint_eq(entry->key_size, sizeof(i));
		ck_assert_mem_eq(entry->key, &i, sizeof(i));
	}
	ck_assert_ptr_null(oe__map_next(&map, &cursor));
}
END_TEST

START_TEST(test_random_changes)
{
	enum { KEYS = 300 };
	OE__AUTO(map) struct oe__map map = OE__MAP_INIT;
	uintptr_t model[KEYS] = { 0 };
	size_t count = 0;
	struct oe__rng rng;

	oe__rng_init(&rng, 1, "map", 0, 0);
	for (uintptr_t step = 1; step <= 100000; step++) {
		size_t at = oe__rng_below(&rng, KEYS);
		char key[16];
		size_t size = (size_t)snprintf(key, sizeof(key), "key %zu", at);

		if (oe__rng_below(&rng, 100) < (step / 20000 % 2 ? 80 : 20)) { /* waxing and waning */
			if (oe__map_put(&map, key, size, number(step)) < 0)
				ck_abort_msg("step %d", (int)step);
			count += model[at] == 0;
			model[at] = step;
		} else {
			if (oe__map_remove(&map, key, size) != number(model[at]))
				ck_abort_msg("step %d, key %zu", (int)step, at);
			count -= model[at] != 0;
			model[at] = 0;
		}
		at = oe__rng_below(&rng, KEYS);
		size = (size_t)snprintf(key, sizeof(key), "key %zu", at);
		if (map.count != count || oe__map_get(&map, key, size) != number(model[at]))
			ck_abort_msg("step %d, key %zu", (int)step, at);
	}
	size_t cursor = 0, seen = 0;
	for (struct oe__map_entry *entry; (entry = oe__map_next(&map, &cursor)) != NULL; seen++)
		ck_assert_ptr_eq(oe__map_get(&map, entry->key, entry->key_size), entry->value);
	ck_assert_uint_eq(seen, count);
	/* Holes of what was removed do not pile up. */
	ck_assert_uint_le(map.slot_count, 16 * KEYS);
	ck_assert_uint_le(map.entries_used, map.slot_count / 2);
}
END_TEST

START_TEST(test_no_memory_changes_nothing)
{
	for (long at = 1;; at++) {
		OE__AUTO(map) struct oe__map map = OE__MAP_INIT;
		uintptr_t put = 0;

		nomem_arm(at, true);
		while (put < 200 && oe__map_put(&map, &put, sizeof(put), number(put + 1)) == 0)
			put++;
		bool enough = put == 200;
		nomem_arm(0, false);
		ck_assert_uint_eq(map.count, put);
		for (uintptr_t i = 0; i < put; i++)
			ck_assert_ptr_eq(oe__map_get(&map, &i, sizeof(i)), number(i + 1));
		ck_assert_int_eq(oe__map_put(&map, &put, sizeof(put), number(7)), 0);
		ck_assert_ptr_eq(oe__map_get(&map, &put, sizeof(put)), number(7));
		if (enough)
			break;
	}
}
END_TEST

NOMEM_MAIN("map", test_empty, test_keys_are_bytes, test_order_of_insertion, test_random_changes,
		   test_no_memory_changes_nothing)
