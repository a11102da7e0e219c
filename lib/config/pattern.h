#ifndef OE__CONFIG_PATTERN_H
#define OE__CONFIG_PATTERN_H

/*
 * The regular expression of `diff_pattern`, compiled: checked when a configuration is loaded, used
 * by the edit layer. Any thread.
 */

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/auto.h"
#include "base/error.h"

/* PCRE2 on our allocator; NULL without memory. */
pcre2_general_context *oe__pattern_memory(void);

/*
 * Compile a regular expression of Python's `re`, where a dot matches line ends, with further PCRE2
 * `options`. The code is the caller's and must be freed before `memory`.
 *
 * OE_ERR_CONFIG: it is none, or has fewer than two groups; the column is that in `text`.
 */
int oe__pattern_compile(const char *text, uint32_t options, pcre2_general_context *memory,
						pcre2_code **out, oe_error *err);

OE__AUTO_POINTER(pattern_memory, pcre2_general_context *, pcre2_general_context_free)

#endif /* OE__CONFIG_PATTERN_H */
