/* What commands write as their result, and which evaluator a configuration makes of a file. */

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/config.h"
#include "scheduler/scheduler.h"
#include "scripted.h"

static char directory[64];
static oe_scheduler *scheduler;

static void begin(void)
{
	strcpy(directory, "/tmp/oe-test-command-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(oe_scheduler_new(1, &scheduler, NULL), 0);
}

static void end(void)
{
	oe_scheduler_unref(scheduler);
	ck_assert_int_eq(oe__directory_remove(directory, NULL), 0);
}

static char *put(const char *name, const char *text, size_t size, mode_t mode)
{
	char *path = oe__path_join(directory, name);

	ck_assert_int_eq(oe__file_write(path, text, size, NULL), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static int make(const char *yaml, const char *path, oe_evaluator **out, oe_error *err)
{
	oe_config *config = NULL;

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, yaml, strlen(yaml), "test", err) == 0, "%s",
				  err->message);
	int status = oe_evaluator_from_config(config, scheduler, path, ".txt", NULL, out, err);
	oe_config_free(config);
	return status;
}

static oe_evaluator *made(const char *yaml, const char *script)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };

	oe__buffer_printf(&text, "#!/bin/sh\n%s\n", script);
	OE__AUTO(string) char *path = put("evaluator.sh", text.data, text.size, 0755);
	ck_assert_msg(make(yaml, path, &evaluator, &err) == 0, "%s", err.message);
	return evaluator;
}

/* The result is what the file beside the evaluator holds. */
static oe_evaluation *result_of(const char *json, size_t size)
{
	oe__free(put("result", json, size, 0644));
	OE__AUTO(evaluator) oe_evaluator *evaluator =
		made("{}", "cat \"$(dirname \"$0\")/result\" >&\"$OE_RESULT_FD\"");

	return evaluate(evaluator);
}

START_TEST(test_results)
{
	static const struct {
		const char *json;
		int verdict;
		double score;
		const char *artifact; /* "a" */
	} cases[] = {
		{ "{\"combined_score\": 0.5}", OE_VERDICT_OK, 0.5, NULL },
		{ "{\"metrics\": {\"combined_score\": 2}}\n\n", OE_VERDICT_OK, 2, NULL },
		{ "{\"metrics\": {\"combined_score\": 2}, \"artifacts\": {\"a\": \"text\"}}", OE_VERDICT_OK, 2,
		  "text" },
		{ "{\"metrics\": {\"combined_score\": 2}, \"artifacts\": {\"a\": {\"b\": [1]}}}", OE_VERDICT_OK,
		  2, "{\"b\": [1]}" },
		{ "{\"metrics\": {\"combined_score\": 2}, \"artifacts\": [1]}", OE_VERDICT_OK, 2, NULL },
		/* A metric of that name is one. */
		{ "{\"metrics\": 3, \"combined_score\": 1}", OE_VERDICT_OK, 1, NULL },
		{ "{\"combined_score\": true}", OE_VERDICT_OK, 1, NULL },
		{ "{\"combined_score\": 1, \"combined_score\": 4}", OE_VERDICT_OK, 4, NULL },
		{ "{\"combined_score\": NaN}", OE_VERDICT_NONFINITE, (double)NAN, NULL },
		{ "{\"combined_score\": -Infinity}", OE_VERDICT_NONFINITE, -(double)INFINITY, NULL },
		{ "{\"combined_score\": {\"$f\": \"inf\"}}", OE_VERDICT_NONFINITE, (double)INFINITY, NULL },
		{ "{}", OE_VERDICT_OK, (double)NAN, NULL },
		{ "[]", OE_VERDICT_BAD_RESULT, (double)NAN, NULL },
		{ "0.5", OE_VERDICT_BAD_RESULT, (double)NAN, NULL },
		{ "null", OE_VERDICT_BAD_RESULT, (double)NAN, NULL },
		{ "{\"a\": 1} {\"a\": 2}", OE_VERDICT_BAD_RESULT, (double)NAN, NULL },
		{ "{\"a\": 1", OE_VERDICT_BAD_RESULT, (double)NAN, NULL },
		{ "score: 1", OE_VERDICT_BAD_RESULT, (double)NAN, NULL },
		/* What is no UTF-8 is replaced, like everything that is foreign. */
		{ "{\"combined_score\": 1, \"a\": \"\xff\"}", OE_VERDICT_OK, 1, NULL },
	};

	begin();
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluation) oe_evaluation *evaluation =
			result_of(cases[i].json, strlen(cases[i].json));
		double score = metric_of(evaluation, "combined_score");
		ck_assert_msg(evaluation->verdict == cases[i].verdict, "%s: %s (%s)", cases[i].json,
					  oe_verdict_name(evaluation->verdict), oe_evaluation_message(evaluation));
		ck_assert_msg(isnan(cases[i].score) ? isnan(score) : score == cases[i].score, "%s: %g",
					  cases[i].json, score);
		ck_assert_pstr_eq(artifact_of(evaluation, "a"), cases[i].artifact);
	}
	end();
}
END_TEST

/* Nesting without end, and a NUL in the middle. */
START_TEST(test_hostile_results)
{
	OE__AUTO(buffer) struct oe__buffer deep = OE__BUFFER_INIT(0);

	begin();
	for (int i = 0; i < 300000; i++)
		oe__buffer_text(&deep, "{\"a\":");
	OE__AUTO(evaluation) oe_evaluation *first = result_of(deep.data, deep.size);
	OE__AUTO(evaluation) oe_evaluation *second = result_of("{\"a\": 1}\0{", 10);
	ck_assert_int_eq(first->verdict, OE_VERDICT_BAD_RESULT);
	ck_assert_int_eq(second->verdict, OE_VERDICT_BAD_RESULT);
	end();
}
END_TEST

