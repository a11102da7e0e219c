/*
 * The live display: lines scroll above a block that stays at the bottom. Plain ANSI, no alternate
 * screen, so the scrollback keeps everything. Runs on the loop's thread.
 */

#include "display.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signals.h"
#include "terminal.h"

#define FRAME_S 0.1

/* Fast runs end hundreds of iterations a second: an ordinary one has a line only as long as
   somebody could read it. The block counts all of them. */
#define LINES_PER_S 3
#define LINES_BURST 12

struct display {
	struct watcher watcher;
	struct display_style style;
	struct text pending; /* lines that scroll in with the next frame, each with its line feed */
	size_t drawn;        /* lines of the block on the screen                                   */
	double drawn_at, filled_at;
	double lines_left; /* ordinary lines that may still be shown                               */
};

/* Go to where the block began, and erase it. */
static void add_erase(struct text *frame, const struct display *display)
{
	if (display->drawn > 1)
		text_format(frame, "\x1b[%zuA", display->drawn - 1);
	if (display->drawn > 0)
		text_add(frame, "\r\x1b[J");
}

/* One write per frame: with synchronised update (?2026) it appears at once, or not at all. */
static void put(const struct display *display, const struct text *frame)
{
	fwrite(text_string(frame), 1, frame->size, display->style.stream);
	fflush(display->style.stream);
}

static void draw(struct display *display, const struct story *story)
{
	AUTO(text) struct text frame = TEXT_INIT;
	struct text lines[DISPLAY_LINES] = { TEXT_INIT };

	terminal_size(display->style.stream, &display->style.columns, &display->style.rows);
	size_t count = display_block(lines, &display->style, story);
	text_add(&frame, "\x1b[?2026h\x1b[?25l\x1b[?7l");
	add_erase(&frame, display);
	text_add_bytes(&frame, text_string(&display->pending), display->pending.size);
	for (size_t i = 0; i < count; i++) {
		text_add(&frame, i ? "\r\n" : "");
		text_add(&frame, text_string(&lines[i]));
		text_done(&lines[i]);
	}
	text_add(&frame, "\x1b[?7h\x1b[?2026l");
	put(display, &frame);
	text_clear(&display->pending);
	display->drawn = count;
	display->drawn_at = story_clock();
}

static bool may_show(struct display *display, const oe_event *event, const struct story_news *news)
{
	double now = story_clock();

	if (event->type != OE_EVENT_ITERATION || news->best)
		return true;
	display->lines_left += (now - display->filled_at) * LINES_PER_S;
	display->filled_at = now;
	if (display->lines_left > LINES_BURST)
		display->lines_left = LINES_BURST;
	if (display->lines_left < 1)
		return false;
	display->lines_left -= 1;
	return true;
}

static void on_event(struct watcher *watcher, const struct story *story, const oe_event *event,
					 const struct story_news *news)
{
	struct display *display = (struct display *)watcher;

	(void)story;
	if (!may_show(display, event, news))
		return;
	if (display_line(&display->pending, &display->style, event, news))
		text_add(&display->pending, "\r\n");
}

static void on_tick(struct watcher *watcher, const struct story *story)
{
	struct display *display = (struct display *)watcher;

	if (signals_continued())
		display->drawn = 0; /* the shell wrote over the block */
	if (story_clock() - display->drawn_at >= FRAME_S)
		draw(display, story);
}

static void on_end(struct watcher *watcher, const struct story *story)
{
	struct display *display = (struct display *)watcher;
	AUTO(text) struct text frame = TEXT_INIT;

	(void)story;
	add_erase(&frame, display);
	text_add_bytes(&frame, text_string(&display->pending), display->pending.size);
	text_add(&frame, "\x1b[?25h");
	put(display, &frame);
	text_clear(&display->pending);
	display->drawn = 0;
	signals_keep_cursor(-1);
}

static void release(struct watcher *watcher)
{
	struct display *display = (struct display *)watcher;

	text_done(&display->pending);
	free(display);
}

struct watcher *display_new(FILE *stream)
{
	static const struct watcher_methods methods = { on_event, on_tick, on_end, release };
	struct display *display = must_alloc(1, sizeof(*display));

	display->watcher.methods = &methods;
	display->style.stream = stream;
	display->style.unicode = terminal_unicode();
	display->lines_left = LINES_BURST;
	display->filled_at = story_clock();
	terminal_size(stream, &display->style.columns, &display->style.rows);
	signals_keep_cursor(fileno(stream));
	return &display->watcher;
}
