/*
 * Recorded derived numbers: complexity, diversity, bins, fitness, comparison. Two kinds are
 * others': "feature_text" is the prompt's, "island_diversity" a statistic for a log that we do not
 * offer.
 */

#include <math.h>

#include "hub/feature.h"
#include "hub/settings.h"
#include "vectors.h"

static double number(const struct oe__value *map, const char *key)
{
	const struct oe__value *value = oe__value_get(map, key);
	double out = NAN;

	return value && golden_number(value, &out) ? out : NAN;
}

static struct oe__source *source(const struct oe__value *map, const char *key)
{
	oe_bytes code = golden_text(map, key);
	struct oe__source *made = NULL;

	(void)oe__source_new(code.data, code.size, &made);
	return made;
}

/* `wanted` in one of its three forms, else what was recorded. */
static double wanted(const struct oe__value *item, const char *key)
{
	const struct oe__value *map = oe__value_get(item, "wanted");

	if (map && map->type == OE__VALUE_MAP && oe__value_get(map, key))
		return number(map, key);
	if (strcmp(key, "fitness") == 0 && oe__value_get(item, "wanted_fitness"))
		return number(item, "wanted_fitness");
	if (map && map->type != OE__VALUE_MAP)
		return number(item, "wanted");
	return number(item, key);
}

static struct oe__axes *axes_of(const struct oe__value *names)
{
	const char *texts[OE__DIMENSIONS_MAX];
	struct oe__axes *axes = NULL;

	for (size_t i = 0; names && i < names->size; i++)
		texts[i] = names->items[i].string;
	(void)oe__axes_new(texts, names ? names->size : 0, &axes);
	return axes;
}

static bool check_complexity(const struct oe__value *item)
{
	OE__AUTO(source) struct oe__source *made = source(item, "code");

	return (double)made->length == wanted(item, "value");
}

static bool check_pair(const struct oe__value *item)
{
	OE__AUTO(source) struct oe__source *a = source(item, "a"), *b = source(item, "b");

	return oe__source_distance(a, b) == wanted(item, "value") &&
		   oe__source_distance(b, a) == wanted(item, "value");
}

static bool check_diversity(const struct oe__value *item)
{
	const struct oe__value *codes = oe__value_get(item, "references");
	OE__AUTO(source) struct oe__source *made = source(item, "code");
	struct oe__diversity diversity;
	double value = NAN;

	oe__diversity_init(&diversity, codes->size, 7);
	struct oe__source **references = calloc(codes->size + 1, sizeof(struct oe__source *));
	for (size_t i = 0; i < codes->size; i++)
		(void)oe__source_new(codes->items[i].string, codes->items[i].size, &references[i]);
	(void)oe__diversity_load(&diversity, references, codes->size);
	(void)oe__diversity_measure(&diversity, made, false, &value);
	for (size_t i = 0; i < codes->size; i++)
		oe__source_unref(references[i]);
	free(references);
	oe__diversity_done(&diversity);
	return value == wanted(item, "value");
}

static bool check_bin(const struct oe__value *item)
{
	static const char *const names[] = { "axis" };
	struct oe__dimensions dimensions = { names, 1 };
	int32_t bins = (int32_t)number(item, "bins"), bin = -1;
	double value = number(item, "value");
	struct oe__features features;
	struct oe__feature_stats before = { .min = number(item, "min"), .max = number(item, "max") };

	before.known = !isnan(before.min);
	if (oe__features_init(&features, &dimensions, &bins) < 0)
		return false;
	oe__features_load(&features, 0, &before);
	oe__features_bins(&features, &value, &bin);
	oe__features_enter(&features, &value);
	/* Bounds spoiled by a NaN do not exist here (reading a checkpoint drops them): the value is
	   then the first one. */
	bool same = before.known ? bin == (int32_t)wanted(item, "bin") &&
								   features.stats[0].min == wanted(item, "min_after") &&
								   features.stats[0].max == wanted(item, "max_after")
							 : bin == bins / 2 && features.stats[0].min == value;
	if (!same)
		fprintf(stderr, "    bin %d, [%g, %g]\n", bin, features.stats[0].min,
				features.stats[0].max);
	oe__features_done(&features);
	return same;
}

