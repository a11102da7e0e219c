#ifndef OE__PROMPT_BUILTIN_H
#define OE__PROMPT_BUILTIN_H

/*
 * The built-in texts, embedded at build time from templates/ by embed.py. Constant.
 */

#include <stddef.h>

struct oe__builtin_text {
	const char *name; /* without .txt */
	const char *text;
	size_t size;
};

extern const struct oe__builtin_text oe__builtin_templates[];
extern const size_t oe__builtin_template_count;
extern const struct oe__builtin_text oe__builtin_fragments; /* JSON */

#endif /* OE__PROMPT_BUILTIN_H */
