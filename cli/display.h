#ifndef CLI_DISPLAY_H
#define CLI_DISPLAY_H

/* The text of the live display, apart from the terminal that shows it. */

#include "story.h"
#include "text.h"
#include "watch.h"

#define DISPLAY_LINES 6

struct display_style {
	FILE *stream; /* whose colours are used */
	size_t columns, rows;
	bool unicode;
};

/* One scrolling line about an event; false if it is not worth one. */
bool display_line(struct text *text, const struct display_style *style, const oe_event *event,
				  const struct story_news *news);

/* The pinned block: at most DISPLAY_LINES lines, each fits. Returns their number. */
size_t display_block(struct text *lines, const struct display_style *style,
					 const struct story *story);

#endif /* CLI_DISPLAY_H */
