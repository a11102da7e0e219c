#include "world.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

struct world world;
const char *world_repeat = "";

#define IDLE_STEPS 300000 /* without a row, an answer or an event: it goes round in circles */

void world_begin(uint64_t seed)
{
	bool verbose = world.verbose;
	const char *semantics = world.semantics;

	world = (struct world){ .seed = seed, .verbose = verbose, .semantics = semantics };
	oe__rng_init(&world.rng, seed, "world", 0, 0);
	world.now_ns = 1000 * S;
	static const int64_t ticks[] = { 0, MS / 1000, MS / 10, 2 * MS };
	world.tick_ns = ticks[world_below(4)];
	for (int i = 0; i <= SOURCES; i++)
		world.weights[i] = 1u << world_below(6);
}

void world_end(void)
{
	oe__timers_done(&world.timers);
}

/* ---- draws ---- */

uint64_t world_below(uint64_t limit)
{
	return oe__rng_below(&world.rng, limit);
}

bool world_chance(double probability)
{
	return oe__rng_real(&world.rng) < probability;
}

int64_t world_time(int64_t min_ns, int64_t max_ns)
{
	double low = log((double)min_ns), high = log((double)max_ns);

	return (int64_t)exp(low + (high - low) * oe__rng_real(&world.rng));
}

/* ---- what happens outside ---- */

void world_happen(struct happening *happening, int64_t due_ns)
{
	happening->due_ns = due_ns;
	happening->next = world.happenings;
	world.happenings = happening;
}

bool world_forget(struct happening *happening)
{
	for (struct happening **at = &world.happenings; *at; at = &(*at)->next) {
		if (*at == happening) {
			*at = happening->next;
			return true;
		}
	}
	return false;
}

static bool outside_ready(void)
{
	for (struct happening *at = world.happenings; at; at = at->next)
		if (at->due_ns <= world.now_ns)
			return true;
	return false;
}

/* Any of those whose time has come. */
static void outside_step(void)
{
	struct happening *chosen = NULL;
	uint64_t ready = 0;

	for (struct happening *at = world.happenings; at; at = at->next)
		if (at->due_ns <= world.now_ns && world_below(++ready) == 0)
			chosen = at;
	if (chosen && world_forget(chosen))
		chosen->happen(chosen);
}

/* ---- the compute pool ---- */

/* Several workers take tasks from the head, and one may be slow: any of the first may be first. */
static void pool_step(void)
{
	struct oe__task_list later = { 0 };
	size_t ahead = world.computing.count < 8 ? world.computing.count : 8;

	for (uint64_t skip = world_below(ahead); skip > 0; skip--)
		oe__task_push(&later, oe__task_pop(&world.computing));
	struct oe__task *task = oe__task_pop(&world.computing);
	while (world.computing.count > 0)
		oe__task_push(&later, oe__task_pop(&world.computing));
	world.computing = later;
	task->run(task);
}

/* ---- steps ---- */

static void spend(void)
{
	world.steps++;
	if (world.tick_ns > 0)
		world.now_ns += (int64_t)world_below((uint64_t)world.tick_ns);
	if (world.steps - world.progress > IDLE_STEPS)
		violated("something goes round in circles");
}

static void earlier(int64_t *due_ns, int64_t other_ns)
{
	if (other_ns < *due_ns)
		*due_ns = other_ns;
}

/* To the next moment at which something happens by itself. */
static bool pass_time(bool owner)
{
	int64_t due_ns = threads_due();

	for (struct happening *at = world.happenings; at; at = at->next)
		earlier(&due_ns, at->due_ns);
	if (oe__timers_first(&world.timers))
		earlier(&due_ns, oe__timers_first(&world.timers)->due_ns);
	if (owner)
		earlier(&due_ns, inbox_due());
	if (due_ns == INT64_MAX)
		return false;
	if (due_ns > world.now_ns)
		world.now_ns = due_ns;
	return true;
}

/* Who goes next, by weight; -1 if nobody can now. */
static int choose(bool owner)
{
	const bool ready[] = {
		[FROM_POOL] = world.computing.count > 0, [FROM_REACTOR] = reactor_ready(),
		[FROM_THREADS] = threads_ready(),        [FROM_OUTSIDE] = outside_ready(),
		[SOURCES] = owner && inbox_ready(),
	};
	uint64_t total = 0;
	int chosen = -1;

	for (int i = 0; i <= SOURCES; i++)
		if (ready[i])
			total += world.weights[i];
	uint64_t at = total > 0 ? world_below(total) : 0;
	for (int i = 0; i <= SOURCES && chosen < 0; i++) {
		if (!ready[i])
			continue;
		if (at < world.weights[i])
			chosen = i;
		else
			at -= world.weights[i];
	}
	return chosen;
}

static int step(bool owner)
{
	int chosen;

	while ((chosen = choose(owner)) < 0)
		if (!pass_time(owner))
			return -1;
	spend();
	switch (chosen) {
	case FROM_POOL:
		pool_step();
		break;
	case FROM_REACTOR:
		reactor_step();
		break;
	case FROM_THREADS:
		threads_step();
		break;
	case FROM_OUTSIDE:
		outside_step();
		break;
	default:
		break;
	}
	return chosen;
}

bool world_step(void)
{
	return step(false) >= 0;
}

bool world_step_to_owner(void)
{
	int chosen = step(true);

	if (chosen < 0)
		violated("nothing can happen any more, and the run has not ended");
	return chosen == SOURCES;
}

/* ---- saying what is wrong ---- */

void violated(const char *format, ...)
{
	va_list arguments;

	(void)fflush(stdout);
	(void)fprintf(stderr, "oe-sim: seed %llu, %s, step %lld, %.6f s: ",
	              (unsigned long long)world.seed, world.semantics, (long long)world.steps,
	              (double)world.now_ns / 1e9);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "\nagain: %s\n", world_repeat);
	_exit(1);
}

void note(const char *format, ...)
{
	va_list arguments;

	if (!world.verbose)
		return;
	(void)printf("%8lld %14.6f  ", (long long)world.steps, (double)world.now_ns / 1e9);
	va_start(arguments, format);
	(void)vprintf(format, arguments);
	va_end(arguments);
	(void)putchar('\n');
	(void)fflush(stdout);
}
