/*
 * diff_pattern. Input: a regular expression, a NUL, the text to search. Whatever is not refused
 * must find matches inside of the text, in order, and come to an end.
 */

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "edit/pattern.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(oe_bytes part, oe_bytes text)
{
	const char *start = text.data, *from = part.data;

	assert(part.size == 0 || (from >= start && from + part.size <= start + text.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(pattern) struct oe__pattern *pattern = NULL;
	OE__AUTO(pattern_scan) struct oe__pattern_scan scan = { 0 };
	OE__AUTO(string) char *expression = NULL;
	const uint8_t *split = size > 0 ? memchr(data, '\0', size) : NULL;
	struct oe__match match;
	size_t after = 0;
	oe_error err;
	int found;

	if (!split)
		return 0;
	expression = oe__strndup((const char *)data, (size_t)(split - data));
	if (oe__pattern_new(expression, &pattern, &err) < 0) {
		assert(err.status == OE_ERR_CONFIG && err.message[0]);
		return 0;
	}
	oe_bytes text = { split + 1, (size_t)(data + size - split) - 1 };
	assert(oe__pattern_scan(pattern, text, &scan) == 0);
	while ((found = oe__pattern_next(&scan, &match)) == 1) {
		assert(match.start >= after && match.end >= match.start && match.end <= text.size);
		check_inside(match.search, text);
		check_inside(match.replacement, text);
		after = match.end;
	}
	assert(found == 0 || found == OE_ERR_LIMIT);
	return 0;
}
