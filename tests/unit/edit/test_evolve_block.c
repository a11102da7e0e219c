/* EVOLVE-BLOCKs: where they are and what counts as touching the rest. */

#include "edit/evolve_block.h"

#include <string.h>

#include "test.h"
#include "base/buffer.h"
#include "base/rng.h"

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

START_TEST(test_list)
{
	static const char code[] = "a\n"
							   "/* EVOLVE-BLOCK-START */\n"
							   "b\nc\n"
							   "/* EVOLVE-BLOCK-END */\n"
							   "d\n"
							   "  % EVOLVE-BLOCK-START\n"
							   "  % EVOLVE-BLOCK-END\n"
							   "-- EVOLVE-BLOCK-END\n"
							   "; EVOLVE-BLOCK-START\n"
							   "e";
	OE__AUTO(evolve_blocks) struct oe__evolve_blocks blocks = { 0 };

	ck_assert_int_eq(oe__evolve_blocks_list(bytes(code), &blocks), 0);
	ck_assert_uint_eq(blocks.count, 3);
	ck_assert_uint_eq(blocks.items[0].start_line, 2);
	ck_assert_uint_eq(blocks.items[0].end_line, 5);
	ck_assert_uint_eq(blocks.items[0].size, 4);
	ck_assert_int_eq(memcmp(code + blocks.items[0].offset, "b\nc\n", 4), 0);
	ck_assert_uint_eq(blocks.items[1].start_line, 7);
	ck_assert_uint_eq(blocks.items[1].end_line, 8);
	ck_assert_uint_eq(blocks.items[1].size, 0);
	ck_assert_uint_eq(blocks.items[2].start_line, 10);
	ck_assert_uint_eq(blocks.items[2].end_line, 12);
	ck_assert_uint_eq(blocks.items[2].size, 1);
}
END_TEST

START_TEST(test_none)
{
	OE__AUTO(evolve_blocks) struct oe__evolve_blocks blocks = { 0 };

	ck_assert_int_eq(oe__evolve_blocks_list(bytes("EVOLVE-BLOCK-\nEVOLVE-BLOCK\n"), &blocks), 0);
	ck_assert_uint_eq(blocks.count, 0);
	ck_assert(!oe__evolve_blocks_any(bytes("EVOLVE-BLOCK-MIDDLE")));
	ck_assert(oe__evolve_blocks_any(bytes("x EVOLVE-BLOCK-END")));
	ck_assert_int_eq(oe__evolve_blocks_list((oe_bytes){ NULL, 0 }, &blocks), 0);
}
END_TEST

START_TEST(test_kept)
{
	static const char parent[] = "a\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc\n";
	static const struct {
		const char *child;
		size_t line; /* 0: kept */
	} cases[] = {
		{ "a\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc\n", 0 },
		{ "a\n# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-END\nc\n", 0 },
		{ "a\n# EVOLVE-BLOCK-START\nx\ny\nz\n# EVOLVE-BLOCK-END\nc\n", 0 },
		{ "A\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc\n", 1 },
		{ "a\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc", 5 },
		{ "a\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc\nd\n", 6 },
		{ "a\n#  EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc\n", 2 },
		{ "a\nb\n# EVOLVE-BLOCK-END\nc\n", 2 },
		{ "a\n# EVOLVE-BLOCK-START\nb\nc\n", 5 },
		{ "a\n# EVOLVE-BLOCK-START\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nc\n", 3 },
		{ "a\n# EVOLVE-BLOCK-START\nb\n# EVOLVE-BLOCK-END\nx\n# EVOLVE-BLOCK-START\n# "
		  "EVOLVE-BLOCK-END\n"
		  "c\n",
		  5 },
		{ "", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t line = 0;
		bool kept = oe__evolve_blocks_kept(bytes(parent), bytes(cases[i].child), &line);
		ck_assert_msg(kept == (cases[i].line == 0) && line == cases[i].line, "case %zu: line %zu",
					  i, line);
	}
	size_t line;
	ck_assert(oe__evolve_blocks_kept(bytes("free\n"), bytes("anything"), &line));
	ck_assert(!oe__evolve_blocks_kept(bytes("free\n"), bytes("# EVOLVE-BLOCK-END"), &line));
}
END_TEST

/* Whatever is kept, is kept: the text outside, put together, is the same before and after. */
static void outside(oe_bytes code, struct oe__buffer *out)
{
	OE__AUTO(evolve_blocks) struct oe__evolve_blocks blocks = { 0 };
	const char *text = code.data;
	size_t from = 0;

	ck_assert_int_eq(oe__evolve_blocks_list(code, &blocks), 0);
	for (size_t i = 0; i < blocks.count; i++) {
		oe__buffer_append(out, text + from, blocks.items[i].offset - from);
		from = blocks.items[i].offset + blocks.items[i].size;
	}
	oe__buffer_append(out, text + from, code.size - from);
}

START_TEST(test_kept_means_the_same_outside)
{
	static const char *const pieces[] = { "a\n", "b\n", "# EVOLVE-BLOCK-START\n",
										  "# EVOLVE-BLOCK-END\n", "c" };
	struct oe__rng rng;
	size_t kept_count = 0;

	oe__rng_init(&rng, 1, "evolve", 0, 0);
	for (int round = 0; round < 20000; round++) {
		struct oe__buffer texts[4] = { 0 };
		for (int side = 0; side < 2; side++)
			for (uint64_t i = oe__rng_below(&rng, 7); i > 0; i--)
				oe__buffer_text(&texts[side], pieces[oe__rng_below(&rng, 5)]);
		oe_bytes parent = { oe__buffer_string(&texts[0]), texts[0].size };
		oe_bytes child = { oe__buffer_string(&texts[1]), texts[1].size };
		size_t line = 0;
		if (oe__evolve_blocks_any(parent) && oe__evolve_blocks_kept(parent, child, &line)) {
			kept_count++;
			outside(parent, &texts[2]);
			outside(child, &texts[3]);
			ck_assert_str_eq(oe__buffer_string(&texts[2]), oe__buffer_string(&texts[3]));
		}
		for (int i = 0; i < 4; i++)
			oe__buffer_done(&texts[i]);
	}
	ck_assert_uint_gt(kept_count, 50);
}
END_TEST

TEST_MAIN("evolve_block", test_list, test_none, test_kept, test_kept_means_the_same_outside)
