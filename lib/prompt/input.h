#ifndef OE__PROMPT_INPUT_H
#define OE__PROMPT_INPUT_H

/*
 * The arguments of one prompt, in the terms of OpenEvolve's prompt builder. Rendering a sample makes
 * them of the sample; tests make them of recorded arguments. All pointers are borrowed for the call.
 */

#include "program/evaluation.h"
#include "program/fitness.h"
#include "prompt/prompt.h"

/* What is drawn at random, each from a stream of its own. */
enum oe__prompt_draw {
	OE__DRAW_VARIATION, /* an alternative, per key of "prompt.template_variations" */
	OE__DRAW_DIVERSE    /* a program, of those that are left                       */
};

/* What an inspiration is marked as. */
enum oe__record_mark {
	OE__MARK_NONE,
	OE__MARK_DIVERSE,
	OE__MARK_MIGRANT,
	OE__MARK_RANDOM
};

/* A program, or an attempt at one, as prompts show it. */
struct oe__prompt_record {
	oe_bytes code;
	const oe_evaluation *metrics, *parent_metrics; /* NULL: none                                */
	const char *changes;                           /* NULL: not known                           */
	enum oe__record_mark mark;
	const char *const *features; /* said to be notable; NULL: the metrics speak */
	size_t feature_count;

	/* Of attempts. */
	int64_t number;      /* 0: its place in the list                  */
	int outcome;         /* enum oe_outcome; -1: judge by the metrics */
	const char *message; /* or NULL                                   */
	const struct oe__artifact *details; /* what a failure left behind */
	size_t detail_count;
};

struct oe__prompt_input {
	oe_bytes code;
	const char *language;
	const oe_evaluation *metrics;   /* of the program; NULL: none                              */
	const oe_evaluation *reference; /* its fitness is compared with that of these; NULL: not   */
	const struct oe__prompt_record *attempts; /* oldest first */
	size_t attempt_count;
	const struct oe__prompt_record *top; /* best first; those after "num_top" may be drawn as the
	                                        different ones */
	size_t top_count;
	const struct oe__prompt_record *inspirations;
	size_t inspiration_count;
	const struct oe__artifact *artifacts;
	size_t artifact_count;
	const struct oe__dimensions *dimensions; /* or NULL */
	const double *coordinates; /* of dimensions that are no metrics; NaN: unknown; NULL: none  */
	const char *template_name; /* NULL: by the mode of the set */
	const char *system_message;       /* text, or the name of a template */
	const struct oe__value *extra;    /* values of further places: a map, or NULL */

	/* Draw a number below `limit`. */
	size_t (*draw)(void *self, enum oe__prompt_draw what, size_t limit);
	void *self;
};

int oe__prompt_build(const struct oe__prompt_set *set, const struct oe__prompt_input *input,
					 struct oe__prompt *out, oe_error *err);

#endif /* OE__PROMPT_INPUT_H */
