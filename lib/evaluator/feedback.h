#ifndef OE__EVALUATOR_FEEDBACK_H
#define OE__EVALUATOR_FEEDBACK_H

/*
 * What models say of a program, as OpenEvolve counts it: answers hold a JSON object whose numbers
 * are ratings and whose other members are remarks. Pure.
 */

#include "base/value.h"
#include "program/evaluation.h"

struct oe__feedback {
	struct oe__value ratings; /* name to sum of value x weight, in order of appearance */
	struct oe__value remarks; /* name to value; of later answers over earlier ones     */
};

/* Add an answer of a model with this share of all weights. OE_ERR_FORMAT: it holds no such object. */
int oe__feedback_add(struct oe__feedback *feedback, const char *answer, size_t size, double share);

/* Write it into an open evaluation, beside what the evaluator found: "llm_" metrics times `weight`,
   and a combined score that is three tenths theirs. Ratings for which there is no room beside its
   metrics are left out, all of them; so is a remark that does not fit beside its artifacts. */
int oe__feedback_apply(const struct oe__feedback *feedback, double weight, bool artifacts,
                       oe_evaluation *evaluation);

void oe__feedback_done(struct oe__feedback *feedback);

OE__AUTO_VALUE(feedback, struct oe__feedback, oe__feedback_done)

#endif /* OE__EVALUATOR_FEEDBACK_H */
