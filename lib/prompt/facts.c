/*
 * What is said of the program itself: metrics, fitness, coordinates, what to look at.
 */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "prompt/prompt_internal.h"
#include "prompt/python.h"

/* Characters of a metric that is text: one line of a list. */
#define METRIC_CHARS 500

/* Two fitnesses closer than that are called the same. */
#define FITNESS_STEP 1e-6

/* ---- metrics ---- */

static bool is_dimension(const struct oe__dimensions *dimensions, const char *name)
{
	for (size_t i = 0; dimensions && i < dimensions->count; i++)
		if (strcmp(dimensions->names[i], name) == 0)
			return true;
	return false;
}

/* A score that is not finite, as it is: the combined one, or what the mean of the others comes to. */
static double odd_fitness(const oe_evaluation *metrics, const struct oe__dimensions *dimensions)
{
	const struct oe__metric *combined = oe__evaluation_metric(metrics, "combined_score");
	double sum = 0;
	size_t count = 0;

	if (combined && combined->kind != OE__METRIC_JSON)
		return combined->value;
	for (size_t i = 0; i < metrics->metric_count; i++) {
		const struct oe__metric *metric = &metrics->metrics[i];

		if (oe__metric_is_number(metric) && !isnan(metric->value) &&
			!is_dimension(dimensions, metric->name)) {
			sum += metric->value;
			count++;
		}
	}
	return count > 0 ? sum / (double)count : 0;
}

/* Is some number infinite, so that the mean of all would be no number either? */
static bool has_infinite(const oe_evaluation *metrics)
{
	for (size_t i = 0; metrics->nonfinite && i < metrics->metric_count; i++)
		if (oe__metric_is_number(&metrics->metrics[i]) && isinf(metrics->metrics[i].value))
			return true;
	return false;
}

double oe__shown_fitness(const struct oe__job *job, const oe_evaluation *metrics)
{
	if (!metrics || metrics->metric_count == 0)
		return 0;
	double fitness = oe__fitness(metrics, job->input->dimensions);
	bool scored = isfinite(fitness) && (oe__evaluation_metric(metrics, "combined_score") ||
										fitness != 0 || !has_infinite(metrics));
	return scored ? fitness : odd_fitness(metrics, job->input->dimensions);
}

static int append_json_metric(const struct oe__job *job, const char *json, struct oe__buffer *out,
							  oe_error *err)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	int status = oe__json_parse(json, strlen(json), &value, err);

	if (status == 0)
		status = oe__python_str(&text, &value);
	if (status < 0)
		return status;
	if (job->set->settings.style == OE__STYLE_OPENEVOLVE)
		return oe__buffer_append(out, text.data, text.size);
	struct oe__excerpt_options options = oe__excerpt_options(job, METRIC_CHARS);
	return oe__excerpt_append_line(out, text.data, text.size, &options, err);
}

int oe__append_metric(const struct oe__job *job, const struct oe__metric *metric, int decimals,
					  struct oe__buffer *out, oe_error *err)
{
	if (metric->kind == OE__METRIC_JSON)
		return append_json_metric(job, oe__metric_exact(metric), out, err);
	return oe__append_fixed(out, metric->value, decimals);
}

int oe__write_metrics(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	const oe_evaluation *metrics = job->input->metrics;
	int status = 0;

	for (size_t i = 0; metrics && i < metrics->metric_count && status == 0; i++) {
		oe__buffer_text(out, i > 0 ? "\n- " : "- ");
		oe__buffer_text(out, metrics->metrics[i].name);
		oe__buffer_text(out, ": ");
		status = oe__append_metric(job, &metrics->metrics[i], 4, out, err);
	}
	return status;
}

int oe__write_fitness(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;

	(void)err;
	return oe__append_fixed(out, oe__shown_fitness(job, job->input->metrics), 4);
}

/* ---- coordinates ---- */

