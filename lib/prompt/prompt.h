#ifndef OE__PROMPT_PROMPT_H
#define OE__PROMPT_PROMPT_H

/*
 * Prompts: what a sample looks like to a language model.
 *
 * A prompt set holds everything but the sample: templates, fragments and settings, read and compiled
 * once. It is immutable and counted; any thread may render with it. Rendering is a pure function of
 * (set, sample): the same bytes every time, so a run stores the set once (as JSON) and each prompt
 * only as its sample and hash.
 *
 * Names, places and fragments of templates are OpenEvolve's, so its template directories work; the
 * built-in texts are ours. What differs on purpose:
 *
 * - "previous attempts" are real ones, failures included, and the parent's fitness is compared with
 *   that of its own parent (OpenEvolve shows top programs in both places);
 * - no program is shown twice in one prompt;
 * - what programs printed is shown with head and tail, in a fence that it cannot end, without
 *   control characters: see "prompt.artifact_style";
 * - "prompt.max_tokens" leaves out, in this order: different programs, inspirations, top programs,
 *   attempts, artifacts (these are shortened first). Never the program itself. The prompt says so.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "base/hash.h"
#include "base/json.h"
#include "openevolve/config.h"
#include "openevolve/hub.h"

/* ---- prompt sets ---- */

struct oe__prompt_set;

/*
 * Read templates and settings. Everything that can be wrong with a template shows here, not in the
 * middle of a run.
 *
 * OE_ERR_CONFIG: "prompt.template_dir" does not exist; a template is malformed or has a place that
 * nothing fills; `err` has file, line and column. OE_ERR_IO: a file cannot be read.
 */
int oe__prompt_set_new(const oe_config *config, struct oe__prompt_set **out, oe_error *err);

struct oe__prompt_set *oe__prompt_set_ref(struct oe__prompt_set *set);
void oe__prompt_set_unref(struct oe__prompt_set *set);

/* What is odd, but not wrong (a fragment with a place that nothing fills is shown as an error text,
   as OpenEvolve does); NULL past the last one. Lives as long as the set. */
const char *oe__prompt_set_warning(const struct oe__prompt_set *set, size_t index);

/* The set as one JSON value, and back. OE_ERR_FORMAT, OE_ERR_CONFIG: not a set. */
void oe__prompt_set_write(const struct oe__prompt_set *set, struct oe__json_writer *writer);
int oe__prompt_set_read(const struct oe__value *value, struct oe__prompt_set **out, oe_error *err);

/* ---- prompts ---- */

/* What the token budget may leave out, in this order. */
enum oe__prompt_part {
	OE__PART_DIVERSE,
	OE__PART_INSPIRATIONS,
	OE__PART_TOP,
	OE__PART_ATTEMPTS,
	OE__PART_ARTIFACTS,
	OE__PART_COUNT
};

struct oe__prompt {
	struct oe__buffer system, user;
	uint8_t hash[OE__SHA256_SIZE]; /* SHA-256 of the system text, a NUL, the user text */
	int64_t tokens_max; /* the budget; 0: none                                              */
	int64_t tokens;     /* estimate, with a budget: a quarter of the ASCII characters, all others */
	bool over_budget;   /* too long even with everything left out that may be               */
	struct {
		size_t shown, available; /* items; less are shown than available if the budget cut  */
	} parts[OE__PART_COUNT];
	int64_t artifact_chars;     /* what each artifact was limited to ...                    */
	int64_t artifact_chars_max; /* ... and would have been without the budget               */
};

#define OE__PROMPT_INIT { .system = OE__BUFFER_INIT(0), .user = OE__BUFFER_INIT(0) }

/*
 * Render the prompt of an iteration. `out` is OE__PROMPT_INIT or an earlier prompt, whose memory is
 * used again.
 */
int oe__prompt_render(const struct oe__prompt_set *set, const oe_iteration *sample,
					  struct oe__prompt *out, oe_error *err);

/* Render what a language model is asked when it judges a program (template "evaluation"). */
int oe__prompt_render_judge(const struct oe__prompt_set *set, const oe_program *program,
							struct oe__prompt *out, oe_error *err);

/* Append what the budget left out ("2 of 2 different programs, ..."); nothing if it did not. */
int oe__prompt_cuts(const struct oe__prompt *prompt, struct oe__buffer *out);

void oe__prompt_done(struct oe__prompt *prompt);

OE__AUTO_POINTER(prompt_set, struct oe__prompt_set *, oe__prompt_set_unref)
OE__AUTO_VALUE(prompt, struct oe__prompt, oe__prompt_done)

#endif /* OE__PROMPT_PROMPT_H */
