/* oe help: the list of commands, one command, or the whole manual page. */

#include "cli.h"
#include "commands.h"

static int run(const struct arguments *arguments)
{
	const char *name = arguments_operand(arguments, 0);

	if (arguments_has(arguments, "man")) {
		help_manual(stdout);
		return EXIT_DONE;
	}
	if (!name) {
		help_overview(stdout);
		return EXIT_DONE;
	}
	const struct command *command = command_find(name);
	if (!command)
		return arguments_misuse(arguments->command, "no command '%s'", name);
	help_command(stdout, command);
	return EXIT_DONE;
}

static const struct option options[] = {
	{ "man", NULL, "print the manual page, for man(1)", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_common, NULL };

const struct command command_help = {
	.name = "help",
	.group = "Configuration and help",
	.summary = "Tell about a command",
	.operands = "[COMMAND]",
	.options = tables,
	.examples = {
		{ "oe help run", "the options of oe run" },
		{ "oe help --man | man -l -", "the manual page" },
	},
	.operands_max = 1,
	.run = run,
};
