/* oe resume: go on with a run, with what it recorded about itself. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "evolve.h"
#include "files.h"
#include "handles.h"
#include "settings.h"
#include "signals.h"

/* What the run's log says about how it was begun. The strings are copies. */
struct origin {
	char *program, *evaluator, *config, *extension, *checkpoint;
	int64_t issued;
};

static void origin_done(struct origin *origin)
{
	free(origin->program);
	free(origin->evaluator);
	free(origin->config);
	free(origin->extension);
	free(origin->checkpoint);
}

static int read_properties(struct book *book, struct origin *origin, oe_error *err)
{
	const struct {
		const char *name;
		char **out;
	} properties[] = {
		{ "user.program", &origin->program },
		{ "user.evaluator", &origin->evaluator },
		{ "extension", &origin->extension },
	};

	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		const char *value;
		int found = oe_run_get_property(book->run, properties[i].name, &value, err);
		if (found < 0)
			return found;
		if (found && *value)
			*properties[i].out = must_copy(value);
	}
	return 0;
}

static int read_origin(struct book *book, const struct arguments *arguments, struct origin *origin)
{
	oe_error err = { 0 };

	int status = read_properties(book, origin, &err);
	if (status < 0)
		return message_error(EXIT_STORE, status, &err);
	if (!arguments_has(arguments, "config")) /* which takes its place */
		status = book_config(book, &origin->config);
	return status ? status : book_issued(book, &origin->issued);
}

/* The run that a checkpoint of ours is in: RUN/checkpoints/checkpoint_N. NULL if it is in none. */
static char *run_of_checkpoint(const char *checkpoint)
{
	AUTO(string) char *real = path_absolute(checkpoint);
	AUTO(string) char *checkpoints = path_folder(real);
	char *run = path_folder(checkpoints);

	if (evolve_has_run(run))
		return run;
	free(run);
	return NULL;
}

/* "12 more" counts from what was issued; the library counts from the beginning of the log. */
static int set_iterations(oe_config *config, const struct arguments *arguments,
						  const struct origin *origin)
{
	oe_error err = { 0 };

	if (!arguments_has(arguments, "iterations") || origin->checkpoint)
		return EXIT_DONE;
	int64_t more = arguments_whole(arguments, "iterations", 0);
	int64_t last = more > INT64_MAX - origin->issued ? INT64_MAX : origin->issued + more;
	AUTO(string) char *total = must_format("%lld", (long long)last);
	int status = oe_config_set_as(config, "max_iterations", total, OE_ORIGIN_FLAG, "--iterations",
								  &err);
	return status < 0 ? message_error(EXIT_CONFIG, status, &err) : EXIT_DONE;
}

static int build(struct session *session, const struct arguments *arguments,
				 const struct origin *origin)
{
	const char *evaluator = arguments_get(arguments, "evaluator");
	struct settings_base base = { .text = origin->config, .name = "the run's configuration" };

	int status = settings_read(arguments, &base, &session->config);
	if (status)
		return status;
	settings_warn(session->config);
	evaluator = evaluator ? evaluator : origin->evaluator;
	if (!evaluator)
		return message_fail(EXIT_EVALUATOR,
							"the run does not say where its evaluator is: use --evaluator FILE");
	session->extension = must_copy(origin->extension ? origin->extension : ".py");
	const char *suffix = settings_text(session->config, "file_suffix");
	session->suffix = must_copy(suffix && *suffix && strcmp(suffix, ".py") != 0
									? suffix
									: session->extension);
	session->program_path = must_copy(origin->program ? origin->program : session->directory);
	session_raise_limits();
	status = set_iterations(session->config, arguments, origin);
	if (status == EXIT_DONE)
		status = session_start(session, evaluator);
	return status;
}

/* Before it is read: what keeps it from being read may be just that. */
static int check_writable(const char *where)
{
	AUTO(string) char *directory = book_find(where);

	if (!directory || !evolve_has_run(directory) || access(directory, W_OK) == 0)
		return EXIT_DONE;
	return message_fail(EXIT_STORE, "cannot write in '%s': %s", directory, strerror(errno));
}

/* Where the run is read from, and where it goes on: a checkpoint begins a directory of its own. */
static int locate(struct book *book, const struct arguments *arguments, struct origin *origin,
				  char **directory)
{
	const char *where = arguments_operand(arguments, 0);
	const char *output = arguments_get(arguments, "output");
	AUTO(string) char *run = NULL;

	int status = check_writable(where);
	if (status == EXIT_DONE)
		status = book_open(where, book);
	if (status || book->run) {
		if (status == EXIT_DONE && output) {
			book_close(book);
			return arguments_misuse(arguments->command,
									"-o is for checkpoints: a run goes on in its directory");
		}
		*directory = status ? NULL : must_copy(book->directory);
		return status;
	}
	origin->checkpoint = path_absolute(book->directory);
	book_close(book);
	run = run_of_checkpoint(origin->checkpoint);
	if (!run)
		return message_fail(EXIT_FAILED,
							"%s is not in a directory of a run: use 'oe run PROGRAM EVALUATOR "
							"--checkpoint %s'",
							origin->checkpoint, origin->checkpoint);
	*directory = output ? must_copy(output)
						: must_format("%s_from_%s", run, path_name(origin->checkpoint));
	return book_open_run(run, book);
}

static int run(const struct arguments *arguments)
{
	struct session session = { 0 };
	struct origin origin = { 0 };
	struct book book = { 0 };

	signals_expect();
	int status = locate(&book, arguments, &origin, &session.directory);
	if (status == EXIT_DONE)
		status = read_origin(&book, arguments, &origin);
	book_close(&book);
	if (status == EXIT_DONE)
		status = build(&session, arguments, &origin);
	if (status == EXIT_DONE) {
		struct evolve_plan plan = {
			.directory = session.directory,
			.checkpoint = origin.checkpoint,
			.resume = !origin.checkpoint,
		};
		status = evolve(&session, arguments, &plan);
	}
	session_done(&session);
	origin_done(&origin);
	return status;
}

static const struct option options[] = {
	{ "evaluator", "FILE", "the evaluator, if it is not where it was", NULL, NULL, OPTION_FILE, 0 },
	{ "output", "DIR", "directory of the new run, when going on from a checkpoint", NULL, NULL,
	  OPTION_FOLDER, 'o' },
	{ 0 },
};

static const struct option *const tables[] = {
	options_config, options_search, options_models, options_sandbox,
	options,		   options_watch,  options_common, NULL,
};

const struct command command_resume = {
	.name = "resume",
	.group = "Run",
	.summary = "Go on with a run",
	.operands = "[RUN|CHECKPOINT]",
	.details = "What was under way when the run ended is finished first; no question is asked twice "
			   "whose answer is there. --iterations N means N more; without it the run goes to the "
			   "number that it had in mind. The run's own configuration is used, with the "
			   "flags that it began with; -c takes the place of all of it. An API key that was written "
			   "into the file must be given again: by OPENAI_API_KEY or OE_LLM__API_KEY. A model "
			   "that is named here takes the place of a recording (--llm-replay). From a "
			   "checkpoint a new run begins, in a directory of its own.",
	.options = tables,
	.examples = {
		{ "oe resume", "the newest run below this directory" },
		{ "oe resume openevolve_output -i 100", "a hundred iterations more" },
	},
	.operands_max = 1,
	.run = run,
};
