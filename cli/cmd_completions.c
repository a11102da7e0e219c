/* oe completions: what a shell needs to know to complete our command lines. */

#include "commands.h"

static int run(const struct arguments *arguments)
{
	return completions_write(stdout, arguments_operand(arguments, 0));
}

static const struct option *const tables[] = { options_common, NULL };

const struct command command_completions = {
	.name = "completions",
	.group = "Configuration and help",
	.summary = "Print the completions for a shell",
	.operands = "bash|zsh|fish",
	.actions = "bash|zsh|fish",
	.options = tables,
	.examples = {
		{ "oe completions bash > ~/.local/share/bash-completion/completions/oe", "install them" },
		{ "oe completions fish | source", "try them in this shell" },
	},
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
