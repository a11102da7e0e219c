/* lib/program/fitness.c; the recorded cases are in golden_fitness.c */

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "program/fitness.h"
#include "test.h"

static oe_evaluation *metrics(const char *json)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe__json_parse(json, strlen(json), &value, NULL), 0);
	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe__evaluation_metrics_read(evaluation, &value), 0);
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

START_TEST(test_fitness)
{
	static const char *const names[] = { "size" };
	static const struct oe__dimensions size = { names, 1 };
	static const struct {
		const char *metrics;
		double fitness;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"combined_score\":0.5,\"a\":9}", 0.5 },
		{ "{\"combined_score\":true}", 1 },
		{ "{\"combined_score\":\" 1_000 \"}", 1000 },
		{ "{\"combined_score\":\"1__0\",\"a\":3}", 3 },
		{ "{\"combined_score\":\"_1\",\"a\":3}", 3 },
		{ "{\"combined_score\":\"nan\",\"a\":3}", -INFINITY },
		{ "{\"combined_score\":Infinity}", -INFINITY },
		{ "{\"combined_score\":null,\"a\":3}", 3 },
		{ "{\"a\":1,\"b\":2,\"size\":99}", 1.5 },
		{ "{\"size\":99,\"ok\":true}", 99 },
		{ "{\"error\":1000.0,\"timeout\":true}", 0 },
		{ "{\"a\":NaN,\"b\":2}", 2 },
		{ "{\"a\":1e308,\"b\":1.7e308}", -INFINITY },
		{ "{\"a\":-1.5,\"b\":-2.5}", -2 },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = metrics(cases[i].metrics);
		double fitness = oe__fitness(evaluation, &size);

		ck_assert_msg(fitness == cases[i].fitness, "%s: %g, expected %g", cases[i].metrics, fitness,
					  cases[i].fitness);
	}
	ck_assert(isnan(oe__fitness(NULL, &size)));
}
END_TEST

START_TEST(test_mean_and_threshold)
{
	static const struct {
		const char *metrics;
		double mean;
		double threshold;
		bool passes;
	} cases[] = {
		{ "{}", 0, -1, false },
		{ "{\"a\":1,\"b\":2}", 1.5, 1.5, true },
		{ "{\"a\":1,\"b\":2}", 1.5, 1.6, false },
		{ "{\"error\":9,\"b\":2}", 5.5, 2.5, false },
		{ "{\"combined_score\":0.1,\"b\":2}", 1.05, 0.1, true },
		{ "{\"combined_score\":\"0.9\",\"b\":2}", 2, 1, true },
		{ "{\"combined_score\":NaN}", 0, -1, false },
		{ "{\"ok\":true,\"b\":0}", 0.5, 0.5, true },
		{ "{\"t\":\"x\"}", 0, -1, false },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation = metrics(cases[i].metrics);

		ck_assert_double_eq(oe__metric_mean(evaluation), cases[i].mean);
		ck_assert_msg(oe__passes_threshold(evaluation, cases[i].threshold) == cases[i].passes, "%s",
					  cases[i].metrics);
	}
}
END_TEST

TEST_MAIN("fitness", test_fitness, test_mean_and_threshold)
