#ifndef OE__PROMPT_EXCERPT_H
#define OE__PROMPT_EXCERPT_H

/*
 * Foreign text in a prompt: what programs print, what evaluators report. Decoded, filtered, cut to a
 * length, put into a fence that it cannot end. Costs no more than its limit, however long it is.
 * Pure functions; any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "program/evaluation.h"

/* How it is shown: see "prompt.artifact_style". */
enum oe__excerpt_style {
	OE__STYLE_SAFE,      /* head and tail are kept; long fences; control characters removed */
	OE__STYLE_OPENEVOLVE /* only the head is kept; three backticks; control characters stay */
};

struct oe__excerpt_options {
	enum oe__excerpt_style style;
	bool redact;       /* what looks like a secret                                             */
	int64_t chars_max; /* characters that are kept                                             */
	/* Write what stands between head and tail of a text of `size` bytes. */
	int (*write_gap)(const void *self, size_t size, struct oe__buffer *out, oe_error *err);
	const void *self;
};

/* Append the text. */
int oe__excerpt_append(struct oe__buffer *out, const char *text, size_t size,
					   const struct oe__excerpt_options *options, oe_error *err);

/* The same on one line: other white space becomes a blank. */
int oe__excerpt_append_line(struct oe__buffer *out, const char *text, size_t size,
							const struct oe__excerpt_options *options, oe_error *err);

/* Append the content of an artifact: text, decoded bytes, or a value in Python's spelling. */
int oe__excerpt_append_artifact(struct oe__buffer *out, const struct oe__artifact *artifact,
								const struct oe__excerpt_options *options, oe_error *err);

/* Put a fence around what `out` holds from `from` on. */
int oe__excerpt_fence(struct oe__buffer *out, size_t from, enum oe__excerpt_style style);

#endif /* OE__PROMPT_EXCERPT_H */
