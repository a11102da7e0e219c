/* What the end of a child comes to: a verdict, a sentence, an artifact, and what it cost. */

#include <math.h>
#include <signal.h>
#include <string.h>

#include "test.h"

#include "base/auto.h"
#include "base/json.h"
#include "evaluator/cascade.h"
#include "evaluator/evaluator.h"
#include "evaluator/python_result.h"

#define MIB ((uint64_t)1024 * 1024)

/* A frame with this JSON, as the child writes it; nothing for NULL. */
static void put_frame(struct oe__buffer *bytes, const char *json)
{
	uint64_t size = json ? strlen(json) : 0;

	for (int i = 0; json && i < 8; i++)
		oe__buffer_char(bytes, (char)(size >> 8 * i & 0xff));
	if (json)
		oe__buffer_text(bytes, json);
}

static void judge(oe_evaluation *evaluation, const struct oe__child_end *end, const char *json,
				  const char *printed)
{
	OE__AUTO(buffer) struct oe__buffer bytes = OE__BUFFER_INIT(0);
	OE__AUTO(output) struct oe__output output = { 0 };

	put_frame(&bytes, json);
	ck_assert_int_eq(oe__output_init(&output, 64), 0);
	oe__output_add(&output, printed, strlen(printed));
	ck_assert_int_eq(oe__python_result(evaluation, &bytes, &output, end), 0);
}

static const char *artifact(const oe_evaluation *evaluation, const char *name)
{
	const struct oe__artifact *found = oe__evaluation_artifact(evaluation, name);
	return found ? found->data : NULL;
}

struct ending {
	struct oe__child_end end;
	const char *json; /* the frame */
	int verdict;
	const char *sentence;
};

#define EXIT(code)     ((code) << 8)
#define KILLED(number) (number)

