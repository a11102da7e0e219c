/* oe edit: what an answer of a model would do to a program. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "files.h"
#include "handles.h"
#include "json.h"
#include "session.h"
#include "settings.h"
#include "terminal.h"

static const char *const levels[] = { "none", "exact", "trailing", "shifted" };
static const char *const ambiguities[] = { "none", "exact", "tolerant", "divider" };

static const char *word(const char *const *words, size_t count, int index)
{
	return index >= 0 && (size_t)index < count ? words[index] : "unknown";
}

/* The outcome that an iteration would end in, or how the edit applied if it gives a child. */
static const char *outcome_of(const oe_edit *edit)
{
	int outcome = oe_edit_outcome(edit);

	return outcome < 0 ? oe_edit_status_name(oe_edit_status(edit)) : oe_outcome_name(outcome);
}

/* Lines `first` to first + count - 1 of a text, counted from 1. */
static oe_bytes lines_of(oe_bytes text, size_t first, size_t count)
{
	const char *begin = text.data, *end = begin + text.size, *from = begin;

	for (size_t line = 1; line < first && from < end; line++) {
		const char *feed = memchr(from, '\n', (size_t)(end - from));
		from = feed ? feed + 1 : end;
	}
	const char *to = from;
	for (size_t line = 0; line < count && to < end; line++) {
		const char *feed = memchr(to, '\n', (size_t)(end - to));
		to = feed ? feed + 1 : end;
	}
	return (oe_bytes){ from, (size_t)(to - from) };
}

/* ---- JSON ---- */

static json_t *json_block(const oe_edit_block *block, oe_bytes code)
{
	json_t *object = json_object();

	json_set(object, "status", json_string(oe_edit_status_name(block->status)));
	json_set(object, "level", json_string(word(levels, 4, block->level)));
	json_set(object, "ambiguity", json_string(word(ambiguities, 4, block->ambiguity)));
	json_set(object, "answer_line", json_integer((json_int_t)block->answer_line));
	json_set(object, "line", json_integer((json_int_t)block->line));
	json_set(object, "line_count", json_integer((json_int_t)block->line_count));
	json_set(object, "search", json_text(block->search.data, block->search.size));
	json_set(object, "replacement", json_text(block->replacement.data, block->replacement.size));
	if (block->nearest_line == 0) {
		json_set(object, "nearest", json_null());
		return object;
	}
	json_t *nearest = json_object();
	oe_bytes lines = lines_of(code, block->nearest_line, block->nearest_count);
	json_set(nearest, "line", json_integer((json_int_t)block->nearest_line));
	json_set(nearest, "line_count", json_integer((json_int_t)block->nearest_count));
	json_set(nearest, "similarity", json_number(block->similarity));
	json_set(nearest, "text", json_text(lines.data, lines.size));
	json_set(object, "nearest", nearest);
	return object;
}

static int print_json(const oe_edit *edit, const oe_program *parent)
{
	json_t *root = json_document("edit");
	json_t *blocks = json_array();
	oe_bytes code = oe_edit_code(edit);
	const oe_edit_block *block;

	for (size_t i = 0; (block = oe_edit_block_at(edit, i)); i++)
		json_push(blocks, json_block(block, oe_program_code(parent)));
	json_set(root, "status", json_string(oe_edit_status_name(oe_edit_status(edit))));
	json_set(root, "outcome", json_string(outcome_of(edit)));
	json_set(root, "message", json_words(oe_edit_message(edit)));
	json_set(root, "summary", json_words(oe_edit_summary(edit)));
	json_set(root, "language", json_words(oe_program_language(parent)));
	json_set(root, "blocks", blocks);
	json_set(root, "violation_line", oe_edit_violation_line(edit)
										 ? json_integer((json_int_t)oe_edit_violation_line(edit))
										 : json_null());
	json_set(root, "code", code.data ? json_text(code.data, code.size) : json_null());
	return json_print(root);
}

/* ---- text ---- */

