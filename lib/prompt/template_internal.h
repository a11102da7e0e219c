#ifndef OE__PROMPT_TEMPLATE_INTERNAL_H
#define OE__PROMPT_TEMPLATE_INTERNAL_H

/*
 * A template taken apart: template.c makes it, template_render.c fills it in.
 */

#include "prompt/template.h"

enum oe__segment_kind {
	OE__SEGMENT_LITERAL,
	OE__SEGMENT_FIELD,
	OE__SEGMENT_FENCE
};

struct oe__segment {
	enum oe__segment_kind kind;
	int place;     /* of a field: index of its name, -1 if it is none of the kind's;
	                  of a fence: the place that it surrounds */
	oe_bytes text; /* of a literal or a fence; the name of a field */
	oe_bytes path; /* what follows the name: [0][key] */
	oe_bytes spec;
	char conversion;             /* r, s, a; 0 */
	struct oe__template *nested; /* the specification, where it has places of its own; or NULL */
	size_t offset;               /* of a field, in the source */
};

struct oe__template {
	char *where;
	char *source;
	size_t source_size;
	struct oe__segment *segments;
	size_t count, capacity;
};

/* Fail at an offset of the source: where:line:column. */
int oe__template_fail(const struct oe__template *template, size_t offset, oe_error *err,
					  const char *why);

#endif /* OE__PROMPT_TEMPLATE_INTERNAL_H */