static const struct ending endings[] = {
	{ { .exited = true }, NULL, OE_VERDICT_NO_RESULT, "it ended without giving a result" },
	{ { .exited = true, .status = EXIT(3) },
	  NULL,
	  OE_VERDICT_EXITED,
	  "it left with exit status 3, without a result" },
	{ { .exited = true, .status = KILLED(SIGSEGV) },
	  NULL,
	  OE_VERDICT_SIGNALLED,
	  "it was ended by signal 11 (Segmentation fault)" },
	{ { .exited = true, .status = KILLED(SIGXCPU) },
	  NULL,
	  OE_VERDICT_CPU_TIMEOUT,
	  "it used up its processor time" },
	{ { .exited = true, .status = KILLED(SIGXFSZ) },
	  NULL,
	  OE_VERDICT_DISK_LIMIT,
	  "it wrote a larger file than it may" },
	{ { .exited = true, .status = KILLED(SIGXFSZ), .limits = { .file_bytes = 1000 } },
	  NULL,
	  OE_VERDICT_DISK_LIMIT,
	  "it wrote a larger file than it may: 1000 bytes" },
	/* The kernel's own killers use a signal that says nothing. */
	{ { .exited = true, .status = KILLED(SIGKILL), .oom_kills = 1,
		.limits = { .memory_bytes = 3000 } },
	  NULL,
	  OE_VERDICT_MEM_LIMIT,
	  "it wanted more memory than it may have: 3000 bytes" },
	{ { .exited = true, .status = EXIT(1), .oom_kills = 2 },
	  NULL,
	  OE_VERDICT_MEM_LIMIT,
	  "it wanted more memory than it may have" },
	{ { .exited = true, .oom_kills = 2 },
	  NULL,
	  OE_VERDICT_NO_RESULT,
	  "it ended without giving a result" },
	{ { .exited = true, .status = KILLED(SIGKILL), .cpu_ms = 1990, .limits = { .cpu_seconds = 2 } },
	  NULL,
	  OE_VERDICT_CPU_TIMEOUT,
	  "it used up its processor time: 2 s" },
	{ { .exited = true, .status = KILLED(SIGKILL), .cpu_ms = 1000, .limits = { .cpu_seconds = 2 } },
	  NULL,
	  OE_VERDICT_SIGNALLED,
	  "it was ended by signal 9 (Killed)" },
	{ { .exited = true, .status = KILLED(SIGKILL), .cpu_ms = 1000 },
	  NULL,
	  OE_VERDICT_SIGNALLED,
	  "it was ended by signal 9 (Killed)" },
	{ { .exited = true, .status = KILLED(SIGSYS) },
	  NULL,
	  OE_VERDICT_SYSCALL_KILLED,
	  "it made a system call that is not allowed" },
	{ { .exited = true, .status = KILLED(SIGSYS) | 0x80 }, /* with a core dump */
	  NULL,
	  OE_VERDICT_SYSCALL_KILLED,
	  "it made a system call that is not allowed" },
	{ { .timed_out = true, .timeout_ms = 1500 },
	  NULL,
	  OE_VERDICT_WALL_TIMEOUT,
	  "it was killed after 1.5 s, the time limit" },
	{ { .lost = true }, NULL, OE_VERDICT_SANDBOX_ERROR,
	  "the process of the evaluation was lost" },
	{ { .lost = true, .lost_because = "its fork server has ended" }, NULL, OE_VERDICT_SANDBOX_ERROR,
	  "the process of the evaluation was lost: its fork server has ended" },
	/* What was killed for too much of something: the limit says more than the signal. */
	{ { .exited = true, .status = KILLED(SIGKILL), .limit = OE__LIMIT_MEMORY,
		.limits = { .memory_bytes = 512 * MIB } },
	  NULL,
	  OE_VERDICT_MEM_LIMIT,
	  "it wanted more memory than it may have: 512 MiB" },
	{ { .limit = OE__LIMIT_MEMORY },
	  NULL,
	  OE_VERDICT_MEM_LIMIT,
	  "it wanted more memory than it may have" },
	{ { .limit = OE__LIMIT_CPU, .limits = { .cpu_seconds = 3 } },
	  NULL,
	  OE_VERDICT_CPU_TIMEOUT,
	  "it used up its processor time: 3 s" },
	{ { .limit = OE__LIMIT_DISK, .limits = { .file_bytes = 1000 } },
	  NULL,
	  OE_VERDICT_DISK_LIMIT,
	  "it wrote more to files than it may" },
	{ { .limit = OE__LIMIT_OUTPUT },
	  NULL,
	  OE_VERDICT_OUTPUT_LIMIT,
	  "it wrote more to stdout and stderr than it may" },
	{ { .limit = OE__LIMIT_PROCESSES, .limits = { .processes = 128 } },
	  NULL,
	  OE_VERDICT_PROC_LIMIT,
	  "it started more processes and threads than it may: 128" },
	{ { .limit = OE__LIMIT_SYSCALL },
	  NULL,
	  OE_VERDICT_SYSCALL_KILLED,
	  "it made a system call that is not allowed" },
	{ { .timed_out = true, .timeout_ms = 1000, .limit = OE__LIMIT_CPU },
	  NULL,
	  OE_VERDICT_CPU_TIMEOUT,
	  "it used up its processor time" },
	/* A result counts only if the child ended by itself. */
	{ { .limit = OE__LIMIT_MEMORY },
	  "{\"metrics\": {\"combined_score\": 1}}",
	  OE_VERDICT_MEM_LIMIT,
	  "it wanted more memory than it may have" },
	{ { .exited = true },
	  "[1]",
	  OE_VERDICT_PROTOCOL_VIOLATION,
	  "its result is not what an evaluation writes" },
	{ { .exited = true },
	  "{\"wrong_type\": \"list\"}",
	  OE_VERDICT_BAD_RESULT,
	  "the evaluator returned list, expected a dict or an EvaluationResult" },
	{ { .exited = true },
	  "{\"failure\": \"exit\", \"code\": 2}",
	  OE_VERDICT_EXITED,
	  "it called sys.exit(2)" },
	/* Of a program that runs apart: how it ended (as waitpid() says it), or what it answered. */
	{ { .exited = true }, "{\"candidate\": 11}", OE_VERDICT_SIGNALLED,
	  "it was ended by signal 11 (Segmentation fault)" },
	{ { .exited = true }, "{\"candidate\": 24}", OE_VERDICT_CPU_TIMEOUT, "it used up its processor time" },
	{ { .exited = true }, "{\"candidate\": 31}", OE_VERDICT_SYSCALL_KILLED,
	  "it made a system call that is not allowed" },
	{ { .exited = true }, "{\"candidate\": 768}", OE_VERDICT_EXITED,
	  "it left with exit status 3, without a result" },
	{ { .exited = true }, "{\"candidate\": 0}", OE_VERDICT_NO_RESULT, "it ended without giving a result" },
	{ { .exited = true }, "{\"candidate\": \"x\"}", OE_VERDICT_NO_RESULT,
	  "it ended without giving a result" },
	{ { .exited = true }, "{\"violation\": \"a list is expected\", \"metrics\": {\"combined_score\": 9.0}}",
	  OE_VERDICT_PROTOCOL_VIOLATION,
	  "it answered its evaluator with what is no answer: a list is expected" },
};

START_TEST(test_every_end_is_a_sentence)
{
	for (size_t i = 0; i < OE__COUNT(endings); i++) {
		const struct ending *ending = &endings[i];
		OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
		OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

		ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
		judge(evaluation, &ending->end, ending->json, "what it printed");
		ck_assert_msg(evaluation->verdict == ending->verdict, "%zu: %s", i,
					  oe_verdict_name(evaluation->verdict));
		ck_assert_str_eq(oe_evaluation_message(evaluation), ending->sentence);
		oe__buffer_printf(&text, "%s: %s", oe_verdict_name(ending->verdict), ending->sentence);
		ck_assert_pstr_eq(artifact(evaluation, "verdict"), text.data);
		ck_assert_pstr_eq(artifact(evaluation, "output"), "what it printed");
		ck_assert_uint_eq(evaluation->metric_count, 0);
	}
}
END_TEST

