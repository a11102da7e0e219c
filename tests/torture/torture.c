/*
 * Every scenario, with its n-th call refused, once and from then on: no crash, no hang, no leak of
 * memory or descriptors; an error or a right result; a store that is intact and goes on.
 *
 *     torture                          a sample; all of them with OE_LONG=1
 *     torture SCENARIO KIND N [ever]   one
 *
 * A child does the work, so that a crash is a finding like others.
 */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_llm.h"
#include "refuse.h"
#include "scenarios.h"

#define SAMPLES 12 /* of a scenario and kind, in the short form; or OE_TORTURE_SAMPLES of them */
#define GROWTHS_MAX 20 /* more than OpenSSL remembers errors, which it frees when it forgets them */
#define HANGS_S  60

/* Shared with the child. */
static struct progress {
	long at;  /* the call being refused           */
	long all; /* calls of the scenario            */
	long tried, failures;
} *progress;

static long samples = SAMPLES, sampled_from; /* how many, and the phase */

static long descriptors(void)
{
	DIR *stream = opendir("/proc/self/fd");
	long count = 0;

	while (stream && readdir(stream))
		count++;
	closedir(stream);
	return count;
}

static void report(const struct scenario *scenario, enum refuse_kind kind, long at, bool ever,
				   const char *what)
{
	printf("FAILED torture %s %s %ld%s: %s\n", scenario->name, refuse_names[kind], at,
		   ever ? " ever" : "", what);
	fflush(stdout);
	progress->failures++;
}

static void try(const struct scenario *scenario, enum refuse_kind kind, long at, bool ever)
{
	scenario_prepare(scenario);
	alarm(HANGS_S);
	refuse_arm(kind, at, ever);
	(void)scenario->act();
	long count = refuse_disarm();
	alarm(HANGS_S);
	if (at == 0)
		progress->all = count;
	const char *wrong = scenario_check();
	if (wrong)
		report(scenario, kind, at, ever, wrong);
	alarm(0);
}

struct held {
	long blocks, descriptors;
};

static struct held held(void)
{
	return (struct held){ refuse_live(), descriptors() };
}

/* What grows each time that the same is done is a leak; what was left once may be a cache. */
static void look_for_leaks(const struct scenario *scenario, enum refuse_kind kind, long at, bool ever,
						   struct held before)
{
	char what[100];
	struct held now = held();
	int growths = 0;

	if (refuse_leaks())
		return;
	while (now.blocks > before.blocks || now.descriptors > before.descriptors) {
		if (++growths == GROWTHS_MAX) {
			(void)snprintf(what, sizeof(what), "a leak, each time: %ld blocks, %ld descriptors",
						   now.blocks - before.blocks, now.descriptors - before.descriptors);
			report(scenario, kind, at, ever, what);
			return;
		}
		before = now;
		try(scenario, kind, at, ever);
		now = held();
	}
}

/* The child: from progress->at on. */
static int work(const struct scenario *scenario, enum refuse_kind kind, bool ever, long from, bool all)
{
	try(scenario, kind, 0, false); /* caches are filled, and the calls counted */
	try(scenario, kind, 0, false);
	long step = all ? 1 : progress->all / samples + 1;
	long start = from > 0 ? from : 1 + sampled_from % step;
	for (long at = start; at <= progress->all; at += step) {
		progress->at = at;
		progress->tried++;
		struct held before = held();
		try(scenario, kind, at, ever);
		look_for_leaks(scenario, kind, at, ever, before);
	}
	return 0;
}

static long torture(const struct scenario *scenario, enum refuse_kind kind, bool ever, bool all)
{
	long from = 0;

	for (;;) {
		int status = 0;
		pid_t child = fork();
		if (child == 0)
			_exit(work(scenario, kind, ever, from, all));
		if (child < 0 || waitpid(child, &status, 0) != child)
			abort();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return 0;
		char what[64];
		(void)snprintf(what, sizeof(what), "%s %d",
					   WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "it hangs, signal"
					   : WIFSIGNALED(status)                              ? "it crashed by signal"
																		  : "it exited with",
					   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		report(scenario, kind, progress->at, ever, what);
		long step = all ? 1 : progress->all / samples + 1;
		from = progress->at + step;
	}
}

static int torture_all(bool all)
{
	struct timespec began, now;

	for (size_t i = 0; i < scenario_count; i++)
		for (int kind = 0; kind < REFUSE_KINDS; kind++)
			for (int ever = 0; ever < 2; ever++) {
				if (!(scenarios[i].uses & 1 << kind))
					continue;
				clock_gettime(CLOCK_MONOTONIC, &began);
				long tried = progress->tried, failures = progress->failures;
				progress->at = progress->all = 0;
				torture(&scenarios[i], (enum refuse_kind)kind, ever == 1, all);
				clock_gettime(CLOCK_MONOTONIC, &now);
				printf("%s %s %s: %ld calls, %ld refused, %ld failures, %ld s\n", scenarios[i].name,
					   refuse_names[kind], ever ? "ever" : "once", progress->all,
					   progress->tried - tried, progress->failures - failures,
					   (long)(now.tv_sec - began.tv_sec));
				fflush(stdout);
			}
	printf("%ld refused, %ld failures\n", progress->tried, progress->failures);
	return progress->failures > 0;
}

static int torture_one(int count, char **words)
{
	for (size_t i = 0; i < scenario_count; i++)
		for (int kind = 0; kind < REFUSE_KINDS; kind++)
			if (strcmp(words[1], scenarios[i].name) == 0 && strcmp(words[2], refuse_names[kind]) == 0) {
				long at = strtol(words[3], NULL, 10);
				try(&scenarios[i], (enum refuse_kind)kind, 0, false);
				try(&scenarios[i], (enum refuse_kind)kind, 0, false);
				struct held before = held();
				try(&scenarios[i], (enum refuse_kind)kind, at, count > 4);
				look_for_leaks(&scenarios[i], (enum refuse_kind)kind, at, count > 4, before);
				if (progress->failures > 0) { /* once more, to say where it comes from */
					refuse_trace(true);
					try(&scenarios[i], (enum refuse_kind)kind, at, count > 4);
					refuse_trace(false);
				}
				return progress->failures > 0;
			}
	return 2;
}

int main(int count, char **words)
{
	static const char *const flags[] = { "--latency", "0", NULL };
	char directory[] = "/tmp/oe-torture-XXXXXX", command[64];
	struct fake_llm fake;
	int status;

	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED || !mkdtemp(directory) || chdir(directory) < 0)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 4096);
	fake_llm_start(&fake, flags);
	sampled_from = getenv("OE_TORTURE_SEED") ? atol(getenv("OE_TORTURE_SEED")) : (long)getpid();
	if (getenv("OE_TORTURE_SAMPLES"))
		samples = atol(getenv("OE_TORTURE_SAMPLES"));
	scenarios_use(fake.url);
	pid_t child = fork(); /* threads and their locks stay out of the forks below */
	if (child == 0) {
		scenarios_make_base();
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0)
		return 1;
	status = count > 3 ? torture_one(count, words) : torture_all(getenv("OE_LONG") != NULL);
	fake_llm_stop(&fake);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? status : 1;
}
