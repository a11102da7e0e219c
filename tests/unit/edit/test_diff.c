/* Line differences, against the longest common subsequence found the slow way. */

#include "edit/diff.h"

#include <stdbool.h>
#include <string.h>

#include "test.h"
#include "base/alloc.h"
#include "base/rng.h"

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

/* Rebuild `to` from `from` and the hunks, and check that hunks are apart and in order. */
static void check_script(const oe_diff *diff)
{
	OE__AUTO(buffer) struct oe__buffer rebuilt = OE__BUFFER_INIT(0);
	size_t from = 0, to = 0, added = 0, removed = 0;

	for (size_t i = 0; i <= diff->hunk_count; i++) {
		const struct oe__hunk end = { diff->from_count, 0, diff->to_count, 0 };
		const struct oe__hunk *hunk = i < diff->hunk_count ? &diff->hunks[i] : &end;
		ck_assert_uint_eq(hunk->from - from, hunk->to - to);
		ck_assert(i == 0 || i == diff->hunk_count || hunk->from > from);
		for (; from < hunk->from; from++, to++)
			oe__buffer_append(&rebuilt, diff->from_lines[from].data, diff->from_lines[from].size);
		for (size_t k = 0; k < hunk->to_count; k++, to++)
			oe__buffer_append(&rebuilt, diff->to_lines[to].data, diff->to_lines[to].size);
		from += hunk->from_count;
		added += hunk->to_count;
		removed += hunk->from_count;
	}
	ck_assert_uint_eq(rebuilt.size, diff->to.size);
	ck_assert_int_eq(memcmp(oe__buffer_string(&rebuilt), diff->to.data, diff->to.size), 0);
	ck_assert_uint_eq(added, oe_diff_added(diff));
	ck_assert_uint_eq(removed, oe_diff_removed(diff));
}

static size_t common_lines(const oe_diff *diff)
{
	static size_t table[130][130];

	for (size_t i = diff->from_count + 1; i-- > 0;) {
		for (size_t j = diff->to_count + 1; j-- > 0;) {
			if (i == diff->from_count || j == diff->to_count) {
				table[i][j] = 0;
				continue;
			}
			const oe_bytes *a = &diff->from_lines[i], *b = &diff->to_lines[j];
			bool same = a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
			size_t skip = table[i + 1][j] > table[i][j + 1] ? table[i + 1][j] : table[i][j + 1];
			table[i][j] = same ? table[i + 1][j + 1] + 1 : skip;
		}
	}
	return table[0][0];
}

START_TEST(test_scripts_are_shortest)
{
	struct oe__rng rng;

	oe__rng_init(&rng, 3, "diff", 0, 0);
	for (int round = 0; round < 4000; round++) {
		char text[2][128];
		OE__AUTO(diff) oe_diff *diff = NULL;
		uint64_t kinds = 1 + oe__rng_below(&rng, 6);
		for (int side = 0; side < 2; side++) {
			size_t size = (size_t)oe__rng_below(&rng, 128);
			for (size_t i = 0; i < size; i++)
				text[side][i] = i % 2 == 0 ? (char)('a' + oe__rng_below(&rng, kinds)) : '\n';
			text[side][size] = '\0';
			if (size == 128)
				text[side][127] = '\0';
		}
		ck_assert_int_eq(oe_diff_new(bytes(text[0]), bytes(text[1]), &diff), 0);
		check_script(diff);
		size_t common = common_lines(diff);
		ck_assert_uint_eq(oe_diff_removed(diff), diff->from_count - common);
		ck_assert_uint_eq(oe_diff_added(diff), diff->to_count - common);
	}
}
END_TEST

/* Far beyond the rounds that are spent on a shortest script; still right, and soon done. */
START_TEST(test_large_and_different)
{
	enum { LINES = 60000 };
	OE__AUTO(buffer) struct oe__buffer from = OE__BUFFER_INIT(0);
	OE__AUTO(buffer) struct oe__buffer to = OE__BUFFER_INIT(0);
	OE__AUTO(diff) oe_diff *diff = NULL;
	struct oe__rng rng;

	oe__rng_init(&rng, 5, "diff", 0, 0);
	for (int i = 0; i < LINES; i++) {
		oe__buffer_printf(&from, "%d\n", i);
		oe__buffer_printf(&to, "%d\n", (int)oe__rng_below(&rng, LINES));
	}
	ck_assert_int_eq(
		oe_diff_new((oe_bytes){ from.data, from.size }, (oe_bytes){ to.data, to.size }, &diff), 0);
	check_script(diff);
}
END_TEST

START_TEST(test_unified)
{
	OE__AUTO(diff) oe_diff *diff = NULL;

	ck_assert_int_eq(oe_diff_new(bytes("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"),
								 bytes("a\nB\nc\nd\ne\nf\ng\nh\nj\nk"), &diff),
					 0);
	ck_assert_str_eq(oe_diff_unified(diff, "old", "new", 1),
					 "--- old\n+++ new\n"
					 "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
					 "@@ -8,3 +8,3 @@\n h\n-i\n j\n+k\n\\ No newline at end of file\n");
	/* Six equal lines between them: with three of context the two join. */
	ck_assert_ptr_null(strstr(oe_diff_unified(diff, "old", "new", 3) + 20, "\n@@ -8"));
	ck_assert_ptr_nonnull(strstr(oe_diff_unified(diff, "old", "new", 3), "@@ -1,10 +1,10 @@\n"));
	ck_assert_ptr_nonnull(strstr(oe_diff_unified(diff, "old", "new", 0), "@@ -2 +2 @@\n-b\n+B\n"));
}
END_TEST

START_TEST(test_unified_ends)
{
	static const struct {
		const char *from, *to, *text;
	} cases[] = {
		{ "", "", "" },
		{ "a\n", "a\n", "" },
		{ "", "a\n", "--- x\n+++ y\n@@ -0,0 +1 @@\n+a\n" },
		{ "a\nb\n", "", "--- x\n+++ y\n@@ -1,2 +0,0 @@\n-a\n-b\n" },
		{ "a", "a\n", "--- x\n+++ y\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n" },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(diff) oe_diff *diff = NULL;
		ck_assert_int_eq(oe_diff_new(bytes(cases[i].from), bytes(cases[i].to), &diff), 0);
		ck_assert_str_eq(oe_diff_unified(diff, "x", "y", 3), cases[i].text);
	}
}
END_TEST

START_TEST(test_insertions_begin_with_themselves)
{
	OE__AUTO(diff) oe_diff *diff = NULL;

	ck_assert_int_eq(
		oe_diff_new(bytes("f:\n  x\n\nh:\n  z\n"), bytes("f:\n  x\n\ng:\n  x\n\nh:\n  z\n"), &diff),
		0);
	ck_assert_uint_eq(diff->hunk_count, 1);
	ck_assert_uint_eq(diff->hunks[0].to, 3);
	ck_assert_uint_eq(diff->hunks[0].to_count, 3);
}
END_TEST

TEST_MAIN("diff", test_scripts_are_shortest, test_large_and_different, test_unified,
		  test_unified_ends, test_insertions_begin_with_themselves)
