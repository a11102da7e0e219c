/*
 * A sample as arguments of the prompt builder.
 */

#include "program/sample.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "prompt/prompt_internal.h"

/* What a sample is translated to. The arrays are the only memory that is ours. */
struct translation {
	struct oe__prompt_input input;
	struct oe__rng draws[2]; /* by enum oe__prompt_draw */
	struct oe__prompt_record *records;
};

static size_t draw(void *self, enum oe__prompt_draw what, size_t limit)
{
	struct translation *translation = self;

	return (size_t)oe__rng_below(&translation->draws[what], limit);
}

static oe_bytes code_of(const oe_program *program)
{
	return program ? oe_program_code(program) : (oe_bytes){ "", 0 };
}

static const char *text_or_null(const char *text)
{
	return text && *text ? text : NULL;
}

static struct oe__prompt_record record_of(const oe_program *program)
{
	return (struct oe__prompt_record){
		.code = code_of(program),
		.metrics = program->evaluation,
		.parent_metrics = program->parent_evaluation,
		.changes = text_or_null(program->changes),
		.mark = program->migrant ? OE__MARK_MIGRANT : OE__MARK_NONE,
		.outcome = -1,
	};
}

static struct oe__prompt_record attempt_record(const struct oe__attempt *attempt)
{
	struct oe__prompt_record record = { 0 };

	if (attempt->program)
		record = record_of(attempt->program);
	record.number = attempt->number;
	record.outcome = attempt->outcome;
	record.message = attempt->message;
	if (attempt->program && attempt->program->evaluation &&
		(attempt->outcome == OE_OUTCOME_EVALUATION_FAILED ||
		 attempt->outcome == OE_OUTCOME_TIMED_OUT)) {
		record.details = attempt->program->evaluation->artifacts;
		record.detail_count = attempt->program->evaluation->artifact_count;
	}
	return record;
}

/* Is the content already among these, or is it that of the parent? */
static bool is_shown(const oe_iteration *sample, const struct oe__prompt_record *records,
					 size_t count, const oe_program *program)
{
	if (program->source == sample->parent->source)
		return true;
	for (size_t i = 0; i < count; i++)
		if (records[i].code.data == code_of(program).data)
			return true;
	return false;
}

/* The attempts turned around, then the top programs, then the inspirations. The hub gives as many
   top programs as are shown (the fittest and the different ones), so none of them is an
   inspiration. */
static int translate_records(struct translation *translation, const oe_iteration *sample)
{
	struct oe__prompt_input *input = &translation->input;
	size_t room = sample->attempt_count + sample->top_count + sample->inspiration_count;
	struct oe__prompt_record *at = oe__calloc(room + 1, sizeof(*at));

	if (!at)
		return OE_ERR_NOMEM;
	translation->records = at;
	input->attempts = at;
	for (size_t i = sample->attempt_count; i > 0; i--)
		*at++ = attempt_record(sample->attempts[i - 1]);
	input->attempt_count = sample->attempt_count;
	struct oe__prompt_record *top = at;
	input->top = top;
	for (size_t i = 0; i < sample->top_count; i++)
		if (!is_shown(sample, top, (size_t)(at - top), sample->top[i]))
			*at++ = record_of(sample->top[i]);
	input->top_count = (size_t)(at - top);
	input->inspirations = at;
	for (size_t i = 0; i < sample->inspiration_count; i++)
		if (!is_shown(sample, top, (size_t)(at - top), sample->inspirations[i]))
			*at++ = record_of(sample->inspirations[i]);
	input->inspiration_count = (size_t)(at - input->inspirations);
	return 0;
}

static int translate(struct translation *translation, const struct oe__prompt_set *set,
					 const oe_iteration *sample)
{
	const oe_program *parent = sample->parent;

	translation->input = (struct oe__prompt_input){
		.code = code_of(parent),
		.language = set->settings.language ? set->settings.language : parent->language,
		.metrics = parent->evaluation,
		.reference = parent->parent_evaluation,
		.artifacts = parent->evaluation ? parent->evaluation->artifacts : NULL,
		.artifact_count = parent->evaluation ? parent->evaluation->artifact_count : 0,
		.dimensions = sample->axes ? &sample->axes->dimensions : NULL,
		.coordinates = sample->coordinates,
		.system_message = set->settings.system_message,
		.draw = draw,
		.self = translation,
	};
	oe__rng_init(&translation->draws[OE__DRAW_VARIATION], sample->seed, "prompt-variation", 0, 0);
	oe__rng_init(&translation->draws[OE__DRAW_DIVERSE], sample->seed, "prompt-diverse", 0, 0);
	return translate_records(translation, sample);
}

int oe__prompt_render(const struct oe__prompt_set *set, const oe_iteration *sample,
					  struct oe__prompt *out, oe_error *err)
{
	struct translation translation = { .records = NULL };
	int status = translate(&translation, set, sample);

	status =
		status < 0 ? oe__error_nomem(err) : oe__prompt_build(set, &translation.input, out, err);
	oe__free(translation.records);
	return status;
}

int oe__prompt_render_judge(const struct oe__prompt_set *set, const oe_program *program,
							struct oe__prompt *out, oe_error *err)
{
	struct translation translation = { .records = NULL };
	uint64_t seed = oe__hash64(program->id, strlen(program->id), 0);

	translation.input = (struct oe__prompt_input){
		.code = code_of(program),
		.language = set->settings.language ? set->settings.language : program->language,
		.template_name = "evaluation",
		.system_message = set->settings.judge_system_message,
		.draw = draw,
		.self = &translation,
	};
	oe__rng_init(&translation.draws[OE__DRAW_VARIATION], seed, "prompt-variation", 0, 0);
	oe__rng_init(&translation.draws[OE__DRAW_DIVERSE], seed, "prompt-diverse", 0, 0);
	return oe__prompt_build(set, &translation.input, out, err);
}
