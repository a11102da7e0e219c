/*
 * What the live display says: the lines about single events, and the block of figures below them.
 */

#include <math.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "display.h"
#include "handles.h"
#include "terminal.h"

#define BAR_COLUMNS 24
#define SPARK_COLUMNS 15

/* ---- scrolling lines ---- */

static void add_time(struct text *text)
{
	time_t now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	text_format(text, "%02d:%02d:%02d", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static void add_id(struct text *text, const oe_program *program)
{
	text_format(text, "%.6s", oe_program_id(program));
}

static void add_change(struct text *text, const oe_event *event)
{
	AUTO(diff) oe_diff *diff = NULL;

	if (event->parent &&
		oe_diff_new(oe_program_code(event->parent), oe_program_code(event->program), &diff) == 0)
		text_format(text, "  +%zu -%zu", oe_diff_added(diff), oe_diff_removed(diff));
}

static void add_iteration(struct text *text, const oe_event *event, const struct story_news *news)
{
	const char *outcome = oe_outcome_name(event->outcome);

	text_format(text, "  it %lld  isl %d  ", (long long)event->iteration, event->island);
	text_score(text, news->parent_fitness);
	text_add(text, " -> ");
	if (event->outcome == OE_OUTCOME_COMMITTED || event->outcome == OE_OUTCOME_REJECTED)
		text_score(text, news->fitness);
	else
		text_add(text, outcome);
	if (news->best)
		text_add(text, "  new best");
	else if (event->outcome == OE_OUTCOME_REJECTED)
		text_format(text, "  %s", outcome);
	if (event->text[0]) {
		text_add(text, ": ");
		terminal_clean_line(text, event->text);
	}
	if (event->program) {
		text_add(text, "  ");
		add_id(text, event->program);
		add_change(text, event);
	}
	if (event->model[0]) {
		text_add(text, "  ");
		terminal_clean_line(text, event->model);
	}
	if (news->seconds >= 0) {
		text_add(text, "  ");
		text_duration(text, news->seconds);
	}
}

static bool is_failure(int outcome)
{
	return outcome == OE_OUTCOME_EVALUATION_FAILED || outcome == OE_OUTCOME_TIMED_OUT ||
		   outcome == OE_OUTCOME_LLM_FAILED || outcome == OE_OUTCOME_LOST;
}

/* What the line says, its sign and its colour; false for events without a line. */
static bool describe(struct text *text, const oe_event *event, const struct story_news *news,
					 char *sign, enum terminal_colour *colour)
{
	switch (event->type) {
	case OE_EVENT_ITERATION:
		add_iteration(text, event, news);
		*sign = news->best ? '+' : is_failure(event->outcome) ? 'x' : ' ';
		*colour = news->best				   ? COLOUR_GOOD
				  : is_failure(event->outcome) ? COLOUR_BAD
											   : COLOUR_NONE;
		return true;
	case OE_EVENT_SEEDED:
		text_add(text, "  initial program  ");
		text_score(text, news->fitness);
		if (event->text[0])
			text_add(text, "  ");
		terminal_clean_line(text, event->text);
		return true;
	case OE_EVENT_LOG:
		if (event->level > (message_level() > 1 ? 2 : 1))
			return false;
		*sign = event->level == 0 ? 'x' : event->level == 1 ? '!' : ' ';
		*colour = event->level == 0 ? COLOUR_BAD : event->level == 1 ? COLOUR_WARN : COLOUR_NONE;
		text_add(text, "  ");
		terminal_clean_line(text, event->text);
		return true;
	case OE_EVENT_PAUSED:
		*sign = '!';
		*colour = COLOUR_WARN;
		text_add(text, "  paused: ");
		terminal_clean_line(text, event->text);
		return true;
	case OE_EVENT_CONTINUED:
		text_add(text, "  going on");
		return true;
	default:
		return false;
	}
}

bool display_line(struct text *text, const struct display_style *style, const oe_event *event,
				  const struct story_news *news)
{
	AUTO(text) struct text line = TEXT_INIT;
	enum terminal_colour colour = COLOUR_NONE;
	char sign = ' ';

	text_add(&line, "    ");
	add_time(&line);
	if (!describe(&line, event, news, &sign, &colour))
		return false;
	line.data[2] = sign;
	if (colour != COLOUR_NONE)
		text_add(text, terminal_colour(style->stream, colour));
	terminal_fit(text, text_string(&line), style->columns);
	if (colour != COLOUR_NONE)
		text_add(text, terminal_colour(style->stream, COLOUR_NONE));
	return true;
}

/* ---- the block ---- */

static void add_bar(struct text *text, double part, bool unicode)
{
	static const char *const eighths[] = { "░", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	double cells = fmin(fmax(part, 0), 1) * BAR_COLUMNS;
	size_t full = (size_t)cells;

	text_repeat(text, unicode ? "█" : "#", full);
	if (full < BAR_COLUMNS && unicode)
		text_add(text, eighths[(size_t)((cells - (double)full) * 8)]);
	else if (full < BAR_COLUMNS)
		text_add(text, "-");
	if (full + 1 < BAR_COLUMNS)
		text_repeat(text, unicode ? "░" : "-", BAR_COLUMNS - full - 1);
}

static void progress_line(struct text *text, const struct story *story, bool unicode)
{
	const oe_statistics *now = &story->now;
	double by_count =
		story->iterations_max > 0 ? (double)now->ended / (double)story->iterations_max : -1;
	double by_time = story->time_max_s > 0 ? now->elapsed_s / story->time_max_s : -1;
	double done = fmax(by_count, by_time);
	double left = story_left(story), tokens;
	double rate = story_rate(story, &tokens);

	text_add(text, " ");
	terminal_clean_line(text, story->name);
	text_add(text, "  ");
	if (done >= 0)
		add_bar(text, done, unicode);
	text_format(text, "  %lld", (long long)now->ended);
	/* A limit that time makes out of reach says nothing. */
	if (by_count >= by_time && story->iterations_max >= 0)
		text_format(text, "/%lld", (long long)story->iterations_max);
	text_add(text, " it");
	if (done >= 0)
		text_format(text, "  %.0f%%", fmin(done, 1) * 100);
	if (rate > 0)
		text_format(text, rate < 9.95 ? "  %.1f it/s" : "  %.0f it/s", rate);
	text_add(text, "  elapsed ");
	text_duration(text, now->elapsed_s);
	if (left >= 0 && !story->stopping) {
		text_add(text, "  eta ");
		text_duration(text, left);
	}
	if (!story->stopping)
		text_add(text, "  ^C stops");
}

static void add_spark(struct text *text, const struct story *story, bool unicode)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const marks[] = { "_", ".", "-", "=", "+", "*", "%", "#" };
	double low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < story->history_count; i++) {
		if (!isfinite(story->history[i]))
			continue;
		low = fmin(low, story->history[i]);
		high = fmax(high, story->history[i]);
	}
	if (!(high > low))
		return;
	text_add(text, "  ");
	size_t count = story->history_count < SPARK_COLUMNS ? story->history_count : SPARK_COLUMNS;
	for (size_t i = 0; i < count; i++) {
		double value = story->history[(i + 1) * story->history_count / count - 1];
		double level = isfinite(value) ? (value - low) / (high - low) * 7.999 : 0;
		text_add(text, (unicode ? blocks : marks)[(size_t)level]);
	}
}

static void best_line(struct text *text, const struct story *story, bool unicode)
{
	text_add(text, " best ");
	text_score(text, story->best);
	if (!isnan(story->best)) {
		text_format(text, " (it %lld", (long long)story->best_iteration);
		if (isfinite(story->best - story->best_before)) {
			text_add(text, ", +");
			text_score(text, story->best - story->best_before);
		}
		text_add(text, ")");
	}
	if (!isnan(story->target)) {
		text_add(text, "  target ");
		text_score(text, story->target);
	}
	add_spark(text, story, unicode);
	text_format(text, "  stalled %lld it", (long long)story->now.since_best);
	text_format(text, "  accepted %.0f%%  failed %.0f%%", story_accepted(story) * 100,
				story_failed(story) * 100);
}

static void islands_line(struct text *text, const struct story *story)
{
	const oe_statistics *now = &story->now;

	text_add(text, " islands");
	for (size_t i = 0; i < story->island_count && i < 12; i++) {
		text_format(text, " %zu:", i);
		text_score(text, story->island_best[i]);
		if (story->island_best[i] >= story->best)
			text_add(text, "*");
	}
	if (story->island_count > 12)
		text_format(text, " and %zu more", story->island_count - 12);
	text_format(text, "   %lld programs  archive %lld", (long long)now->programs,
				(long long)now->archive);
	if (now->next_migration >= 0)
		text_format(text, "  next migration in %lld", (long long)now->next_migration);
}

static void work_line(struct text *text, const struct story *story)
{
	const oe_statistics *now = &story->now;
	double tokens;

	(void)story_rate(story, &tokens);
	text_format(text, " llm %lld running", (long long)now->llm_in_flight);
	if (now->tokens_in + now->tokens_out > 0) {
		text_format(text, "  %.0f tok/s  ", tokens);
		text_count(text, (double)(now->tokens_in + now->tokens_out));
		text_add(text, " tok");
	}
	if (story_latency(story, 0.5) >= 0) {
		text_add(text, "  p50 ");
		text_duration(text, story_latency(story, 0.5));
		text_add(text, " p95 ");
		text_duration(text, story_latency(story, 0.95));
	}
	text_format(text, "     eval %lld", (long long)now->evaluations_in_flight);
	if (story->evaluation_slots > 0)
		text_format(text, "/%lld", (long long)story->evaluation_slots);
	text_format(text, " busy  queue %lld", (long long)now->evaluations_queued);
}

static void stopping_line(struct text *text, const struct story *story)
{
	const oe_statistics *now = &story->now;
	double left = story->grace_end - story_clock();

	text_add(text, " stopping: ");
	if (now->evaluations_in_flight > 0) {
		text_format(text, "waiting for %lld evaluations", (long long)now->evaluations_in_flight);
		if (story->stopping == 1 && left > 0)
			text_format(text, " (%.0f s left)", ceil(left));
	} else {
		text_add(text, "writing a checkpoint");
	}
	text_add(text, story->stopping == 1 ? "  - press Ctrl-C again to kill them"
										: "  - press Ctrl-C again to leave at once");
}

static void paused_line(struct text *text, const struct story *story)
{
	text_add(text, " paused: ");
	terminal_clean_line(text, story->paused);
}

static void add_fitting(struct text *out, struct text *line, const struct display_style *style)
{
	/* One column stays free: a full line would wrap on some terminals. */
	terminal_fit(out, text_string(line), style->columns ? style->columns - 1 : 0);
	text_clear(line);
}

size_t display_block(struct text *lines, const struct display_style *style,
					 const struct story *story)
{
	AUTO(text) struct text line = TEXT_INIT;
	bool small = style->columns < 60 || style->rows < 12;
	size_t count = 0;

	if (!small) {
		text_repeat(&line, style->unicode ? "─" : "-", style->columns - 1);
		add_fitting(&lines[count++], &line, style);
	}
	progress_line(&line, story, style->unicode);
	add_fitting(&lines[count++], &line, style);
	best_line(&line, story, style->unicode);
	add_fitting(&lines[count++], &line, style);
	if (!small) {
		islands_line(&line, story);
		add_fitting(&lines[count++], &line, style);
	}
	if (story->stopping)
		stopping_line(&line, story);
	else if (story->paused[0])
		paused_line(&line, story);
	else if (!small)
		work_line(&line, story);
	if (line.size)
		add_fitting(&lines[count++], &line, style);
	return count;
}
