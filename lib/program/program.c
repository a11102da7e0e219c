/*
 * Programs: made once, then shared. Any thread.
 */

#include "program/program.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "program/fitness.h"

/* ---- making ---- */

static int make_id(const struct oe__program_spec *spec, char out[OE__UUID_SIZE])
{
	if (spec->id_seed[0] == 0 && spec->id_seed[1] == 0)
		return oe__uuid_random(out);

	uint64_t words[2] = { oe__hash_mix(spec->id_seed[0], spec->id_seed[1]), 0 };
	words[1] = oe__hash_mix(words[0], spec->id_seed[1]);
	uint8_t bytes[16];
	for (size_t i = 0; i < sizeof(bytes); i++) /* the same id on machines of either byte order */
		bytes[i] = (uint8_t)(words[i / 8] >> (8 * (i % 8)));
	oe__uuid_format(bytes, out);
	return 0;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copy a text to `*at`, and go on behind it. NULL stays NULL. */
static char *put_text(char **at, const char *text, size_t size)
{
	char *copy = size > 0 ? memcpy(*at, text, size) : NULL;

	*at += size;
	return copy;
}

/* A program and its texts are one piece of memory: a prompt shows half a dozen of them, and in a
   large population none of these is in a cache. */
static oe_program *allocate(const struct oe__program_spec *spec, const char *id)
{
	const char *language = spec->language ? spec->language : "";
	const char *changes = spec->changes ? spec->changes : "";
	size_t id_size = text_size(id), parent_size = text_size(spec->parent_id),
		   language_size = text_size(language), changes_size = text_size(changes),
		   prompts_size = text_size(spec->prompts);
	oe_program *program = oe__calloc(1, sizeof(*program) + id_size + parent_size + language_size +
											changes_size + prompts_size);

	if (!program)
		return NULL;
	char *at = program->texts;
	program->id = put_text(&at, id, id_size);
	program->parent_id = put_text(&at, spec->parent_id, parent_size);
	program->language = put_text(&at, language, language_size);
	program->changes = put_text(&at, changes, changes_size);
	program->prompts = put_text(&at, spec->prompts, prompts_size);
	return program;
}

int oe__program_build(const struct oe__program_spec *spec, oe_program **out)
{
	char id[OE__UUID_SIZE];
	int status = spec->id ? 0 : make_id(spec, id);

	if (status < 0)
		return status;
	oe_program *program = allocate(spec, spec->id ? spec->id : id);
	if (!program)
		return OE_ERR_NOMEM;
	atomic_init(&program->refs, 1);
	program->source = oe__source_ref(spec->source);
	program->generation = oe__number_within(spec->generation);
	program->iteration = oe__number_within(spec->iteration);
	program->timestamp = spec->timestamp != 0 ? spec->timestamp : oe__clock_wall();
	program->island = spec->island;
	program->migrant = spec->migrant;
	if (spec->evaluation)
		program->evaluation = oe_evaluation_ref(spec->evaluation);
	if (spec->parent_evaluation)
		program->parent_evaluation = oe_evaluation_ref(spec->parent_evaluation);
	program->fitness = oe__fitness(program->evaluation, spec->dimensions);
	*out = program;
	return 0;
}

void oe__program_describe(const oe_program *program, struct oe__program_spec *spec)
{
	*spec = (struct oe__program_spec){
		.id = program->id,
		.parent_id = program->parent_id,
		.source = program->source,
		.language = program->language,
		.changes = program->changes,
		.prompts = program->prompts,
		.generation = program->generation,
		.iteration = program->iteration,
		.timestamp = program->timestamp,
		.island = program->island,
		.migrant = program->migrant,
		.evaluation = program->evaluation,
		.parent_evaluation = program->parent_evaluation,
	};
}

int oe_program_new(const char *code, size_t size, const char *language, oe_program **out)
{
	OE__AUTO(source) struct oe__source *source = NULL;

	if ((!code && size > 0) || !out)
		return OE_ERR_INVALID;
	int status = oe__source_new(code ? code : "", size, &source);
	if (status < 0)
		return status;
	return oe__program_build(
		&(struct oe__program_spec){ .source = source, .language = language, .island = -1 }, out);
}

int oe_program_evaluated(const oe_program *program, oe_evaluation *evaluation, oe_program **out)
{
	struct oe__program_spec spec;

	if (!program || !evaluation || !out)
		return OE_ERR_INVALID;
	if (!oe__evaluation_finished(evaluation))
		return OE_ERR_STATE;
	oe__program_describe(program, &spec);
	spec.evaluation = evaluation;
	return oe__program_build(&spec, out);
}

oe_program *oe_program_ref(oe_program *program)
{
	atomic_fetch_add_explicit(&program->refs, 1, memory_order_relaxed);
	return program;
}

void oe_program_unref(oe_program *program)
{
	if (!program || atomic_fetch_sub_explicit(&program->refs, 1, memory_order_acq_rel) != 1)
		return;
	oe__source_unref(program->source);
	oe_evaluation_unref(program->evaluation);
	oe_evaluation_unref(program->parent_evaluation);
	oe__free(program);
}

bool oe__program_better(const oe_program *a, const oe_program *b)
{
	bool measured_a = oe_program_metric_count(a) > 0, measured_b = oe_program_metric_count(b) > 0;

	if (!measured_a && !measured_b)
		return a->timestamp > b->timestamp;
	if (measured_a != measured_b)
		return measured_a;
	return a->fitness > b->fitness;
}

/* ---- reading ---- */

const char *oe_program_id(const oe_program *program)
{
	return program->id;
}

const char *oe_program_parent_id(const oe_program *program)
{
	return program->parent_id;
}

oe_bytes oe_program_code(const oe_program *program)
{
	return (oe_bytes){ program->source->text, program->source->size };
}

const char *oe_program_content_hash(const oe_program *program)
{
	return program->source->hash_hex;
}

const char *oe_program_language(const oe_program *program)
{
	return program->language;
}

int64_t oe_program_generation(const oe_program *program)
{
	return program->generation;
}

int64_t oe_program_iteration(const oe_program *program)
{
	return program->iteration;
}

int32_t oe_program_island(const oe_program *program)
{
	return program->island;
}

int oe_program_is_migrant(const oe_program *program)
{
	return program->migrant;
}

double oe_program_timestamp(const oe_program *program)
{
	return program->timestamp;
}

const char *oe_program_changes(const oe_program *program)
{
	return program->changes;
}

double oe_program_fitness(const oe_program *program)
{
	return program->fitness;
}

const oe_evaluation *oe_program_evaluation(const oe_program *program)
{
	return program->evaluation;
}

size_t oe_program_metric_count(const oe_program *program)
{
	return oe_evaluation_metric_count(program->evaluation);
}

const char *oe_program_metric_at(const oe_program *program, size_t index, double *value)
{
	return oe_evaluation_metric_at(program->evaluation, index, value);
}

size_t oe_program_artifact_count(const oe_program *program)
{
	return oe_evaluation_artifact_count(program->evaluation);
}

const char *oe_program_artifact_at(const oe_program *program, size_t index, oe_bytes *content)
{
	return oe_evaluation_artifact_at(program->evaluation, index, content);
}
