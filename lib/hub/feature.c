/*
 * Features. See feature.h.
 */

#include "hub/feature.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"

/* Values remembered per dimension, as in OpenEvolve. */
#define VALUES_MAX 1000

int oe__features_init(struct oe__features *features, const struct oe__dimensions *dimensions,
					  const int32_t *bins)
{
	*features = (struct oe__features){ .dimensions = dimensions, .bins = bins };
	features->stats = oe__calloc(dimensions->count + 1, sizeof(*features->stats));
	features->value_next = oe__calloc(dimensions->count + 1, sizeof(*features->value_next));
	if (!features->stats || !features->value_next)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < dimensions->count; i++) {
		features->stats[i].values = oe__calloc(VALUES_MAX, sizeof(double));
		if (!features->stats[i].values)
			return OE_ERR_NOMEM;
	}
	return 0;
}

void oe__features_done(struct oe__features *features)
{
	for (size_t i = 0; features->stats && i < features->dimensions->count; i++)
		oe__free(features->stats[i].values);
	oe__free(features->stats);
	oe__free(features->value_next);
}

/* ---- measuring ---- */

bool oe__feature_is_builtin(const char *name)
{
	return strcmp(name, "complexity") == 0 || strcmp(name, "diversity") == 0 ||
		   strcmp(name, "score") == 0;
}

static int measure_one(const char *name, struct oe__diversity *diversity, const oe_program *program,
					   size_t others, bool joined, double *out)
{
	const struct oe__metric *metric = oe__evaluation_metric(program->evaluation, name);

	*out = NAN;
	if (metric)
		*out = metric->value; /* NaN for what is no number */
	else if (strcmp(name, "complexity") == 0)
		*out = (double)program->source->length;
	else if (strcmp(name, "diversity") == 0 && others > 0)
		return oe__diversity_measure(diversity, program->source, joined, out);
	else if (strcmp(name, "score") == 0 && oe_program_metric_count(program) > 0)
		*out = program->fitness;
	return 0;
}

int32_t oe__feature_bin(double value, double min, double max, int32_t bins)
{
	assert(bins > 0 && min <= value && value <= max);
	if (min == max)
		return bins / 2;
	double scaled = (value - min) / (max - min);
	if (isnan(scaled)) /* neither the range nor the distance is a number */
		return 0;
	scaled = fmin(fmax(scaled, 0), 1);
	int32_t bin = (int32_t)(scaled * bins);
	return bin < bins ? bin : bins - 1;
}

int oe__features_measure(const struct oe__features *features, struct oe__diversity *diversity,
						 const oe_program *program, size_t others, bool joined, double *values)
{
	for (size_t i = 0; i < features->dimensions->count; i++) {
		int status = measure_one(features->dimensions->names[i], diversity, program, others, joined,
								 &values[i]);

		if (status < 0)
			return status;
	}
	return 0;
}

void oe__features_bins(const struct oe__features *features, const double *values, int32_t *bins)
{
	for (size_t i = 0; i < features->dimensions->count; i++) {
		const struct oe__feature_stats *stats = &features->stats[i];

		bins[i] = 0;
		if (!isfinite(values[i]))
			continue;
		double min = stats->known ? fmin(stats->min, values[i]) : values[i];
		double max = stats->known ? fmax(stats->max, values[i]) : values[i];
		bins[i] = oe__feature_bin(values[i], min, max, features->bins[i]);
	}
}

/* ---- bounds ---- */

void oe__features_enter_one(struct oe__features *features, size_t dimension, double value)
{
	struct oe__feature_stats *stats = &features->stats[dimension];

	if (!isfinite(value))
		return;
	stats->min = stats->known ? fmin(stats->min, value) : value;
	stats->max = stats->known ? fmax(stats->max, value) : value;
	stats->known = true;
	stats->values[features->value_next[dimension]] = value;
	features->value_next[dimension] = (features->value_next[dimension] + 1) % VALUES_MAX;
	if (stats->value_count < VALUES_MAX)
		stats->value_count++;
}

void oe__features_enter(struct oe__features *features, const double *values)
{
	for (size_t i = 0; i < features->dimensions->count; i++)
		oe__features_enter_one(features, i, values[i]);
}

int oe__features_save(const struct oe__features *features, size_t dimension,
					  struct oe__feature_stats *out)
{
	const struct oe__feature_stats *stats = &features->stats[dimension];
	double *values = oe__calloc(stats->value_count + 1, sizeof(*values));

	if (!values)
		return OE_ERR_NOMEM;
	size_t first = stats->value_count < VALUES_MAX ? 0 : features->value_next[dimension];
	for (size_t i = 0; i < stats->value_count; i++)
		values[i] = stats->values[(first + i) % VALUES_MAX];
	*out = (struct oe__feature_stats){ .known = stats->known,
									   .min = stats->min,
									   .max = stats->max,
									   .values = values,
									   .value_count = stats->value_count };
	return 0;
}

void oe__features_load(struct oe__features *features, size_t dimension,
					   const struct oe__feature_stats *stats)
{
	struct oe__feature_stats *own = &features->stats[dimension];

	for (size_t i = 0; i < stats->value_count; i++)
		oe__features_enter_one(features, dimension, stats->values[i]);
	own->known = stats->known;
	own->min = stats->min;
	own->max = stats->max;
}
