/*
 * Python evaluations from a warm fork server, one after the other, beside a cold interpreter: both
 * import numpy. Prints one JSON object. See README.md for what the figures mean.
 *
 *     bench_evaluation EVALUATOR.py [COUNT [PYTHON]]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "openevolve/openevolve.h"

enum { WARM_UP = 10, COLD = 20, COUNT_MAX = 100000 };

static void check(int status, const oe_error *err, const char *what)
{
	if (status >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, err->message[0] ? err->message : oe_status_string(status));
	exit(1);
}

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

/* Of this process, and of all below it that have ended and were waited for. */
static double processor_ms(void)
{
	double total = 0;

	for (int i = 0; i < 2; i++) {
		struct rusage usage;
		getrusage(i ? RUSAGE_CHILDREN : RUSAGE_SELF, &usage);
		total += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
		         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
	}
	return total;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static const char *variable(const char *name, void *userdata)
{
	(void)userdata;
	return strcmp(name, "PATH") == 0 ? getenv("PATH") : NULL;
}

static void evaluate(oe_evaluator *evaluator, int number)
{
	char code[128];
	oe_program *program = NULL;
	oe_evaluation *evaluation = NULL;
	oe_error err = { 0 };

	int size = snprintf(code, sizeof(code),
	                    "import numpy\n\ndef value():\n    return float(numpy.sqrt(%d))\n", number);
	check(oe_program_new(code, (size_t)size, "python", &program), &err, "program");
	check(oe_evaluator_run(evaluator, program, 1, 60000, &evaluation, &err), &err, "evaluation");
	if (oe_evaluation_verdict(evaluation) != OE_VERDICT_OK) {
		fprintf(stderr, "%s: %s\n", oe_verdict_name(oe_evaluation_verdict(evaluation)),
		        oe_evaluation_message(evaluation));
		exit(1);
	}
	oe_evaluation_unref(evaluation);
	oe_program_unref(program);
}

/* A session of its own: `count` evaluations after some to warm up. All CPU that it cost, its children
   included: they have been waited for when it is over. */
static double session(const char *path, const char *python, int count, double *wall_ms)
{
	oe_config *config = NULL;
	oe_scheduler *scheduler = NULL;
	oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };
	double before = processor_ms();

	check(oe_config_new(&config), &err, "config");
	check(oe_config_set_environment(config, variable, NULL, &err), &err, "environment");
	check(oe_config_set(config, "evaluator.python", python, &err), &err, "evaluator.python");
	check(oe_scheduler_new(0, &scheduler, &err), &err, "scheduler");
	check(oe_evaluator_from_config(config, scheduler, path, ".py", NULL, &evaluator, &err), &err, path);
	for (int i = -WARM_UP; i < count; i++) {
		double begun = now_ms();
		evaluate(evaluator, i + WARM_UP);
		if (i >= 0)
			wall_ms[i] = now_ms() - begun;
	}
	oe_evaluator_unref(evaluator);
	oe_scheduler_unref(scheduler);
	oe_config_free(config);
	return processor_ms() - before;
}

static void cold(const char *python, double *wall_ms)
{
	for (int i = 0; i < COLD; i++) {
		double begun = now_ms();
		pid_t child = fork();
		int status;

		if (child == 0) {
			execl(python, python, "-c", "import numpy", (char *)NULL);
			_exit(127);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
			fprintf(stderr, "%s -c 'import numpy' does not work\n", python);
			exit(1);
		}
		wall_ms[i] = now_ms() - begun;
	}
}

int main(int argc, char **argv)
{
	const char *python = argc > 3 ? argv[3] : "/usr/bin/python3";
	long count = argc > 2 ? strtol(argv[2], NULL, 10) : 500;
	double cold_ms[COLD];

	if (argc < 2 || argc > 4 || count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: bench_evaluation EVALUATOR.py [COUNT [PYTHON]]\n");
		return 2;
	}
	double *wall_ms = calloc((size_t)count, sizeof(*wall_ms));
	if (!wall_ms)
		return 1;
	double start = session(argv[1], python, 0, wall_ms);
	double all = session(argv[1], python, (int)count, wall_ms);
	qsort(wall_ms, (size_t)count, sizeof(*wall_ms), by_value);
	double before = processor_ms();
	cold(python, cold_ms);
	double cold_cpu = (processor_ms() - before) / COLD;
	qsort(cold_ms, COLD, sizeof(*cold_ms), by_value);
	printf("{\"evaluations\": %ld, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"cpu_ms\": %.2f, "
	       "\"cold_p50_ms\": %.2f, \"cold_cpu_ms\": %.2f}\n",
	       count, wall_ms[count / 2], wall_ms[count * 99 / 100], (all - start) / (double)count,
	       cold_ms[COLD / 2], cold_cpu);
	free(wall_ms);
	return 0;
}