/* What it finds around itself: the program, its seed, one thread for libraries, and nothing of ours. */
START_TEST(test_environment)
{
	ck_assert_int_eq(setenv("OE_TEST_CANARY", "secret", 1), 0);
	begin();
	OE__AUTO(evaluator) oe_evaluator *evaluator =
		made("evaluator: {env: {MINE: 'my own', OMP_NUM_THREADS: '3'}}",
			 "printf '{\"combined_score\": 1}' >&3\nenv\necho \"program $(cat \"$1\") in $1\"\nexit 5");
	OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(evaluator);
	const char *text = artifact_of(evaluation, "output");
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "OE_SEED=7\n"));
	ck_assert_ptr_nonnull(strstr(text, "OE_RESULT_FD=3\n"));
	ck_assert_ptr_nonnull(strstr(text, "MINE=my own\n"));
	ck_assert_ptr_nonnull(strstr(text, "OMP_NUM_THREADS=3\n")); /* the later value */
	ck_assert_ptr_null(strstr(text, "OMP_NUM_THREADS=1\n"));
	ck_assert_ptr_nonnull(strstr(text, "MKL_NUM_THREADS=1\n"));
	ck_assert_ptr_nonnull(strstr(text, "PATH="));
	ck_assert_ptr_nonnull(strstr(text, "program x = 1"));
	ck_assert_ptr_nonnull(strstr(text, "/program.txt"));
	ck_assert_ptr_null(strstr(text, "CANARY"));
	end();
}
END_TEST

START_TEST(test_which)
{
	static const struct {
		const char *yaml, *name, *text;
		mode_t mode;
		const char *says; /* NULL: it is made */
	} cases[] = {
		{ "{}", "a.sh", "#!/bin/sh\n", 0755, NULL },
		{ "{}", "a.sh", "#!/bin/sh\n", 0644, "chmod +x" },
		{ "{}", "a.py", "def evaluate(path):\n    return {}\n", 0644, NULL },
		{ "{}", "a.py", "x = 1\n", 0644, "evaluate(program_path)" },
		{ "{}", "a.py", "raise ValueError('no')\n", 0644, "no" },
		{ "evaluator: {backend: command}", "a.py", "#!/bin/sh\n", 0755, NULL },
		{ "evaluator: {backend: python}", "a.txt", "def evaluate(path):\n    return {}\n", 0644, NULL },
		{ "evaluator: {command: [sh, -c, 'true']}", "a.py", "", 0644, NULL },
		{ "evaluator: {command: [no-such-program-anywhere]}", "a.py", "", 0644,
		  "no-such-program-anywhere" },
		{ "evaluator: {command: [/]}", "a.py", "", 0644, "there is no program" },
	};

	begin();
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(string) char *path =
			put(cases[i].name, cases[i].text, strlen(cases[i].text), cases[i].mode);
		OE__AUTO(evaluator) oe_evaluator *evaluator = NULL;
		oe_error err = { 0 };
		int status = make(cases[i].yaml, path, &evaluator, &err);
		ck_assert_msg((status == 0) == (cases[i].says == NULL), "case %zu: %d %s", i, status,
					  err.message);
		if (cases[i].says)
			ck_assert_msg(strstr(err.message, cases[i].says), "case %zu: %s", i, err.message);
		ck_assert((evaluator != NULL) == (cases[i].says == NULL));
		ck_assert_int_eq(unlink(path), 0);
	}
	OE__AUTO(evaluator) oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };
	ck_assert_int_eq(make("{}", directory, &evaluator, &err), OE_ERR_EVALUATOR);
	ck_assert_ptr_nonnull(strstr(err.message, "directory"));
	ck_assert_int_eq(make("{}", "/nowhere/evaluator.py", &evaluator, &err), OE_ERR_EVALUATOR);
	end();
}
END_TEST

/* Stages are those that the file defines, as far as there are thresholds to pass. */
START_TEST(test_stages)
{
	static const char file[] = "def evaluate(path):\n    return {'combined_score': 9}\n"
							   "def evaluate_stage1(path):\n    return {'combined_score': 0.5}\n"
							   "def evaluate_stage2(path):\n    return {'combined_score': 0.7}\n";
	static const struct {
		const char *yaml;
		double score;
	} cases[] = {
		{ "evaluator: {cascade_evaluation: false}", 9 },
		{ "evaluator: {cascade_evaluation: true, cascade_thresholds: [0.6]}", 0.5 },
		{ "evaluator: {cascade_evaluation: true, cascade_thresholds: [0.5]}", 0.7 },
		{ "evaluator: {cascade_evaluation: true, cascade_thresholds: []}", 0.5 },
	};

	begin();
	OE__AUTO(string) char *path = put("stages.py", file, strlen(file), 0644);
	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(evaluator) oe_evaluator *evaluator = NULL;
		oe_error err = { 0 };
		ck_assert_msg(make(cases[i].yaml, path, &evaluator, &err) == 0, "%s", err.message);
		OE__AUTO(evaluation) oe_evaluation *evaluation = evaluate(evaluator);
		ck_assert_msg(metric_of(evaluation, "combined_score") == cases[i].score, "%s: %g %s",
					  cases[i].yaml, metric_of(evaluation, "combined_score"),
					  oe_evaluation_message(evaluation));
	}
	end();
}
END_TEST

TEST_MAIN("command", test_results, test_hostile_results, test_environment, test_which, test_stages)
