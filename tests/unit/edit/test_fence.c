/* Fences and full rewrites beyond the recorded vectors. */

#include "edit/fence.h"

#include <string.h>

#include "test.h"
#include "base/buffer.h"
#include "edit/rewrite.h"
#include "openevolve/llm.h"

static const struct {
	const char *name, *language, *answer, *code;
	int finish, found;
} cases[] = {
	{ "a list item deeper than a fence may be", "python",
	  "1. So:\n\n     ```python\n     a = 1\n"
	  "     if a:\n         b()\n     ```\n",
	  "a = 1\nif a:\n    b()", OE_FINISH_OTHER, OE__REWRITE_WHOLE },
	{ "indentation of the fence goes, the rest stays", "python",
	  "  ```\n  if a:\n      b()\n c()\n  ```", "if a:\n    b()\nc()", OE_FINISH_OTHER,
	  OE__REWRITE_WHOLE },
	{ "closing fence longer than the opening one", "c", "```c\nint a;\n`````\n", "int a;",
	  OE_FINISH_OTHER, OE__REWRITE_WHOLE },
	{ "tildes do not close ticks", "c", "```c\n~~~\nint a;\n```\n", "~~~\nint a;", OE_FINISH_OTHER,
	  OE__REWRITE_WHOLE },
	{ "language by its class", "python", "```sh\nls\n```\n```{.python .numberLines}\na\n```", "a",
	  OE_FINISH_OTHER, OE__REWRITE_WHOLE },
	{ "language with a file name", "rust", "```sh\nls\n```\n```rust:src/main.rs\na\n```", "a",
	  OE_FINISH_OTHER, OE__REWRITE_WHOLE },
	{ "language with attributes", "rust", "```sh\nls\n```\n```rust,ignore\na\n```", "a",
	  OE_FINISH_OTHER, OE__REWRITE_WHOLE },
	{ "cut after the tag", "python", "```sh\nls\n```\n```python\n", NULL, OE_FINISH_LENGTH,
	  OE__REWRITE_CUT },
	{ "two fences left open inside each other", "python", "```python\na\n```python\nb\n", NULL,
	  OE_FINISH_LENGTH, OE__REWRITE_CUT },
	{ "ticks alone", "python", "``` ```", NULL, OE_FINISH_OTHER, OE__REWRITE_WHOLE },
	{ "blank fence deep in a list", "python", "      ```\n      ```\n", NULL, OE_FINISH_OTHER,
	  OE__REWRITE_NONE },
	{ "blank", "python", " \n\t\n", NULL, OE_FINISH_STOP, OE__REWRITE_NONE },
};

START_TEST(test_rewrites)
{
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(edit_answer) struct oe__edit_answer answer = { 0 };
		OE__AUTO(buffer) struct oe__buffer buffer = OE__BUFFER_INIT(0);
		oe_bytes code = { "", 0 };

		ck_assert_int_eq(
			oe__edit_answer_read((oe_bytes){ cases[i].answer, strlen(cases[i].answer) }, &answer),
			0);
		int found = oe__rewrite_read(&answer, cases[i].language, cases[i].finish, &buffer, &code);
		ck_assert_msg(found == cases[i].found, "%s: %d", cases[i].name, found);
		if (cases[i].code)
			ck_assert_msg(code.size == strlen(cases[i].code) &&
							  memcmp(code.data, cases[i].code, code.size) == 0,
						  "%s: %.*s", cases[i].name, (int)code.size, (const char *)code.data);
	}
}
END_TEST

START_TEST(test_depth_is_bounded)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__fence fence;

	for (int i = 0; i < 1000; i++)
		oe__buffer_text(&text, "```a\n");
	for (int i = 0; i < 1000; i++)
		oe__buffer_text(&text, "```\n");
	const char *cursor = text.data, *end = text.data + text.size;
	ck_assert(oe__fence_next(&cursor, end, 3, &fence));
	ck_assert(fence.closed);
	while (oe__fence_next(&cursor, end, 3, &fence))
		ck_assert(cursor <= end);
}
END_TEST

TEST_MAIN("fence", test_rewrites, test_depth_is_bounded)
