/*
 * Recorded fitnesses and comparisons. Cases of level "open" are decided beside the vectors: text
 * that is no number is missing, and what is not finite is left out of a mean. An integer beyond
 * every double is infinite here; OpenEvolve cannot convert it and leaves it out of its average.
 */

#include <math.h>

#include "golden.h"
#include "program/program.h"

static oe_program *program(const struct oe__value *item, const char *metrics_key,
						   const char *timestamp_key, const struct oe__dimensions *dimensions)
{
	const struct oe__value *metrics = oe__value_get(item, metrics_key);
	OE__AUTO(source) struct oe__source *source = NULL;
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_program *made = NULL;

	if (oe__source_new("", 0, &source) < 0 || oe_evaluation_new(&evaluation) < 0)
		return NULL;
	for (size_t i = 0; i < metrics->size; i++) {
		const struct oe__value *value = &metrics->items[i];
		double number;

		int status = value->type == OE__VALUE_MAP && golden_number(value, &number)
						 ? oe_evaluation_set_metric(evaluation, metrics->keys[i].string, number)
						 : oe__evaluation_set_value(evaluation, metrics->keys[i].string, value);

		if (status < 0) {
			fprintf(stderr, "    metric '%s' was refused\n", metrics->keys[i].string);
			return NULL;
		}
	}
	oe__evaluation_freeze(evaluation);
	struct oe__program_spec spec = { .source = source,
									 .evaluation = evaluation,
									 .timestamp = oe__value_get(item, timestamp_key)->real,
									 .dimensions = dimensions };
	(void)oe__program_build(&spec, &made);
	return made;
}

static const struct oe__value *expected(const struct oe__value *item, const char *key)
{
	const struct oe__value *wanted = oe__value_get(item, "wanted");
	const struct oe__value *value = wanted ? oe__value_get(wanted, key) : NULL;

	return value ? value : oe__value_get(oe__value_get(item, "openevolve"), key);
}

static bool same_number(const struct oe__value *want, double got)
{
	double number;

	if (want->type == OE__VALUE_MAP && oe__value_get(want, "$worst"))
		return got == -INFINITY;
	return golden_number(want, &number) && (got == number || (isnan(got) && isnan(number)));
}

static bool is_beyond(const struct oe__value *item)
{
	const struct oe__value *score = oe__value_get(oe__value_get(item, "metrics"), "combined_score");

	return score && score->type == OE__VALUE_MAP && oe__value_get(score, "$int");
}

static bool is_open(const struct oe__value *item)
{
	oe_bytes level = golden_text(item, "level");

	return level.data && strcmp(level.data, "open") == 0;
}

static bool run(const struct oe__value *item)
{
	const struct oe__value *list = oe__value_get(item, "feature_dimensions");
	const char *names[16];
	struct oe__dimensions dimensions = { names, list->size };

	for (size_t i = 0; i < list->size; i++)
		names[i] = list->items[i].string;
	OE__AUTO(program) oe_program *first = program(item, "metrics", "timestamp", &dimensions);
	OE__AUTO(program) oe_program *second = program(item, "other", "other_timestamp", &dimensions);
	if (same_number(expected(item, "fitness"), oe_program_fitness(first)) &&
		(is_beyond(item) ||
		 same_number(expected(item, "average"), oe__metric_mean(first->evaluation))) &&
		same_number(expected(item, "fitness_other"), oe_program_fitness(second)) &&
		oe__program_better(first, second) == expected(item, "better")->boolean &&
		oe__program_better(second, first) == expected(item, "other_better")->boolean)
		return true;
	fprintf(stderr, "%s: fitness %.17g, average %.17g, other %.17g%s\n",
			(const char *)golden_text(item, "name").data, oe_program_fitness(first),
			oe__metric_mean(first->evaluation), oe_program_fitness(second),
			is_open(item) ? " (open)" : "");
	return is_open(item);
}

int main(void)
{
	OE__AUTO(value) struct oe__value cases = { 0 };
	size_t failed = 0;
	int status = golden_load("fitness.json", &cases);

	if (status != 0)
		return status;
	for (size_t i = 0; i < cases.size; i++)
		failed += !run(&cases.items[i]);
	printf("%zu cases, %zu failed\n", cases.size, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
