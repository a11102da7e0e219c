#ifndef CLI_WATCH_H
#define CLI_WATCH_H

/*
 * Watchers: what shows a run to somebody while it goes on. The loop calls them, on its thread; the
 * story is up to date then.
 */

#include <stdio.h>

#include "story.h"

struct watcher;

struct watcher_methods {
	/* Something happened. */
	void (*event)(struct watcher *watcher, const struct story *story, const oe_event *event,
				  const struct story_news *news);

	/* Time went on; some ten times a second. */
	void (*tick)(struct watcher *watcher, const struct story *story);

	/* The run ended; the story is complete. */
	void (*end)(struct watcher *watcher, const struct story *story);

	void (*free)(struct watcher *watcher);
};

/* Each watcher begins with one of these. */
struct watcher {
	const struct watcher_methods *methods;
};

/* The pinned block on a terminal, with lines that scroll above it. */
struct watcher *display_new(FILE *stream);

/* A line per event, for logs of other programs. */
struct watcher *plain_new(FILE *stream);

/* NDJSON, schema oe.event/1. Takes the stream over if `close`. */
struct watcher *ndjson_new(FILE *stream, bool close);

/* The run's own log file, written as OpenEvolve does; `level` is one of its names. NULL and a
   message on standard error if the file cannot be made. */
struct watcher *logfile_new(const char *directory, const char *level, const char *prefix);

#endif /* CLI_WATCH_H */
