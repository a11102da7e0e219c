/*
 * The table of fragments, compiling and filling them in.
 */

#include "prompt/fragment.h"

#include <string.h>

#include "base/error.h"
#include "prompt/python.h"


#define PLACES_MAX 2

struct row {
	const char *key;
	const char *names[PLACES_MAX];
	enum oe__argument_kind kinds[PLACES_MAX];
};

#define ROW(id, key, ...) [OE__FRAGMENT_##id] = { key, __VA_ARGS__ }
#define NONE              { 0 }, { 0 }
#define TEXT(a)           { a }, { OE__ARGUMENT_TEXT }
#define INT(a)            { a }, { OE__ARGUMENT_INT }
#define REALS(a, b)       { a, b }, { OE__ARGUMENT_REAL, OE__ARGUMENT_REAL }
static const struct row rows[OE__FRAGMENT_COUNT] = {
	ROW(FITNESS_IMPROVED, "fitness_improved", REALS("prev", "current")),
	ROW(FITNESS_DECLINED, "fitness_declined", REALS("prev", "current")),
	ROW(FITNESS_STABLE, "fitness_stable", { "current" }, { OE__ARGUMENT_REAL }),
	ROW(EXPLORING_REGION, "exploring_region", TEXT("features")),
	ROW(NO_COORDINATES, "no_feature_coordinates", NONE),
	ROW(CODE_TOO_LONG, "code_too_long", INT("threshold")),
	ROW(NO_GUIDANCE, "no_specific_guidance", NONE),
	ROW(ARTIFACT_TITLE, "artifact_title", NONE),
	ROW(DIVERSE_TITLE, "diverse_programs_title", NONE),
	ROW(UNKNOWN_CHANGES, "attempt_unknown_changes", NONE),
	ROW(ALL_IMPROVED, "attempt_all_metrics_improved", NONE),
	ROW(ALL_REGRESSED, "attempt_all_metrics_regressed", NONE),
	ROW(MIXED, "attempt_mixed_metrics", NONE),
	ROW(TOP_PREFIX, "top_program_metrics_prefix", NONE),
	ROW(DIVERSE_PREFIX, "diverse_program_metrics_prefix", NONE),
	ROW(TYPE_DIVERSE, "inspiration_type_diverse", NONE),
	ROW(TYPE_MIGRANT, "inspiration_type_migrant", NONE),
	ROW(TYPE_RANDOM, "inspiration_type_random", NONE),
	ROW(TYPE_HIGH, "inspiration_type_score_high_performer", NONE),
	ROW(TYPE_ALTERNATIVE, "inspiration_type_score_alternative", NONE),
	ROW(TYPE_EXPERIMENTAL, "inspiration_type_score_experimental", NONE),
	ROW(TYPE_EXPLORATORY, "inspiration_type_score_exploratory", NONE),
	ROW(FEATURE_CHANGES, "inspiration_changes_prefix", TEXT("changes")),
	ROW(FEATURE_EXCELLENT, "inspiration_metrics_excellent", { "metric_name", "value" },
		{ OE__ARGUMENT_TEXT, OE__ARGUMENT_REAL }),
	ROW(FEATURE_ALTERNATIVE, "inspiration_metrics_alternative", TEXT("metric_name")),
	ROW(FEATURE_CLASS, "inspiration_code_with_class", NONE),
	ROW(FEATURE_NUMPY, "inspiration_code_with_numpy", NONE),
	ROW(FEATURE_LOOPS, "inspiration_code_with_mixed_iteration", NONE),
	ROW(FEATURE_CONCISE, "inspiration_code_with_concise_line", NONE),
	ROW(FEATURE_COMPREHENSIVE, "inspiration_code_with_comprehensive_line", NONE),
	ROW(NO_FEATURES, "inspiration_no_features_postfix", TEXT("program_type")),
	ROW(NO_CHANGES, "attempt_no_changes", NONE),
	ROW(NOT_EVALUATED, "attempt_not_evaluated", NONE),
	ROW(REJECTED, "attempt_rejected", NONE),
	ROW(DUPLICATE, "attempt_duplicate", NONE),
	ROW(EQUIVALENT, "attempt_equivalent", NONE),
	ROW(NOOP_EDIT, "attempt_noop_edit", NONE),
	ROW(NO_EDIT, "attempt_no_edit", NONE),
	ROW(VIOLATES_BLOCK, "attempt_violates_block", NONE),
	ROW(TOO_LONG, "attempt_too_long", NONE),
	ROW(TRUNCATED, "attempt_truncated", NONE),
	ROW(EVALUATION_FAILED, "attempt_evaluation_failed", NONE),
	ROW(TIMED_OUT, "attempt_timed_out", NONE),
	ROW(MESSAGE, "attempt_message", { "outcome", "message" },
		{ OE__ARGUMENT_TEXT, OE__ARGUMENT_TEXT }),
	ROW(DETAIL, "attempt_detail", { "name", "attempt_number" },
		{ OE__ARGUMENT_TEXT, OE__ARGUMENT_INT }),
	ROW(GAP, "excerpt_gap", INT("size")),
	ROW(BUDGET_NOTE, "budget_note", { "cuts", "max_tokens" },
		{ OE__ARGUMENT_TEXT, OE__ARGUMENT_INT }),
};

