/* oe init: the files of a new problem, which run as they are. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "files.h"
#include "starter.h"
#include "text.h"

static const struct {
	const char *name, *text;
} files[] = {
	{ "initial_program.py", starter_initial_program_py },
	{ "evaluator.py", starter_evaluator_py },
	{ "config.yaml", starter_config_yaml },
};
enum { FILE_COUNT = sizeof(files) / sizeof(files[0]) };

/* All or none: what is there already is somebody's work. */
static int refuse_to_replace(const char *directory)
{
	for (size_t i = 0; i < FILE_COUNT; i++) {
		AUTO(string) char *path = must_format("%s/%s", directory, files[i].name);

		if (file_exists(path))
			return message_fail(EXIT_FAILED, "%s is there already; --force replaces it", path);
	}
	return EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	const char *directory = arguments_operand(arguments, 0);
	bool replace = arguments_has(arguments, "force");

	directory = directory ? directory : ".";
	if (!replace && refuse_to_replace(directory) != EXIT_DONE)
		return EXIT_FAILED;
	if (folder_make(directory) < 0)
		return message_fail(EXIT_FAILED, "%s: %s", directory, strerror(errno));
	for (size_t i = 0; i < FILE_COUNT; i++) {
		AUTO(string) char *path = must_format("%s/%s", directory, files[i].name);

		if (file_write(path, files[i].text, strlen(files[i].text), replace) < 0)
			return message_fail(EXIT_FAILED, "%s: %s", path, strerror(errno));
		if (message_level() > 0)
			printf("wrote %s\n", path);
	}
	if (message_level() > 0)
		printf("\nnext:  cd %s && oe run initial_program.py evaluator.py -c config.yaml -i 100\n",
			   directory);
	return EXIT_DONE;
}

static const struct option options[] = {
	{ "force", NULL, "replace files that are there", NULL, NULL, OPTION_FLAG, 'f' },
	{ 0 },
};

static const struct option *const tables[] = { options, options_common, NULL };

const struct command command_init = {
	.name = "init",
	.group = "Start",
	.summary = "Write the files of a new problem",
	.operands = "[DIR]",
	.details = "An initial program, an evaluator and a configuration that run at once, without a "
			   "model: change them step by step into your problem.",
	.options = tables,
	.examples = {
		{ "oe init my-problem", "three files in a new directory" },
		{ "oe init", "in this one" },
	},
	.operands_max = 1,
	.run = run,
};
