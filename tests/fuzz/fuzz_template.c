/*
 * Templates of users. Input: a template; it is filled with a value of each kind, a text that tries to
 * end its fence and to be a template itself, and with trees that other names stand for. It is refused
 * with a place, or filled the same way twice, and text that is put in is never looked at again.
 */

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "base/value.h"
#include "prompt/template.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "code", "count", "score", "late" };
static const char code[] = "```\n{count} {code} ````\n{{";

static const char more[] = "{\"list\": [1, \"\\u00e9\\u4e00\", -2.5, null, true, 123456789012345678901], "
						   "\"map\": {\"k\": [\"a'b\\n\\ud83d\\ude00\"], \"1\": false}, \"nan\": NaN, "
						   "\"one\": 1, \"yes\": true, \"word\": \"\\u00e9t\\u00e9\"}";

static int write_late(void *self, struct oe__buffer *out, oe_error *err)
{
	(void)err;
	return oe__buffer_text(out, self);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char late[] = "late {score}";
	const struct oe__template_kind kind = { names, OE__COUNT(names) };
	const struct oe__argument arguments[] = {
		oe__argument_text(code, sizeof(code) - 1),
		oe__argument_int(-42),
		oe__argument_real(0.125),
		oe__argument_writer(write_late, late),
	};
	OE__AUTO(template) struct oe__template *template = NULL;
	OE__AUTO(buffer) struct oe__buffer first = OE__BUFFER_INIT(1 << 20);
	OE__AUTO(buffer) struct oe__buffer second = OE__BUFFER_INIT(1 << 20);
	OE__AUTO(value) struct oe__value extra = { 0 };
	struct oe__rendering rendering = { .arguments = arguments, .extra = &extra };
	oe_error err = { 0 };

	if (!oe__utf8_valid((const char *)data, size))
		return 0; /* files that are not UTF-8 are refused before */
	if (oe__template_compile((const char *)data, size, &kind, "input", &template, &err) < 0) {
		assert(err.message[0] && err.line >= 1 && !template);
		return 0;
	}
	assert(oe__json_parse(more, sizeof(more) - 1, &extra, NULL) == 0);
	int status = oe__template_render(template, &rendering, &first, &err);
	assert(status == oe__template_render(template, &rendering, &second, &err));
	if (status < 0) {
		assert(err.message[0] || rendering.missing.size > 0 || status == OE_ERR_LIMIT);
		return 0;
	}
	const char *text = oe__buffer_string(&first);
	assert(first.size == second.size && memcmp(text, oe__buffer_string(&second), first.size) == 0);
	assert(oe__utf8_valid(text, first.size));
	/* Nothing to fill in: only doubled braces change. */
	if (size > 0 && !memchr(data, '{', size) && !memchr(data, '}', size))
		assert(first.size == size && memcmp(text, data, size) == 0);
	return 0;
}