static void print_block(size_t number, const oe_edit_block *block, oe_bytes code)
{
	printf("  block %zu (line %zu of the answer): %s", number, block->answer_line,
		   oe_edit_status_name(block->status));
	if (block->line)
		printf(", at line %zu", block->line);
	if (block->level > OE_EDIT_LEVEL_EXACT)
		printf(", matched %s", word(levels, 4, block->level));
	putchar('\n');
	if (!block->nearest_line)
		return;
	printf("    the nearest lines are %zu to %zu, similarity %.2f\n", block->nearest_line,
		   block->nearest_line + block->nearest_count - 1, block->similarity);
	oe_bytes lines = lines_of(code, block->nearest_line, block->nearest_count);
	terminal_print(stdout, lines.data, lines.size);
}

static int print_text(const oe_edit *edit, const oe_program *parent)
{
	AUTO(text) struct text line = TEXT_INIT;
	const oe_edit_block *block;
	oe_bytes code = oe_edit_code(edit);

	text_add(&line, outcome_of(edit));
	if (oe_edit_message(edit)[0]) {
		text_add(&line, ": ");
		terminal_clean_line(&line, oe_edit_message(edit));
	}
	puts(text_string(&line));
	for (size_t i = 0; (block = oe_edit_block_at(edit, i)); i++)
		print_block(i + 1, block, oe_program_code(parent));
	if (!code.data)
		return EXIT_DONE;
	AUTO(diff) oe_diff *diff = NULL;
	if (oe_diff_new(oe_program_code(parent), code, &diff) < 0)
		return message_error(EXIT_FAILED, OE_ERR_NOMEM, NULL);
	const char *unified = oe_diff_unified(diff, "program", "child", 3);
	if (unified)
		terminal_print(stdout, unified, strlen(unified));
	return EXIT_DONE;
}

static bool wants_rewrite(const struct arguments *arguments, const oe_config *config)
{
	const char *diffs = oe_config_get(config, "diff_based_evolution");

	return arguments_has(arguments, "full") || (diffs && strcmp(diffs, "false") == 0);
}

static int run(const struct arguments *arguments)
{
	const char *path = arguments_operand(arguments, 1);
	struct session session = { 0 };
	AUTO(text) struct text answer = TEXT_INIT;
	AUTO(edit) oe_edit *edit = NULL;
	oe_error err = { 0 };

	int status = settings_read(arguments, NULL, &session.config);
	if (status == EXIT_DONE)
		status = session_read_program(&session, arguments_operand(arguments, 0));
	if (status == EXIT_DONE && file_read(path, &answer) < 0)
		status = message_fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
	if (status == EXIT_DONE) {
		int mode = wants_rewrite(arguments, session.config) ? OE_EDIT_REWRITE : OE_EDIT_DIFF;
		int made = oe_edit_new(session.config, session.program, mode, text_string(&answer),
							   answer.size, OE_FINISH_OTHER, &edit, &err);
		if (made < 0)
			status = message_error(EXIT_FAILED, made, &err);
	}
	if (status == EXIT_DONE)
		status = arguments_has(arguments, "json") ? print_json(edit, session.program)
												  : print_text(edit, session.program);
	if (status == EXIT_DONE && arguments_has(arguments, "exit-code") && oe_edit_outcome(edit) >= 0)
		status = EXIT_FAILED;
	session_done(&session);
	return status;
}

static const struct option options[] = {
	{ "full", NULL, "the answer is a whole program, not SEARCH/REPLACE blocks", NULL, NULL,
	  OPTION_FLAG, 0 },
	{ "language", "NAME", "language of the program; by default guessed", NULL, "language",
	  OPTION_TEXT, 0 },
	{ "exit-code", NULL, "exit with 1 if there is no child", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_config, options_json,
											   options_common, NULL };

const struct command command_edit = {
	.name = "edit",
	.group = "Run",
	.summary = "Say what an answer would do to a program",
	.operands = "PROGRAM ANSWER",
	.details = "ANSWER is a file, or - for standard input. Nothing is written or evaluated.",
	.options = tables,
	.examples = {
		{ "oe edit initial_program.py answer.txt", "which blocks apply, and the result" },
		{ "oe show @12 --response | oe edit initial_program.py - --json", "an answer of a run" },
	},
	.operands_min = 2,
	.operands_max = 2,
	.run = run,
};
