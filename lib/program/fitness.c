/*
 * The one fitness function. Pure; any thread.
 */

#include "program/fitness.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

#define COMBINED "combined_score"

/* Longest text that is worth reading as a number. */
#define NUMBER_TEXT_MAX 400

/* Text to number by Python's float(): blanks around it, and single underscores between digits. */
static bool read_text(const char *text, size_t size, double *out)
{
	char plain[NUMBER_TEXT_MAX];
	size_t used = 0;

	while (size > 0 && oe__is_space(text[0])) {
		text++;
		size--;
	}
	while (size > 0 && oe__is_space(text[size - 1]))
		size--;
	if (size == 0 || size > sizeof(plain))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] != '_') {
			plain[used++] = text[i];
			continue;
		}
		if (i == 0 || i + 1 == size || text[i - 1] < '0' || text[i - 1] > '9' ||
			text[i + 1] < '0' || text[i + 1] > '9')
			return false;
	}
	return oe__parse_real(plain, used, out);
}

static bool read_json_text(const char *json, double *out)
{
	struct oe__json_reader reader;
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	oe__json_reader_init(&reader, json, strlen(json));
	if (oe__json_next(&reader) != OE__JSON_STRING || oe__json_text(&reader, &text) < 0)
		return false;
	return read_text(oe__buffer_string(&text), text.size, out);
}

/* The combined score; false when there is none that reads as a number. */
static bool combined_score(const oe_evaluation *evaluation, double *out)
{
	const struct oe__metric *metric = oe__evaluation_metric(evaluation, COMBINED);

	if (!metric)
		return false;
	if (metric->kind == OE__METRIC_JSON)
		return read_json_text(metric->json, out);
	*out = metric->value;
	return true;
}

static bool is_dimension(const struct oe__dimensions *dimensions, const char *name)
{
	for (size_t i = 0; dimensions && i < dimensions->count; i++)
		if (strcmp(dimensions->names[i], name) == 0)
			return true;
	return false;
}

/* What an evaluator reports about a failure is not a score. */
static bool is_remark(const char *name)
{
	return strcmp(name, "error") == 0 || strcmp(name, "timeout") == 0;
}

static bool counts(const struct oe__metric *metric)
{
	return oe__metric_is_number(metric) && isfinite(metric->value) && !is_remark(metric->name);
}

static size_t add_up(const oe_evaluation *evaluation, const struct oe__dimensions *without,
					 double *sum)
{
	size_t count = 0;

	*sum = 0;
	for (size_t i = 0; i < evaluation->metric_count; i++) {
		const struct oe__metric *metric = &evaluation->metrics[i];

		if (counts(metric) && !is_dimension(without, metric->name)) {
			*sum += metric->value;
			count++;
		}
	}
	return count;
}

double oe__fitness(const oe_evaluation *evaluation, const struct oe__dimensions *dimensions)
{
	double score;

	if (!evaluation)
		return NAN;
	if (combined_score(evaluation, &score))
		return isfinite(score) ? score : -INFINITY;

	double sum;
	size_t count = add_up(evaluation, dimensions, &sum);
	if (count == 0)
		count = add_up(evaluation, NULL, &sum);
	if (count == 0)
		return 0;
	double mean = sum / (double)count;
	return isfinite(mean) ? mean : -INFINITY;
}

bool oe__has_score(const oe_evaluation *evaluation)
{
	double score;

	if (combined_score(evaluation, &score))
		return isfinite(score);
	for (size_t i = 0; i < evaluation->metric_count; i++) {
		const struct oe__metric *metric = &evaluation->metrics[i];

		if (metric->kind != OE__METRIC_JSON && isfinite(metric->value) && !is_remark(metric->name))
			return oe__fitness(evaluation, NULL) != -INFINITY;
	}
	return false;
}

const char *oe__score_missing(const oe_evaluation *evaluation)
{
	double score;
	bool any = false;

	if (evaluation->metric_count == 0)
		return "it has no metrics";
	if (combined_score(evaluation, &score))
		return "its combined_score is not finite";
	for (size_t i = 0; i < evaluation->metric_count; i++)
		any |= evaluation->metrics[i].kind != OE__METRIC_JSON &&
			   !is_remark(evaluation->metrics[i].name);
	return any ? "none of its metrics is a finite number" : "none of its metrics is a number";
}

double oe__metric_mean(const oe_evaluation *evaluation)
{
	double sum = 0;
	size_t count = 0;

	for (size_t i = 0; evaluation && i < evaluation->metric_count; i++) {
		const struct oe__metric *metric = &evaluation->metrics[i];

		if (metric->kind != OE__METRIC_JSON && !isnan(metric->value)) {
			sum += metric->value;
			count++;
		}
	}
	return count > 0 ? sum / (double)count : 0;
}

bool oe__passes_threshold(const oe_evaluation *evaluation, double threshold)
{
	const struct oe__metric *combined = oe__evaluation_metric(evaluation, COMBINED);
	double sum = 0;
	size_t count = 0;

	if (combined && combined->kind != OE__METRIC_JSON)
		return combined->value >= threshold;
	for (size_t i = 0; evaluation && i < evaluation->metric_count; i++) {
		const struct oe__metric *metric = &evaluation->metrics[i];

		if (metric->kind != OE__METRIC_JSON && strcmp(metric->name, "error") != 0) {
			sum += metric->value;
			count++;
		}
	}
	return count > 0 && sum / (double)count >= threshold;
}
