/*
 * Events as NDJSON, one object a line, schema oe.event/1 (docs/events.md).
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "text.h"
#include "watch.h"

#define PROGRESS_S 5

struct ndjson {
	struct watcher watcher;
	FILE *stream;
	bool close, started;
	double progress_at;
};

static json_t *begin(const char *type)
{
	json_t *root = json_document("event");
	struct timespec now;
	struct tm parts;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	AUTO(string) char *time =
		must_format("%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
					parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
					now.tv_nsec / 1000000);
	json_set(root, "t", json_string(time));
	json_set(root, "type", json_string(type));
	return root;
}

/* A reader may see each event at once: none waits in a buffer. */
static void end(struct ndjson *ndjson, json_t *root)
{
	AUTO(string) char *line = json_line(root);

	fputs(line, ndjson->stream);
	fflush(ndjson->stream);
}

static void add_progress(json_t *root, const struct story *story)
{
	const oe_statistics *now = &story->now;

	json_set(root, "ended", json_integer(now->ended));
	json_set(root, "issued", json_integer(now->issued));
	json_set(root, "iterations_max", json_count(story->iterations_max));
	json_set(root, "best", json_number(story->best));
	json_set(root, "elapsed_s", json_number(now->elapsed_s));
	double left = story_left(story);
	json_set(root, "left_s", left < 0 ? json_null() : json_number(left));
	json_set(root, "llm_in_flight", json_integer(now->llm_in_flight));
	json_set(root, "llm_requests", json_integer(now->llm_requests));
	json_set(root, "llm_attempts", json_integer(now->llm_attempts));
	json_set(root, "tokens_in", json_count(now->tokens_in));
	json_set(root, "tokens_out", json_count(now->tokens_out));
	json_set(root, "evaluations_in_flight", json_integer(now->evaluations_in_flight));
	json_set(root, "evaluations_queued", json_integer(now->evaluations_queued));
	json_set(root, "programs", json_integer(now->programs));
	json_set(root, "archive", json_integer(now->archive));
	json_t *outcomes = json_object();
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		if (now->outcomes[i])
			json_set(outcomes, oe_outcome_name(i), json_integer(now->outcomes[i]));
	json_set(root, "outcomes", outcomes);
}

static json_t *program_id(const oe_program *program)
{
	return program ? json_words(oe_program_id(program)) : json_null();
}

static void add_iteration(json_t *root, const oe_event *event, const struct story_news *news)
{
	json_set(root, "iter", json_integer(event->iteration));
	json_set(root, "attempt", json_integer(event->attempt));
	json_set(root, "island", json_count(event->island));
	json_set(root, "outcome", json_string(oe_outcome_name(event->outcome)));
	json_set(root, "parent_id", program_id(event->parent));
	json_set(root, "parent_fitness", json_number(news->parent_fitness));
	json_set(root, "program_id", program_id(event->program));
	json_set(root, "fitness", json_number(news->fitness));
	json_set(root, "best", json_boolean(news->best));
	json_set(root, "metrics",
			 event->program ? json_metrics(oe_program_evaluation(event->program)) : json_null());
	json_set(root, "model", json_words(event->model));
	json_set(root, "llm_s", event->llm_ms < 0 ? json_null() : json_number(event->llm_ms / 1000));
	json_set(root, "eval_s",
			 event->evaluation_ms < 0 ? json_null() : json_number(event->evaluation_ms / 1000));
	json_set(root, "tokens_in", json_count(event->tokens_in));
	json_set(root, "tokens_out", json_count(event->tokens_out));
	json_set(root, "text", json_words(event->text));
}

static json_t *translate(const oe_event *event, const struct story_news *news)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	json_t *root = NULL;

	switch (event->type) {
	case OE_EVENT_ITERATION:
		root = begin("iteration");
		add_iteration(root, event, news);
		break;
	case OE_EVENT_SEEDED:
		root = begin("initial");
		json_set(root, "program_id", program_id(event->program));
		json_set(root, "fitness", json_number(news->fitness));
		json_set(root, "metrics",
				 event->program ? json_metrics(oe_program_evaluation(event->program)) : json_null());
		json_set(root, "text", json_words(event->text));
		break;
	case OE_EVENT_BEST:
		root = begin("new_best");
		json_set(root, "iter", json_integer(event->iteration));
		json_set(root, "program", event->program ? json_program(event->program, 0) : json_null());
		break;
	case OE_EVENT_MIGRATION:
		root = begin("migration");
		json_set(root, "iter", json_integer(event->iteration));
		json_set(root, "count", json_integer(event->count));
		break;
	case OE_EVENT_CHECKPOINT:
		root = begin("checkpoint");
		json_set(root, "iter", json_integer(event->iteration));
		json_set(root, "path", json_words(event->text));
		break;
	case OE_EVENT_LOG:
		root = begin("log");
		json_set(root, "level", json_string(levels[event->level & 3]));
		json_set(root, "text", json_words(event->text));
		break;
	case OE_EVENT_PAUSED:
	case OE_EVENT_CONTINUED:
		root = begin(event->type == OE_EVENT_PAUSED ? "paused" : "continued");
		json_set(root, "text", json_words(event->text));
		break;
	default:
		break;
	}
	return root;
}

static void run_started(struct ndjson *ndjson, const struct story *story)
{
	json_t *root = begin("run_started");

	json_set(root, "name", json_words(story->name));
	json_set(root, "directory", json_words(story->directory));
	json_set(root, "iterations_max", json_count(story->iterations_max));
	json_set(root, "target", json_number(story->target));
	end(ndjson, root);
	ndjson->started = true;
}

static void on_event(struct watcher *watcher, const struct story *story, const oe_event *event,
					 const struct story_news *news)
{
	struct ndjson *ndjson = (struct ndjson *)watcher;

	if (!ndjson->started)
		run_started(ndjson, story);
	json_t *root = translate(event, news);
	if (root)
		end(ndjson, root);
}

static void on_tick(struct watcher *watcher, const struct story *story)
{
	struct ndjson *ndjson = (struct ndjson *)watcher;

	if (!ndjson->started)
		run_started(ndjson, story);
	if (story_clock() < ndjson->progress_at)
		return;
	json_t *root = begin("progress");
	add_progress(root, story);
	end(ndjson, root);
	ndjson->progress_at = story_clock() + PROGRESS_S;
}

static void on_end(struct watcher *watcher, const struct story *story)
{
	struct ndjson *ndjson = (struct ndjson *)watcher;
	json_t *root = begin("run_finished");

	json_set(root, "reason", json_string(story->reason));
	json_set(root, "text", json_words(story->reason_text));
	json_set(root, "best_id", story->best_id[0] ? json_words(story->best_id) : json_null());
	add_progress(root, story);
	end(ndjson, root);
}

static void release(struct watcher *watcher)
{
	struct ndjson *ndjson = (struct ndjson *)watcher;

	if (ndjson->close)
		fclose(ndjson->stream);
	free(ndjson);
}

struct watcher *ndjson_new(FILE *stream, bool close)
{
	static const struct watcher_methods methods = { on_event, on_tick, on_end, release };
	struct ndjson *ndjson = must_alloc(1, sizeof(*ndjson));

	ndjson->watcher.methods = &methods;
	ndjson->stream = stream;
	ndjson->close = close;
	ndjson->progress_at = story_clock() + PROGRESS_S;
	return &ndjson->watcher;
}
