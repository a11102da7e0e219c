/*
 * The metrics of an evaluation: numbers, booleans, and whatever else an evaluator reports, as JSON.
 * Their order is kept, as people and prompts see it.
 */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "program/evaluation.h"

/* Integers up to here are exact as doubles; larger ones are shown as what they have become. */
#define EXACT_MAX 9007199254740992.0

static struct oe__metric *find(const oe_evaluation *evaluation, const char *name)
{
	for (size_t i = 0; i < evaluation->metric_count; i++)
		if (strcmp(evaluation->metrics[i].name, name) == 0)
			return &evaluation->metrics[i];
	return NULL;
}

const struct oe__metric *oe__evaluation_metric(const oe_evaluation *evaluation, const char *name)
{
	return evaluation ? find(evaluation, name) : NULL;
}

static int add_slot(oe_evaluation *evaluation, const char *name, struct oe__metric **out)
{
	if (evaluation->metric_count >= OE__METRICS_MAX)
		return OE_ERR_LIMIT;

	void *metrics = evaluation->metrics;
	int status = oe__grow(&metrics, &evaluation->metric_capacity, evaluation->metric_count + 1,
						  sizeof(*evaluation->metrics));
	if (status < 0)
		return status;
	evaluation->metrics = metrics;

	char *copy = oe__strdup(name);
	if (!copy)
		return OE_ERR_NOMEM;
	*out = &evaluation->metrics[evaluation->metric_count++];
	**out = (struct oe__metric){ .name = copy };
	return 0;
}

/* The slot of that name, with its old value gone. */
static int slot_of(oe_evaluation *evaluation, const char *name, struct oe__metric **out)
{
	if (!evaluation || !name)
		return OE_ERR_INVALID;
	if (!oe__evaluation_writable(evaluation))
		return OE_ERR_STATE;
	if (strnlen(name, OE__METRIC_NAME_MAX + 1) > OE__METRIC_NAME_MAX)
		return OE_ERR_LIMIT;

	struct oe__metric *metric = find(evaluation, name);
	if (!metric) {
		int status = add_slot(evaluation, name, &metric);
		if (status < 0)
			return status;
	}
	oe__free(metric->json);
	metric->json = NULL;
	metric->exact = 0;
	*out = metric;
	return 0;
}

static void write_text(struct oe__metric *metric)
{
	size_t size;

	if (metric->kind == OE__METRIC_BOOL) {
		memcpy(metric->text, metric->value != 0 ? "true" : "false", metric->value != 0 ? 5 : 6);
		return;
	}
	if (!isfinite(metric->value)) {
		memcpy(metric->text, "null", 5);
		return;
	}
	size = oe__format_real(metric->value, metric->text);
	/* An integer is written as Python's int: "3", not "3.0". */
	if (metric->kind == OE__METRIC_INT && size > 2 && fabs(metric->value) <= EXACT_MAX &&
		memcmp(metric->text + size - 2, ".0", 2) == 0)
		metric->text[size - 2] = '\0';
}

static int set_number(oe_evaluation *evaluation, const char *name, enum oe__metric_kind kind,
					  double value)
{
	struct oe__metric *metric;
	int status = slot_of(evaluation, name, &metric);

	if (status < 0)
		return status;
	metric->kind = kind;
	metric->value = value;
	write_text(metric);
	if (!isfinite(value))
		evaluation->nonfinite = true;
	return 0;
}

int oe_evaluation_set_metric(oe_evaluation *evaluation, const char *name, double value)
{
	return set_number(evaluation, name, OE__METRIC_REAL, value);
}

int oe__evaluation_set_int(oe_evaluation *evaluation, const char *name, int64_t value)
{
	return set_number(evaluation, name, OE__METRIC_INT, (double)value);
}

int oe__evaluation_set_bool(oe_evaluation *evaluation, const char *name, bool value)
{
	return set_number(evaluation, name, OE__METRIC_BOOL, value ? 1 : 0);
}

/* `json` with the text at `exact` behind it, if there is one. */
static int set_json(oe_evaluation *evaluation, const char *name, const char *json, size_t exact)
{
	size_t size = exact + strlen(json + exact);
	OE__AUTO(string) char *copy = exact > UINT32_MAX ? NULL : oe__strndup(json, size);
	struct oe__metric *metric;

	if (!copy)
		return OE_ERR_NOMEM;
	int status = slot_of(evaluation, name, &metric);
	if (status < 0)
		return status;
	metric->kind = OE__METRIC_JSON;
	metric->value = NAN;
	metric->json = OE__STEAL(copy);
	metric->exact = (uint32_t)exact;
	return 0;
}

