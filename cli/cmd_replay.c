/* oe replay: repeat a run from its log, and see whether all of it comes out again. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "session.h"
#include "settings.h"
#include "terminal.h"
#include "text.h"

/* What programs were judged with, made anew; the run remembers where it is. */
static int make_evaluator(struct session *session, const struct arguments *arguments, struct book *book)
{
	AUTO(string) char *config = NULL;
	int got = book_config(book, &config);
	if (got)
		return got;
	oe_run *run = book->run;
	const char *extension = oe_run_property(run, "extension");
	session->extension = must_copy(extension && *extension ? extension : ".py");
	const char *given = arguments_get(arguments, "evaluator");
	const char *origin = oe_run_property(run, "user.evaluator");
	AUTO(string) char *path = given ? must_copy(given) : origin ? must_copy(origin) : NULL;
	struct settings_base base = { .text = config, .name = "the run's configuration" };
	oe_error err = { 0 };

	if (!path || !*path)
		return message_fail(EXIT_EVALUATOR,
							"the run does not say where its evaluator is: use --evaluator FILE");
	int status = settings_read(arguments, &base, &session->config);
	if (status)
		return status;
	const char *suffix = settings_text(session->config, "file_suffix");
	session->suffix = must_copy(suffix && *suffix && strcmp(suffix, ".py") != 0
									? suffix
									: session->extension);
	int made = oe_scheduler_new(0, &session->scheduler, &err);
	if (made < 0)
		return message_error(EXIT_FAILED, made, &err);
	return session_make_evaluator(session, path);
}

static int print_json(const struct book *book, const oe_run_repetition *repetition)
{
	json_t *root = json_document("replay");

	json_set(root, "directory", json_words(book->directory));
	json_set(root, "same", json_boolean(repetition->differences == 0));
	json_set(root, "iterations", json_integer(repetition->iterations));
	json_set(root, "prompts", json_integer(repetition->prompts));
	json_set(root, "answers", json_integer(repetition->answers));
	json_set(root, "evaluations", json_integer(repetition->evaluations));
	json_set(root, "differences", json_integer(repetition->differences));
	json_set(root, "difference",
			 repetition->differences ? json_words(repetition->difference) : json_null());
	json_set(root, "archive", repetition->hash[0] ? json_words(repetition->hash) : json_null());
	json_set(root, "compared", json_boolean(repetition->compared));
	return json_print(root);
}

static void print_text(const oe_run_repetition *repetition)
{
	printf("iterations   %lld\n", (long long)repetition->iterations);
	printf("prompts      %lld rendered again\n", (long long)repetition->prompts);
	printf("answers      %lld read again\n", (long long)repetition->answers);
	if (repetition->evaluations > 0)
		printf("evaluations  %lld judged again\n", (long long)repetition->evaluations);
	else
		puts("evaluations  as they were recorded");
	if (repetition->hash[0])
		printf("archive      %s\n", repetition->hash);
	if (repetition->compared)
		puts("             compared with what the run ended with");
	if (repetition->differences == 0)
		puts("differences  none");
	else
		printf("differences  %lld\n", (long long)repetition->differences);
}

static int replay(struct book *book, const struct arguments *arguments)
{
	struct session session = { 0 };
	oe_run_repetition repetition = { .struct_size = sizeof(repetition) };
	oe_error err = { 0 };
	int32_t jobs = 0;
	int status = EXIT_DONE;

	if (arguments_has(arguments, "evaluate"))
		status = make_evaluator(&session, arguments, book);
	if (session.config)
		jobs = (int32_t)settings_number(session.config, "evaluator.parallel_evaluations", 0);
	if (status == EXIT_DONE) {
		int got = oe_run_replay(book->run, session.evaluator, jobs, &repetition, &err);
		if (got < 0)
			status = message_error(got == OE_ERR_EVALUATOR ? EXIT_EVALUATOR : EXIT_STORE, got, &err);
	}
	session_done(&session);
	if (status)
		return status;
	if (arguments_has(arguments, "json"))
		status = print_json(book, &repetition);
	else
		print_text(&repetition);
	if (status || repetition.differences == 0)
		return status;
	bool verifies = arguments_has(arguments, "verify");
	message("%s", repetition.difference);
	return verifies ? EXIT_FAILED : EXIT_DONE;
}

/* What says how to judge is not left aside in silence where nothing is judged. */
static int check(const struct arguments *arguments)
{
	static const char *const names[] = { "evaluator", "jobs" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (arguments_has(arguments, names[i]) && !arguments_has(arguments, "evaluate"))
			return message_fail(EXIT_USAGE, "--%s: nothing is judged again without --evaluate", names[i]);
	return EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	struct book book = { 0 };

	int status = check(arguments);
	if (status)
		return status;
	status = book_open_run(arguments_operand(arguments, 0), &book);
	if (status == EXIT_DONE)
		status = replay(&book, arguments);
	book_close(&book);
	return status;
}

static const struct option options[] = {
	{ "verify", NULL, "exit with 1 if anything comes out differently", NULL, NULL, OPTION_FLAG, 0 },
	{ "evaluate", NULL, "judge the programs again, too", NULL, NULL, OPTION_FLAG, 0 },
	{ "evaluator", "FILE", "with --evaluate: the evaluator, if it is not where it was", NULL, NULL,
	  OPTION_FILE, 0 },
	{ "jobs", "N", "with --evaluate: evaluations at a time", NULL, "evaluator.parallel_evaluations",
	  OPTION_WHOLE, 'j' },
	{ 0 },
};

static const struct option *const tables[] = {
	options, options_config, options_models, options_sandbox, options_json, options_common, NULL,
};

const struct command command_replay = {
	.name = "replay",
	.group = "Look",
	.summary = "Repeat a run from its log",
	.operands = "[RUN]",
	.details =
		"Every sample is drawn again, every prompt rendered, every recorded answer read and applied, "
		"every decision made: all has to come out as it did, and lead to the same archive, which is "
		"compared with what the run ended with, and its last checkpoint. No model is asked. Evaluations "
		"are as they were recorded; with --evaluate the programs are judged again, within the run's own "
		"time limit, and fitness and feature dimensions have to be the same. What was decided by time is "
		"taken as it was.\n\n"
		"The first difference is told in a sentence.",
	.options = tables,
	.examples = {
		{ "oe replay openevolve_output --verify", "does the log account for everything?" },
		{ "oe replay --verify --evaluate", "and do evaluations give the same scores again?" },
	},
	.operands_max = 1,
	.run = run,
};
