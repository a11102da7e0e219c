/*
 * Messages on standard error, and the exit status that belongs to each kind of failure.
 */

#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "terminal.h"
#include "text.h"

static int level = 1;
static const char *program = "oe";

void message_set_level(int value)
{
	level = value;
}

int message_level(void)
{
	return level;
}

void message_set_program(const char *name)
{
	program = name;
}

const char *message_program(void)
{
	return program;
}

static void print(const char *label, enum terminal_colour colour, const char *string)
{
	AUTO(text) struct text clean = TEXT_INIT;

	terminal_clean_line(&clean, string);
	fprintf(stderr, "%s: %s%s%s%s\n", program, terminal_colour(stderr, colour), label,
			terminal_colour(stderr, COLOUR_NONE), text_string(&clean));
}

void message(const char *format, ...)
{
	AUTO(text) struct text text = TEXT_INIT;
	va_list arguments;

	if (level < 1)
		return;
	va_start(arguments, format);
	text_vformat(&text, format, arguments);
	va_end(arguments);
	print("", COLOUR_NONE, text_string(&text));
}

int message_fail(int exit_status, const char *format, ...)
{
	AUTO(text) struct text text = TEXT_INIT;
	va_list arguments;

	va_start(arguments, format);
	text_vformat(&text, format, arguments);
	va_end(arguments);
	print("", COLOUR_NONE, text_string(&text));
	return exit_status;
}

static void place(struct text *text, const oe_error *err)
{
	if (!err->where[0])
		return;
	text_add(text, err->where);
	if (err->line > 0)
		text_format(text, ":%d", err->line);
	if (err->line > 0 && err->column > 0)
		text_format(text, ":%d", err->column);
	text_add(text, ": ");
}

static int status_of(int exit_status, int status)
{
	switch (status) {
	case OE_ERR_CONFIG:
		return EXIT_CONFIG;
	case OE_ERR_LLM:
		return EXIT_LLM;
	case OE_ERR_EVALUATOR:
		return EXIT_EVALUATOR;
	case OE_ERR_SANDBOX:
		return EXIT_SANDBOX;
	default:
		return exit_status;
	}
}

int message_error(int exit_status, int status, const oe_error *err)
{
	AUTO(text) struct text text = TEXT_INIT;

	if (err && err->message[0]) {
		place(&text, err);
		text_add(&text, err->message);
	} else {
		text_add(&text, oe_status_string(status));
	}
	print("", COLOUR_NONE, text_string(&text));
	return status_of(exit_status, status);
}

void message_warning(const oe_error *warning)
{
	AUTO(text) struct text text = TEXT_INIT;

	if (level < 1)
		return;
	place(&text, warning);
	text_add(&text, warning->message);
	print("warning: ", COLOUR_WARN, text_string(&text));
}

int message_finish(int exit_status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit_status;
	/* A reader that had enough, like head(1), is no failure worth a line. */
	if (errno == EPIPE)
		return exit_status == EXIT_DONE ? EXIT_FAILED : exit_status;
	return message_fail(EXIT_FAILED, "standard output: %s", strerror(errno));
}
