/*
 * Ratings by models. Input: one byte of options, then what a model answered; a second answer follows
 * behind a NUL. What holds no object is refused; what does is added to what an evaluator found, and
 * leaves its metrics alone.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "evaluator/feedback.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int add(struct oe__feedback *feedback, const char *answer, size_t size, double share)
{
	int status = oe__feedback_add(feedback, answer, size, share);

	assert(status == 0 || status == OE_ERR_FORMAT);
	return status;
}

static void check_found(const oe_evaluation *evaluation)
{
	const struct oe__metric *own = oe__evaluation_metric(evaluation, "own");

	assert(own && own->value == 0.25);
	for (size_t i = 0; i < evaluation->artifact_count; i++) {
		const struct oe__artifact *artifact = &evaluation->artifacts[i];
		assert(oe__utf8_valid(artifact->name, strlen(artifact->name)));
		assert(oe__utf8_valid(artifact->data, artifact->size));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(feedback) struct oe__feedback feedback = { 0 };
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	if (size < 1)
		return 0;
	bool artifacts = data[0] & 1, text_score = data[0] & 2;
	const char *first = (const char *)data + 1, *end = first + size - 1;
	const char *split = size > 1 ? memchr(first, '\0', size - 1) : NULL;
	const char *first_end = split ? split : end;

	if (add(&feedback, first, (size_t)(first_end - first), 0.75) < 0)
		return 0;
	if (split && add(&feedback, split + 1, (size_t)(end - split) - 1, 0.25) < 0)
		return 0;
	assert(oe_evaluation_new(&evaluation) == 0);
	assert(oe_evaluation_set_metric(evaluation, "own", 0.25) == 0);
	if (text_score)
		assert(oe_evaluation_set_metric_json(evaluation, "combined_score", "\"good\"") == 0);
	else
		assert(oe_evaluation_set_metric(evaluation, "combined_score", 1) == 0);
	assert(oe__feedback_apply(&feedback, 0.5, artifacts, evaluation) == 0);
	check_found(evaluation);
	return 0;
}
