/*
 * Every scenario, with its n-th call refused, once and from then on: no crash, no hang, no leak of
 * memory or descriptors; an error or a right result; a store that is intact and goes on.
 *
 *     torture                          a sample of each scenario and kind; all of them with OE_LONG=1
 *     torture SCENARIO [KIND]          of these
 *     torture SCENARIO KIND N [ever]   one; or N-M
 *
 * OE_TORTURE_JOBS=N does N scenarios at once. OE_TORTURE_BOOK=FILE notes what is done, and leaves out what
 * is noted there, so that hours of it may be interrupted.
 *
 * A child does the work, so that a crash is a finding like others.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_llm.h"
#include "refuse.h"
#include "scenarios.h"

#define SAMPLES 12 /* of a scenario and kind, in the short form; or OE_TORTURE_SAMPLES of them */
#define GROWTHS_MAX 20 /* more than OpenSSL remembers errors, which it frees when it forgets them */
#define HANGS_S  300
#define JOBS_MAX 16

/* Shared with the children. */
static struct shared {
	atomic_size_t taken; /* of the combinations */
	struct progress {
		long at;  /* the call being refused */
		long all; /* calls of the scenario  */
		long tried, failures;
	} jobs[JOBS_MAX];
} *shared;
static struct progress *progress; /* of this one */

static struct combination {
	const struct scenario *scenario;
	enum refuse_kind kind;
	bool ever;
} combinations[100];
static size_t combination_count;

static long samples = SAMPLES, sampled_from; /* how many, and the phase */

/* Of a directory of /proc, but for "." and "..". */
static long entries(const char *path)
{
	DIR *stream = opendir(path);
	long count = -2;

	while (stream && readdir(stream))
		count++;
	closedir(stream);
	return count;
}

/* A thread that nobody joins has left long before it is gone, and what is its own goes with it. Where there
   is no processor for it, they grow in number, which is no leak. */
static void wait_for_threads(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < HANGS_S * 1000 && entries("/proc/self/task") > 1; i++)
		nanosleep(&pause, NULL);
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
	wait_for_threads();
	return (struct held){ refuse_live(), entries("/proc/self/fd") };
}

/* What grows each time that the same is done is a leak; what was left once may be a cache. */
static void look_for_leaks(const struct scenario *scenario, enum refuse_kind kind, long at, bool ever,
						   struct held before)
{
	char what[100];
	struct held now = held();
	int growths = 0;

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

/* What fails is done once more, to say where what is left comes from. */
static void torture_one(const struct scenario *scenario, enum refuse_kind kind, long at, bool ever)
{
	long failures = progress->failures;
	struct held before = held();

	try(scenario, kind, at, ever);
	look_for_leaks(scenario, kind, at, ever, before);
	if (progress->failures == failures)
		return;
	refuse_trace(true);
	try(scenario, kind, at, ever);
	refuse_trace(false);
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
		torture_one(scenario, kind, at, ever);
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

/* Threads and their locks stay out of the forks that follow. */
static bool make_base(void)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		scenarios_make_base();
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* ---- the book of what is done ---- */

static bool is_noted(const char *path, const char *line)
{
	char noted[100];
	FILE *file = path ? fopen(path, "re") : NULL;
	bool found = false;

	while (file && !found && fgets(noted, sizeof(noted), file))
		found = strcmp(noted, line) == 0;
	if (file)
		(void)fclose(file);
	return found;
}

static void note(const char *path, const char *line)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (fd >= 0 && write(fd, line, strlen(line)) < 0)
		abort();
	close(fd);
}

/* ---- combinations ---- */

/* Those that the words name: all of them without any. */
static void combine(int count, char **words)
{
	for (size_t i = 0; i < scenario_count; i++)
		for (int kind = 0; kind < REFUSE_KINDS; kind++)
			for (int ever = 0; ever < 2; ever++)
				if ((scenarios[i].uses & 1 << kind) &&
					(count < 2 || strcmp(words[1], scenarios[i].name) == 0) &&
					(count < 3 || strcmp(words[2], refuse_names[kind]) == 0))
					combinations[combination_count++] =
						(struct combination){ &scenarios[i], (enum refuse_kind)kind, ever == 1 };
}

static void torture_combination(const struct combination *which, bool all, const char *book)
{
	struct timespec began, now;
	char line[100];

	(void)snprintf(line, sizeof(line), "%s %s %s\n", which->scenario->name,
				   refuse_names[which->kind], which->ever ? "ever" : "once");
	if (is_noted(book, line))
		return;
	clock_gettime(CLOCK_MONOTONIC, &began);
	long tried = progress->tried, failures = progress->failures;
	progress->at = progress->all = 0;
	torture(which->scenario, which->kind, which->ever, all);
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%.*s: %ld calls, %ld refused, %ld failures, %ld s\n", (int)strlen(line) - 1, line,
		   progress->all, progress->tried - tried, progress->failures - failures,
		   (long)(now.tv_sec - began.tv_sec));
	fflush(stdout);
	if (progress->failures == failures)
		note(book, line);
}

