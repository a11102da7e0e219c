/* oe show: one program, and how it came about. */

#include <stdio.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "report.h"
#include "terminal.h"

/* The iteration that made a program. 1, 0 if that is not known, or an exit status > 1. */
static int find_iteration(struct book *book, const oe_program *program, oe_run_iteration *out)
{
	oe_error err = { 0 };

	*out = (oe_run_iteration){ .struct_size = sizeof(*out) };
	if (!book->run || oe_program_iteration(program) == 0)
		return 0;
	int got = oe_run_iteration_at(book->run, oe_program_iteration(program), out, &err);
	return got < 0 ? message_error(EXIT_STORE, got, &err) : got;
}

static int print_answer(struct book *book, const oe_program *program)
{
	oe_run_iteration iteration;
	int got = find_iteration(book, program, &iteration);

	if (got > 1)
		return got;
	if (got == 0 || !iteration.answer)
		return message_fail(EXIT_FAILED, "there is no answer: no model made this program");
	terminal_print(stdout, iteration.answer, iteration.answer_size);
	return EXIT_DONE;
}

static int print_prompt(struct book *book, const oe_program *program)
{
	AUTO(run_text) char *system = NULL;
	AUTO(run_text) char *user = NULL;
	oe_error err = { 0 };

	if (!book->run || oe_program_iteration(program) == 0)
		return message_fail(EXIT_FAILED, "there is no prompt: no model made this program");
	int status = oe_run_prompt(book->run, oe_program_iteration(program), -1, &system, &user, &err);
	if (status < 0)
		return message_error(EXIT_STORE, status, &err);
	terminal_print(stdout, system, strlen(system));
	putchar('\n');
	terminal_print(stdout, user, strlen(user));
	return EXIT_DONE;
}

static int print_artifacts(const oe_program *program)
{
	oe_bytes content;
	const char *name;

	for (size_t i = 0; (name = oe_program_artifact_at(program, i, &content)); i++) {
		AUTO(text) struct text clean = TEXT_INIT;
		terminal_clean_line(&clean, name);
		printf("%s---- %s, %zu bytes ----\n", i ? "\n" : "", text_string(&clean), content.size);
		terminal_print(stdout, content.data, content.size);
		putchar('\n');
	}
	return EXIT_DONE;
}

static void add_line(struct text *text, const char *label, const char *value)
{
	text_format(text, "%-11s ", label);
	terminal_clean_line(text, value);
	text_add_char(text, '\n');
}

static void print_record(const oe_program *program)
{
	AUTO(text) struct text text = TEXT_INIT;
	const char *parent = oe_program_parent_id(program);

	add_line(&text, "id", oe_program_id(program));
	add_line(&text, oe_program_is_migrant(program) ? "copy of" : "parent", parent ? parent : "-");
	text_format(&text, "iteration   %lld, generation %lld, island %d\n",
				(long long)oe_program_iteration(program),
				(long long)oe_program_generation(program), oe_program_island(program));
	text_add(&text, "fitness     ");
	text_score(&text, oe_program_fitness(program));
	text_format(&text, "\ncode        %zu bytes of %s, sha256 %.16s\n",
				oe_program_code(program).size, oe_program_language(program),
				oe_program_content_hash(program));
	if (oe_program_changes(program)[0])
		add_line(&text, "changes", oe_program_changes(program));
	fputs(text_string(&text), stdout);
}

static void print_making(const oe_run_iteration *iteration)
{
	AUTO(text) struct text text = TEXT_INIT;

	text_add(&text, "made by     ");
	terminal_clean_line(&text, iteration->model[0] ? iteration->model : "?");
	if (iteration->llm_ms >= 0) {
		text_add(&text, " in ");
		text_duration(&text, iteration->llm_ms / 1000);
	}
	if (iteration->tokens_in >= 0)
		text_format(&text, ", %lld tokens in, %lld out", (long long)iteration->tokens_in,
					(long long)iteration->tokens_out);
	puts(text_string(&text));
}

static int print_text(struct book *book, const oe_program *program)
{
	oe_run_iteration iteration;

	print_record(program);
	int got = find_iteration(book, program, &iteration);
	if (got > 1)
		return got;
	if (got == 1)
		print_making(&iteration);
	if (oe_program_evaluation(program)) {
		puts("evaluation");
		report_evaluation(oe_program_evaluation(program));
	}
	return EXIT_DONE;
}

static int print_json(struct book *book, const oe_program *program)
{
	json_t *root = json_document("program");
	json_t *object = json_program(program, 1);
	oe_run_iteration iteration;

	json_object_update(root, object);
	json_decref(object);
	int got = find_iteration(book, program, &iteration);
	if (got > 1) {
		json_decref(root);
		return got;
	}
	if (got == 1) {
		json_set(root, "outcome", json_string(oe_outcome_name(iteration.outcome)));
		json_set(root, "model", json_words(iteration.model));
		json_set(root, "answer", iteration.answer
									 ? json_text(iteration.answer, iteration.answer_size)
									 : json_null());
		json_set(root, "tokens_in", json_count(iteration.tokens_in));
		json_set(root, "tokens_out", json_count(iteration.tokens_out));
	}
	return json_print(root);
}

static int print(const struct arguments *arguments, struct book *book, const oe_program *program)
{
	if (arguments_has(arguments, "code")) {
		oe_bytes code = oe_program_code(program);
		terminal_print(stdout, code.data, code.size);
		return EXIT_DONE;
	}
	if (arguments_has(arguments, "prompt"))
		return print_prompt(book, program);
	if (arguments_has(arguments, "response"))
		return print_answer(book, program);
	if (arguments_has(arguments, "artifacts"))
		return print_artifacts(program);
	return arguments_has(arguments, "json") ? print_json(book, program) : print_text(book, program);
}

static int run(const struct arguments *arguments)
{
	AUTO(program) oe_program *program = NULL;
	struct book book;

	int status = book_open(arguments_get(arguments, "run"), &book);
	if (status)
		return status;
	status = book_program(&book, arguments_operand(arguments, 0), &program);
	if (status == EXIT_DONE)
		status = print(arguments, &book, program);
	return book_finish(&book, status);
}

static const struct option options[] = {
	{ "code", NULL, "only its code", NULL, NULL, OPTION_FLAG, 0 },
	{ "prompt", NULL, "only the prompt that led to it", NULL, NULL, OPTION_FLAG, 0 },
	{ "response", NULL, "only the answer of the model", NULL, NULL, OPTION_FLAG, 0 },
	{ "artifacts", NULL, "only what the evaluator left, in full", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_which, options_json, options_common,
											   NULL };

const struct command command_show = {
	.name = "show",
	.group = "Look",
	.summary = "Show a program and how it came about",
	.operands = "PROGRAM",
	.details = BOOK_NAMES,
	.options = tables,
	.examples = {
		{ "oe show best", "metrics, parent, model" },
		{ "oe show @12 --prompt", "what the model was asked in iteration 12" },
	},
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
