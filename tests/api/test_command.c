/* Executables as evaluators, through the shared library. */

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>

#include "world.h"

struct bench {
	char directory[64];
	oe_config *config;
	oe_scheduler *scheduler;
};

static void bench_init(struct bench *bench)
{
	oe_error err = { 0 };

	*bench = (struct bench){ .directory = "/tmp/oe-command-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(bench->directory));
	ck_assert_int_eq(oe_config_new(&bench->config), 0);
	ck_assert_int_eq(oe_scheduler_new(0, &bench->scheduler, &err), 0);
}

static void bench_done(struct bench *bench)
{
	char command[128];

	oe_scheduler_unref(bench->scheduler);
	oe_config_free(bench->config);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", bench->directory);
	ck_assert_int_eq(system(command), 0);
}

static oe_evaluator *make(struct bench *bench, const char *script)
{
	oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/evaluator.sh", bench->directory);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fprintf(file, "#!/bin/sh\n%s\n", script);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
	int status = oe_evaluator_from_config(bench->config, bench->scheduler, path, ".txt", NULL,
										  &evaluator, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	return evaluator;
}

static oe_evaluation *judge(oe_evaluator *evaluator, const char *code, int64_t timeout_ms)
{
	oe_program *program = NULL;
	oe_evaluation *evaluation = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_program_new(code, strlen(code), "text", &program), 0);
	int status = oe_evaluator_run(evaluator, program, 5, timeout_ms, &evaluation, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	oe_program_unref(program);
	return evaluation;
}

static double metric(const oe_evaluation *evaluation, const char *wanted)
{
	const char *name;
	double value;

	for (size_t i = 0; (name = oe_evaluation_metric_at(evaluation, i, &value)); i++)
		if (strcmp(name, wanted) == 0)
			return value;
	return (double)NAN;
}

START_TEST(test_results)
{
	static const struct {
		const char *script;
		int verdict;
		double score; /* NaN: none */
	} cases[] = {
		{ "cat \"$1\" >&\"$OE_RESULT_FD\"", OE_VERDICT_OK, 0.5 },
		{ "echo '{\"metrics\": {\"s\": 0.25}, \"artifacts\": {\"a\": \"b\"}}' >&3", OE_VERDICT_OK,
		  0.25 },
		{ "echo '{\"s\": 1}' >&3; exit 3", OE_VERDICT_EXITED, (double)NAN },
		{ "kill -SEGV $$", OE_VERDICT_SIGNALLED, (double)NAN },
		{ "true", OE_VERDICT_NO_RESULT, (double)NAN },
		{ "echo '{\"s\": ' >&3", OE_VERDICT_BAD_RESULT, (double)NAN },
		{ "echo '[1]' >&3", OE_VERDICT_BAD_RESULT, (double)NAN },
		{ "no-such-command-anywhere", OE_VERDICT_EXITED, (double)NAN },
		{ "sleep 1000", OE_VERDICT_WALL_TIMEOUT, (double)NAN },
	};
	struct bench bench;
	bench_init(&bench);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		oe_evaluator *evaluator = make(&bench, cases[i].script);
		/* Twice: what one leaves behind must not show in the next. */
		for (int repeat = 0; repeat < 2; repeat++) {
			bool endless = cases[i].verdict == OE_VERDICT_WALL_TIMEOUT;
			oe_evaluation *evaluation =
				judge(evaluator, "{\"s\": 0.5}", endless ? 300 : TEST_PATIENCE_MS);
			ck_assert_msg(oe_evaluation_verdict(evaluation) == cases[i].verdict, "%s: %s (%s)",
						  cases[i].script, oe_verdict_name(oe_evaluation_verdict(evaluation)),
						  oe_evaluation_message(evaluation));
			double score = metric(evaluation, "s");
			ck_assert(isnan(cases[i].score) ? isnan(score) : score == cases[i].score);
			oe_evaluation_unref(evaluation);
		}
		oe_evaluator_unref(evaluator);
	}
	bench_done(&bench);
}
END_TEST

START_TEST(test_nothing_is_left)
{
	struct bench bench;
	char path[128], script[1024];
	oe_error err = { 0 };
	bench_init(&bench);
	int status = oe_config_set(bench.config, "sandbox.writable", bench.directory, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	(void)snprintf(path, sizeof(path), "%s/pid", bench.directory);
	(void)snprintf(script, sizeof(script),
				   "setsid sh -c 'trap \"\" TERM INT HUP; echo $$ > %s.new; mv %s.new %s; "
				   "while :; do sleep 60; done' &\n"
				   "while [ ! -e %s ]; do sleep 0.01; done\n"
				   "echo '{\"s\": 1}' >&3",
				   path, path, path, path);
	oe_evaluator *evaluator = make(&bench, script);
	oe_evaluation *evaluation = judge(evaluator, "x", TEST_PATIENCE_MS);

	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_OK);
	ck_assert_int_eq(access(path, F_OK), 0); /* it was there ... */
	ck_assert_int_eq(processes_with(path), 0);
	oe_evaluation_unref(evaluation);
	oe_evaluator_unref(evaluator);
	bench_done(&bench);
}
END_TEST

START_TEST(test_output_is_capped)
{
	struct bench bench;
	oe_bytes bytes = { NULL, 0 };
	const char *name;
	bool found = false;
	bench_init(&bench);
	oe_evaluator *evaluator =
		make(&bench, "echo beginning; yes | head -c 20000000; echo end; exit 1");
	oe_evaluation *evaluation = judge(evaluator, "x", TEST_PATIENCE_MS);

	ck_assert_int_eq(oe_evaluation_verdict(evaluation), OE_VERDICT_EXITED);
	for (size_t i = 0; (name = oe_evaluation_artifact_at(evaluation, i, &bytes)); i++) {
		if (strcmp(name, "output") != 0)
			continue;
		found = true;
		ck_assert_uint_lt(bytes.size, 2000000);
		ck_assert_int_eq(strncmp(bytes.data, "beginning\n", 10), 0);
		ck_assert_ptr_nonnull(strstr(bytes.data, "left out"));
		ck_assert_int_eq(strncmp((const char *)bytes.data + bytes.size - 5, "\nend\n", 5), 0);
	}
	ck_assert(found);
	oe_evaluation_unref(evaluation);
	oe_evaluator_unref(evaluator);
	bench_done(&bench);
}
END_TEST

START_TEST(test_neither_python_nor_executable)
{
	struct bench bench;
	oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };
	char path[128];
	bench_init(&bench);
	(void)snprintf(path, sizeof(path), "%s/evaluator.txt", bench.directory);
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(oe_evaluator_from_config(bench.config, bench.scheduler, path, ".txt", NULL,
											  &evaluator, &err),
					 OE_ERR_EVALUATOR);
	ck_assert_ptr_nonnull(strstr(err.message, "executable"));
	bench_done(&bench);
}
END_TEST

TEST_MAIN("command", test_results, test_nothing_is_left, test_output_is_capped,
		  test_neither_python_nor_executable)
