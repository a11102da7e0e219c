/* What is said when a run ends: how it went, where the best program is, how to go on. */

#include "summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "files.h"
#include "handles.h"
#include "terminal.h"
#include "text.h"

static void add_metrics(struct text *text, const oe_program *best)
{
	const oe_evaluation *evaluation = oe_program_evaluation(best);
	const char *name;
	double value;

	text_add(text, "best program metrics:\n");
	for (size_t i = 0; evaluation && (name = oe_evaluation_metric_at(evaluation, i, &value)); i++) {
		text_add(text, "  ");
		terminal_clean_line(text, name);
		text_add(text, ": ");
		if (isnan(value))
			terminal_clean_line(text, oe_evaluation_metric_json(evaluation, i));
		else
			text_format(text, "%.4f", value);
		text_add_char(text, '\n');
	}
}

/* Which limit it was, and how far the run had gone. */
static void add_reason(struct text *text, const struct story *story)
{
	if (!story->reason_text[0] || (strcmp(story->reason, "budget") != 0 && strcmp(story->reason, "time") != 0))
		return;
	text_add(text, "      reason    ");
	terminal_clean_line(text, story->reason_text);
	text_add_char(text, '\n');
}

/* Every iteration ended in one outcome: say how many of this session in which. */
static void add_outcomes(struct text *text, const struct story *story)
{
	bool any = false;

	for (int i = 0; i < OE_OUTCOME_COUNT; i++) {
		int64_t count = story->now.outcomes[i] - story->before.outcomes[i];
		if (count == 0)
			continue;
		text_format(text, "%s%lld %s", any ? ", " : "      outcomes  ", (long long)count,
					oe_outcome_name(i));
		any = true;
	}
	if (any)
		text_add_char(text, '\n');
}

static void add_head(struct text *text, const struct story *story)
{
	int64_t tokens = story->now.tokens_in + story->now.tokens_out;

	text_format(text, "%s  %lld iterations in ",
				story->stopping || story->reason_text[0] ? "stopped" : "done",
				(long long)(story->now.ended - story->before.ended));
	text_duration(text, story->now.elapsed_s);
	if (!isnan(story->best)) {
		text_add(text, "   best ");
		text_score(text, story->best);
		text_format(text, " (it %lld)   initial ", (long long)story->best_iteration);
		text_score(text, story->initial);
	}
	if (tokens > 0) {
		text_add(text, "   ");
		text_count(text, (double)tokens);
		text_add(text, " tokens");
	}
	if (story->now.budget_cost_usd > 0)
		text_format(text, "   $%.4f%s", story->now.budget_cost_usd,
					story->now.budget_unpriced > 0 ? " and what is unpriced" : "");
	text_add_char(text, '\n');
}

static void add_path(struct text *text, const char *label, const char *path)
{
	text_add(text, label);
	terminal_clean_line(text, path);
}

void summary_print(const struct story *story, const struct session *session, bool path)
{
	AUTO(text) struct text text = TEXT_INIT;
	AUTO(population) oe_population *population = NULL;
	AUTO(string) char *best_path =
		must_format("%s/best/best_program%s", story->directory, session->extension);
	oe_program *best = NULL;

	if (oe_controller_population(session->controller, &population) == 0)
		best = story->lost ? oe_population_find(population, story->best_id)
						   : oe_population_best(population);
	add_head(&text, story);
	add_reason(&text, story);
	add_outcomes(&text, story);
	bool there = best && file_exists(best_path) && story_exported(story);
	if (there) {
		add_path(&text, "      program   ", best_path);
		text_add_char(&text, '\n');
	}
	if (best) {
		add_path(&text, "      explore   oe list ", story->directory);
		add_path(&text, "   |   oe diff best initial --run ", story->directory);
		text_add_char(&text, '\n');
		add_metrics(&text, best);
	}
	if (story->checkpoint[0]) {
		add_path(&text, "latest checkpoint: ", story->checkpoint);
		text_add_char(&text, '\n');
	}
	/* Where the store failed, what it says comes next, and is to be seen to first. */
	if (best && !story->lost && story_exported(story)) {
		add_path(&text, "to go on: oe resume ", story->directory);
		text_add_char(&text, '\n');
	}
	if (message_level() > 0)
		fputs(text_string(&text), stderr);
	if (path && there && !terminal_is(stdout))
		printf("%s\n", best_path);
}
