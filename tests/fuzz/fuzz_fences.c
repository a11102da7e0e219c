/*
 * Full-rewrite answers. Input: one byte of options, the answer. What is found must be text of the
 * answer, must not be blank, and only a model that stopped by itself may leave a fence open.
 */

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "edit/edit.h"
#include "edit/ends.h"
#include "edit/fence.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line of `code` is the end of some line of the answer (blanks before it may have gone). */
static void check_origin(oe_bytes code, oe_bytes answer)
{
	const char *cursor = code.data, *end = cursor + code.size;
	struct oe__line line;

	while (oe__line_next(&cursor, end, &line))
		assert(line.size == 0 || oe__find(answer.data, answer.size, line.text, line.size));
}

static void check_fences(oe_bytes answer)
{
	const char *cursor = answer.data, *end = cursor + answer.size;
	const char *before = cursor;
	struct oe__fence fence;

	while (oe__fence_next(&cursor, end, 3, &fence)) {
		assert(cursor > before && cursor <= end);
		assert((const char *)fence.content.data + fence.content.size <= end);
		assert(fence.closed || cursor == end);
		assert(oe__fence_language(fence.info).size <= fence.info.size);
		before = cursor;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const languages[] = { "python", "c++", "text", NULL };
	struct oe__edit_options options = OE__EDIT_OPTIONS_INIT;
	OE__AUTO(edit_rules) struct oe__edit_rules *rules = NULL;
	OE__AUTO(edit) oe_edit *edit = NULL;
	static const char marked[] = "\n# EVOLVE-BLOCK-START\na\n# EVOLVE-BLOCK-END\n";
	oe_bytes parent = { "", 0 };

	if (size < 1)
		return 0;
	oe_bytes answer = { data + 1, size - 1 };
	int finish = (data[0] >> 2) % 3;
	options.rewrite = true;
	options.language = languages[data[0] & 3];
	options.tolerant = !(data[0] & 16);
	if (data[0] & 32) {
		options.evolve_blocks = OE__EVOLVE_ENFORCE;
		parent = (oe_bytes){ marked, sizeof(marked) - 1 };
	}
	check_fences(answer);
	assert(oe__edit_rules_new(&options, &rules, NULL) == 0);
	assert(oe__edit_apply(rules, parent, answer, finish, &edit, NULL) == 0);
	oe_bytes code = oe_edit_code(edit);
	assert((code.data != NULL) == (oe_edit_outcome(edit) < 0));
	if (!code.data) {
		assert(*oe_edit_message(edit));
		return 0;
	}
	assert(oe__trimmed(code).size > 0);
	assert(oe__utf8_valid(code.data, code.size));
	if (!(data[0] & 32))
		check_origin(code, answer);
	return 0;
}
