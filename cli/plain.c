/*
 * One line per event, for the logs of other programs: key=value, never rewritten, with a heartbeat
 * when nothing else is said.
 */

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"
#include "terminal.h"
#include "text.h"
#include "watch.h"

#define HEARTBEAT_S 30

struct plain {
	struct watcher watcher;
	FILE *stream;
	double heartbeat_at;
	int stopping; /* how much of it was said */
};

static void begin(struct text *line, const char *level)
{
	struct timespec now;
	struct tm parts;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	text_format(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s", parts.tm_year + 1900,
				parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
				now.tv_nsec / 1000000, level);
}

static void end(struct plain *plain, struct text *line)
{
	text_add_char(line, '\n');
	fwrite(line->data, 1, line->size, plain->stream);
	fflush(plain->stream);
}

/* key="value", whatever the value holds. */
static void add_quoted(struct text *line, const char *key, const char *value)
{
	AUTO(text) struct text clean = TEXT_INIT;

	terminal_clean_line(&clean, value);
	text_format(line, " %s=\"", key);
	for (const char *s = text_string(&clean); *s; s++) {
		if (*s == '"')
			text_add_char(line, '\\');
		text_add_char(line, *s);
	}
	text_add_char(line, '"');
}

static void add_number(struct text *line, const char *key, double value)
{
	if (isfinite(value))
		text_format(line, " %s=%.6g", key, value);
}

static void add_program(struct text *line, const char *key, const oe_program *program)
{
	if (program)
		text_format(line, " %s=%.8s", key, oe_program_id(program));
}

static void iteration(struct plain *plain, const oe_event *event, const struct story_news *news)
{
	AUTO(text) struct text line = TEXT_INIT;
	bool fine = event->outcome == OE_OUTCOME_COMMITTED;

	begin(&line, fine ? "INFO" : "WARN");
	text_format(&line, " iter=%lld island=%d", (long long)event->iteration, event->island);
	add_program(&line, "parent", event->parent);
	add_program(&line, "child", event->program);
	if (!fine)
		text_format(&line, " status=%s", oe_outcome_name(event->outcome));
	add_number(&line, "score", news->fitness);
	if (isfinite(news->fitness) && isfinite(news->parent_fitness))
		text_format(&line, " delta=%+.6g", news->fitness - news->parent_fitness);
	if (news->best)
		text_add(&line, " best=true");
	if (event->model[0])
		add_quoted(&line, "model", event->model);
	if (event->llm_ms >= 0)
		add_number(&line, "llm_s", event->llm_ms / 1000);
	if (event->evaluation_ms >= 0)
		add_number(&line, "eval_s", event->evaluation_ms / 1000);
	if (event->tokens_in >= 0)
		text_format(&line, " tok_in=%lld", (long long)event->tokens_in);
	if (event->tokens_out >= 0)
		text_format(&line, " tok_out=%lld", (long long)event->tokens_out);
	if (event->text[0])
		add_quoted(&line, "error", event->text);
	end(plain, &line);
}

static void heartbeat(struct plain *plain, const struct story *story)
{
	AUTO(text) struct text line = TEXT_INIT;
	double left = story_left(story);

	begin(&line, "INFO");
	text_format(&line, " progress iter=%lld", (long long)story->now.ended);
	if (story->iterations_max >= 0)
		text_format(&line, "/%lld", (long long)story->iterations_max);
	add_number(&line, "best", story->best);
	text_format(&line, " elapsed=%.0fs", story->now.elapsed_s);
	if (left >= 0)
		text_format(&line, " eta=%.0fs", left);
	text_format(&line, " failed=%.1f%% accepted=%.0f%%", story_failed(story) * 100,
				story_accepted(story) * 100);
	end(plain, &line);
}

static void stopping(struct plain *plain, const struct story *story)
{
	AUTO(text) struct text line = TEXT_INIT;

	begin(&line, "WARN");
	text_format(&line, " stopping llm=cancelled evaluations=%lld hint=\"%s\"",
				(long long)story->now.evaluations_in_flight,
				story->stopping == 1 ? "Ctrl-C again kills them" : "Ctrl-C again leaves at once");
	end(plain, &line);
	plain->stopping = story->stopping;
}

static void other(struct plain *plain, const char *level, const char *word, const oe_event *event)
{
	AUTO(text) struct text line = TEXT_INIT;

	begin(&line, level);
	text_format(&line, " %s", word);
	if (event->iteration > 0)
		text_format(&line, " iter=%lld", (long long)event->iteration);
	if (event->count > 0)
		text_format(&line, " count=%lld", (long long)event->count);
	if (event->text[0])
		add_quoted(&line, event->type == OE_EVENT_CHECKPOINT ? "path" : "text", event->text);
	end(plain, &line);
}

static void on_event(struct watcher *watcher, const struct story *story, const oe_event *event,
					 const struct story_news *news)
{
	static const char *const levels[] = { "ERROR", "WARN", "INFO", "DEBUG" };
	struct plain *plain = (struct plain *)watcher;

	(void)story;
	switch (event->type) {
	case OE_EVENT_ITERATION:
		iteration(plain, event, news);
		break;
	case OE_EVENT_SEEDED: {
		AUTO(text) struct text line = TEXT_INIT;
		begin(&line, "INFO");
		text_add(&line, " initial");
		add_program(&line, "child", event->program);
		add_number(&line, "score", news->fitness);
		if (event->text[0])
			add_quoted(&line, "error", event->text);
		end(plain, &line);
		break;
	}
	case OE_EVENT_MIGRATION:
		other(plain, "INFO", "migration", event);
		break;
	case OE_EVENT_CHECKPOINT:
		other(plain, "INFO", "checkpoint", event);
		break;
	case OE_EVENT_PAUSED:
		other(plain, "WARN", "paused", event);
		break;
	case OE_EVENT_CONTINUED:
		other(plain, "INFO", "continued", event);
		break;
	case OE_EVENT_LOG:
		if (event->level <= (message_level() > 1 ? 3 : 2))
			other(plain, levels[event->level & 3], "log", event);
		break;
	default:
		break;
	}
}

static void on_tick(struct watcher *watcher, const struct story *story)
{
	struct plain *plain = (struct plain *)watcher;

	if (story->stopping != plain->stopping)
		stopping(plain, story);
	if (story_clock() < plain->heartbeat_at)
		return;
	heartbeat(plain, story);
	plain->heartbeat_at = story_clock() + HEARTBEAT_S;
}

static void on_end(struct watcher *watcher, const struct story *story)
{
	heartbeat((struct plain *)watcher, story);
}

static void release(struct watcher *watcher)
{
	free(watcher);
}

struct watcher *plain_new(FILE *stream)
{
	static const struct watcher_methods methods = { on_event, on_tick, on_end, release };
	struct plain *plain = must_alloc(1, sizeof(*plain));

	plain->watcher.methods = &methods;
	plain->stream = stream;
	plain->heartbeat_at = story_clock() + HEARTBEAT_S;
	return &plain->watcher;
}
