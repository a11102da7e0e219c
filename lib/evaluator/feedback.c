#include "evaluator/feedback.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

#define COMBINED "combined_score"
#define PREFIX   "llm_"

/* Shares of the evaluator and of the models in the combined score. */
#define OWN_SHARE      0.7
#define FEEDBACK_SHARE 0.3

/* ---- reading ---- */

/* The first block that is fenced as JSON, else everything from the first brace to the last. */
static oe_bytes find_object(const char *answer, size_t size)
{
	static const char open[] = "```json\n", close[] = "\n```";
	const char *end = answer + size;
	const char *fence = oe__find(answer, size, open, strlen(open));

	if (fence) {
		const char *from = fence + strlen(open);
		const char *to = oe__find(from, (size_t)(end - from), close, strlen(close));
		if (to)
			return (oe_bytes){ from, (size_t)(to - from) };
	}
	const char *first = size > 0 ? memchr(answer, '{', size) : NULL;
	const char *last = first ? memrchr(first, '}', (size_t)(end - first)) : NULL;
	return last ? (oe_bytes){ first, (size_t)(last - first) + 1 } : (oe_bytes){ "", 0 };
}

static bool is_rating(const struct oe__value *value, double *out)
{
	if (value->type != OE__VALUE_INT && value->type != OE__VALUE_REAL &&
	    value->type != OE__VALUE_BOOL)
		return false;
	*out = value->type == OE__VALUE_BOOL ? (value->boolean ? 1 : 0) : value->real;
	return true;
}

static int add_rating(struct oe__value *ratings, const char *name, double value)
{
	struct oe__value *known = oe__value_get(ratings, name);
	struct oe__value sum = { .type = OE__VALUE_REAL, .real = value };

	if (!known)
		return oe__value_put(ratings, name, &sum);
	known->real += value;
	return 0;
}

static int add_remark(struct oe__value *remarks, const char *name, const struct oe__value *value)
{
	OE__AUTO(value) struct oe__value copy = { 0 };
	int status = oe__value_copy(value, &copy);

	return status < 0 ? status : oe__value_put(remarks, name, &copy);
}

/* A few ratings with short names were asked for. Whatever else this is, it is not worth the time that
   looking for each of a million names takes. */
static bool is_usable(const struct oe__value *object)
{
	if (object->type != OE__VALUE_MAP || object->size > OE__METRICS_MAX)
		return false;
	for (size_t i = 0; i < object->size; i++)
		if (object->keys[i].size > OE__METRIC_NAME_MAX - strlen(PREFIX))
			return false;
	return true;
}

int oe__feedback_add(struct oe__feedback *feedback, const char *answer, size_t size, double share)
{
	OE__AUTO(value) struct oe__value object = { 0 };
	oe_bytes text = find_object(answer, size);
	int status = oe__json_parse(text.data, text.size, &object, NULL);

	if (status < 0 || !is_usable(&object))
		return status == OE_ERR_NOMEM ? status : OE_ERR_FORMAT;
	feedback->ratings.type = feedback->remarks.type = OE__VALUE_MAP;
	for (size_t i = 0; i < object.size && status == 0; i++) {
		const char *name = object.keys[i].string;
		double value;

		if (is_rating(&object.items[i], &value))
			status = add_rating(&feedback->ratings, name, value * share);
		else
			status = add_remark(&feedback->remarks, name, &object.items[i]);
	}
	return status;
}

/* ---- writing ---- */

static int set_metric(oe_evaluation *evaluation, const char *name, double value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	if (oe__buffer_printf(&text, PREFIX "%s", name) < 0)
		return text.status;
	return oe_evaluation_set_metric(evaluation, oe__buffer_string(&text), value);
}

/* A score that is text stays what it is. */
static int mix_score(oe_evaluation *evaluation, double average)
{
	const struct oe__metric *score = oe__evaluation_metric(evaluation, COMBINED);

	if (!score || score->kind == OE__METRIC_JSON)
		return 0;
	return oe_evaluation_set_metric(evaluation, COMBINED,
	                                score->value * OWN_SHARE + average * FEEDBACK_SHARE);
}

static int add_artifact(oe_evaluation *evaluation, const char *name, const struct oe__value *value)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__ARTIFACT_MAX);
	struct oe__json_writer writer = { .out = &text };

	if (value->type == OE__VALUE_STRING)
		return oe_evaluation_add_artifact(evaluation, name, value->string, value->size);
	oe__json_put(&writer, value);
	if (text.status < 0)
		return text.status;
	return oe__evaluation_add_artifact_kind(evaluation, name, OE__ARTIFACT_JSON, text.data,
	                                        text.size);
}

static int add_ratings(const struct oe__value *ratings, double weight, oe_evaluation *evaluation)
{
	double sum = 0;
	int status = 0;

	if (ratings->size == 0 || evaluation->metric_count + ratings->size >= OE__METRICS_MAX)
		return 0; /* a program is not lost for what models say of it */
	for (size_t i = 0; i < ratings->size && status == 0; i++) {
		status = set_metric(evaluation, ratings->keys[i].string, ratings->items[i].real * weight);
		sum += ratings->items[i].real;
	}
	double average = sum / (double)ratings->size;
	if (status == 0)
		status = set_metric(evaluation, "average", average * weight);
	return status < 0 ? status : mix_score(evaluation, average);
}

int oe__feedback_apply(const struct oe__feedback *feedback, double weight, bool artifacts,
                       oe_evaluation *evaluation)
{
	const struct oe__value *remarks = &feedback->remarks;
	int status = add_ratings(&feedback->ratings, weight, evaluation);

	for (size_t i = 0; artifacts && i < remarks->size && status == 0; i++) {
		status = add_artifact(evaluation, remarks->keys[i].string, &remarks->items[i]);
		if (status == OE_ERR_LIMIT)
			status = 0; /* likewise */
	}
	return status;
}

void oe__feedback_done(struct oe__feedback *feedback)
{
	oe__value_done(&feedback->ratings);
	oe__value_done(&feedback->remarks);
}