static struct oe__template_kind kind_of(const struct row *row)
{
	struct oe__template_kind kind = { row->names, 0 };

	while (kind.count < PLACES_MAX && row->names[kind.count])
		kind.count++;
	return kind;
}

static int compile_one(const struct oe__catalog *catalog, size_t which, struct oe__template **out,
					   oe_error *err)
{
	const struct oe__catalog_text *text = oe__catalog_fragment(catalog, rows[which].key);
	struct oe__template_kind kind = kind_of(&rows[which]);

	if (!text)
		return 0;
	OE__AUTO(buffer) struct oe__buffer where = OE__BUFFER_INIT(0);
	oe__buffer_printf(&where, "%s: %s", text->where, rows[which].key);
	if (where.status < 0)
		return oe__error_nomem(err);
	return oe__template_compile(text->text, text->size, &kind, oe__buffer_string(&where), out, err);
}

int oe__fragments_compile(struct oe__fragments *fragments, const struct oe__catalog *catalog)
{
	*fragments = (struct oe__fragments){ .catalog = catalog };
	for (size_t i = 0; i < OE__FRAGMENT_COUNT; i++)
		if (compile_one(catalog, i, &fragments->compiled[i], NULL) == OE_ERR_NOMEM)
			return OE_ERR_NOMEM;
	return 0;
}

void oe__fragments_done(struct oe__fragments *fragments)
{
	for (size_t i = 0; i < OE__FRAGMENT_COUNT; i++)
		oe__template_free(fragments->compiled[i]);
	*fragments = (struct oe__fragments){ 0 };
}

/* ---- filling in ---- */

/* Absent or malformed: compiling it again says which. */
static int append_absent(const struct oe__fragments *fragments, enum oe__fragment which,
						 struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(template) struct oe__template *template = NULL;

	if (oe__catalog_fragment(fragments->catalog, rows[which].key))
		return compile_one(fragments->catalog, which, &template, err);
	if (which >= OE__FRAGMENT_OURS)
		return 0;
	return oe__buffer_printf(out, "[Missing fragment: %s]", rows[which].key);
}

int oe__fragment_append(const struct oe__fragments *fragments, enum oe__fragment which,
						const struct oe__argument *arguments, struct oe__buffer *out,
						oe_error *err)
{
	const struct oe__template *template = fragments->compiled[which];
	struct oe__rendering rendering = { .arguments = arguments };
	size_t from = out->size;

	if (!template)
		return append_absent(fragments, which, out, err);
	int status = oe__template_render(template, &rendering, out, err);
	if (status == 0 || !rendering.missing.data)
		return status;
	oe__buffer_truncate(out, from);
	oe__buffer_text(out, "[Fragment formatting error: ");
	oe__python_repr(out, rendering.missing.data, rendering.missing.size);
	return oe__buffer_char(out, ']');
}

/* ---- checking ---- */

static int check_one(const struct oe__fragments *fragments, size_t which,
					 int (*warn)(void *self, const char *sentence), void *self, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer out = OE__BUFFER_INIT(0);
	struct oe__argument arguments[PLACES_MAX];
	oe_error why = { 0 };

	for (size_t i = 0; i < PLACES_MAX; i++)
		arguments[i] = (struct oe__argument){ .kind = rows[which].kinds[i],
											  .text = { "text", 4 },
											  .integer = 1,
											  .real = 0.5 };
	if (!fragments->compiled[which])
		return append_absent(fragments, (enum oe__fragment)which, &out, err);
	struct oe__rendering rendering = { .arguments = arguments };
	int status = oe__template_render(fragments->compiled[which], &rendering, &out, &why);
	if (status < 0 && rendering.missing.data) {
		oe__buffer_clear(&out);
		oe__buffer_printf(&out, "%s:%d:%d: %s", why.where, why.line, why.column, why.message);
		return warn(self, oe__buffer_string(&out));
	}
	if (status < 0 && err)
		*err = why;
	return status;
}

int oe__fragments_check(const struct oe__fragments *fragments,
						int (*warn)(void *self, const char *sentence), void *self, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; i < OE__FRAGMENT_COUNT && status == 0; i++)
		status = check_one(fragments, i, warn, self, err);
	return status;
}
