/*
 * Evaluations that do their worst, four at a time: each ends in a named verdict, in time, and
 * leaves nothing behind. OE_LONG=1: 200 of them with a limit of 2 s. Otherwise only those that must
 * run into their limit have a short one: how long the others take is the machine's business.
 */

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

enum { THREADS = 4, TOTAL_MAX = 256 };

static const struct misdeed {
	const char *name;
	int verdict;
	bool score; /* it has a finite one all the same */
} misdeeds[] = {
	{ "busy", OE_VERDICT_WALL_TIMEOUT, false },
	{ "native", OE_VERDICT_WALL_TIMEOUT, false },
	{ "exit_at_once", OE_VERDICT_EXITED, false },
	{ "exit_politely", OE_VERDICT_EXITED, false },
	{ "segfault", OE_VERDICT_SIGNALLED, false },
	{ "allocate", OE_VERDICT_EXCEPTION, false },
	{ "grandchild", OE_VERDICT_OK, true },
	{ "flood", OE_VERDICT_OK, true },
	{ "nan", -1, false },
	{ "infinity", -1, false },
	{ "text", -1, false },
	{ "boolean", OE_VERDICT_BAD_RESULT, false },
	{ "nothing", OE_VERDICT_BAD_RESULT, false },
	{ "raise_error", OE_VERDICT_EXCEPTION, false },
};
enum { MISDEEDS = sizeof(misdeeds) / sizeof(misdeeds[0]) };

struct hostile {
	oe_evaluator *evaluator;
	int total;
	int64_t timeout_ms, patience_ms; /* of those that are killed, and of the others */
	atomic_int next;
	double late_ms[TOTAL_MAX]; /* of those that were killed; NaN: it was not */
	int descriptors[TOTAL_MAX], threads[TOTAL_MAX];
};

static int count_entries(const char *path)
{
	DIR *stream = opendir(path);
	int count = 0;

	ck_assert_ptr_nonnull(stream);
	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

static void do_one(struct hostile *hostile, int number)
{
	const struct misdeed *misdeed = &misdeeds[number % MISDEEDS];
	oe_program *program = NULL, *judged = NULL;
	oe_evaluation *evaluation = NULL;
	oe_error err = { 0 };
	int64_t timeout_ms = misdeed->verdict == OE_VERDICT_WALL_TIMEOUT ? hostile->timeout_ms
																	 : hostile->patience_ms;

	ck_assert_int_eq(oe_program_new(misdeed->name, strlen(misdeed->name), "text", &program), 0);
	int status = oe_evaluator_run(hostile->evaluator, program, (uint64_t)number, timeout_ms,
								  &evaluation, &err);
	ck_assert_msg(status == 0, "%s: %s", misdeed->name, err.message);
	int verdict = oe_evaluation_verdict(evaluation);
	ck_assert_msg(misdeed->verdict < 0 || verdict == misdeed->verdict, "%s: %s (%s)", misdeed->name,
				  oe_verdict_name(verdict), oe_evaluation_message(evaluation));
	ck_assert_str_ne(oe_verdict_name(verdict), "unknown");
	ck_assert_int_eq(oe_program_evaluated(program, evaluation, &judged), 0);
	/* No failed program is fitter than one that scored. */
	if (misdeed->score)
		ck_assert_double_gt(oe_program_fitness(judged), 0);
	else
		ck_assert(!(oe_program_fitness(judged) > 0));
	hostile->late_ms[number] = verdict == OE_VERDICT_WALL_TIMEOUT
								   ? oe_evaluation_wall_ms(evaluation) - (double)timeout_ms
								   : (double)NAN;
	hostile->descriptors[number] = count_entries("/proc/self/fd");
	hostile->threads[number] = count_entries("/proc/self/task");
	oe_program_unref(judged);
	oe_program_unref(program);
	oe_evaluation_unref(evaluation);
}

static void *work(void *argument)
{
	struct hostile *hostile = argument;
	int number;

	while ((number = atomic_fetch_add(&hostile->next, 1)) < hostile->total)
		do_one(hostile, number);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* 99 of 100 are killed within a tenth of a second: told by the long form, which has enough of them, on a
   machine that does nothing else. Here it is that they are not forgotten. */
static void check_lateness(struct hostile *hostile)
{
	double late[TOTAL_MAX];
	int count = 0;

	for (int i = 0; i < hostile->total; i++)
		if (!isnan(hostile->late_ms[i]))
			late[count++] = hostile->late_ms[i];
	ck_assert_int_gt(count, 0);
	qsort(late, (size_t)count, sizeof(late[0]), by_value);
	double p99 = late[(count * 99 - 1) / 100];
	printf("%d evaluations, %d killed, p99 %.1f ms after the limit\n", hostile->total, count, p99);
	ck_assert_double_le(p99, getenv("OE_LONG") ? 100 : TEST_PATIENCE_MS);
}

/* Everybody who wrote down that it was there is gone. */
static void check_gone(const char *directory)
{
	/* Each evaluation numbers its processes by itself: the names may be the same ones. */
	ck_assert_int_gt(count_entries(directory), 2);
	ck_assert_int_eq(processes_with(directory), 0);
}

static void run_all(struct hostile *hostile)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, hostile), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(test_hostile_evaluations)
{
	bool thorough = getenv("OE_LONG") != NULL;
	struct hostile hostile = { .total = thorough ? 200 : 4 * MISDEEDS,
							   .timeout_ms = thorough ? 2000 : 500,
							   .patience_ms = thorough ? 2000 : TEST_PATIENCE_MS };
	char directory[] = "/tmp/oe-hostile-XXXXXX", setting[128], command[128];
	oe_config *config = NULL;
	oe_scheduler *scheduler = NULL;
	oe_error err = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(setting, sizeof(setting), "{OE_HOSTILE_DIRECTORY: %s}", directory);
	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_int_eq(oe_config_set(config, "evaluator.parallel_evaluations", "4", &err), 0);
	ck_assert_int_eq(oe_config_set(config, "evaluator.memory_limit_mb", "2048", &err), 0);
	int status = oe_config_set(config, "evaluator.env", setting, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	status = oe_config_set(config, "sandbox.writable", directory, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	ck_assert_int_eq(oe_scheduler_new(0, &scheduler, &err), 0);
	status = oe_evaluator_from_config(config, scheduler, OE_HOSTILE_EVALUATOR, ".txt", NULL,
									  &hostile.evaluator, &err);
	ck_assert_msg(status == 0, "%s", err.message);
	run_all(&hostile);
	check_lateness(&hostile);
	/* All servers are warm by then; a thread or a descriptor that leaks shows. */
	int early = 2 * MISDEEDS;
	ck_assert_int_le(hostile.threads[hostile.total - 1], hostile.threads[early]);
	ck_assert_int_le(hostile.descriptors[hostile.total - 1], hostile.descriptors[early] + 16);
	oe_evaluator_unref(hostile.evaluator);
	oe_scheduler_unref(scheduler);
	oe_config_free(config);
	check_gone(directory);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

TEST_MAIN("hostile", test_hostile_evaluations)
