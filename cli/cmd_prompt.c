/* oe prompt: exactly what a model was asked. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"

/* The last iteration; with `parent`, the last one that changed it. 0 if there is none. */
static int last_iteration(struct book *book, const char *parent, int64_t *out)
{
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };
	int64_t number = 0;
	oe_error err = { 0 };

	int status = book_issued(book, &number);
	if (status)
		return status;
	for (; number > 0; number--) {
		int got = oe_run_iteration_at(book->run, number, &iteration, &err);
		if (got < 0)
			return message_error(EXIT_STORE, got, &err);
		if (got > 0 && (!parent || strcmp(iteration.parent_id, parent) == 0))
			break;
	}
	*out = number;
	return EXIT_DONE;
}

static int choose(struct book *book, const struct arguments *arguments, int64_t *out)
{
	const char *name = arguments_get(arguments, "parent");
	AUTO(program) oe_program *parent = NULL;

	if (arguments_has(arguments, "iteration")) {
		*out = arguments_whole(arguments, "iteration", 0);
		return EXIT_DONE;
	}
	int status = name ? book_program(book, name, &parent) : EXIT_DONE;
	if (status == EXIT_DONE)
		status = last_iteration(book, parent ? oe_program_id(parent) : NULL, out);
	if (status == EXIT_DONE && *out == 0)
		return message_fail(EXIT_FAILED, "no iteration asked for this");
	return status;
}

/* The last one now: the run may go on with the next one. -1 if there is none, as is said where it is printed. */
static int last_attempt(struct book *book, int64_t number, int32_t *out)
{
	oe_run_iteration iteration = { .struct_size = sizeof(iteration) };
	oe_error err = { 0 };

	int got = oe_run_iteration_at(book->run, number, &iteration, &err);
	if (got < 0)
		return message_error(EXIT_STORE, got, &err);
	*out = got > 0 ? iteration.attempt : -1;
	return EXIT_DONE;
}

static int print(struct book *book, int64_t number, int32_t attempt, bool json)
{
	AUTO(run_text) char *system = NULL;
	AUTO(run_text) char *user = NULL;
	oe_error err = { 0 };

	int status = oe_run_prompt(book->run, number, attempt, &system, &user, &err);
	if (status < 0)
		return message_error(status == OE_ERR_INVALID ? EXIT_FAILED : EXIT_STORE, status, &err);
	if (json) {
		json_t *root = json_document("prompt");
		json_set(root, "iteration", json_integer(number));
		json_set(root, "attempt", json_integer(attempt));
		json_set(root, "system", json_words(system));
		json_set(root, "user", json_words(user));
		return json_print(root);
	}
	terminal_print(stdout, system, strlen(system));
	fputs("\n\n", stdout);
	terminal_print(stdout, user, strlen(user));
	putchar('\n');
	return EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	struct book book;
	int64_t number = 0, given = arguments_whole(arguments, "attempt", -1);
	int32_t attempt = given < INT32_MAX ? (int32_t)given : INT32_MAX;

	int status = book_open_run(arguments_operand(arguments, 0), &book);
	if (status)
		return status;
	status = choose(&book, arguments, &number);
	if (status == EXIT_DONE && attempt < 0)
		status = last_attempt(&book, number, &attempt);
	if (status == EXIT_DONE)
		status = print(&book, number, attempt, arguments_has(arguments, "json"));
	book_close(&book);
	return status;
}

static const struct option options[] = {
	{ "iteration", "N", "of this iteration; by default the last one", NULL, NULL, OPTION_WHOLE,
	  'i' },
	{ "attempt", "N", "of this attempt at it, from 0; by default the last one", NULL, NULL, OPTION_WHOLE, 0 },
	{ "parent", "PROGRAM", "of the last iteration that changed this program", NULL, NULL,
	  OPTION_TEXT, 0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_json, options_common, NULL };

const struct command command_prompt = {
	.name = "prompt",
	.group = "Look",
	.summary = "Print the exact prompt of an iteration",
	.operands = "[RUN]",
	.details = "The prompt is rendered again from what the iteration drew, and proven to be the "
			   "same by its hash. Of one that nobody answered there is no hash: it is rendered as the "
			   "session asked that ended it.",
	.options = tables,
	.examples = {
		{ "oe prompt", "of the newest run's last iteration" },
		{ "oe prompt openevolve_output --parent best", "the last try to improve the best" },
	},
	.operands_max = 1,
	.run = run,
};
