/*
 * Samples (the handle oe_iteration), the attempts they show, and the axes they share. Any thread.
 */

#include "program/sample.h"

#include <math.h>

#include "base/alloc.h"
#include "base/hash.h"

/* ---- outcomes ---- */

static const char *const outcome_names[] = {
	[OE_OUTCOME_COMMITTED] = "committed",
	[OE_OUTCOME_REJECTED] = "rejected",
	[OE_OUTCOME_DUPLICATE] = "duplicate",
	[OE_OUTCOME_NOOP_EDIT] = "noop_edit",
	[OE_OUTCOME_NO_EDIT] = "no_edit",
	[OE_OUTCOME_VIOLATES_BLOCK] = "violates_block",
	[OE_OUTCOME_TOO_LONG] = "too_long",
	[OE_OUTCOME_TRUNCATED] = "truncated",
	[OE_OUTCOME_EVALUATION_FAILED] = "evaluation_failed",
	[OE_OUTCOME_TIMED_OUT] = "timed_out",
	[OE_OUTCOME_LLM_FAILED] = "llm_failed",
	[OE_OUTCOME_CANCELLED] = "cancelled",
	[OE_OUTCOME_LOST] = "lost",
	[OE_OUTCOME_EQUIVALENT] = "equivalent",
};
_Static_assert(OE__COUNT(outcome_names) == OE_OUTCOME_COUNT, "each outcome has a name");

const char *oe_outcome_name(int outcome)
{
	if (outcome < 0 || outcome >= OE_OUTCOME_COUNT)
		return "unknown";
	return outcome_names[outcome];
}

/* ---- attempts ---- */

int oe__attempt_new(int64_t number, int outcome, oe_program *program, const char *message,
					struct oe__attempt **out)
{
	OE__AUTO(attempt) struct oe__attempt *attempt = oe__calloc(1, sizeof(*attempt));

	if (!attempt)
		return OE_ERR_NOMEM;
	atomic_init(&attempt->refs, 1);
	attempt->number = number;
	attempt->outcome = outcome;
	attempt->message = oe__strdup(message ? message : "");
	if (!attempt->message)
		return OE_ERR_NOMEM;
	if (program)
		attempt->program = oe_program_ref(program);
	*out = OE__STEAL(attempt);
	return 0;
}

struct oe__attempt *oe__attempt_ref(struct oe__attempt *attempt)
{
	atomic_fetch_add_explicit(&attempt->refs, 1, memory_order_relaxed);
	return attempt;
}

void oe__attempt_unref(struct oe__attempt *attempt)
{
	if (!attempt || atomic_fetch_sub_explicit(&attempt->refs, 1, memory_order_acq_rel) != 1)
		return;
	oe_program_unref(attempt->program);
	oe__free(attempt->message);
	oe__free(attempt);
}

/* ---- axes ---- */

int oe__axes_new(const char *const *names, size_t count, struct oe__axes **out)
{
	OE__AUTO(axes) struct oe__axes *axes = oe__calloc(1, sizeof(*axes));

	if (!axes)
		return OE_ERR_NOMEM;
	atomic_init(&axes->refs, 1);
	axes->names = oe__calloc(count > 0 ? count : 1, sizeof(*axes->names));
	if (!axes->names)
		return OE_ERR_NOMEM;
	axes->dimensions.names = (const char *const *)axes->names;
	for (size_t i = 0; i < count; i++) {
		axes->names[i] = oe__strdup(names[i]);
		if (!axes->names[i])
			return OE_ERR_NOMEM;
		axes->dimensions.count++;
	}
	*out = OE__STEAL(axes);
	return 0;
}

struct oe__axes *oe__axes_ref(struct oe__axes *axes)
{
	atomic_fetch_add_explicit(&axes->refs, 1, memory_order_relaxed);
	return axes;
}

