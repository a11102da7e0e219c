#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "backends.h"
#include "ledger.h"
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

#define CENT 10000000 /* in billionths of a dollar */

const struct limits no_limits = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX,
	                              INT64_MAX, INT64_MAX, INT64_MAX };

static char prices[256];

static int64_t between(int64_t min, int64_t max)
{
	return min + (int64_t)world_below((uint64_t)(max - min + 1));
}

static void draw_synced(struct plan *plan)
{
	plan->synced = world_below(3) > 0;
	set(plan, "durability", "%s", plan->synced ? "power" : "process");
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
	set(plan, "hub.semantics", "%s", semantics);
	set(plan, "hub.window", "%d", (int)(world_below(2) ? 0 : between(1, 40)));
	set(plan, "hub.on_failure", "%s", plan->replaces ? "replace" : "count");
	plan->tokens = world_below(4) > 0;
	set(plan, "hub.duplicates", "%s", plan->tokens ? "tokens" : "exact");
	set(plan, "llm.concurrency", "%d", (int)(world_below(3) ? between(1, 16) : between(16, 64)));
	set(plan, "llm.give_up_after", "%d", (int)between(5, 300));
	set(plan, "evaluator.parallel_evaluations", "%d", (int)between(1, 12));
	set(plan, "evaluator.timeout", "%d", (int)between(1, 60));
	set(plan, "evaluator.max_retries", "%d", (int)between(0, 3));
	set(plan, "evaluator.grace", "%.1f", (double)between(0, 20) / 10);
	draw_synced(plan);
	set(plan, "store.prompts", "%s", world_below(8) ? "recipe" : "full");
	set(plan, "checkpoint_interval", "%d", (int)(world_below(3) ? 0 : between(10, 200)));
	set(plan, "checkpoint_on_improvement", "%s", world_below(8) ? "false" : "true");
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

/* Judges take their time within that of an evaluation. */
static void draw_judges(struct plan *plan)
{
	if (world_below(3) > 0)
		return;
	plan->judges = plan->pure ? JUDGED : MAYBE_JUDGED;
	set(plan, "evaluator.use_llm_feedback", "true");
	set(plan, "evaluator.timeout", "%d", (int)(plan->pure ? 3000 : between(20, 120)));
}

static void draw_goals(struct limits *limits)
{
	if (world_below(2) == 0)
		limits->target_percent = between(40, 100);
	if (world_below(2) == 0)
		limits->patience = between(3, 60);
	if (world_below(3) == 0)
		limits->time_ns = between(5, 500) * S;
	if (world_below(3) == 0)
		limits->seconds_ns = between(5, 500) * S;
}

static void draw_budget(struct plan *plan)
{
	struct limits *limits = &plan->limits;

	set(plan, "budget.prices", "%s", prices);
	if (world_below(2) == 0)
		limits->tokens = between(2000, 20000 + 2000 * plan->iterations);
	if (world_below(2) == 0)
		limits->cost = between(1, 5 + plan->iterations / 2) * CENT;
	if (world_below(2) == 0)
		limits->evaluations = between(1, plan->iterations);
}

static void draw_limits(struct plan *plan, const char *semantics)
{
	/* A run that is over because of what it has found, or used up, is so at a number only where they end in
	   order. A generation closes with what has ended then. */
	bool anywhere = !plan->pure || strcmp(semantics, "ordered") == 0;

	plan->limits = no_limits;
	if (world_below(3) == 0 && anywhere)
		draw_goals(&plan->limits);
	if (world_below(3) == 0 && anywhere)
		draw_budget(plan);
	plan_limit(plan, &plan->limits);
}

static void set_limit(struct plan *plan, const char *name, int64_t value, int64_t unit)
{
	if (value == INT64_MAX)
		set(plan, name, "null");
	else
		set(plan, name, "%.10g", (double)value / (double)unit);
}

void plan_limit(struct plan *plan, const struct limits *limits)
{
	set_limit(plan, "target_score", limits->target_percent, 100);
	set_limit(plan, "early_stopping_patience", limits->patience, 1);
	set_limit(plan, "max_time", limits->time_ns, S);
	set_limit(plan, "budget.seconds", limits->seconds_ns, S);
	set_limit(plan, "budget.tokens", limits->tokens, 1);
	set_limit(plan, "budget.cost_usd", limits->cost, 100 * CENT);
	set_limit(plan, "budget.evaluations", limits->evaluations, 1);
	plan->limits = *limits;
}

void plan_write_prices(const char *directory)
{
	char text[128];
	oe_error err = { 0 };

	(void)snprintf(prices, sizeof(prices), "%s/prices.yaml", directory);
	(void)snprintf(text, sizeof(text), "scripted: {input: %d, output: %d}\n", LEDGER_PRICE_IN,
	               LEDGER_PRICE_OUT);
	if (oe__file_write(prices, text, strlen(text), &err) < 0)
		violated("%s", err.message);
}

static void draw_generation(struct plan *plan)
{
	if (plan->pure || world_below(2))
		return;
	set(plan, "hub.generation_quorum", "%.1f", (double)between(1, 10) / 10);
	set(plan, "hub.generation_timeout", "%.1f", (double)between(0, 100) / 10);
}

/* Often enough that most sessions go on from one, and none at all now and then. */
static void choose_snapshots(struct plan *plan)
{
	static const int intervals[] = { 0, 1, 2, 5, 20, 60, 10000 };

	set(plan, "store.snapshot_interval", "%d",
	    intervals[plan->run_seed % (sizeof(intervals) / sizeof(intervals[0]))]);
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
	choose_snapshots(plan);
	draw_habits();
	if (strcmp(semantics, "steady") != 0 && world_below(3) > 0)
		purify(plan);
	draw_judges(plan);
	draw_limits(plan, semantics);
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
	plan->synced = false;
}

void plan_heir(struct plan *plan, const char *checkpoint)
{
	(void)snprintf(plan->from, sizeof(plan->from), "%s", checkpoint);
	plan->sessions_max = (int)between(0, 6);
	draw_synced(plan);
	plan->settles = !plan->pure && world_below(2);
	if (plan->settles)
		draw_population(plan); /* a run of its own may have other islands, cells and rates */
	draw_limits(plan, world.semantics);
}

void plan_done(struct plan *plan)
{
	oe_config_free(plan->config);
}
