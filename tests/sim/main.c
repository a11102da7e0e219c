/* oe-sim: whole evolutions from one seed, with everything that can go wrong. See README.md. */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "disk.h"
#include "exports.h"
#include "session.h"
#include "world.h"

#define SECONDS_MAX 120 /* of the processor for one world: it hangs */

static const char *const all_semantics[] = { "steady", "generation", "ordered" };

struct choice {
	long long seeds, first, iterations;
	const char *semantics; /* NULL: all */
};

static char again[256];

/* An assertion of the product, or worse: say in which world. */
static void die(int signal_number)
{
	const char *what = signal_number == SIGPROF ? "\noe-sim: it hangs\nagain: "
	                                            : "\noe-sim: the library crashes\nagain: ";
	ssize_t written = write(2, what, strlen(what));
	written = write(2, again, strlen(again));
	written = write(2, "\n", 1);
	(void)written;
	_exit(1);
}

static void watch_signals(void)
{
	static const int signals[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], die);
}

static void limit_time(int seconds)
{
	const struct itimerval limit = { .it_value.tv_sec = seconds };

	(void)setitimer(ITIMER_PROF, &limit, NULL);
}

static void clean_up(const char *directory)
{
	oe_error err;

	world_end();
	disk_clear();
	(void)oe__directory_remove(directory, &err);
	sqlite3_randomness(0, NULL); /* it starts again, from the disk's */
}

/* The same run in another world, where everybody is as quick as they like: the same archive. */
static void simulate_again(struct plan *plan, long long seed, const char *directory,
                           const char *hash, const char *held)
{
	char other[HASH_SIZE], other_held[HASH_SIZE];

	world_begin((uint64_t)seed);
	oe__rng_init(&world.rng, (uint64_t)seed, "again", 0, 0); /* others are quick here */
	plan_simplify(plan);
	run_world(plan, directory, other, other_held);
	if (strcmp(hash, other) != 0)
		violated("without troubles, and with other numbers in flight, the archive is another one");
	/* One that was over before its goal, out of time for instance, has not come there. */
	if (held[0] && other_held[0] && strcmp(held, other_held) != 0)
		violated("without troubles, and with other numbers in flight, it was over elsewhere");
}

/* A run, and the same one without troubles if that must come to the same, with the limits that it began
   with. `kept`: where its last checkpoint goes, or NULL. @return whether there is one. */
static bool simulate_run(struct plan *plan, long long seed, const char *directory,
                         const char *kept)
{
	char hash[HASH_SIZE], held[HASH_SIZE], last[512];
	struct limits limits = plan->limits;

	run_world(plan, directory, hash, held);
	bool found = kept && exports_last(directory, last, sizeof(last)) && rename(last, kept) == 0;
	clean_up(directory);
	if (plan->pure) {
		plan_limit(plan, &limits);
		simulate_again(plan, seed, directory, hash, held);
		clean_up(directory);
	}
	return found;
}

/* Another run, which begins with what the first one left. */
static void simulate_heir(struct plan *plan, long long seed, const char *directory,
                          const char *kept)
{
	oe_error err;

	totals.heirs++;
	world_begin((uint64_t)seed);
	oe__rng_init(&world.rng, (uint64_t)seed, "heir", 0, 0);
	plan_heir(plan, kept);
	(void)simulate_run(plan, seed, directory, NULL);
	(void)oe__directory_remove(kept, &err);
}

static void simulate(const struct choice *choice, const char *semantics, long long seed,
                     const char *root)
{
	struct plan plan;
	char directory[256], kept[256];

	(void)snprintf(again, sizeof(again), "oe-sim --seed %lld --iterations %lld --semantics %s",
	               seed, choice->iterations, semantics);
	world.semantics = semantics;
	limit_time(SECONDS_MAX);
	world_begin((uint64_t)seed);
	plan_draw(&plan, choice->iterations, semantics);
	(void)snprintf(directory, sizeof(directory), "%s/run", root);
	(void)snprintf(kept, sizeof(kept), "%s/kept", root);
	bool heir = seed % 4 == 0;
	if (simulate_run(&plan, seed, directory, heir ? kept : NULL))
		simulate_heir(&plan, seed, directory, kept);
	plan_done(&plan);
	limit_time(0);
}

static void report(double seconds)
{
	(void)printf("%lld worlds, %lld iterations (%lld committed, %lld equivalent to another), %lld processes: %lld killed"
	             " (%lld without power), %lld with a disk that failed, %lld stopped;"
	             " %lld questions (%lld again), %lld of judges, %lld evaluations, %lld times over before"
	             " the last number, %lld checkpoints, %lld runs from one, %lld file systems that failed,"
	             " %lld steps; %.1f s of CPU, %.0f us an iteration; 0 violations\n",
	             (long long)totals.worlds, (long long)totals.iterations,
	             (long long)totals.committed, (long long)totals.equivalent, (long long)totals.sessions, (long long)totals.kills,
	             (long long)totals.power_cuts, (long long)totals.disk_faults,
	             (long long)totals.stops, (long long)totals.questions,
	             (long long)totals.repeated_questions, (long long)totals.judgements,
	             (long long)totals.evaluations, (long long)totals.ends, (long long)totals.checkpoints,
	             (long long)totals.heirs, (long long)totals.file_faults, (long long)totals.steps, seconds,
	             totals.iterations > 0 ? 1e6 * seconds / (double)totals.iterations : 0);
}

static _Noreturn void usage(int status)
{
	(void)fputs("usage: oe-sim [--seeds N] [--seed FIRST] [--iterations K]\n"
	            "              [--semantics steady|generation|ordered] [--verbose]\n",
	            status ? stderr : stdout);
	exit(status);
}

static void parse(int argc, char **argv, struct choice *choice)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "iterations", required_argument, NULL, 'i' },
		{ "semantics", required_argument, NULL, 'm' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			choice->seeds = atoll(optarg);
		else if (option == 's')
			choice->first = atoll(optarg);
		else if (option == 'i')
			choice->iterations = atoll(optarg);
		else if (option == 'm')
			choice->semantics = strcmp(optarg, "all") == 0 ? NULL : optarg;
		else if (option == 'v')
			world.verbose = true;
		else
			usage(option == 'h' ? 0 : 2);
	}
	if (optind < argc || choice->seeds < 1 || choice->iterations < 1)
		usage(2);
}

static void make_root(char *out, size_t size)
{
	const char *parent = getenv("TMPDIR");

	if (!parent)
		parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	(void)snprintf(out, size, "%s/oe-sim-XXXXXX", parent);
	if (!mkdtemp(out)) {
		perror(out);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct choice choice = { .seeds = 1, .first = 1, .iterations = 200 };
	char root[128];
	oe_error err;

	parse(argc, argv, &choice);
	world_repeat = again;
	watch_signals();
	disk_install();
	make_root(root, sizeof(root));
	plan_write_prices(root);
	for (long long seed = choice.first; seed < choice.first + choice.seeds; seed++) {
		size_t count = sizeof(all_semantics) / sizeof(all_semantics[0]);
		const char *one = all_semantics[(unsigned long long)seed % count];
		simulate(&choice, choice.semantics ? choice.semantics : one, seed, root);
	}
	(void)oe__directory_remove(root, &err);
	report((double)clock() / CLOCKS_PER_SEC);
	return 0;
}