void oe__axes_unref(struct oe__axes *axes)
{
	if (!axes || atomic_fetch_sub_explicit(&axes->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < axes->dimensions.count; i++)
		oe__free(axes->names[i]);
	oe__free(axes->names);
	oe__free(axes);
}

/* ---- samples ---- */

static int reference_programs(oe_program *const *from, size_t count, oe_program ***out,
							  size_t *out_count)
{
	if (count == 0)
		return 0;
	oe_program **copy = oe__calloc(count, sizeof(oe_program *));
	if (!copy)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		copy[i] = oe_program_ref(from[i]);
	*out = copy;
	*out_count = count;
	return 0;
}

static int reference_attempts(oe_iteration *iteration, struct oe__attempt *const *from,
							  size_t count)
{
	if (count == 0)
		return 0;
	iteration->attempts = oe__calloc(count, sizeof(*iteration->attempts));
	if (!iteration->attempts)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		iteration->attempts[i] = oe__attempt_ref(from[i]);
	iteration->attempt_count = count;
	return 0;
}

static int copy_coordinates(oe_iteration *iteration, const double *coordinates)
{
	size_t count = iteration->axes->dimensions.count;

	iteration->coordinates = oe__calloc(count > 0 ? count : 1, sizeof(*iteration->coordinates));
	if (!iteration->coordinates)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		iteration->coordinates[i] = coordinates ? coordinates[i] : NAN;
	return 0;
}

uint64_t oe__iteration_seed(uint64_t run_seed, int64_t number, int32_t attempt)
{
	return oe__hash_mix(oe__hash_mix(run_seed, (uint64_t)number), (uint64_t)attempt);
}

int oe__sample_build(const struct oe__sample_spec *spec, oe_iteration **out)
{
	OE__AUTO(iteration) oe_iteration *iteration = oe__calloc(1, sizeof(*iteration));

	if (!iteration)
		return OE_ERR_NOMEM;
	atomic_init(&iteration->refs, 1);
	iteration->number = spec->number;
	iteration->attempt = spec->attempt;
	iteration->island = spec->island;
	iteration->run_seed = spec->run_seed;
	iteration->seed = oe__iteration_seed(spec->run_seed, spec->number, spec->attempt);
	iteration->version = spec->version;
	iteration->parent = oe_program_ref(spec->parent);
	iteration->axes = oe__axes_ref(spec->axes);

	int status = reference_programs(spec->inspirations, spec->inspiration_count,
									&iteration->inspirations, &iteration->inspiration_count);
	if (status == 0)
		status =
			reference_programs(spec->top, spec->top_count, &iteration->top, &iteration->top_count);
	if (status == 0)
		status = reference_attempts(iteration, spec->attempts, spec->attempt_count);
	if (status == 0)
		status = copy_coordinates(iteration, spec->coordinates);
	if (status < 0)
		return status;
	*out = OE__STEAL(iteration);
	return 0;
}

oe_iteration *oe_iteration_ref(oe_iteration *iteration)
{
	atomic_fetch_add_explicit(&iteration->refs, 1, memory_order_relaxed);
	return iteration;
}

static void unref_programs(oe_program **programs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		oe_program_unref(programs[i]);
	oe__free(programs);
}

void oe_iteration_unref(oe_iteration *iteration)
{
	if (!iteration || atomic_fetch_sub_explicit(&iteration->refs, 1, memory_order_acq_rel) != 1)
		return;
	oe_program_unref(iteration->parent);
	unref_programs(iteration->inspirations, iteration->inspiration_count);
	unref_programs(iteration->top, iteration->top_count);
	for (size_t i = 0; i < iteration->attempt_count; i++)
		oe__attempt_unref(iteration->attempts[i]);
	oe__free(iteration->attempts);
	oe__free(iteration->coordinates);
	oe__axes_unref(iteration->axes);
	oe__free(iteration);
}

int64_t oe_iteration_number(const oe_iteration *iteration)
{
	return iteration->number;
}

int32_t oe_iteration_attempt(const oe_iteration *iteration)
{
	return iteration->attempt;
}

int32_t oe_iteration_island(const oe_iteration *iteration)
{
	return iteration->island;
}

uint64_t oe_iteration_seed(const oe_iteration *iteration)
{
	return iteration->seed;
}

oe_program *oe_iteration_parent(const oe_iteration *iteration)
{
	return iteration->parent;
}

size_t oe_iteration_inspiration_count(const oe_iteration *iteration)
{
	return iteration->inspiration_count;
}

oe_program *oe_iteration_inspiration_at(const oe_iteration *iteration, size_t index)
{
	return index < iteration->inspiration_count ? iteration->inspirations[index] : NULL;
}

size_t oe_iteration_top_count(const oe_iteration *iteration)
{
	return iteration->top_count;
}

oe_program *oe_iteration_top_at(const oe_iteration *iteration, size_t index)
{
	return index < iteration->top_count ? iteration->top[index] : NULL;
}

size_t oe_iteration_attempt_count(const oe_iteration *iteration)
{
	return iteration->attempt_count;
}

oe_program *oe_iteration_attempt_at(const oe_iteration *iteration, size_t index, int *outcome,
									const char **message)
{
	if (index >= iteration->attempt_count)
		return NULL;
	if (outcome)
		*outcome = iteration->attempts[index]->outcome;
	if (message)
		*message = iteration->attempts[index]->message;
	return iteration->attempts[index]->program;
}

/*
 * The identifier is a function of (run seed, number, attempt, content): making the same child again
 * after a restart gives the same record, while another answer to the same attempt gives another
 * one.
 */
static void seed_id(const oe_iteration *iteration, const struct oe__source *source, uint64_t out[2])
{
	uint64_t content = oe__hash64(source->hash, sizeof(source->hash), iteration->run_seed);

	out[0] = oe__hash_mix(iteration->seed, content);
	out[1] = oe__hash_mix(content, iteration->seed) | 1; /* never both zero: that means random */
}

int oe__iteration_child_of(const oe_iteration *iteration, struct oe__source *source,
                           oe_evaluation *evaluation, const char *changes, oe_program **out)
{
	const oe_program *parent = iteration->parent;
	struct oe__program_spec spec = {
		.parent_id = parent->id,
		.source = source,
		.language = parent->language,
		.changes = changes,
		.generation = parent->generation + 1,
		.iteration = iteration->number,
		.island = iteration->island,
		.evaluation = evaluation,
		.parent_evaluation = parent->evaluation,
		.dimensions = &iteration->axes->dimensions,
	};
	seed_id(iteration, source, spec.id_seed);
	return oe__program_build(&spec, out);
}

int oe_iteration_child(const oe_iteration *iteration, const char *code, size_t size,
                       oe_evaluation *evaluation, const char *changes, oe_program **out)
{
	OE__AUTO(source) struct oe__source *source = NULL;

	if (!iteration || (!code && size > 0) || !out)
		return OE_ERR_INVALID;
	if (evaluation && !oe__evaluation_finished(evaluation))
		return OE_ERR_STATE;
	int status = oe__source_new(code ? code : "", size, &source);
	if (status < 0)
		return status;
	return oe__iteration_child_of(iteration, source, evaluation, changes, out);
}
