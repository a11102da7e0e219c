#ifndef OE_TESTS_SIM_SCRIPT_H
#define OE_TESTS_SIM_SCRIPT_H

/*
 * What the model of this world answers, and what its evaluator finds: functions of the question and
 * of the program, so that a run that is repeated gets the same. The problem is to find the two
 * numbers of a program; the optimum is known, and its score is 1.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "openevolve/evaluator.h"
#include "openevolve/llm.h"

/* Long enough for a comment that is too long for "max_code_length". */
#define SCRIPT_CODE_MAX 2000

/* The initial program of that index. */
void script_program(int index, char out[SCRIPT_CODE_MAX]);

/* The answer to a question; @return enum oe_finish. */
int script_answer(const oe_llm_request *request, struct oe__buffer *out);

/* Equal for those programs of a model, and only for those, that are the same but for remarks and white
   space. */
uint64_t script_form(const char *code);

/* What a model says of a program, whose evaluation has that seed; @return enum oe_finish. */
int script_judge(uint64_t seed, struct oe__buffer *out);
/* The score that it has then: its own, if nothing was said that counts. */
double script_mix(double own, uint64_t seed);

enum script_end {
	SCRIPT_SCORES,
	SCRIPT_RAISES,  /* a verdict, and an artifact      */
	SCRIPT_HANGS,   /* nothing, ever                   */
	SCRIPT_NO_NUMBER,
	SCRIPT_NO_METRICS
};
struct script_result {
	enum script_end end;
	double score, x, y;
};
void script_evaluate(const oe_program *program, uint64_t seed, struct script_result *out);

#endif /* OE_TESTS_SIM_SCRIPT_H */
