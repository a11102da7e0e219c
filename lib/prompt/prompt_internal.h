#ifndef OE__PROMPT_PROMPT_INTERNAL_H
#define OE__PROMPT_PROMPT_INTERNAL_H

/*
 * What the files of this folder share about prompt sets and about one prompt in the making.
 *
 *     prompt_set.c   reading, compiling and checking a set; its JSON
 *     sample.c       a sample as arguments of the prompt builder
 *     prompt.c       one prompt: choosing the template, filling it in, the hash
 *     budget.c       counting tokens, leaving things out
 *     facts.c        what is said of one program: metrics, fitness, coordinates, what to look at
 *     history.c      attempts, top and different programs
 *     inspiration.c  inspirations and what sets them apart
 *     artifact.c     the section of artifacts
 */

#include <stdatomic.h>

#include "prompt/catalog.h"
#include "prompt/fragment.h"
#include "prompt/input.h"
#include "prompt/settings.h"
#include "prompt/template.h"

/* ---- sets ---- */

/* The templates that are filled in. */
enum oe__role {
	OE__ROLE_DIFF_USER,
	OE__ROLE_REWRITE_USER,
	OE__ROLE_EVALUATION,
	OE__ROLE_HISTORY,
	OE__ROLE_ATTEMPT,
	OE__ROLE_TOP_PROGRAM,
	OE__ROLE_INSPIRATIONS,
	OE__ROLE_INSPIRATION,
	OE__ROLE_COUNT
};

/* Places of the user's templates ... */
enum oe__user_place {
	OE__USER_METRICS,
	OE__USER_FITNESS,
	OE__USER_COORDINATES,
	OE__USER_DIMENSIONS,
	OE__USER_AREAS,
	OE__USER_HISTORY,
	OE__USER_PROGRAM,
	OE__USER_LANGUAGE,
	OE__USER_ARTIFACTS,
	OE__USER_PLACES
};

/* ... and of the others. */
enum oe__history_place {
	OE__HISTORY_ATTEMPTS,
	OE__HISTORY_TOP,
	OE__HISTORY_INSPIRATIONS,
	OE__HISTORY_PLACES
};

enum oe__attempt_place {
	OE__ATTEMPT_NUMBER,
	OE__ATTEMPT_CHANGES,
	OE__ATTEMPT_PERFORMANCE,
	OE__ATTEMPT_OUTCOME,
	OE__ATTEMPT_PLACES
};

enum oe__top_place {
	OE__TOP_NUMBER,
	OE__TOP_SCORE,
	OE__TOP_LANGUAGE,
	OE__TOP_CODE,
	OE__TOP_FEATURES,
	OE__TOP_PLACES
};

enum oe__inspiration_place {
	OE__INSPIRATION_NUMBER,
	OE__INSPIRATION_SCORE,
	OE__INSPIRATION_TYPE,
	OE__INSPIRATION_LANGUAGE,
	OE__INSPIRATION_CODE,
	OE__INSPIRATION_FEATURES,
	OE__INSPIRATION_PLACES
};

struct oe__prompt_set {
	atomic_int refs;
	struct oe__prompt_settings settings;
	struct oe__catalog catalog;
	struct oe__template *roles[OE__ROLE_COUNT]; /* NULL: absent, or malformed */
	struct oe__fragments fragments;
	char **warnings;
	size_t warning_count;
};

/* The template of a role; NULL after an error. */
const struct oe__template *oe__prompt_set_role(const struct oe__prompt_set *set,
											   enum oe__role role, oe_error *err);

/* Compile a user's template by name, with `variations` replaced as `draw` says. */
int oe__prompt_set_compile_user(const struct oe__prompt_set *set, const char *name,
								const struct oe__prompt_input *input, struct oe__template **out,
								oe_error *err);

/* The role of a user's template by that name, or OE__ROLE_COUNT. */
enum oe__role oe__role_of(const char *name);

/* Make a set of settings and texts, which move into it, whatever happens. With `check` everything
   that a run needs has to be in order. */
int oe__prompt_set_make(struct oe__prompt_settings *settings, struct oe__catalog *catalog,
						bool check, struct oe__prompt_set **out, oe_error *err);

/* ---- one prompt ---- */

/* How much of each part is shown. */
struct oe__plan {
	size_t counts[OE__PART_COUNT];
	int64_t artifact_chars;
};

struct oe__job {
	const struct oe__prompt_set *set;
	const struct oe__prompt_input *input;
	const struct oe__template *user;
	struct oe__prompt *prompt;
	struct oe__plan plan, whole; /* what is shown, and what would be without a budget */
	size_t *diverse;             /* which of the top programs were drawn */
};

/* ---- facts.c: what is said of a program ---- */

/* The fitness as prompts show and compare it: that of oe__fitness(), but a score that is not finite
   is shown as it is, and a program without metrics has 0. */
double oe__shown_fitness(const struct oe__job *job, const oe_evaluation *metrics);

/* Append the value of a metric; numbers with that many decimals. */
int oe__append_metric(const struct oe__job *job, const struct oe__metric *metric, int decimals,
					  struct oe__buffer *out, oe_error *err);

int oe__write_metrics(void *job, struct oe__buffer *out, oe_error *err);
int oe__write_fitness(void *job, struct oe__buffer *out, oe_error *err);
int oe__write_coordinates(void *job, struct oe__buffer *out, oe_error *err);
int oe__write_dimensions(void *job, struct oe__buffer *out, oe_error *err);
int oe__write_areas(void *job, struct oe__buffer *out, oe_error *err);

/* ---- history.c, inspiration.c, artifact.c ---- */

int oe__write_history(void *job, struct oe__buffer *out, oe_error *err);
int oe__write_inspirations(void *job, struct oe__buffer *out, oe_error *err);
int oe__write_artifacts(void *job, struct oe__buffer *out, oe_error *err);

/* Details of failed attempt number `number`: what an evaluator left behind, and a long message. */
int oe__write_details(const struct oe__job *job, const struct oe__prompt_record *record,
					  int64_t number, struct oe__buffer *out, oe_error *err);

/* Is the message short enough to be told in the line about the outcome? */
bool oe__message_is_short(const char *message);

/* How foreign text is shown. */
struct oe__excerpt_options oe__excerpt_options(const struct oe__job *job, int64_t chars_max);

/* Take white space off both ends of what `out` holds from `from` on. */
void oe__strip(struct oe__buffer *out, size_t from);

/* Append a fragment of the job's set. */
int oe__job_fragment(const struct oe__job *job, enum oe__fragment which,
					 const struct oe__argument *arguments, struct oe__buffer *out, oe_error *err);

/* Fill in the template of a role. */
int oe__job_render(const struct oe__job *job, enum oe__role role,
				   const struct oe__argument *arguments, struct oe__buffer *out, oe_error *err);

/* A program being shown. */
struct oe__item {
	const struct oe__job *job;
	const struct oe__prompt_record *record;
	bool diverse;
};
int oe__write_score(void *item, struct oe__buffer *out, oe_error *err);

/* ---- budget.c ---- */

/* What would be shown without a budget. */
void oe__plan_whole(struct oe__job *job);
int64_t oe__count_tokens(const char *text, size_t size);

/* Leave out about `excess` tokens more. False: nothing is left that may be left out. */
bool oe__plan_reduce(struct oe__job *job, int64_t excess);

/* A note in the prompt about what is left out; nothing if nothing is. */
int oe__write_budget_note(const struct oe__job *job, struct oe__buffer *out, oe_error *err);

#endif /* OE__PROMPT_PROMPT_INTERNAL_H */
