#ifndef OE__EDIT_EDIT_H
#define OE__EDIT_EDIT_H

/*
 * Applying an answer to a program. The rules are made once per run, are immutable, and serve any
 * number of threads at once; each edit belongs to the iteration that made it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "openevolve/config.h"
#include "openevolve/edit.h"

/* What a value of "edit.evolve_blocks" asks for. */
enum oe__evolve_mode { OE__EVOLVE_OFF, OE__EVOLVE_WARN, OE__EVOLVE_ENFORCE };

/* Initialise with OE__EDIT_OPTIONS_INIT: OpenEvolve's reading, made tolerant. */
struct oe__edit_options {
	bool rewrite;          /* a whole program is expected, not blocks                         */
	bool tolerant;         /* false: read and match exactly as OpenEvolve does                */
	bool reject_ambiguous; /* an exact duplicate of a search text: false takes the first      */
	bool reject_unmatched; /* a block without a place: false applies the others               */
	enum oe__evolve_mode evolve_blocks;
	const char *language;    /* of the program; NULL if unknown                                 */
	const char *pattern;     /* NULL: OE__PATTERN_DEFAULT                                       */
	int64_t code_length_max; /* in characters; 0 for none                                       */
};

#define OE__EDIT_OPTIONS_INIT                                                                      \
	{                                                                                              \
		false, true, false, false, OE__EVOLVE_OFF, NULL, NULL, 0                                   \
	}

/* Options as a configuration has them; the texts are borrowed from it. "diff_based_evolution"
   decides what is expected, "language" what to call the program if nothing better is known. */
void oe__edit_options_read(const oe_config *config, struct oe__edit_options *options);

struct oe__edit_rules;

/* Texts are copied. OE_ERR_CONFIG: the pattern is not usable. */
int oe__edit_rules_new(const struct oe__edit_options *options, struct oe__edit_rules **out,
					   oe_error *err);

void oe__edit_rules_free(struct oe__edit_rules *rules);

/* The result. Everything in it is its own. */
struct oe_edit {
	int status; /* enum oe_edit_status                        */
	bool rewrite;
	size_t violation_line;
	oe_edit_block *blocks;
	size_t block_count;
	size_t applied_count;         /* of the blocks, or 1 for a rewrite          */
	oe_bytes code;                /* in `code_text`; { NULL, 0 } without a child */
	struct oe__buffer answer;     /* blocks point into it, or into ...     */
	struct oe__buffer normalised; /* ... what it became                   */
	struct oe__buffer code_text;
	struct oe__buffer message, summary;
};

/*
 * Apply `answer` to `parent`. Everything that an answer can be is a status of the edit; the call
 * itself fails only for want of memory or if the answer exceeds OE__RESPONSE_MAX. Any thread.
 *
 * @param finish enum oe_finish.
 */
int oe__edit_apply(const struct oe__edit_rules *rules, oe_bytes parent, oe_bytes answer, int finish,
				   oe_edit **out, oe_error *err);

/* enum oe_outcome of a status; -1 for those that have a child. */
int oe__edit_outcome(int status);

OE__AUTO_POINTER(edit, oe_edit *, oe_edit_free)
OE__AUTO_POINTER(edit_rules, struct oe__edit_rules *, oe__edit_rules_free)

#endif /* OE__EDIT_EDIT_H */
