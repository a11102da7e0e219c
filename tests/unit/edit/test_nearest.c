/* The most similar lines, and what is said about them. */

#include "edit/nearest.h"

#include <string.h>

#include "test.h"
#include "base/buffer.h"
#include "edit/report.h"

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

static struct oe__nearest find(const char *text, const char *search)
{
	struct oe__nearest nearest = { 99, 99, 99.0 };

	ck_assert_int_eq(oe__nearest_find(bytes(text), bytes(search), &nearest), 0);
	return nearest;
}

START_TEST(test_place)
{
	static const char text[] = "import math\n\ndef area(r):\n    return math.pi * r * r\n\n"
							   "def round(r):\n    return 2 * math.pi * r\n";
	struct oe__nearest nearest = find(text, "def area(radius):\n    return math.pi * radius ** 2");

	ck_assert_uint_eq(nearest.line, 3);
	ck_assert_uint_eq(nearest.count, 2);
	ck_assert(nearest.similarity > 0.5 && nearest.similarity < 1.0);
	nearest = find(text, "  return 2*math.pi*r");
	ck_assert_uint_eq(nearest.line, 7);
	ck_assert(nearest.similarity > 0.999);
}
END_TEST

/* Only texts that differ in nothing but blanks are alike in full. */
START_TEST(test_equal_but_for_blanks)
{
	ck_assert(find("ab\ncd\nef\n", "cd\nab").similarity < 1.0); /* the same pairs of characters */
	ck_assert(find("xyxzx\n", "xzxyx").similarity < 1.0);
	ck_assert(find("a = b + c\n", "  a=b+c").similarity == 1.0);
	ck_assert(find("a\n\n b\n", "a\n\nb ").similarity == 1.0);
}
END_TEST

START_TEST(test_nothing_alike)
{
	ck_assert_uint_eq(find("abc\n", "xyz").line, 0);
	ck_assert_uint_eq(find("", "xyz").line, 0);
	ck_assert_uint_eq(find("abc\n", "").line, 0);
	/* More lines than there are: all of them. */
	ck_assert_uint_eq(find("a\nb\n", "a\nb\nc\nd").count, 2);
}
END_TEST

START_TEST(test_report)
{
	static const char parent[] = "alpha = 1\nbeta = 2\ngamma = 3\n";
	static const char answer[] = "<<<<<<< SEARCH\nbeta = 20\n=======\nbeta = 3\n>>>>>>> REPLACE\n"
								 "<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n";
	const struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *edit = NULL;
	OE__AUTO(buffer) struct oe__buffer report = OE__BUFFER_INIT(0);

	ck_assert_int_eq(oe__edit_rules_new(&options, &rules, NULL), 0);
	ck_assert_int_eq(
		oe__edit_apply(rules, bytes(parent), bytes(answer), OE_FINISH_STOP, &edit, NULL), 0);
	ck_assert_int_eq(oe_edit_status(edit), OE_EDIT_STATUS_UNMATCHED);
	ck_assert_int_eq(oe__edit_report(edit, bytes(parent), &report), 0);
	ck_assert_str_eq(
		report.data,
		"block 1 of 2 (line 1 of the answer) has a search text that is not in the program; "
		"the nearest is line 2, 80 % alike; "
		"block 2 of 2 (line 6 of the answer) has an empty search text\n"
		"nearest to the search text of block 1, from line 2 of the program:\n"
		"beta = 2\n");
}
END_TEST

TEST_MAIN("nearest", test_place, test_equal_but_for_blanks, test_nothing_alike, test_report)