static int append_coordinate(const struct oe__job *job, size_t index, struct oe__buffer *out,
							 oe_error *err)
{
	const struct oe__prompt_input *input = job->input;
	const char *name = input->dimensions->names[index];
	const struct oe__metric *metric = oe__evaluation_metric(input->metrics, name);
	double computed = input->coordinates ? input->coordinates[index] : (double)NAN;
	const char *separator = out->size > 0 ? ", " : "";

	if (metric ? metric->kind != OE__METRIC_JSON && isnan(metric->value) : isnan(computed))
		return 0;
	oe__buffer_text(out, separator);
	oe__buffer_text(out, name);
	oe__buffer_char(out, '=');
	if (metric)
		return oe__append_metric(job, metric, 2, out, err);
	return oe__append_fixed(out, computed, 2);
}

/* To an empty buffer. */
static int list_coordinates(const struct oe__job *job, struct oe__buffer *out, oe_error *err)
{
	const struct oe__dimensions *dimensions = job->input->dimensions;
	int status = 0;

	for (size_t i = 0; dimensions && i < dimensions->count && status == 0; i++)
		status = append_coordinate(job, i, out, err);
	return status;
}

int oe__write_coordinates(void *self, struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer list = OE__BUFFER_INIT(0);
	int status = list_coordinates(self, &list, err);

	return status < 0 ? status : oe__buffer_append(out, list.data, list.size);
}

int oe__write_dimensions(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	const struct oe__dimensions *dimensions = job->input->dimensions;

	(void)err;
	if (!dimensions || dimensions->count == 0)
		return oe__buffer_text(out, "None");
	for (size_t i = 0; i < dimensions->count; i++) {
		oe__buffer_text(out, i > 0 ? ", " : "");
		oe__buffer_text(out, dimensions->names[i]);
	}
	return out->status;
}

/* ---- what to look at ---- */

static int add_area(const struct oe__job *job, enum oe__fragment which,
					const struct oe__argument *arguments, size_t from, struct oe__buffer *out,
					oe_error *err)
{
	oe__buffer_text(out, out->size > from ? "\n- " : "- ");
	return oe__job_fragment(job, which, arguments, out, err);
}

static int add_fitness_change(const struct oe__job *job, size_t from, struct oe__buffer *out,
							  oe_error *err)
{
	double before = oe__shown_fitness(job, job->input->reference);
	double now = oe__shown_fitness(job, job->input->metrics);
	struct oe__argument change[] = { oe__argument_real(before), oe__argument_real(now) };

	if (now > before)
		return add_area(job, OE__FRAGMENT_FITNESS_IMPROVED, change, from, out, err);
	if (now < before)
		return add_area(job, OE__FRAGMENT_FITNESS_DECLINED, change, from, out, err);
	if (fabs(now - before) < FITNESS_STEP)
		return add_area(job, OE__FRAGMENT_FITNESS_STABLE, &change[1], from, out, err);
	return 0;
}

static int add_region(const struct oe__job *job, size_t from, struct oe__buffer *out, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer list = OE__BUFFER_INIT(0);
	int status = list_coordinates(job, &list, err);
	struct oe__argument features = oe__argument_text(list.data, list.size);

	if (status < 0)
		return status;
	return add_area(job,
					list.size > 0 ? OE__FRAGMENT_EXPLORING_REGION : OE__FRAGMENT_NO_COORDINATES,
					&features, from, out, err);
}

int oe__write_areas(void *self, struct oe__buffer *out, oe_error *err)
{
	const struct oe__job *job = self;
	const struct oe__prompt_input *input = job->input;
	int64_t threshold = job->set->settings.long_code_chars;
	size_t from = out->size;
	int status = 0;

	if (input->reference)
		status = add_fitness_change(job, from, out, err);
	if (status == 0 && input->dimensions && input->dimensions->count > 0)
		status = add_region(job, from, out, err);
	if (status == 0 && threshold > 0 && input->code.size > (size_t)threshold &&
		oe__utf8_length(input->code.data, input->code.size) > (size_t)threshold) {
		struct oe__argument chars = oe__argument_int(threshold);
		status = add_area(job, OE__FRAGMENT_CODE_TOO_LONG, &chars, from, out, err);
	}
	if (status == 0 && out->size == from)
		status = add_area(job, OE__FRAGMENT_NO_GUIDANCE, NULL, from, out, err);
	return status;
}
