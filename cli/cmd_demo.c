/* oe demo: a bundled example, on the embedded default: no model, no key, no network. */

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "evolve.h"
#include "examples.h"
#include "files.h"
#include "settings.h"
#include "signals.h"
#include "text.h"

static int list(void)
{
	char **names = example_names();

	for (size_t i = 0; names[i]; i++) {
		puts(names[i]);
		free(names[i]);
	}
	free(names);
	return EXIT_DONE;
}

/* The one file of an example whose name begins so: initial_program.py, evaluator.sh ... */
static char *file_of(const char *directory, const char *stem)
{
	AUTO(string) char *pattern = must_format("%s/%s.*", directory, stem);
	char *path = NULL;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return NULL;
	if (found.gl_pathc > 0)
		path = must_copy(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

/* openevolve_output/NAME-1, -2 ...: the first that is not there yet. */
static char *fresh_directory(const char *name)
{
	for (unsigned i = 1;; i++) {
		char *directory = must_format("openevolve_output/%s-%u", name, i);
		if (!file_exists(directory))
			return directory;
		free(directory);
	}
}

static int configure(struct session *session, const struct arguments *arguments,
					 const char *directory)
{
	AUTO(string) char *path = must_format("%s/config.yaml", directory);
	struct settings_base base = { .path = path };

	int status = settings_read(arguments, &base, &session->config);
	if (status)
		return status;
	settings_warn(session->config);
	status = settings_assume(session->config, "llm.backend", "mutate", "oe demo");
	/* Nobody wants a demonstration without end. */
	if (status == EXIT_DONE && !arguments_has(arguments, "iterations"))
		status = settings_assume(session->config, "max_time", "60", "oe demo");
	return status;
}

static int build(struct session *session, const struct arguments *arguments, const char *directory)
{
	AUTO(string) char *program = file_of(directory, "initial_program");
	AUTO(string) char *evaluator = file_of(directory, "evaluator");

	if (!program || !evaluator)
		return message_fail(EXIT_FAILED, "%s: no initial_program or no evaluator", directory);
	session_raise_limits();
	signals_expect();
	int status = configure(session, arguments, directory);
	if (status == EXIT_DONE)
		status = session_read_program(session, program);
	if (status == EXIT_DONE)
		status = session_start(session, evaluator);
	return status;
}

static int run(const struct arguments *arguments)
{
	const char *name = arguments_operand(arguments, 0);
	const char *output = arguments_get(arguments, "output");
	struct session session = { 0 };

	if (arguments_has(arguments, "list"))
		return list();
	name = name ? name : "circle_packing";
	AUTO(string) char *directory = example_find(name);
	if (!directory)
		return message_fail(EXIT_FAILED, "no example '%s'; 'oe demo --list' names them", name);
	int status = build(&session, arguments, directory);
	if (status == EXIT_DONE) {
		session.directory = output ? must_copy(output) : fresh_directory(name);
		struct evolve_plan plan = { .name = name, .directory = session.directory };
		status = evolve(&session, arguments, &plan);
	}
	session_done(&session);
	return status;
}

static const struct option options[] = {
	{ "list", NULL, "name the examples", NULL, NULL, OPTION_FLAG, 0 },
	{ "output", "DIR", "directory of the run; by default a new one in openevolve_output", NULL,
	  NULL, OPTION_FOLDER, 'o' },
	{ 0 },
};

static const struct option *const tables[] = { options,		   options_config, options_search,
											   options_models, options_watch,  options_common,
											   NULL };

const struct command command_demo = {
	.name = "demo",
	.group = "Start",
	.summary = "Run a bundled example without a model",
	.operands = "[EXAMPLE]",
	.details = "For a minute, unless --max-time or --iterations say otherwise. The embedded mutate "
			   "backend answers: a local search without knowledge of the problem.",
	.options = tables,
	.examples = {
		{ "oe demo", "circles in a square, for a minute" },
		{ "oe demo function_minimization -i 200", "another one, for 200 iterations" },
	},
	.operands_max = 1,
	.run = run,
};
