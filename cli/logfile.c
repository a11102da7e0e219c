/*
 * logs/openevolve_DATE_TIME.log, in the form of OpenEvolve's: people and scripts grep it.
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli.h"
#include "terminal.h"
#include "text.h"
#include "watch.h"

#define FLUSH_S 1

enum level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR, LEVEL_CRITICAL };

static const char *const levels[] = { "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL" };

struct logfile {
	struct watcher watcher;
	FILE *stream;
	enum level level; /* the least that is written */
	char *prefix;     /* of names, or NULL         */
	double flush_at;
};

/* "time - name - level - message"; a message of strangers stays on its line. */
static void write_line(struct logfile *logfile, enum level level, const char *name,
					   const char *string)
{
	AUTO(text) struct text line = TEXT_INIT;
	struct timespec now;
	struct tm parts;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &parts);
	text_format(&line, "%04d-%02d-%02d %02d:%02d:%02d,%03ld - ", parts.tm_year + 1900,
				parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
				now.tv_nsec / 1000000);
	if (logfile->prefix) {
		terminal_clean_line(&line, logfile->prefix);
		text_add_char(&line, '.');
	}
	text_format(&line, "openevolve.%s - %s - ", name, levels[level]);
	terminal_clean_line(&line, string);
	text_add_char(&line, '\n');
	fwrite(line.data, 1, line.size, logfile->stream);
}

static void say(struct logfile *logfile, enum level level, const char *name, const char *format,
				...) __attribute__((format(printf, 4, 5)));

static void say(struct logfile *logfile, enum level level, const char *name, const char *format,
				...)
{
	AUTO(text) struct text text = TEXT_INIT;
	va_list arguments;

	if (level < logfile->level)
		return;
	va_start(arguments, format);
	text_vformat(&text, format, arguments);
	va_end(arguments);
	write_line(logfile, level, name, text_string(&text));
}

static void add_metrics(struct text *text, const oe_evaluation *evaluation)
{
	const char *name;
	double value;

	for (size_t i = 0; evaluation && (name = oe_evaluation_metric_at(evaluation, i, &value)); i++) {
		text_format(text, "%s%s=", i ? ", " : "", name);
		if (isnan(value))
			text_add(text, oe_evaluation_metric_json(evaluation, i));
		else
			text_format(text, "%.4f", value);
	}
}

static void metrics(struct logfile *logfile, const oe_program *program)
{
	AUTO(text) struct text text = TEXT_INIT;

	if (LEVEL_INFO < logfile->level)
		return;
	add_metrics(&text, oe_program_evaluation(program));
	if (text.size)
		say(logfile, LEVEL_INFO, "process_parallel", "Metrics: %s", text_string(&text));
}

static void iteration(struct logfile *logfile, const oe_event *event, const struct story_news *news)
{
	long long number = event->iteration;

	if (event->outcome != OE_OUTCOME_COMMITTED && event->outcome != OE_OUTCOME_REJECTED) {
		say(logfile, LEVEL_WARNING, "process_parallel", "Iteration %lld error: %s%s%s", number,
			oe_outcome_name(event->outcome), event->text[0] ? ": " : "", event->text);
		return;
	}
	say(logfile, LEVEL_INFO, "process_parallel",
		"Iteration %lld: Program %s (parent: %s) completed in %.2fs", number,
		event->program ? oe_program_id(event->program) : "-",
		event->parent ? oe_program_id(event->parent) : "-", fmax(news->seconds, 0));
	if (event->program)
		metrics(logfile, event->program);
	if (news->best)
		say(logfile, LEVEL_INFO, "process_parallel",
			"New best solution found at iteration %lld: %s", number, oe_program_id(event->program));
}

static void on_event(struct watcher *watcher, const struct story *story, const oe_event *event,
					 const struct story_news *news)
{
	static const enum level of_library[] = { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };
	struct logfile *logfile = (struct logfile *)watcher;

	(void)story;
	switch (event->type) {
	case OE_EVENT_ITERATION:
		iteration(logfile, event, news);
		break;
	case OE_EVENT_SEEDED:
		say(logfile, LEVEL_INFO, "controller", "Adding initial program to database");
		if (event->program)
			metrics(logfile, event->program);
		break;
	case OE_EVENT_MIGRATION:
		say(logfile, LEVEL_INFO, "process_parallel", "Performing migration at iteration %lld",
			(long long)event->iteration);
		break;
	case OE_EVENT_CHECKPOINT:
		say(logfile, LEVEL_INFO, "controller", "Saved checkpoint at iteration %lld to %s",
			(long long)event->iteration, event->text);
		break;
	case OE_EVENT_PAUSED:
		say(logfile, LEVEL_WARNING, "controller", "Paused: %s", event->text);
		break;
	case OE_EVENT_CONTINUED:
		say(logfile, LEVEL_INFO, "controller", "Going on");
		break;
	case OE_EVENT_LOG:
		say(logfile, of_library[event->level & 3], "controller", "%s", event->text);
		break;
	default:
		break;
	}
}

static void on_tick(struct watcher *watcher, const struct story *story)
{
	struct logfile *logfile = (struct logfile *)watcher;

	(void)story;
	if (story_clock() < logfile->flush_at)
		return;
	fflush(logfile->stream);
	logfile->flush_at = story_clock() + FLUSH_S;
}

static void on_end(struct watcher *watcher, const struct story *story)
{
	struct logfile *logfile = (struct logfile *)watcher;

	say(logfile, LEVEL_INFO, "controller", "Evolution completed - %s after %lld iterations",
		story->reason_text[0] ? story->reason_text : story->reason, (long long)story->now.ended);
	if (ferror(logfile->stream))
		message("the log file could not be written completely");
}

static void release(struct watcher *watcher)
{
	struct logfile *logfile = (struct logfile *)watcher;

	fclose(logfile->stream);
	free(logfile->prefix);
	free(logfile);
}

static enum level level_of(const char *name)
{
	for (enum level level = LEVEL_DEBUG; level <= LEVEL_CRITICAL; level++)
		if (strcmp(levels[level], name) == 0)
			return level;
	return LEVEL_INFO;
}

struct watcher *logfile_new(const char *directory, const char *level, const char *prefix)
{
	static const struct watcher_methods methods = { on_event, on_tick, on_end, release };
	time_t now = time(NULL);
	struct tm parts;

	localtime_r(&now, &parts);
	AUTO(string) char *path =
		must_format("%s/openevolve_%04d%02d%02d_%02d%02d%02d.log", directory, parts.tm_year + 1900,
					parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
	if (mkdir(directory, 0777) < 0 && errno != EEXIST) {
		message("no log file: %s: %s", directory, strerror(errno));
		return NULL;
	}
	FILE *stream = fopen(path, "ae");
	if (!stream) {
		message("no log file: %s: %s", path, strerror(errno));
		return NULL;
	}
	struct logfile *logfile = must_alloc(1, sizeof(*logfile));
	logfile->watcher.methods = &methods;
	logfile->stream = stream;
	logfile->level = level_of(level);
	logfile->prefix = prefix ? must_copy(prefix) : NULL;
	logfile->flush_at = story_clock() + FLUSH_S;
	say(logfile, LEVEL_INFO, "controller", "Logging to %s", path);
	return &logfile->watcher;
}
