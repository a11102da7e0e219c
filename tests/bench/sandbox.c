/*
 * A command that does nothing, confined, from the request to its end, side by side with bwrap and with no
 * confinement at all: one of each in turn. Prints one JSON object.
 *
 *     bench_sandbox [COUNT]
 */

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "openevolve/openevolve.h"

extern char **environ;

enum { CONFINED, BARE, BWRAP, KINDS };

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void run_confined(oe_sandbox *sandbox)
{
	static const char *const arguments[] = { "/usr/bin/true", NULL };
	oe_sandbox_command command = { .struct_size = sizeof(command), .arguments = arguments };
	oe_sandbox_result *result = NULL;
	oe_error err = { 0 };

	if (oe_sandbox_run(sandbox, &command, &result, &err) < 0 ||
	    oe_sandbox_result_verdict(result) != OE_VERDICT_OK) {
		fprintf(stderr, "%s%s\n", err.message, result ? oe_sandbox_result_message(result) : "");
		exit(1);
	}
	oe_sandbox_result_free(result);
}

/* False if it is not there. */
static int run_directly(char *const *arguments)
{
	pid_t child;
	int status;

	return posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ) == 0 &&
	       waitpid(child, &status, 0) == child && status == 0;
}

static void run(int kind, oe_sandbox *sandbox, int *known)
{
	static char *bare[] = { "/usr/bin/true", NULL };
	static char *bwrap[] = { "bwrap", "--unshare-all", "--ro-bind", "/", "/", "/usr/bin/true", NULL };

	if (kind == CONFINED)
		run_confined(sandbox);
	else
		*known = run_directly(kind == BARE ? bare : bwrap);
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : 300;
	double *wall_ms[KINDS];
	int known[KINDS] = { 1, 1, 1 };
	oe_sandbox *sandbox = NULL;
	oe_error err = { 0 };

	if (count < 1 || oe_sandbox_new(NULL, &sandbox, &err) < 0) {
		fprintf(stderr, "bench_sandbox: %s\n", count < 1 ? "a count above 0 was expected" : err.message);
		return 1;
	}
	for (int kind = 0; kind < KINDS; kind++)
		wall_ms[kind] = calloc((size_t)count, sizeof(double));
	for (long i = 0; i < count; i++)
		for (int kind = 0; kind < KINDS; kind++) {
			double begun = now_ms();
			run(kind, sandbox, &known[kind]);
			wall_ms[kind][i] = now_ms() - begun;
		}
	for (int kind = 0; kind < KINDS; kind++)
		qsort(wall_ms[kind], (size_t)count, sizeof(double), by_value);
	printf("{\"runs\": %ld, \"tier\": %d, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"bare_p50_ms\": %.2f, "
	       "\"bwrap_p50_ms\": ",
	       count, oe_sandbox_tier(sandbox), wall_ms[CONFINED][count / 2],
	       wall_ms[CONFINED][count * 99 / 100], wall_ms[BARE][count / 2]);
	if (known[BWRAP])
		printf("%.2f, \"bwrap_ratio\": %.2f}\n", wall_ms[BWRAP][count / 2],
		       wall_ms[BWRAP][count / 2] / wall_ms[CONFINED][count / 2]);
	else
		printf("null, \"bwrap_ratio\": null}\n");
	for (int kind = 0; kind < KINDS; kind++)
		free(wall_ms[kind]);
	oe_sandbox_free(sandbox);
	return 0;
}
