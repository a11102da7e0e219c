#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "backends.h"
#include "session.h"
#include "world.h"

static void set(struct plan *plan, const char *name, const char *format, ...) OE__PRINTF(3, 4);

static void set(struct plan *plan, const char *name, const char *format, ...)
{
	char value[128];
	oe_error err = { 0 };
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	if (oe_config_set(plan->config, name, value, &err) < 0)
		violated("'%s: %s' is not taken: %s", name, value, err.message);
	note("%s: %s", name, value);
}

static int64_t between(int64_t min, int64_t max)
{
	return min + (int64_t)world_below((uint64_t)(max - min + 1));
}

static void draw_population(struct plan *plan)
{
	static const char *const dimensions[] = { "[complexity, diversity]", "[score]", "[place]",
		                                      "[place, complexity]", "[diversity]" };

	set(plan, "database.num_islands", "%d", (int)between(1, 5));
	set(plan, "database.population_size", "%d", (int)(world_below(2) ? between(2, 20)
	                                                                 : between(20, 80)));
	set(plan, "database.archive_size", "%d", (int)between(1, 20));
	set(plan, "database.exploration_ratio", "%.2f", (double)between(0, 4) / 10);
	set(plan, "database.exploitation_ratio", "%.2f", (double)between(0, 6) / 10);
	set(plan, "database.feature_dimensions", "%s", dimensions[world_below(5)]);
	set(plan, "database.feature_bins", "%d", (int)between(2, 10));
	set(plan, "database.diversity_reference_size", "%d", (int)between(0, 8));
	set(plan, "database.migration_interval", "%d", (int)between(1, 20));
	set(plan, "database.migration_rate", "%.2f", (double)between(0, 10) / 20);
	set(plan, "database.log_prompts", "%s", world_below(4) ? "false" : "true");
}

static void draw_flow(struct plan *plan, const char *semantics)
{
	plan->replaces = world_below(3) == 0;
	plan->synced = world_below(3) > 0;
	set(plan, "hub.semantics", "%s", semantics);
	set(plan, "hub.window", "%d", (int)(world_below(2) ? 0 : between(1, 40)));
	set(plan, "hub.on_failure", "%s", plan->replaces ? "replace" : "count");
	set(plan, "llm.concurrency", "%d", (int)(world_below(3) ? between(1, 16) : between(16, 64)));
	set(plan, "llm.give_up_after", "%d", (int)between(5, 300));
	set(plan, "evaluator.parallel_evaluations", "%d", (int)between(1, 12));
	set(plan, "evaluator.timeout", "%d", (int)between(1, 60));
	set(plan, "evaluator.max_retries", "%d", (int)between(0, 3));
	set(plan, "evaluator.grace", "%.1f", (double)between(0, 20) / 10);
	set(plan, "durability", "%s", plan->synced ? "power" : "process");
	set(plan, "store.prompts", "%s", world_below(8) ? "recipe" : "full");
	set(plan, "checkpoint_interval", "%d", (int)(world_below(3) ? 0 : between(20, 200)));
	set(plan, "diff_based_evolution", "%s", world_below(3) ? "true" : "false");
	set(plan, "max_code_length", "1000");
	set(plan, "prompt.num_top_programs", "%d", (int)between(0, 4));
	set(plan, "prompt.num_diverse_programs", "%d", (int)between(0, 3));
	set(plan, "prompt.num_previous_attempts", "%d", (int)between(0, 4));
}

/* Where iterations end in turn, and no outcome is a matter of time, neither is the archive. */
static void purify(struct plan *plan)
{
	plan->pure = true;
	plan->user = false;
	set(plan, "evaluator.timeout", "%d", (int)between(10, 60));
	set(plan, "hub.window", "%d", (int)between(1, 24));
}

static void draw_generation(struct plan *plan)
{
	if (plan->pure || world_below(2))
		return;
	set(plan, "hub.generation_quorum", "%.1f", (double)between(1, 10) / 10);
	set(plan, "hub.generation_timeout", "%.1f", (double)between(0, 100) / 10);
}

static void draw_habits(void)
{
	bool quick = world_below(2);

	habits = (struct habits){
		.answer_min_ns = quick ? MS : 100 * MS,
		.answer_max_ns = quick ? 100 * MS : 30 * S,
		.evaluation_min_ns = MS,
		.evaluation_max_ns = world_below(2) ? 50 * MS : 5 * S,
	};
}

void plan_draw(struct plan *plan, int64_t iterations, const char *semantics)
{
	*plan = (struct plan){
		.iterations = iterations,
		.run_seed = oe__rng_next(&world.rng) >> 4,
		.programs = (int)between(1, 3),
		.sessions_max = world_below(8) ? (int)between(1, 12) : 0,
		.power = world_below(2),
		.faults = world_below(2),
		.user = world_below(2),
		.retries = world_below(2),
	};
	if (oe_config_new(&plan->config) < 0)
		violated("no memory");
	set(plan, "max_iterations", "%lld", (long long)iterations);
	set(plan, "random_seed", "%llu", (unsigned long long)plan->run_seed);
	draw_population(plan);
	draw_flow(plan, semantics);
	draw_habits();
	if (strcmp(semantics, "steady") != 0 && world_below(3) > 0)
		purify(plan);
	if (strcmp(semantics, "generation") == 0)
		draw_generation(plan);
}

void plan_simplify(struct plan *plan)
{
	plan->sessions_max = 0;
	plan->retries = false;
	set(plan, "llm.concurrency", "%d", (int)between(1, 64));
	set(plan, "evaluator.parallel_evaluations", "%d", (int)between(1, 64));
	set(plan, "checkpoint_interval", "0");
	set(plan, "durability", "process");
}

void plan_done(struct plan *plan)
{
	oe_config_free(plan->config);
}