START_TEST(test_cancelled_and_raised)
{
	OE__AUTO(evaluation) oe_evaluation *cancelled = NULL, *raised = NULL;
	struct oe__child_end end = { .cancelled = true, .timed_out = true, .limit = OE__LIMIT_CPU };

	ck_assert_int_eq(oe_evaluation_new(&cancelled), 0);
	judge(cancelled, &end, NULL, "");
	ck_assert_int_eq(cancelled->verdict, OE_VERDICT_CANCELLED);

	ck_assert_int_eq(oe_evaluation_new(&raised), 0);
	end = (struct oe__child_end){ .exited = true };
	judge(raised, &end,
		  "{\"failure\": \"exception\", \"type\": \"ValueError\", \"message\": \"no\","
		  " \"traceback\": \"line 1\"}",
		  "");
	ck_assert_int_eq(raised->verdict, OE_VERDICT_EXCEPTION);
	ck_assert_str_eq(oe_evaluation_message(raised), "ValueError: no");
	ck_assert_pstr_eq(artifact(raised, "stderr"), "no");
	ck_assert_pstr_eq(artifact(raised, "traceback"), "line 1");
	ck_assert_ptr_null(artifact(raised, "verdict")); /* it would say the same again */
	ck_assert_ptr_null(artifact(raised, "output"));
}
END_TEST

START_TEST(test_what_it_cost)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	struct oe__child_end end = OE__CHILD_END_INIT(1000);
	oe_usage usage = { .struct_size = sizeof(usage) };

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	oe_evaluation_usage(evaluation, &usage);
	ck_assert(usage.wall_ms < 0 && usage.cpu_ms < 0 && usage.setup_ms < 0);
	ck_assert(usage.memory_peak < 0 && usage.strays_killed < 0);
	ck_assert(usage.output_bytes < 0 && !usage.memory_source && !usage.path);

	evaluation->footprint.seed = 77;
	end.exited = true;
	end.wall_ms = 12.5;
	end.cpu_ms = 3;
	end.memory_peak = 1000;
	end.footprint = (struct oe__footprint){
		.setup_ms = 0.5f,
		.strays_killed = 2,
		.memory_source = OE__MEMORY_SAMPLED,
		.path = OE__PATH_SPARE,
	};
	judge(evaluation, &end, "{\"metrics\": {\"combined_score\": 1}}", "123456789");
	oe_evaluation_usage(evaluation, &usage);
	ck_assert(usage.wall_ms == 12.5 && usage.cpu_ms == 3 && usage.setup_ms == 0.5);
	ck_assert_int_eq(usage.memory_peak, 1000);
	ck_assert_str_eq(usage.memory_source, "sampled");
	ck_assert_int_eq(usage.strays_killed, 2);
	ck_assert_int_eq(usage.output_bytes, 9);
	ck_assert_str_eq(usage.path, "spare");
	ck_assert_uint_eq(usage.seed, 77);
	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_OK);
	ck_assert_uint_eq(evaluation->artifact_count, 0);
}
END_TEST

/* Older callers get what they know. */
START_TEST(test_usage_fits_older_callers)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_usage usage;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	memset(&usage, 0x5a, sizeof(usage));
	usage.struct_size = offsetof(oe_usage, memory_peak);
	oe_evaluation_usage(evaluation, &usage);
	ck_assert(usage.setup_ms < 0);
	ck_assert_uint_eq(usage.struct_size, offsetof(oe_usage, memory_peak));
	ck_assert_int_eq(usage.memory_peak, 0x5a5a5a5a5a5a5a5a);
	usage.struct_size = 0;
	oe_evaluation_usage(evaluation, &usage);
	ck_assert_uint_eq(usage.struct_size, 0);
	usage.struct_size = sizeof(usage);
	oe_evaluation_usage(NULL, &usage);
	ck_assert_int_eq(usage.memory_peak, -1);
}
END_TEST

/* ---- scores that are none ---- */

static void check_score(const char *name, double value, const char *other, double other_value,
						const char *sentence)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, name, value), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, other, other_value), 0);
	ck_assert_int_eq(oe__result_check_score(evaluation), 0);
	ck_assert_int_eq(evaluation->verdict, sentence ? OE_VERDICT_NONFINITE : OE_VERDICT_OK);
	ck_assert_str_eq(oe_evaluation_message(evaluation), sentence ? sentence : "");
}

