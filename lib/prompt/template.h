#ifndef OE__PROMPT_TEMPLATE_H
#define OE__PROMPT_TEMPLATE_H

/*
 * Templates in Python's brace format: {name}, {{ and }}, {name:spec}, {name!r}, {name[0]}.
 *
 * A template is taken apart once and then only copied together. The places of each kind of template
 * ({current_program}, {score}, ...) are known when it is compiled; values are given by index.
 * Compiled templates are immutable: any thread may render one.
 *
 * A fence around the text of one place (three backticks, the place on lines of its own, three
 * backticks) is recognised, so that it can be made longer than any run of backticks in that text:
 * otherwise a program could end its own fence and speak as the prompt.
 */

#include <stdbool.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "base/value.h"

struct oe__template;

/* What a template is called in messages, and the names of its places. */
struct oe__template_kind {
	const char *const *names;
	size_t count;
};

/* OE_ERR_CONFIG: not a template; `err` has `where`, line and column. */
int oe__template_compile(const char *text, size_t size, const struct oe__template_kind *kind,
						 const char *where, struct oe__template **out, oe_error *err);
void oe__template_free(struct oe__template *template);

/* Does the text hold a place of that name? */
bool oe__template_uses(const struct oe__template *template, size_t place);

/* The value of a place. */
enum oe__argument_kind {
	OE__ARGUMENT_TEXT,
	OE__ARGUMENT_INT,
	OE__ARGUMENT_REAL,
	OE__ARGUMENT_WRITER /* text that is made as it is needed */
};

struct oe__argument {
	enum oe__argument_kind kind;
	oe_bytes text;
	int64_t integer;
	double real;
	int (*write)(void *self, struct oe__buffer *out, oe_error *err);
	void *self;
};

static inline struct oe__argument oe__argument_text(const char *text, size_t size)
{
	return (struct oe__argument){ .kind = OE__ARGUMENT_TEXT, .text = { text, size } };
}

static inline struct oe__argument oe__argument_int(int64_t value)
{
	return (struct oe__argument){ .kind = OE__ARGUMENT_INT, .integer = value };
}

static inline struct oe__argument oe__argument_real(double value)
{
	return (struct oe__argument){ .kind = OE__ARGUMENT_REAL, .real = value };
}

static inline struct oe__argument
oe__argument_writer(int (*write)(void *self, struct oe__buffer *out, oe_error *err), void *self)
{
	return (struct oe__argument){ .kind = OE__ARGUMENT_WRITER, .write = write, .self = self };
}

struct oe__rendering {
	const struct oe__argument *arguments; /* one per place of the kind                        */
	const struct oe__value *extra;        /* map with values of further names, or NULL        */
	bool plain_fences;                    /* fences stay as long as they are written          */
	oe_bytes missing;                     /* out: the name that had no value, of the template */
};

/* Append the filled-in template. On failure `out` may hold a part of it.
   OE_ERR_CONFIG: a name without a value (then `missing` is set), a specification that does not suit
   its value, an index that is not there. */
int oe__template_render(const struct oe__template *template, struct oe__rendering *rendering,
						struct oe__buffer *out, oe_error *err);

/* The longest run of backticks. */
size_t oe__longest_ticks(const char *text, size_t size);

OE__AUTO_POINTER(template, struct oe__template *, oe__template_free)

#endif /* OE__PROMPT_TEMPLATE_H */
