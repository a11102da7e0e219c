/*
 * What watchers know about a run. Costs O(1) per event: runs may end thousands of iterations a
 * second.
 */

#include "story.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

#define RATE_WINDOW_S 10

double story_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void story_init(struct story *story)
{
	*story = (struct story){ .name = "", .directory = "" };
	story->target = story->best = story->best_before = story->initial = NAN;
	story->iterations_max = -1;
	story->saved = -1;
	story->reason = "none";
	story->time_max_s = -1;
	story->history_step = 1;
	story->now.struct_size = sizeof(story->now);
	story->now.best_fitness = story->now.initial_fitness = NAN;
}

void story_done(struct story *story)
{
	free(story->island_best);
	story->island_best = NULL;
}

static void see_island(struct story *story, int32_t island, double fitness)
{
	if (island < 0 || isnan(fitness))
		return;
	size_t index = (size_t)island;
	if (index >= story->island_count) {
		story->island_best = must_resize(story->island_best, index + 1, sizeof(double));
		while (story->island_count <= index)
			story->island_best[story->island_count++] = NAN;
	}
	if (!(story->island_best[index] >= fitness))
		story->island_best[index] = fitness;
}

static bool see_program(struct story *story, const oe_program *program)
{
	double fitness = oe_program_fitness(program);

	see_island(story, oe_program_island(program), fitness);
	if (isnan(fitness) || story->best >= fitness)
		return false;
	bool first = isnan(story->best);
	story->best_before = story->best;
	story->best = fitness;
	story->best_iteration = oe_program_iteration(program);
	story->best_at = story->now.ended;
	text_copy(story->best_id, sizeof(story->best_id), oe_program_id(program));
	return !first;
}

void story_begin(struct story *story, const oe_statistics *now, const oe_population *population)
{
	story->now = story->before = *now;
	story->iterations_max = now->iterations_max;
	story->told = now->ended;
	memcpy(story->told_outcomes, now->outcomes, sizeof(story->told_outcomes));
	for (int32_t i = 0; i < oe_population_island_count(population); i++) {
		const oe_program *program = oe_population_ranked(population, i, 0);
		if (program)
			see_island(story, i, oe_program_fitness(program));
	}
	const oe_program *best = oe_population_best(population);
	if (best)
		see_program(story, best);
}

/* One more iteration ended: keep the best of every `history_step`-th. */
static void note_history(struct story *story)
{
	if (story->history_next++ % story->history_step != 0)
		return;
	if (story->history_count == STORY_HISTORY) {
		for (size_t i = 0; i < STORY_HISTORY / 2; i++)
			story->history[i] = story->history[2 * i];
		story->history_count = STORY_HISTORY / 2;
		story->history_step *= 2;
	}
	story->history[story->history_count++] = story->best;
}

static void note_latency(struct story *story, double seconds)
{
	story->latencies[story->latency_count++ % STORY_LATENCIES] = seconds;
}

static struct story_news iteration_ended(struct story *story, const oe_event *event)
{
	struct story_news news = { false, NAN, NAN, -1 };

	story->now.ended++;
	story->told++;
	if (event->outcome >= 0 && event->outcome < OE_OUTCOME_COUNT)
		story->told_outcomes[event->outcome]++;
	if (event->parent)
		news.parent_fitness = oe_program_fitness(event->parent);
	if (event->program)
		news.fitness = oe_program_fitness(event->program);
	if (event->program && event->outcome == OE_OUTCOME_COMMITTED)
		news.best = see_program(story, event->program);
	if (event->llm_ms >= 0 || event->evaluation_ms >= 0)
		news.seconds = (fmax(event->llm_ms, 0) + fmax(event->evaluation_ms, 0)) / 1000;
	if (event->llm_ms >= 0)
		note_latency(story, event->llm_ms / 1000);
	note_history(story);
	return news;
}

struct story_news story_event(struct story *story, const oe_event *event)
{
	struct story_news news = { false, NAN, NAN, -1 };