/* In a directory of its own. */
static void work_off(long job, bool all, const char *book)
{
	char directory[24];
	size_t next;

	(void)snprintf(directory, sizeof(directory), "%ld", job);
	if (mkdir(directory, 0777) < 0 || chdir(directory) < 0 || !make_base())
		_exit(1);
	progress = &shared->jobs[job];
	while ((next = atomic_fetch_add(&shared->taken, 1)) < combination_count)
		torture_combination(&combinations[next], all, book);
	_exit(0);
}

static int torture_all(long jobs, bool all, const char *book)
{
	long tried = 0, failures = 0;
	bool ended = true;

	for (long job = 0; job < jobs; job++)
		if (fork() == 0)
			work_off(job, all, book);
	for (long job = 0; job < jobs; job++) {
		int status = 1;
		ended = wait(&status) > 0 && status == 0 && ended;
	}
	for (long job = 0; job < jobs; job++) {
		tried += shared->jobs[job].tried;
		failures += shared->jobs[job].failures;
	}
	printf("%ld refused, %ld failures\n", tried, failures);
	return ended && failures == 0 ? 0 : 1;
}

/* N or N-M. */
static int torture_some(int count, char **words)
{
	struct combination which = combinations[0];
	char *end = NULL;
	long from = strtol(words[3], &end, 10), to = *end == '-' ? strtol(end + 1, NULL, 10) : from;

	if (combination_count == 0 || !make_base())
		return 2;
	which.ever = count > 4;
	try(which.scenario, which.kind, 0, false);
	try(which.scenario, which.kind, 0, false);
	for (long at = from; at <= to; at++)
		torture_one(which.scenario, which.kind, at, which.ever);
	return progress->failures > 0;
}

static long number_of(const char *name, long otherwise)
{
	const char *value = getenv(name);

	return value ? atol(value) : otherwise;
}

int main(int count, char **words)
{
	static const char *const flags[] = { "--latency", "0", NULL };
	/* In memory if it may be: it is calls that fail, not disks. */
	char directory[] = "/dev/shm/oe-torture-XXXXXX", second[] = "/tmp/oe-torture-XXXXXX", command[64];
	struct fake_llm fake;
	int status;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	progress = &shared->jobs[0];
	const char *where = mkdtemp(directory) ? directory : mkdtemp(second);
	if (!where || chdir(where) < 0)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 4096);
	sampled_from = number_of("OE_TORTURE_SEED", (long)getpid());
	samples = number_of("OE_TORTURE_SAMPLES", SAMPLES);
	long jobs = number_of("OE_TORTURE_JOBS", 1);
	fake_llm_start(&fake, flags);
	scenarios_use(fake.url);
	combine(count, words);
	if (count > 3)
		status = torture_some(count, words);
	else
		status = torture_all(jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs, getenv("OE_LONG") != NULL,
							 getenv("OE_TORTURE_BOOK"));
	fake_llm_stop(&fake);
	(void)snprintf(command, sizeof(command), "rm -rf %s", where);
	return system(command) == 0 ? status : 1;
}
