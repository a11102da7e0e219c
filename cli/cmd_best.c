/* oe best: the fittest program, to the screen or to a file. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "files.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"

static int write_program(const oe_program *program, const char *path)
{
	oe_bytes code = oe_program_code(program);

	if (file_write(path, code.data, code.size, true) < 0)
		return message_fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	AUTO(text) struct text score = TEXT_INIT;
	text_score(&score, oe_program_fitness(program));
	message("%s has program %.8s, fitness %s", path, oe_program_id(program), text_string(&score));
	return EXIT_DONE;
}

/* The best of one metric instead of fitness, among the live programs. */
static int best_of_metric(struct book *book, const char *metric, oe_program **out)
{
	oe_population *population;
	oe_program *program, *best = NULL;
	double best_value = 0;

	int status = book_population(book, &population);
	if (status)
		return status;
	for (size_t i = 0; (program = oe_population_ranked(population, OE_ISLAND_ALL, i)); i++) {
		const char *name;
		double value;
		for (size_t j = 0; (name = oe_program_metric_at(program, j, &value)); j++) {
			if (strcmp(name, metric) != 0 || value != value || (best && value <= best_value))
				continue;
			best = program;
			best_value = value;
		}
	}
	if (!best)
		return message_fail(EXIT_FAILED, "no program has a number called '%s'", metric);
	*out = oe_program_ref(best);
	return EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	const char *metric = arguments_get(arguments, "metric");
	const char *path = arguments_get(arguments, "output");
	AUTO(program) oe_program *program = NULL;
	struct book book;

	int status = book_open(arguments_operand(arguments, 0), &book);
	if (status)
		return status;
	status = metric ? best_of_metric(&book, metric, &program)
					: book_program(&book, "best", &program);
	if (status == EXIT_DONE && path)
		status = write_program(program, path);
	if (status == EXIT_DONE && arguments_has(arguments, "json")) {
		json_t *root = json_document("program");
		json_t *object = json_program(program, 1);
		json_object_update(root, object);
		json_decref(object);
		status = json_print(root);
	} else if (status == EXIT_DONE && !path) {
		oe_bytes code = oe_program_code(program);
		terminal_print(stdout, code.data, code.size);
	}
	return book_finish(&book, status);
}

static const struct option options[] = {
	{ "output", "FILE", "write the program there", NULL, NULL, OPTION_FILE, 'o' },
	{ "metric", "NAME", "the best in this metric, among the live programs", NULL, NULL, OPTION_TEXT,
	  0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_json, options_common, NULL };

const struct command command_best = {
	.name = "best",
	.group = "Look",
	.summary = "Print the best program",
	.operands = "[RUN]",
	.details = "RUN is a run's directory or a checkpoint, ours or OpenEvolve's; by default the "
			   "newest run below the working directory.",
	.options = tables,
	.examples = {
		{ "oe best > best.py", "its code" },
		{ "oe best openevolve_output --json", "with its metrics" },
	},
	.operands_max = 1,
	.run = run,
};
