/* lib/base/buffer.c: caps, sticky failures, and random operations against a plain array. */

#include "base/buffer.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/rng.h"
#include "nomem.h"

START_TEST(test_empty)
{
	struct oe__buffer buffer = OE__BUFFER_INIT(0);
	size_t size = 99;

	ck_assert_str_eq(oe__buffer_string(&buffer), "");
	oe__buffer_truncate(&buffer, 0);
	oe__buffer_clear(&buffer);
	ck_assert_ptr_null(buffer.data);
	ck_assert_int_eq(oe__buffer_append(&buffer, NULL, 0), 0);
	ck_assert_str_eq(buffer.data, "");
	char *text = oe__buffer_steal(&buffer, &size);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(size, 0);
	ck_assert_ptr_null(buffer.data);
	oe__free(text);
	text = oe__buffer_steal(&buffer, NULL); /* of nothing at all */
	ck_assert_str_eq(text, "");
	oe__free(text);
}
END_TEST

START_TEST(test_cap)
{
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(5);

	ck_assert_int_eq(oe__buffer_text(&buffer, "abcde"), 0);
	ck_assert_int_eq(oe__buffer_append(&buffer, "", 0), 0);
	ck_assert_int_eq(oe__buffer_char(&buffer, 'f'), OE_ERR_LIMIT);
	ck_assert_str_eq(buffer.data, "abcde");
	/* The failure sticks, also for what would fit. */
	oe__buffer_truncate(&buffer, 1);
	ck_assert_int_eq(oe__buffer_char(&buffer, 'g'), OE_ERR_LIMIT);
	ck_assert_int_eq(oe__buffer_printf(&buffer, "%d", 1), OE_ERR_LIMIT);
	ck_assert_int_eq(oe__buffer_reserve(&buffer, 0), OE_ERR_LIMIT);
	ck_assert_str_eq(buffer.data, "a");
	ck_assert_ptr_null(oe__buffer_steal(&buffer, NULL));
	/* Stealing has emptied it: usable again, with the same cap. */
	ck_assert_int_eq(oe__buffer_text(&buffer, "12345"), 0);
	ck_assert_int_eq(oe__buffer_text(&buffer, "6"), OE_ERR_LIMIT);
	oe__buffer_clear(&buffer);
	ck_assert_int_eq(oe__buffer_text(&buffer, "6"), 0);
	ck_assert_str_eq(buffer.data, "6");
}
END_TEST

START_TEST(test_sizes_that_overflow)
{
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__buffer_text(&buffer, "x"), 0);
	ck_assert_int_eq(oe__buffer_reserve(&buffer, OE__FILE_MAX), OE_ERR_LIMIT);
	oe__buffer_clear(&buffer);
	ck_assert_int_eq(oe__buffer_reserve(&buffer, SIZE_MAX), OE_ERR_LIMIT);
	oe__buffer_clear(&buffer);
	ck_assert_int_eq(oe__buffer_append(&buffer, "", SIZE_MAX - 1), OE_ERR_LIMIT);
}
END_TEST

START_TEST(test_printf)
{
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(2000);
	char wide[1500];

	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	ck_assert_int_eq(oe__buffer_printf(&buffer, "%s%d", "a", -5), 0);
	ck_assert_int_eq(oe__buffer_printf(&buffer, "%s", ""), 0);
	ck_assert_int_eq(oe__buffer_printf(&buffer, "%s!", wide), 0); /* does not fit at first */
	ck_assert_uint_eq(buffer.size, 3 + 1499 + 1);
	ck_assert_mem_eq(buffer.data, "a-5w", 4);
	ck_assert_int_eq(buffer.data[buffer.size - 1], '!');
	ck_assert_int_eq(buffer.data[buffer.size], '\0');
	/* What breaks the cap leaves no part of itself. */
	ck_assert_int_eq(oe__buffer_printf(&buffer, "%s", wide), OE_ERR_LIMIT);
	ck_assert_uint_eq(strlen(buffer.data), 3 + 1499 + 1);
}
END_TEST

/* A buffer and an array that is treated the same way never differ. */
START_TEST(test_random_operations)
{
	enum { CAP = 3000 };
	static char model[CAP + 1];
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(CAP);
	size_t size = 0;
	struct oe__rng rng;
	char piece[600];

	oe__rng_init(&rng, 1, "buffer", 0, 0);
	for (size_t i = 0; i < sizeof(piece); i++)
		piece[i] = (char)oe__rng_next(&rng);
	for (int step = 0; step < 20000; step++) {
		size_t more = oe__rng_below(&rng, sizeof(piece)) >> oe__rng_below(&rng, 8);
		bool fits = size + more <= CAP;
		switch (oe__rng_below(&rng, 4)) {
		case 0:
			oe__buffer_truncate(&buffer, more);
			size = more < size ? more : size;
			break;
		case 1:
			ck_assert_int_eq(oe__buffer_printf(&buffer, "%*s", (int)more, ""),
							 fits ? 0 : OE_ERR_LIMIT);
			if (fits)
				memset(model + size, ' ', more);
			size += fits ? more : 0;
			break;
		default:
			ck_assert_int_eq(oe__buffer_append(&buffer, piece, more), fits ? 0 : OE_ERR_LIMIT);
			if (fits)
				memcpy(model + size, piece, more);
			size += fits ? more : 0;
			break;
		}
		buffer.status = 0;
		ck_assert_uint_eq(buffer.size, size);
		ck_assert_mem_eq(oe__buffer_string(&buffer), model, size);
		if (buffer.data)
			ck_assert_int_eq(buffer.data[size], '\0');
	}
}
END_TEST

START_TEST(test_no_memory_sticks)
{
	OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__buffer_text(&buffer, "before"), 0);
	nomem_arm(1, false);
	ck_assert_int_eq(oe__buffer_reserve(&buffer, 10000), OE_ERR_NOMEM);
	ck_assert_int_eq(oe__buffer_char(&buffer, 'x'), OE_ERR_NOMEM);
	nomem_arm(0, false);
	ck_assert_str_eq(oe__buffer_string(&buffer), "before");
	ck_assert_ptr_null(oe__buffer_steal(&buffer, NULL));
	ck_assert_int_eq(oe__buffer_text(&buffer, "after"), 0);
	ck_assert_str_eq(oe__buffer_string(&buffer), "after");
}
END_TEST

NOMEM_MAIN("buffer", test_empty, test_cap, test_sizes_that_overflow, test_printf,
		   test_random_operations, test_no_memory_sticks)
