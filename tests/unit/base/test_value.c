/* lib/base/value.c: trees that are built, copied and changed; nothing is shared, nothing leaks. */

#include "base/value.h"

#include <string.h>

#include "base/alloc.h"
#include "nomem.h"

static struct oe__value integer(int64_t number)
{
	return (struct oe__value){ .type = OE__VALUE_INT, .integer = number, .real = (double)number };
}

static void put(struct oe__value *map, const char *key, struct oe__value item)
{
	ck_assert_int_eq(oe__value_put(map, key, &item), 0);
	ck_assert_int_eq(item.type, OE__VALUE_NULL); /* it was moved */
}

static void push(struct oe__value *list, struct oe__value item)
{
	ck_assert_int_eq(oe__value_push(list, &item), 0);
	ck_assert_int_eq(item.type, OE__VALUE_NULL);
}

START_TEST(test_strings)
{
	OE__AUTO(value) struct oe__value value = integer(7);

	value.line = 3;
	value.tag = "date";
	ck_assert_int_eq(oe__value_set_string(&value, "a\0b", 3), 0);
	ck_assert_int_eq(value.type, OE__VALUE_STRING);
	ck_assert_uint_eq(value.size, 3);
	ck_assert_mem_eq(value.string, "a\0b", 4);
	ck_assert_int_eq(value.line, 3); /* place, tag and numbers stay */
	ck_assert_str_eq(value.tag, "date");
	ck_assert_int_eq(value.integer, 7);
	ck_assert(!oe__value_is(&value, "a"));
	/* Of itself, and of what held other things. */
	ck_assert_int_eq(oe__value_set_string(&value, value.string + 2, 1), 0);
	ck_assert(oe__value_is(&value, "b"));
	oe__value_done(&value);
	push(&value, integer(1));
	ck_assert_int_eq(oe__value_set_string(&value, "", 0), 0);
	ck_assert(oe__value_is(&value, ""));
	ck_assert(!oe__value_is(&value, "b"));
}
END_TEST

