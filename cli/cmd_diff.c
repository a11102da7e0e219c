/* oe diff: what changed between two programs. */

#include <stdio.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"

static enum terminal_colour colour_of(const char *line)
{
	if (text_starts(line, "+++") || text_starts(line, "---"))
		return COLOUR_BOLD;
	return *line == '+' ? COLOUR_GOOD : *line == '-' ? COLOUR_BAD : *line == '@' ? COLOUR_DIM
																				  : COLOUR_NONE;
}

/* The unified format, which patch(1) reads; colour and cleaning only for a terminal. */
static void print_unified(const char *unified)
{
	if (!terminal_colours(stdout)) {
		terminal_print(stdout, unified, strlen(unified));
		return;
	}
	for (const char *line = unified; *line;) {
		size_t size = strcspn(line, "\n");
		AUTO(text) struct text clean = TEXT_INIT;
		terminal_clean(&clean, line, size, true);
		enum terminal_colour colour = colour_of(line);
		printf("%s%s%s\n", colour ? terminal_colour(stdout, colour) : "", text_string(&clean),
			   colour ? terminal_colour(stdout, COLOUR_NONE) : "");
		line += size + (line[size] == '\n');
	}
}

static char *label_of(const oe_program *program)
{
	AUTO(text) struct text score = TEXT_INIT;

	text_score(&score, oe_program_fitness(program));
	return must_format("%.8s (it %lld, fitness %s)", oe_program_id(program),
					   (long long)oe_program_iteration(program), text_string(&score));
}

static int print(const struct arguments *arguments, const oe_program *from, const oe_program *to)
{
	AUTO(diff) oe_diff *diff = NULL;
	AUTO(string) char *from_label = label_of(from);
	AUTO(string) char *to_label = label_of(to);

	int status = oe_diff_new(oe_program_code(from), oe_program_code(to), &diff);
	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	const char *unified = oe_diff_unified(diff, from_label, to_label,
										  (size_t)arguments_whole(arguments, "context", 3));
	if (!unified)
		return message_error(EXIT_FAILED, OE_ERR_NOMEM, NULL);
	bool same = oe_diff_added(diff) + oe_diff_removed(diff) == 0;
	if (arguments_has(arguments, "json")) {
		json_t *root = json_document("diff");
		json_set(root, "from", json_words(oe_program_id(from)));
		json_set(root, "to", json_words(oe_program_id(to)));
		json_set(root, "fitness_from", json_number(oe_program_fitness(from)));
		json_set(root, "fitness_to", json_number(oe_program_fitness(to)));
		json_set(root, "added", json_integer((json_int_t)oe_diff_added(diff)));
		json_set(root, "removed", json_integer((json_int_t)oe_diff_removed(diff)));
		json_set(root, "unified", json_words(unified));
		json_print(root);
	} else if (arguments_has(arguments, "stat")) {
		printf("+%zu -%zu  %s -> %s\n", oe_diff_added(diff), oe_diff_removed(diff), from_label,
			   to_label);
	} else {
		print_unified(unified);
	}
	return arguments_has(arguments, "exit-code") && !same ? EXIT_FAILED : EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	const char *other = arguments_operand(arguments, 1);
	AUTO(program) oe_program *to = NULL;
	AUTO(program) oe_program *from = NULL;
	struct book book;

	int status = book_open(arguments_get(arguments, "run"), &book);
	if (status)
		return status;
	status = book_program(&book, arguments_operand(arguments, 0), &to);
	if (status == EXIT_DONE)
		status = other ? book_program(&book, other, &from) : book_parent(&book, to, &from);
	if (status == EXIT_DONE && !from)
		status = message_fail(EXIT_FAILED, "%.8s is an initial program: it has no parent",
							  oe_program_id(to));
	if (status == EXIT_DONE)
		status = print(arguments, from, to);
	return book_finish(&book, status);
}

static const struct option options[] = {
	{ "stat", NULL, "only how many lines", NULL, NULL, OPTION_FLAG, 0 },
	{ "exit-code", NULL, "exit with 1 if they differ", NULL, NULL, OPTION_FLAG, 0 },
	{ "context", "N", "lines around each change (default 3)", NULL, NULL, OPTION_WHOLE, 0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_which, options_json, options_common,
											   NULL };

const struct command command_diff = {
	.name = "diff",
	.group = "Look",
	.summary = "Show what changed between two programs",
	.operands = "PROGRAM [FROM]",
	.details = "Without FROM: what changed from the program's parent to it. " BOOK_NAMES,
	.options = tables,
	.examples = {
		{ "oe diff best initial", "from the initial program to the best" },
		{ "oe diff best --stat", "from its parent, in two numbers" },
	},
	.operands_min = 1,
	.operands_max = 2,
	.run = run,
};
