/* Who answers for what confines programs: evaluators of one's own, and those made of others. */

#include <string.h>

#include "test.h"

#include "base/auto.h"
#include "config/config.h"
#include "evaluator/evaluator.h"
#include "llm/llm.h"

static int evaluate(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
					oe_error *err)
{
	(void)self;
	(void)request;
	(void)err;
	return oe_evaluation_set_metric(evaluation, "combined_score", 1);
}

static const char *answer(void *self)
{
	return self;
}

static oe_evaluator *make(const char *confinement)
{
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	oe_evaluator *evaluator = NULL;

	vtable.name = "mine";
	vtable.evaluate = evaluate;
	vtable.confinement = answer;
	ck_assert_int_eq(oe_evaluator_new(&vtable, (void *)(uintptr_t)confinement, &evaluator, NULL),
					 0);
	return evaluator;
}

START_TEST(test_own_evaluators)
{
	OE__AUTO(evaluator) oe_evaluator *confined = make("{}");
	OE__AUTO(evaluator) oe_evaluator *older = NULL;
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;

	ck_assert_str_eq(oe_evaluator_confinement(confined), "{}");
	ck_assert_ptr_null(oe_evaluator_confinement(NULL));
	/* Built with a header that did not know the method: what lies behind its table is not read. */
	vtable.struct_size = offsetof(oe_evaluator_vtable, confinement);
	vtable.name = "older";
	vtable.evaluate = evaluate;
	vtable.confinement = answer;
	ck_assert_int_eq(oe_evaluator_new(&vtable, "{}", &older, NULL), 0);
	ck_assert_ptr_null(oe_evaluator_confinement(older));
}
END_TEST

static const char *of_cascade(const char *first, const char *second)
{
	static char kept[64];
	OE__AUTO(evaluator) oe_evaluator *cascade = NULL;
	OE__AUTO(evaluator) oe_evaluator *a = make(first);
	OE__AUTO(evaluator) oe_evaluator *b = make(second);

	ck_assert_int_eq(oe_evaluator_cascade_new(&cascade), 0);
	ck_assert_ptr_null(oe_evaluator_confinement(cascade)); /* nothing is inside yet */
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, a, 0.5), 0);
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, b, 0.5), 0);
	const char *said = oe_evaluator_confinement(cascade);
	if (!said)
		return NULL;
	ck_assert_uint_lt(strlen(said), sizeof(kept));
	return strcpy(kept, said);
}

START_TEST(test_a_cascade_answers_for_all_stages)
{
	ck_assert_str_eq(of_cascade("{\"tier\":2}", "{\"tier\":2}"), "{\"tier\":2}");
	ck_assert_ptr_null(of_cascade("{\"tier\":2}", NULL));
	ck_assert_ptr_null(of_cascade(NULL, "{\"tier\":2}"));
	ck_assert_ptr_null(of_cascade("{\"tier\":2}", "{\"tier\":0}"));
}
END_TEST

START_TEST(test_a_judge_answers_for_what_it_judges_after)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(evaluator) oe_evaluator *inner = make("{}"), *bare = make(NULL);
	OE__AUTO(evaluator) oe_evaluator *judge = NULL, *other = NULL;
	OE__AUTO(llm) oe_llm *models = NULL;
	oe_scheduler *scheduler = NULL;

	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(oe_config_set(config, "llm.backend", "mutate", NULL), 0);
	ck_assert_int_eq(oe_llm_from_config(config, scheduler, 0, &models, NULL), 0);
	ck_assert_int_eq(oe_evaluator_judge_new(config, inner, models, &judge, NULL), 0);
	ck_assert_int_eq(oe_evaluator_judge_new(config, bare, models, &other, NULL), 0);
	ck_assert_str_eq(oe_evaluator_confinement(judge), "{}");
	ck_assert_ptr_null(oe_evaluator_confinement(other));
	oe_scheduler_unref(scheduler);
}
END_TEST

TEST_MAIN("confinement", test_own_evaluators, test_a_cascade_answers_for_all_stages,
		  test_a_judge_answers_for_what_it_judges_after)
