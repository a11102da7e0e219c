/*
 * Python evaluations from a warm fork server, one after the other, beside a cold interpreter: both
 * import numpy. Prints one JSON object. See README.md for what the figures mean.
 *
 *     bench_evaluation EVALUATOR.py [COUNT [PYTHON [SANDBOX]]] [split=EVALUATOR.py]
 */

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "openevolve/openevolve.h"

enum { WARM_UP = 10, COLD = 20, COUNT_MAX = 100000, SERVERS = 2, PROCESSES_MAX = 4096 };

static const char *sandbox_mode = "auto";

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

/* ---- CPU time ---- */

struct process {
	long pid, parent;
	double cpu_ms; /* with what it waited for */
};

static int read_process(const char *name, struct process *out)
{
	char path[300], text[1024];
	unsigned long long user, system;
	long long children_user, children_system;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", name);
	FILE *file = fopen(path, "r");
	size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		fclose(file);
	text[size] = '\0';
	const char *behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1,
	                      " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld",
	                      &out->parent, &user, &system, &children_user, &children_system) != 5)
		return 0;
	out->pid = strtol(name, NULL, 10);
	out->cpu_ms = (double)(user + system + (unsigned long long)(children_user + children_system)) *
	              1e3 / (double)sysconf(_SC_CLK_TCK);
	return 1;
}

/* Of this process and all that live below it, whatever namespace they are in. */
static double processor_ms(void)
{
	static struct process all[PROCESSES_MAX];
	static long known[PROCESSES_MAX];
	size_t count = 0, found = 1;
	double sum = 0;
	DIR *stream = opendir("/proc");
	const struct dirent *entry;

	while (stream && count < PROCESSES_MAX && (entry = readdir(stream)) != NULL)
		if (strtol(entry->d_name, NULL, 10) > 0)
			count += (size_t)read_process(entry->d_name, &all[count]);
	if (stream)
		closedir(stream);
	known[0] = getpid();
	for (size_t i = 0; i < found; i++)
		for (size_t k = 0; k < count; k++) {
			if (all[k].pid == known[i])
				sum += all[k].cpu_ms;
			if (all[k].parent == known[i] && found < PROCESSES_MAX)
				known[found++] = all[k].pid;
		}
	return sum;
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

static oe_evaluator *make(const char *path, const char *python, const char *servers,
                          const char *isolation, oe_scheduler **scheduler)
{
	oe_config *config = NULL;
	oe_evaluator *evaluator = NULL;
	oe_error err = { 0 };

	check(oe_config_new(&config), &err, "config");
	check(oe_config_set_environment(config, variable, NULL, &err), &err, "environment");
	check(oe_config_set(config, "evaluator.python", python, &err), &err, "evaluator.python");
	check(oe_config_set(config, "evaluator.parallel_evaluations", servers, &err), &err, "servers");
	check(oe_config_set(config, "evaluator.isolation", isolation, &err), &err, "evaluator.isolation");
	check(oe_config_set(config, "sandbox.mode", sandbox_mode, &err), &err, "sandbox.mode");
	check(oe_scheduler_new(0, scheduler, &err), &err, "scheduler");
	check(oe_evaluator_from_config(config, *scheduler, path, ".py", NULL, &evaluator, &err), &err, path);
	oe_config_free(config);
	return evaluator;
}

struct figures {
	double p50_ms, p99_ms, cpu_ms;
};

/* `count` evaluations, one after the other: how long each took, and the CPU that it cost, everybody's. */
static struct figures session(const char *path, const char *python, const char *isolation, int count)
{
	oe_scheduler *scheduler = NULL;
	oe_evaluator *evaluator = make(path, python, "1", isolation, &scheduler);
	double *wall_ms = calloc((size_t)count, sizeof(*wall_ms));

	if (!wall_ms)
		exit(1);
	for (int i = 0; i < WARM_UP; i++)
		evaluate(evaluator, i);
	double before = processor_ms();
	for (int i = 0; i < count; i++) {
		double begun = now_ms();
		evaluate(evaluator, i + WARM_UP);
		wall_ms[i] = now_ms() - begun;
	}
	struct figures figures = { .cpu_ms = (processor_ms() - before) / count };
	oe_evaluator_unref(evaluator);
	oe_scheduler_unref(scheduler);
	qsort(wall_ms, (size_t)count, sizeof(*wall_ms), by_value);
	figures.p50_ms = wall_ms[count / 2];
	figures.p99_ms = wall_ms[count * 99 / 100];
	free(wall_ms);
	return figures;
}

struct half {
	oe_evaluator *evaluator;
	int count;
};

static void *evaluate_half(void *argument)
{
	struct half *half = argument;

	for (int i = 0; i < half->count; i++)
		evaluate(half->evaluator, i);
	return NULL;
}

static void evaluate_on_all(oe_evaluator *evaluator, int count)
{
	pthread_t threads[SERVERS];
	struct half half = { evaluator, count / SERVERS };

	for (int i = 0; i < SERVERS; i++)
		if (pthread_create(&threads[i], NULL, evaluate_half, &half) != 0)
			exit(1);
	for (int i = 0; i < SERVERS; i++)
		pthread_join(threads[i], NULL);
}

/* Evaluations per second of two fork servers that have always something to do. */
static double throughput(const char *path, const char *python, int count)
{
	oe_scheduler *scheduler = NULL;
	oe_evaluator *evaluator = make(path, python, "2", "shared", &scheduler);

	evaluate_on_all(evaluator, SERVERS * WARM_UP);
	double begun = now_ms();
	evaluate_on_all(evaluator, count);
	double rate = (double)(count / SERVERS * SERVERS) / (now_ms() - begun) * 1e3;
	oe_evaluator_unref(evaluator);
	oe_scheduler_unref(scheduler);
	return rate;
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
	const char *split = argc > 2 && strncmp(argv[argc - 1], "split=", 6) == 0 ? argv[--argc] + 6 : NULL;
	const char *python = argc > 3 ? argv[3] : "/usr/bin/python3";
	long count = argc > 2 ? strtol(argv[2], NULL, 10) : 500;
	double cold_ms[COLD];

	if (argc > 4)
		sandbox_mode = argv[4];
	if (argc < 2 || argc > 5 || count < 1 || count > COUNT_MAX) {
		fprintf(stderr, "usage: bench_evaluation EVALUATOR.py [COUNT [PYTHON [SANDBOX]]] [split=EVALUATOR.py]\n");
		return 2;
	}
	struct figures shared = session(argv[1], python, "shared", (int)count);
	struct figures apart = { 0 };
	if (split)
		apart = session(split, python, "split", (int)count);
	double before = processor_ms();
	cold(python, cold_ms);
	double cold_cpu = (processor_ms() - before) / COLD;
	qsort(cold_ms, COLD, sizeof(*cold_ms), by_value);
	double rate = throughput(argv[1], python, (int)count);
	printf("{\"evaluations\": %ld, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"cpu_ms\": %.2f, ", count,
	       shared.p50_ms, shared.p99_ms, shared.cpu_ms);
	if (split)
		printf("\"split_p50_ms\": %.2f, \"split_p99_ms\": %.2f, \"split_cpu_ms\": %.2f, ",
		       apart.p50_ms, apart.p99_ms, apart.cpu_ms);
	printf("\"rate\": %.1f, \"cold_p50_ms\": %.2f, \"cold_cpu_ms\": %.2f}\n", rate, cold_ms[COLD / 2],
	       cold_cpu);
	return 0;
}
