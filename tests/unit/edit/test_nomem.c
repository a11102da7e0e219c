/* Every allocation of an edit and of a diff fails once: the call says so, and nothing is left. */

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "edit/edit.h"
#include "edit/report.h"

static long live, count, fails_at;
static int for_ever;

static int refuse(void)
{
	count++;
	return fails_at > 0 && (count == fails_at || (for_ever && count > fails_at));
}

static void *take(size_t size, void *userdata)
{
	(void)userdata;
	void *block = refuse() ? NULL : malloc(size);
	live += block != NULL;
	return block;
}

static void *change(void *block, size_t size, void *userdata)
{
	(void)userdata;
	if (refuse())
		return NULL;
	void *moved = realloc(block, size);
	live += moved && !block;
	return moved;
}

static void give(void *block, void *userdata)
{
	(void)userdata;
	live -= block != NULL;
	free(block);
}

static oe_bytes bytes(const char *text)
{
	return (oe_bytes){ text, strlen(text) };
}

static int edit(bool rewrite, const char *pattern, const char *parent, const char *answer)
{
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *result = NULL;
	OE__AUTO(buffer) struct oe__buffer report = OE__BUFFER_INIT(0);
	oe_error err;

	options.rewrite = rewrite;
	options.pattern = pattern;
	options.evolve_blocks = OE__EVOLVE_WARN;
	int status = oe__edit_rules_new(&options, &rules, &err);
	if (status == 0)
		status = oe__edit_apply(rules, bytes(parent), bytes(answer), OE_FINISH_STOP, &result, &err);
	return status < 0 ? status : oe__edit_report(result, bytes(parent), &report);
}

static int tolerant(void)
{
	return edit(false, NULL, "def f():\r\n    a = 1\r\n    return a\r\n",
				"<think>x</think>\r\n<<<<<<< SEARCH\r\na = 1\r\nreturn a\r\n=======\r\na = 2\r\n"
				"return a\r\n>>>>>>> REPLACE\r\n<<<<<<< SEARCH\r\nnone\r\n=======\r\nx\r\n"
				">>>>>>> REPLACE");
}

static int own_pattern(void)
{
	return edit(false, "<<(.*?)--(.*?)>>", "a\nb\n", "<<a-->><<b--c>>");
}

static int rewrite(void)
{
	return edit(true, NULL, "# EVOLVE-BLOCK-START\r\na\r\n# EVOLVE-BLOCK-END\r\n",
				"  ```\n  # EVOLVE-BLOCK-START\n  b\n  ```\n");
}

static int no_edit(void)
{
	return edit(false, NULL, "a\n", "sorry");
}

static int differ(void)
{
	oe_diff *diff = NULL;
	int status = oe_diff_new(bytes("a\nb\nc\nd\n"), bytes("b\nx\nd\nc\n"), &diff);

	if (status == 0 && !oe_diff_unified(diff, "a", "b", 1))
		status = OE_ERR_NOMEM;
	oe_diff_free(diff);
	return status;
}

START_TEST(test_each_allocation_fails_once)
{
	static int (*const scenarios[])(void) = { tolerant, own_pattern, rewrite, no_edit, differ };

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		fails_at = 0;
		count = 0;
		ck_assert_int_eq(scenarios[i](), 0);
		long all = count;
		ck_assert_int_gt(all, 3);
		for (for_ever = 0; for_ever < 2; for_ever++) {
			for (fails_at = 1; fails_at <= all; fails_at++) {
				count = 0;
				ck_assert_msg(scenarios[i]() == OE_ERR_NOMEM, "scenario %zu, allocation %ld", i,
							  fails_at);
				ck_assert_int_eq(live, 0);
			}
		}
	}
}
END_TEST

int main(void)
{
	const oe_allocator allocator = { take, change, give, NULL };

	if (oe_set_allocator(&allocator) < 0)
		return EXIT_FAILURE;
	Suite *suite = suite_create("nomem");
	TCase *tcase = tcase_create("nomem");
	tcase_add_test(tcase, test_each_allocation_fails_once);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
