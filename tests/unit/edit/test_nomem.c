/* Every allocation of an edit and of a diff fails once: the call says so, and nothing is left. */

#include <string.h>

#include "edit/edit.h"
#include "edit/report.h"
#include "nomem.h"

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

START_TEST(test_each_allocation_fails)
{
	nomem_each("tolerant", tolerant);
	nomem_each("own pattern", own_pattern);
	nomem_each("rewrite", rewrite);
	nomem_each("no edit", no_edit);
	nomem_each("differ", differ);
}
END_TEST

NOMEM_MAIN("nomem", test_each_allocation_fails)