/* What is no number: as JSON, and as Python's where that has words which JSON lacks. */
static int set_other(oe_evaluation *evaluation, const char *name, const struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	struct oe__json_writer strict = { .out = &text }, python = { .out = &text, .python = true };

	oe__json_put(&strict, value);
	oe__buffer_append(&text, "", 1);
	size_t exact = text.size;
	oe__json_put(&python, value);
	if (text.status < 0)
		return text.status;
	bool same = strcmp(text.data, text.data + exact) == 0;
	return set_json(evaluation, name, text.data, same ? 0 : exact);
}

/* What has more digits than an integer holds is still a number. */
static double digits_value(const struct oe__value *value)
{
	double number;

	return oe__parse_real(value->string, value->size, &number) ? number : NAN;
}

int oe__evaluation_set_value(oe_evaluation *evaluation, const char *name,
							 const struct oe__value *value)
{
	switch (value->type) {
	case OE__VALUE_BOOL:
		return oe__evaluation_set_bool(evaluation, name, value->boolean);
	case OE__VALUE_INT:
		return oe__evaluation_set_int(evaluation, name, value->integer);
	case OE__VALUE_REAL:
		return oe_evaluation_set_metric(evaluation, name, value->real);
	case OE__VALUE_STRING:
		if (value->tag && strcmp(value->tag, "bigint") == 0)
			return oe_evaluation_set_metric(evaluation, name, digits_value(value));
		break;
	default:
		break;
	}
	return set_other(evaluation, name, value);
}

int oe_evaluation_set_metric_json(oe_evaluation *evaluation, const char *name, const char *json)
{
	OE__AUTO(value) struct oe__value value = { 0 };

	if (!evaluation || !name || !json)
		return OE_ERR_INVALID;
	int status = oe__json_parse(json, strlen(json), &value, NULL);
	if (status < 0)
		return status;
	return oe__evaluation_set_value(evaluation, name, &value);
}

int oe__evaluation_copy_metric(oe_evaluation *evaluation, const struct oe__metric *metric)
{
	if (metric->kind == OE__METRIC_JSON)
		return set_json(evaluation, metric->name, metric->json, metric->exact);
	return set_number(evaluation, metric->name, metric->kind, metric->value);
}

void oe__evaluation_clear_metrics(oe_evaluation *evaluation)
{
	for (size_t i = 0; i < evaluation->metric_count; i++) {
		if (!evaluation->packed)
			oe__free(evaluation->metrics[i].name);
		oe__free(evaluation->metrics[i].json);
	}
	evaluation->metric_count = 0;
	evaluation->nonfinite = false;
}

/* ---- reading ---- */

const char *oe__metric_json(const struct oe__metric *metric)
{
	return metric->json ? metric->json : metric->text;
}

const char *oe__metric_exact(const struct oe__metric *metric)
{
	if (metric->json)
		return metric->json + metric->exact;
	if (isfinite(metric->value))
		return metric->text;
	return isnan(metric->value) ? "NaN" : metric->value > 0 ? "Infinity" : "-Infinity";
}

bool oe__metric_is_number(const struct oe__metric *metric)
{
	return metric->kind == OE__METRIC_REAL || metric->kind == OE__METRIC_INT;
}

size_t oe_evaluation_metric_count(const oe_evaluation *evaluation)
{
	return evaluation ? evaluation->metric_count : 0;
}

const char *oe_evaluation_metric_at(const oe_evaluation *evaluation, size_t index, double *value)
{
	if (!evaluation || index >= evaluation->metric_count)
		return NULL;
	if (value)
		*value = evaluation->metrics[index].value;
	return evaluation->metrics[index].name;
}

const char *oe_evaluation_metric_json(const oe_evaluation *evaluation, size_t index)
{
	if (!evaluation || index >= evaluation->metric_count)
		return NULL;
	return oe__metric_json(&evaluation->metrics[index]);
}

void oe__evaluation_metrics_write(const oe_evaluation *evaluation, struct oe__json_writer *writer)
{
	oe__json_map(writer);
	for (size_t i = 0; evaluation && i < evaluation->metric_count; i++) {
		const struct oe__metric *metric = &evaluation->metrics[i];
		const char *json = writer->python ? oe__metric_exact(metric) : oe__metric_json(metric);

		oe__json_key(writer, metric->name);
		oe__json_raw(writer, json, strlen(json));
	}
	oe__json_map_end(writer);
}

int oe__evaluation_metrics_read(oe_evaluation *evaluation, const struct oe__value *metrics)
{
	if (metrics->type != OE__VALUE_MAP)
		return metrics->type == OE__VALUE_NULL ? 0 : OE_ERR_FORMAT;
	for (size_t i = 0; i < metrics->size; i++) {
		const struct oe__value *key = &metrics->keys[i];

		if (key->type != OE__VALUE_STRING)
			return OE_ERR_FORMAT;
		int status = oe__evaluation_set_value(evaluation, key->string, &metrics->items[i]);
		if (status < 0)
			return status;
	}
	return 0;
}