START_TEST(test_scores_that_are_not_finite)
{
	check_score("combined_score", NAN, "x", 1,
				"its metric 'combined_score' is not a finite number, so it has no score");
	check_score("combined_score", INFINITY, "x", 1,
				"its metric 'combined_score' is not a finite number, so it has no score");
	check_score("x", 1, "combined_score", -INFINITY,
				"its metric 'combined_score' is not a finite number, so it has no score");
	check_score("error", 1, "y", NAN,
				"its metric 'y' is not a finite number, so it has no score");
	check_score("combined_score", 1, "x", NAN, NULL);
	check_score("x", 1, "y", NAN, NULL); /* the mean leaves it out */
	check_score("error", 1, "timeout", 1, NULL); /* no score, but nothing that is not finite */
}
END_TEST

START_TEST(test_a_failure_stays_what_it_is)
{
	OE__AUTO(evaluation) oe_evaluation *evaluation = NULL;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	ck_assert_int_eq(oe_evaluation_set_metric(evaluation, "combined_score", NAN), 0);
	ck_assert_int_eq(oe_evaluation_set_verdict(evaluation, OE_VERDICT_MEM_LIMIT, "m"), 0);
	ck_assert_int_eq(oe__result_check_score(evaluation), 0);
	ck_assert_int_eq(evaluation->verdict, OE_VERDICT_MEM_LIMIT);
}
END_TEST

/* ---- through a cascade ---- */

static int evaluate(void *self, const oe_evaluation_request *request, oe_evaluation *evaluation,
					oe_error *err)
{
	const struct oe__child_end *end = self;

	(void)request;
	(void)err;
	if (end)
		judge(evaluation, end, NULL, "");
	else
		return oe_evaluation_set_metric(evaluation, "combined_score", NAN);
	return 0;
}

static oe_evaluation *run_cascade(const struct oe__child_end *end, bool artifacts)
{
	OE__AUTO(evaluator) oe_evaluator *stage = NULL, *cascade = NULL;
	OE__AUTO(program) oe_program *program = NULL;
	oe_evaluator_vtable vtable = OE_EVALUATOR_VTABLE_INIT;
	struct oe__cascade_options options = { .artifacts = artifacts };
	oe_evaluation *evaluation = NULL;

	vtable.name = "mine";
	vtable.evaluate = evaluate;
	ck_assert_int_eq(oe_program_new("x", 1, NULL, &program), 0);
	ck_assert_int_eq(oe_evaluator_new(&vtable, (void *)(uintptr_t)end, &stage, NULL), 0);
	ck_assert_int_eq(oe__cascade_new(&options, &cascade, NULL), 0);
	ck_assert_int_eq(oe_evaluator_cascade_add(cascade, stage, -INFINITY), 0);
	ck_assert_int_eq(oe_evaluator_run(cascade, program, 5, 1000, &evaluation, NULL), 0);
	return evaluation;
}

/* The words of OpenEvolve's evaluator have no place for it: the sentence and the cost come along. */
START_TEST(test_a_cascade_hands_it_on)
{
	struct oe__child_end end = OE__CHILD_END_INIT(1000);
	oe_usage usage = { .struct_size = sizeof(usage) };

	end.limit = OE__LIMIT_PROCESSES;
	end.cpu_ms = 7;
	end.footprint.strays_killed = 3;
	OE__AUTO(evaluation) oe_evaluation *failed = run_cascade(&end, true);
	ck_assert_int_eq(failed->verdict, OE_VERDICT_PROC_LIMIT);
	ck_assert_pstr_eq(artifact(failed, "verdict"),
					  "proc_limit: it started more processes and threads than it may");
	oe_evaluation_usage(failed, &usage);
	ck_assert_int_eq(usage.strays_killed, 3);
	ck_assert_uint_eq(usage.seed, 5);
	ck_assert(usage.cpu_ms == 7);

	OE__AUTO(evaluation) oe_evaluation *bare = run_cascade(&end, false);
	ck_assert_int_eq(bare->verdict, OE_VERDICT_PROC_LIMIT);
	ck_assert_ptr_null(artifact(bare, "verdict"));

	OE__AUTO(evaluation) oe_evaluation *nonfinite = run_cascade(NULL, true);
	ck_assert_int_eq(nonfinite->verdict, OE_VERDICT_NONFINITE);
	ck_assert_pstr_eq(artifact(nonfinite, "verdict"),
					  "nonfinite: its metric 'combined_score' is not a finite number, so it has no "
					  "score");
}
END_TEST

TEST_MAIN("python_result", test_every_end_is_a_sentence, test_cancelled_and_raised,
		  test_what_it_cost, test_usage_fits_older_callers, test_scores_that_are_not_finite,
		  test_a_failure_stays_what_it_is, test_a_cascade_hands_it_on)