	switch (event->type) {
	case OE_EVENT_ITERATION:
		if (event->outcome == OE_OUTCOME_LLM_FAILED)
			text_copy(story->refused, sizeof(story->refused), event->text);
		return iteration_ended(story, event);
	case OE_EVENT_SEEDED:
		if (!event->program)
			break;
		news.fitness = oe_program_fitness(event->program);
		if (isnan(story->initial))
			story->initial = news.fitness;
		see_program(story, event->program);
		break;
	case OE_EVENT_CHECKPOINT:
		text_copy(story->checkpoint, sizeof(story->checkpoint), event->text);
		story->saved = event->iteration;
		break;
	case OE_EVENT_LOG:
		if (event->level == 0)
			text_copy(story->trouble, sizeof(story->trouble), event->text);
		break;
	case OE_EVENT_PAUSED:
		text_copy(story->paused, sizeof(story->paused), event->text);
		break;
	case OE_EVENT_CONTINUED:
		story->paused[0] = '\0';
		break;
	default:
		break;
	}
	return news;
}

/* What the controller still remembers, and nobody else will. */
static void forget_lost(struct story *story)
{
	story->now.ended = story->told;
	memcpy(story->now.outcomes, story->told_outcomes, sizeof(story->told_outcomes));
}

void story_end(struct story *story, const oe_event *event)
{
	story->lost = event->stop == OE_REASON_STORE;
	static const char *const names[] = { "none", "iterations", "target",    "patience", "time",
										 "requested", "llm",   "evaluator", "store",    "budget" };
	size_t reason = (size_t)event->stop;

	story->reason = reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "unknown";
	text_copy(story->reason_text, sizeof(story->reason_text), event->text);
}

bool story_exported(const struct story *story)
{
	return !story->exports || story->saved >= story->now.ended || story->stopping > 1;
}

void story_tick(struct story *story, const oe_statistics *now)
{
	story->now = *now;
	if (story->lost)
		forget_lost(story);
	if (isnan(story->initial))
		story->initial = now->initial_fitness;
	story->rates[story->rate_count++ % STORY_RATES] =
		(struct story_rate){ story_clock(), now->ended, now->tokens_out };
}

double story_rate(const struct story *story, double *tokens_per_s)
{
	size_t count = story->rate_count < STORY_RATES ? story->rate_count : STORY_RATES;

	*tokens_per_s = 0;
	if (count < 2)
		return 0;
	const struct story_rate *last = &story->rates[(story->rate_count - 1) % STORY_RATES];
	const struct story_rate *first = last;
	for (size_t back = 2; back <= count && last->at - first->at < RATE_WINDOW_S; back++)
		first = &story->rates[(story->rate_count - back) % STORY_RATES];
	double seconds = last->at - first->at;
	if (seconds < 0.5)
		return 0;
	*tokens_per_s = (double)(last->tokens_out - first->tokens_out) / seconds;
	return (double)(last->ended - first->ended) / seconds;
}

double story_left(const struct story *story)
{
	double tokens, left = -1;
	double rate = story_rate(story, &tokens);
	int64_t done = story->now.ended - story->before.ended;

	/* Slow runs end less than one iteration in the window: their mean says more. */
	if (rate * RATE_WINDOW_S < 10 && done > 0 && story->now.elapsed_s > 0)
		rate = (double)done / story->now.elapsed_s;
	if (story->iterations_max >= 0 && rate > 0)
		left = (double)(story->iterations_max - story->now.ended) / rate;
	if (story->time_max_s >= 0) {
		double time_left = fmax(story->time_max_s - story->now.elapsed_s, 0);
		left = left < 0 ? time_left : fmin(left, time_left);
	}
	return left;
}

static double part(const struct story *story, int64_t count)
{
	return story->now.ended > 0 ? (double)count / (double)story->now.ended : 0;
}

double story_accepted(const struct story *story)
{
	return part(story, story->now.outcomes[OE_OUTCOME_COMMITTED]);
}

double story_failed(const struct story *story)
{
	const int64_t *outcomes = story->now.outcomes;

	return part(story, outcomes[OE_OUTCOME_EVALUATION_FAILED] + outcomes[OE_OUTCOME_TIMED_OUT] +
						   outcomes[OE_OUTCOME_LLM_FAILED] + outcomes[OE_OUTCOME_LOST]);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double story_latency(const struct story *story, double share)
{
	double sorted[STORY_LATENCIES];
	size_t count = story->latency_count < STORY_LATENCIES ? story->latency_count : STORY_LATENCIES;

	if (count == 0)
		return -1;
	memcpy(sorted, story->latencies, count * sizeof(double));
	qsort(sorted, count, sizeof(double), by_size);
	size_t index = (size_t)(share * (double)count);
	return sorted[index < count ? index : count - 1];
}
