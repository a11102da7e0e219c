/* oe lineage: the ancestors of a program, and what each step brought. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"

struct step {
	const oe_program *program, *parent; /* parent: NULL for the first */
	size_t added, removed;
};

static int measure(struct step *step)
{
	AUTO(diff) oe_diff *diff = NULL;

	if (!step->parent)
		return EXIT_DONE;
	int status =
		oe_diff_new(oe_program_code(step->parent), oe_program_code(step->program), &diff);
	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	step->added = oe_diff_added(diff);
	step->removed = oe_diff_removed(diff);
	return EXIT_DONE;
}

static void print_step(const struct step *step)
{
	AUTO(text) struct text text = TEXT_INIT;
	AUTO(text) struct text score = TEXT_INIT;
	AUTO(text) struct text gain = TEXT_INIT;
	double fitness = oe_program_fitness(step->program);
	double delta = step->parent ? fitness - oe_program_fitness(step->parent) : NAN;
	const char *changes = oe_program_changes(step->program);

	text_score(&score, fitness);
	if (isfinite(delta))
		text_format(&gain, "%+.4g", delta);
	text_format(&text, "%.8s  it %-7lld %10s %-11s +%zu -%zu  ", oe_program_id(step->program),
				(long long)oe_program_iteration(step->program), text_string(&score),
				text_string(&gain), step->added, step->removed);
	if (oe_program_is_migrant(step->program))
		text_format(&text, "migrated to island %d", oe_program_island(step->program));
	else if (!step->parent)
		text_add(&text, "initial program");
	else
		terminal_clean(&text, changes, strcspn(changes, "\n"), false);
	puts(text_string(&text));
}

static void add_step(json_t *array, const struct step *step)
{
	json_t *object = json_program(step->program, 0);

	json_set(object, "added", json_integer((json_int_t)step->added));
	json_set(object, "removed", json_integer((json_int_t)step->removed));
	json_push(array, object);
}

/* From the program up to an initial one. With `array`, collect; without, print. */
static int climb(struct book *book, oe_program *program, json_t *array)
{
	AUTO(program) oe_program *at = oe_program_ref(program);

	while (at) {
		AUTO(program) oe_program *parent = NULL;
		int status = book_parent(book, at, &parent);
		struct step step = { .program = at, .parent = parent };
		if (status == EXIT_DONE)
			status = measure(&step);
		if (status)
			return status;
		if (array)
			add_step(array, &step);
		else
			print_step(&step);
		oe_program_unref(at);
		at = parent;
		parent = NULL;
	}
	return EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	AUTO(program) oe_program *program = NULL;
	struct book book;

	int status = book_open(arguments_get(arguments, "run"), &book);
	if (status)
		return status;
	const char *name = arguments_operand(arguments, 0);
	status = book_program(&book, name ? name : "best", &program);
	if (status == EXIT_DONE && arguments_has(arguments, "json")) {
		json_t *root = json_document("lineage");
		json_t *steps = json_array();
		status = climb(&book, program, steps);
		json_set(root, "programs", steps);
		if (status == EXIT_DONE)
			json_print(root);
		else
			json_decref(root);
	} else if (status == EXIT_DONE) {
		status = climb(&book, program, NULL);
	}
	return book_finish(&book, status);
}

static const struct option *const tables[] = { options_which, options_json, options_common, NULL };

const struct command command_lineage = {
	.name = "lineage",
	.group = "Look",
	.summary = "Show the ancestors of a program",
	.operands = "[PROGRAM]",
	.details = "One line per step: identifier, iteration, fitness, gain, lines added and removed. "
			   BOOK_NAMES,
	.options = tables,
	.examples = {
		{ "oe lineage", "how the best program came about" },
		{ "oe lineage @100 --json", "for a script" },
	},
	.operands_max = 1,
	.run = run,
};
