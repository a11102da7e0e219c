/* Whether a regular expression can be used for edits. The edit layer compiles it for good. */

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <string.h>

#include "config/config_internal.h"

bool oe__pattern_is_wrong(const char *pattern, size_t size, char *why, size_t why_size)
{
	static const char few[] = "it needs two groups, for the searched and the new text";
	uint32_t groups = 0;
	int code;
	PCRE2_SIZE offset;

	pcre2_code *compiled =
		pcre2_compile((PCRE2_SPTR)pattern, size, PCRE2_UTF | PCRE2_DOTALL, &code, &offset, NULL);
	if (!compiled) {
		(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, why_size);
		return true;
	}
	(void)pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
	pcre2_code_free(compiled);
	if (groups >= 2)
		return false;
	memcpy(why, few, sizeof(few) < why_size ? sizeof(few) : why_size);
	why[why_size - 1] = '\0';
	return true;
}
