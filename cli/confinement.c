#include "confinement.h"

#include <stdio.h>
#include <string.h>

#include "terminal.h"

static const struct {
	const char *name, *shown;
	enum terminal_colour colour;
} levels[] = {
	{ "enforced", "enforced", COLOUR_GOOD },
	{ "partial", "in part", COLOUR_WARN },
	{ "none", "not", COLOUR_BAD },
	{ "not_requested", "not asked for", COLOUR_DIM },
};

#define LEVEL_WIDTH 13 /* of the longest of these */

static const char *string_at(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	return string ? string : "";
}

static size_t *count_of(struct confinement *confinement, const char *level)
{
	if (strcmp(level, "enforced") == 0)
		return &confinement->enforced;
	if (strcmp(level, "partial") == 0)
		return &confinement->partial;
	return strcmp(level, "not_requested") == 0 ? &confinement->not_requested : &confinement->none;
}

bool confinement_read(const json_t *report, struct confinement *out)
{
	const json_t *guarantees = json_object_get(report, "guarantees");
	const json_t *tier = json_object_get(report, "tier");
	size_t i;
	json_t *line;

	*out = (struct confinement){ .tier = json_is_integer(tier) ? (int)json_integer_value(tier) : -1 };
	json_array_foreach(guarantees, i, line)
		++*count_of(out, string_at(line, "level"));
	return json_is_array(guarantees);
}

void confinement_summary(struct text *text, const struct confinement *confinement)
{
	if (confinement->tier < 0)
		text_add(text, "nothing is confined: ");
	else
		text_format(text, "tier %d: ", confinement->tier);
	text_format(text, "%zu guarantees enforced", confinement->enforced);
	if (confinement->partial > 0)
		text_format(text, ", %zu in part", confinement->partial);
	if (confinement->none > 0)
		text_format(text, ", %zu not", confinement->none);
	if (confinement->not_requested > 0)
		text_format(text, ", %zu not asked for", confinement->not_requested);
}

static size_t longest_name(const json_t *guarantees)
{
	size_t i, width = 0;
	json_t *line;

	json_array_foreach(guarantees, i, line) {
		size_t size = terminal_width(string_at(line, "name"));
		width = size > width ? size : width;
	}
	return width;
}

/* Padded before it is coloured: sequences have no width. */
static void add_level(struct text *text, const char *name)
{
	size_t i = 0;

	while (i + 1 < sizeof(levels) / sizeof(levels[0]) && strcmp(levels[i].name, name) != 0)
		i++;
	text_add(text, terminal_colour(stdout, levels[i].colour));
	text_add(text, levels[i].shown);
	text_add(text, terminal_colour(stdout, COLOUR_NONE));
	text_repeat(text, " ", LEVEL_WIDTH - strlen(levels[i].shown));
}

void confinement_table(const json_t *report)
{
	const json_t *guarantees = json_object_get(report, "guarantees");
	size_t i, width = longest_name(guarantees);
	json_t *line;

	json_array_foreach(guarantees, i, line) {
		AUTO(text) struct text text = TEXT_INIT;
		const char *mechanism = string_at(line, "mechanism"), *reason = string_at(line, "reason");
		text_add(&text, "  ");
		terminal_clean_line(&text, string_at(line, "name"));
		text_repeat(&text, " ", width - terminal_width(string_at(line, "name")) + 2);
		add_level(&text, string_at(line, "level"));
		if (*mechanism || *reason)
			text_add(&text, "  ");
		terminal_clean_line(&text, mechanism);
		text_add(&text, *mechanism && *reason ? "; " : "");
		terminal_clean_line(&text, reason);
		puts(text_string(&text));
	}
}
