/* diff_pattern by PCRE2, see pattern.h. */

#include "config/pattern.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "config/pattern_syntax.h"

static void *allocate(size_t size, void *userdata)
{
	(void)userdata;
	return oe__malloc(size);
}

static void release(void *ptr, void *userdata)
{
	(void)userdata;
	oe__free(ptr);
}

pcre2_general_context *oe__pattern_memory(void)
{
	return pcre2_general_context_create(allocate, release, NULL);
}

/* PCRE2's complaint about the translated text; a column is only given if the translation kept it.
 */
static int complain(int code, size_t offset, bool same, oe_error *err)
{
	PCRE2_UCHAR message[160];

	if (code == PCRE2_ERROR_NOMEMORY || code == PCRE2_ERROR_HEAP_FAILED)
		return oe__error_nomem(err);
	pcre2_get_error_message(code, message, sizeof(message));
	return oe__error_at(err, OE_ERR_CONFIG, "diff_pattern", 0, same ? (int)offset + 1 : 0,
						"not a regular expression: %s", (const char *)message);
}

int oe__pattern_compile(const char *text, uint32_t options, pcre2_general_context *memory,
						pcre2_code **out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer said = OE__BUFFER_INIT(2 * OE__PATTERN_MAX);
	size_t size = strlen(text);
	uint32_t groups = 0;
	int code = 0;
	size_t offset = 0;

	if (size > OE__PATTERN_MAX)
		return oe__error_at(err, OE_ERR_CONFIG, "diff_pattern", 0, 0,
							"%zu bytes, expected at most %zu", size, OE__PATTERN_MAX);
	int status = oe__pattern_translate(text, size, &said, err);
	if (status < 0)
		return status;
	options |=
		PCRE2_DOTALL | PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	if (!context)
		return oe__error_nomem(err);
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)oe__buffer_string(&said), said.size, options,
										 &code, &offset, context);
	pcre2_compile_context_free(context);
	if (!compiled)
		return complain(code, offset, said.size == size && memcmp(said.data, text, size) == 0, err);

	pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups < 2) {
		pcre2_code_free(compiled);
		return oe__error_at(err, OE_ERR_CONFIG, "diff_pattern", 0, 0,
							"%u groups in the regular expression, expected at least 2: the search "
							"text and its replacement",
							(unsigned)groups);
	}
	*out = compiled;
	return 0;
}