static bool check_effective_bins(const struct oe__value *item)
{
	return oe__effective_bins((int64_t)number(item, "feature_bins"),
							  (size_t)number(item, "archive_size"),
							  (size_t)number(item, "dimensions")) == (int32_t)wanted(item, "value");
}

/* A combined_score that does not read as a number is missing: the decision beside the vectors goes
   before their `wanted_fitness`. */
static bool is_missing(const oe_evaluation *evaluation)
{
	const struct oe__metric *metric = oe__evaluation_metric(evaluation, "combined_score");

	return metric && metric->kind == OE__METRIC_JSON && oe__fitness(evaluation, NULL) != -INFINITY;
}

static bool check_fitness(const struct oe__value *item)
{
	OE__AUTO(evaluation)
	oe_evaluation *evaluation = vector_metrics(oe__value_get(item, "metrics"));
	OE__AUTO(axes)
	struct oe__axes *axes = axes_of(oe__value_get(item, "feature_dimensions"));
	double fitness = oe__fitness(evaluation, &axes->dimensions);
	double want = is_missing(evaluation) ? number(item, "fitness") : wanted(item, "fitness");

	if (fitness == want && oe__metric_mean(evaluation) == number(item, "average"))
		return true;
	fprintf(stderr, "    fitness %.17g, average %.17g\n", fitness, oe__metric_mean(evaluation));
	return false;
}

static oe_program *side(const struct oe__value *item, const char *key,
						const struct oe__dimensions *dimensions)
{
	const struct oe__value *half = oe__value_get(item, key);
	OE__AUTO(evaluation)
	oe_evaluation *evaluation = vector_metrics(oe__value_get(half, "metrics"));
	OE__AUTO(source) struct oe__source *made = NULL;
	oe_program *program = NULL;

	(void)oe__source_new("", 0, &made);
	struct oe__program_spec spec = { .source = made,
									 .evaluation = evaluation,
									 .timestamp = number(half, "timestamp"),
									 .dimensions = dimensions };
	(void)oe__program_build(&spec, &program);
	return program;
}

static bool check_better(const struct oe__value *item)
{
	static const char *const names[] = { "d1" };
	struct oe__dimensions dimensions = { names, 1 };
	OE__AUTO(program) oe_program *first = side(item, "first", &dimensions);
	OE__AUTO(program) oe_program *second = side(item, "second", &dimensions);

	return oe__program_better(first, second) == (wanted(item, "better") != 0);
}

static const struct {
	const char *kind;
	bool (*check)(const struct oe__value *item);
} kinds[] = {
	{ "complexity", check_complexity },
	{ "pair_diversity", check_pair },
	{ "diversity", check_diversity },
	{ "bin", check_bin },
	{ "effective_bins", check_effective_bins },
	{ "fitness", check_fitness },
	{ "better", check_better },
	{ "feature_text", NULL },
	{ "island_diversity", NULL },
};

/* 1: run and right; 0: wrong; -1: not ours. */
static int run(const struct oe__value *item)
{
	const char *kind = golden_text(item, "kind").data;

	for (size_t i = 0; i < OE__COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].check ? kinds[i].check(item) : -1;
	return 0;
}

int main(void)
{
	OE__AUTO(string) char *path = NULL;
	OE__AUTO(value) struct oe__value file = { 0 };
	size_t failed = 0, others = 0;
	int status = golden_path("features.json", &path);

	if (status == 0)
		status = golden_read(path, &file);
	if (status != 0)
		return status;
	const struct oe__value *cases = oe__value_get(&file, "cases");
	for (size_t i = 0; cases && i < cases->size; i++) {
		int right = run(&cases->items[i]);

		others += right < 0;
		if (right != 0)
			continue;
		failed++;
		fprintf(stderr, "case %d (%s) failed\n", (int)number(&cases->items[i], "n"),
				(const char *)golden_text(&cases->items[i], "kind").data);
	}
	printf("%zu cases, %zu failed, %zu of other parts\n", cases ? cases->size : 0, failed, others);
	return cases && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
