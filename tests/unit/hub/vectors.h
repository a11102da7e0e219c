#ifndef OE_TEST_HUB_VECTORS_H
#define OE_TEST_HUB_VECTORS_H

/* What the golden tests of the hub share: programs and evaluations from recorded JSON. */

#include "golden.h"
#include "program/program.h"

/* Metrics as an evaluator gave them; finished. Recorded numbers may be {"$float": ...}. */
static inline oe_evaluation *vector_metrics(const struct oe__value *metrics)
{
	oe_evaluation *evaluation = NULL;

	if (oe_evaluation_new(&evaluation) < 0)
		return NULL;
	for (size_t i = 0; metrics && i < metrics->size; i++) {
		const struct oe__value *value = &metrics->items[i];
		double number;
		int status = value->type == OE__VALUE_MAP && golden_number(value, &number)
						 ? oe_evaluation_set_metric(evaluation, metrics->keys[i].string, number)
						 : oe__evaluation_set_value(evaluation, metrics->keys[i].string, value);

		if (status < 0)
			fprintf(stderr, "    metric '%s' was refused\n", metrics->keys[i].string);
	}
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

static inline oe_program *vector_program(const struct oe__value *record, double timestamp,
										 int64_t iteration, const struct oe__dimensions *dimensions)
{
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation)
	oe_evaluation *evaluation = vector_metrics(oe__value_get(record, "metrics"));
	oe_bytes code = golden_text(record, "code");
	const struct oe__value *generation = oe__value_get(record, "generation");
	const struct oe__value *made = oe__value_get(record, "timestamp");
	const struct oe__value *metadata = oe__value_get(record, "metadata");
	oe_program *program = NULL;

	if (oe__source_new(code.data, code.size, &source) < 0)
		return NULL;
	struct oe__program_spec spec = {
		.id = golden_text(record, "id").data,
		.parent_id = golden_text(record, "parent_id").data,
		.source = source,
		.changes = metadata ? golden_text(metadata, "changes").data : NULL,
		.generation = generation ? generation->integer : 0,
		.iteration = iteration,
		.timestamp = made ? made->real : timestamp,
		.island = -1,
		.evaluation = evaluation,
		.dimensions = dimensions,
	};
	(void)oe__program_build(&spec, &program);
	return program;
}

#endif /* OE_TEST_HUB_VECTORS_H */
