/* lib/controller/rules.c: target, patience, time. */

#include <math.h>
#include <string.h>

#include "controller/rules.h"
#include "test.h"

static oe_config *config;

static struct oe__rules rules_of(const char *yaml)
{
	struct oe__rules rules;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, yaml, strlen(yaml), "test", &err) == 0, "%s",
				  err.message);
	ck_assert_int_eq(oe__rules_init(&rules, config), 0);
	return rules;
}

static void rules_done(struct oe__rules *rules)
{
	oe__rules_done(rules);
	oe_config_free(config);
}

static void see(struct oe__rules *rules, double score, double other, bool initial)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	OE__AUTO(program) oe_program *bare = NULL, *program = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", score), 0);
	if (!isnan(other))
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "other", other), 0);
	oe__evaluation_freeze(evaluation);
	ck_assert_int_eq(oe_program_new("x", 1, NULL, &bare), 0);
	ck_assert_int_eq(oe_program_evaluated(bare, evaluation, &program), 0);
	oe__rules_see(rules, program, initial);
}

#define NONE ((double)NAN)

START_TEST(test_none)
{
	struct oe__rules rules = rules_of("{}");

	for (int i = 0; i < 100; i++)
		see(&rules, i % 3, NONE, i == 0);
	ck_assert_int_eq(oe__rules_check(&rules, INT64_MAX), OE_REASON_NONE);
	rules_done(&rules);
}
END_TEST

START_TEST(test_target)
{
	struct oe__rules rules = rules_of("target_score: 0.9");

	see(&rules, 0.89, 5, true);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_NONE);
	see(&rules, 0.9, 0, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_TARGET);
	see(&rules, 0.1, 0, false); /* it was reached */
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_TARGET);
	rules_done(&rules);
	rules = rules_of("target_score: 0.9");
	see(&rules, 1, NONE, true); /* the initial program may be good enough */
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_TARGET);
	rules_done(&rules);
}
END_TEST

START_TEST(test_patience)
{
	struct oe__rules rules =
		rules_of("{early_stopping_patience: 3, convergence_threshold: 0.1}");

	see(&rules, 1, NONE, true);
	see(&rules, 1.05, NONE, false); /* not enough */
	see(&rules, 0.5, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_NONE);
	see(&rules, 1.2, NONE, false);
	see(&rules, 1.2, NONE, false);
	see(&rules, 1.2, NONE, false);
	see(&rules, 0, NONE, true); /* no trial */
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_NONE);
	see(&rules, 1.2, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_PATIENCE);
	rules_done(&rules);
}
END_TEST

/* Programs that never have a score exhaust it as well; the first one that has is an improvement. */
START_TEST(test_patience_without_scores)
{
	struct oe__rules rules =
		rules_of("{early_stopping_patience: 3, convergence_threshold: 0.1}");

	see(&rules, -INFINITY, NONE, true);
	see(&rules, -INFINITY, NONE, false);
	see(&rules, -INFINITY, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_NONE);
	see(&rules, -1e9, NONE, false);
	ck_assert_int_eq(rules.since_best, 0);
	for (int i = 0; i < 3; i++)
		see(&rules, -INFINITY, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_PATIENCE);
	rules_done(&rules);
}
END_TEST

/* Another metric; the fitness where it is missing or no number. */
START_TEST(test_metric)
{
	struct oe__rules rules = rules_of(
		"{early_stopping_patience: 2, convergence_threshold: 0.1, early_stopping_metric: other}");

	see(&rules, 0, 1, true);
	see(&rules, 100, 1, false);
	see(&rules, 200, 1, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_PATIENCE);
	see(&rules, 0, 2, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_NONE);
	see(&rules, 3, NONE, false);
	ck_assert_double_eq(rules.best, 3);
	see(&rules, 4, INFINITY, false);
	ck_assert_double_eq(rules.best, 4);
	rules_done(&rules);
}
END_TEST

START_TEST(test_time)
{
	struct oe__rules rules = rules_of("max_time: 1.5");

	ck_assert_int_eq(oe__rules_check(&rules, 1499999999), OE_REASON_NONE);
	ck_assert_int_eq(oe__rules_check(&rules, 1500000000), OE_REASON_TIME);
	rules_done(&rules);
	rules = rules_of("max_time: 0");
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_TIME);
	rules_done(&rules);
	rules = rules_of("max_time: null");
	ck_assert_int_eq(oe__rules_check(&rules, INT64_MAX), OE_REASON_NONE);
	rules_done(&rules);
}
END_TEST

/* OpenEvolve's other reading: without patience it ends when the metric is exactly the threshold. */
START_TEST(test_goal)
{
	struct oe__rules rules = rules_of("{early_stopping_patience: 0, convergence_threshold: 0.5}");

	see(&rules, 0.4, NONE, true);
	see(&rules, 0.6, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_NONE);
	see(&rules, 0.5, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, 0), OE_REASON_TARGET);
	rules_done(&rules);
}
END_TEST

/* Of several reasons the best one is told. */
START_TEST(test_order)
{
	struct oe__rules rules = rules_of("{target_score: 1, early_stopping_patience: 1, max_time: 1}");

	see(&rules, 0, NONE, true);
	see(&rules, 0, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, INT64_MAX), OE_REASON_PATIENCE);
	see(&rules, 1, NONE, false);
	ck_assert_int_eq(oe__rules_check(&rules, INT64_MAX), OE_REASON_TARGET);
	rules_done(&rules);
}
END_TEST

TEST_MAIN("rules", test_none, test_target, test_patience, test_patience_without_scores, test_metric,
		  test_time, test_goal, test_order)