START_TEST(test_lists)
{
	OE__AUTO(value) struct oe__value list = { 0 };

	for (int64_t i = 0; i < 1000; i++)
		push(&list, integer(i));
	ck_assert_int_eq(list.type, OE__VALUE_LIST);
	ck_assert_uint_eq(list.size, 1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(list.items[i].integer, (int64_t)i);
	ck_assert_ptr_null(list.keys);
	ck_assert_ptr_null(oe__value_get(&list, "0"));
}
END_TEST

START_TEST(test_maps)
{
	OE__AUTO(value) struct oe__value map = { 0 };

	put(&map, "a", integer(1));
	put(&map, "", integer(2));
	put(&map, "b", integer(3));
	put(&map, "a", integer(4)); /* keeps its place, takes the value */
	ck_assert_int_eq(map.type, OE__VALUE_MAP);
	ck_assert_uint_eq(map.size, 3);
	ck_assert_ptr_eq(oe__value_get(&map, "a"), &map.items[0]);
	ck_assert_int_eq(map.items[0].integer, 4);
	ck_assert_int_eq(oe__value_get(&map, "")->integer, 2);
	ck_assert_ptr_null(oe__value_get(&map, "ab"));
	/* A key that is not a plain string is not found by a text. */
	map.keys[2].tag = "date";
	ck_assert_ptr_null(oe__value_get(&map, "b"));
	map.keys[2].tag = NULL;
	ck_assert_int_eq(oe__value_append(&map, "c\0d", 3, &(struct oe__value){ 0 }), 0);
	ck_assert_ptr_null(oe__value_get(&map, "c"));
	ck_assert_uint_eq(map.keys[3].size, 3);
}
END_TEST

START_TEST(test_copies_share_nothing)
{
	OE__AUTO(value) struct oe__value map = { 0 };
	OE__AUTO(value) struct oe__value copy = { 0 };
	OE__AUTO(value) struct oe__value empty = { 0 };
	struct oe__value list = { 0 }, text = { .line = 5 };

	ck_assert_int_eq(oe__value_set_string(&text, "x\0y", 3), 0);
	push(&list, text);
	push(&list, (struct oe__value){ .type = OE__VALUE_LIST });
	put(&map, "list", list);
	put(&map, "none", (struct oe__value){ .type = OE__VALUE_MAP, .tag = "set" });
	ck_assert_int_eq(oe__value_copy(&map, &copy), 0);
	oe__value_done(&map);
	ck_assert_int_eq(map.type, OE__VALUE_NULL);

	struct oe__value *items = oe__value_get(&copy, "list")->items;
	ck_assert_mem_eq(items[0].string, "x\0y", 4);
	ck_assert_int_eq(items[0].line, 5);
	ck_assert_uint_eq(items[0].size, 3);
	ck_assert_str_eq(oe__value_get(&copy, "none")->tag, "set");
	/* What was empty can be filled, in the copy as well. */
	push(&items[1], integer(1));
	for (int64_t i = 0; i < 20; i++) {
		char key[2] = { (char)('a' + i), '\0' };
		put(oe__value_get(&copy, "none"), key, integer(i));
		put(&copy, key, integer(i));
	}
	ck_assert_int_eq(oe__value_get(oe__value_get(&copy, "none"), "t")->integer, 19);
	ck_assert_int_eq(oe__value_get(&copy, "t")->integer, 19);
	ck_assert_int_eq(oe__value_copy(&empty, &empty), 0);
}
END_TEST

START_TEST(test_names_of_types)
{
	static const char *const names[] = { "null",   "boolean", "integer", "number",
										 "string", "list",    "mapping" };
	struct oe__value value = { 0 };

	for (size_t i = 0; i < OE__COUNT(names); i++) {
		value.type = (enum oe__value_type)i;
		ck_assert_str_eq(oe__value_type_name(&value), names[i]);
	}
	value.tag = "timestamp";
	ck_assert_str_eq(oe__value_type_name(&value), "timestamp");
}
END_TEST

/* What could not be moved is still the caller's, and what it was to go into is as before. */
START_TEST(test_no_memory)
{
	OE__AUTO(value) struct oe__value map = { 0 };
	OE__AUTO(value) struct oe__value list = { 0 };
	OE__AUTO(value) struct oe__value item = { 0 };

	for (int64_t i = 0; i < 8; i++) { /* full: the next one needs room */
		char key[2] = { (char)('a' + i), '\0' };
		put(&map, key, integer(i));
		push(&list, integer(i));
	}
	ck_assert_int_eq(oe__value_set_string(&item, "kept", 4), 0);
	for (long at = 1; at <= 3; at++) {
		nomem_arm(at, false);
		ck_assert_int_eq(oe__value_put(&map, "more", &item), OE_ERR_NOMEM);
		if (at == 1) {
			nomem_arm(1, false);
			ck_assert_int_eq(oe__value_push(&list, &item), OE_ERR_NOMEM);
			nomem_arm(1, false);
			ck_assert_int_eq(oe__value_set_string(&item, "lost", 4), OE_ERR_NOMEM);
		}
		nomem_arm(0, false);
		ck_assert(oe__value_is(&item, "kept"));
		ck_assert_uint_eq(map.size, 8);
		ck_assert_ptr_null(oe__value_get(&map, "more"));
		ck_assert_int_eq(oe__value_get(&map, "h")->integer, 7);
	}
	ck_assert_uint_eq(list.size, 8);
	ck_assert_int_eq(oe__value_put(&map, "more", &item), 0);
	ck_assert(oe__value_is(oe__value_get(&map, "more"), "kept"));
}
END_TEST

NOMEM_MAIN("value", test_strings, test_lists, test_maps, test_copies_share_nothing,
		   test_names_of_types, test_no_memory)
