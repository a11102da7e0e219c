/*
 * Shell completions, written from the command tables.
 */

#include <string.h>

#include "cli.h"
#include "commands.h"
#include "text.h"

static void spaced(FILE *stream, const char *choices)
{
	for (const char *s = choices; *s; s++)
		fputc(*s == '|' ? ' ' : *s, stream);
}

/* ---- bash ---- */

static void bash_option_value(FILE *stream, const struct option *option)
{
	fprintf(stream, "\t\t--%s", option->name);
	if (option->letter)
		fprintf(stream, "|-%c", option->letter);
	fputs(") COMPREPLY=($(compgen ", stream);
	if (option->choices) {
		fputs("-W \"", stream);
		spaced(stream, option->choices);
		fputs("\"", stream);
	} else if (option->kind == OPTION_SETTING) {
		fputs("-S = -W \"$(oe config keys 2>/dev/null)\"", stream);
	} else {
		fputs(option->kind == OPTION_FOLDER ? "-d" : option->kind == OPTION_FILE ? "-f" : "-W ''",
			  stream);
	}
	fputs(" -- \"$current\")); return;;\n", stream);
}

static void bash_command(FILE *stream, const struct command *command)
{
	const struct option *option;

	fprintf(stream, "\t%s)\n\t\tcase $previous in\n", command->name);
	for (size_t cursor = 0; (option = command_option(command, &cursor));)
		if (option->argument)
			bash_option_value(stream, option);
	fputs("\t\tesac\n\t\toptions=\"", stream);
	for (size_t cursor = 0; (option = command_option(command, &cursor));)
		fprintf(stream, "--%s ", option->name);
	fputs("\"\n\t\tactions=\"", stream);
	if (command->actions)
		spaced(stream, command->actions);
	fputs("\";;\n", stream);
}

static void bash(FILE *stream)
{
	const struct command *command;

	fputs("# bash completion for oe; made by \"oe completions bash\"\n_oe()\n{\n"
		  "\tlocal current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
		  "\tlocal options= actions=\n"
		  "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"",
		  stream);
	for (size_t i = 0; (command = command_at(i)); i++)
		fprintf(stream, "%s ", command->name);
	fputs("\" -- \"$current\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n", stream);
	for (size_t i = 0; (command = command_at(i)); i++)
		bash_command(stream, command);
	fputs("\tesac\n"
		  "\tif [ \"${current#-}\" != \"$current\" ]; then\n"
		  "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
		  "\telif [ -n \"$actions\" ] && [ \"$COMP_CWORD\" -eq 2 ]; then\n"
		  "\t\tCOMPREPLY=($(compgen -W \"$actions\" -- \"$current\"))\n"
		  "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$current\"))\n\tfi\n}\n"
		  "complete -o filenames -F _oe oe\n",
		  stream);
}

/* ---- zsh ---- */

/* Text inside '...[...]': quotes, brackets and colons mean something there. */
static void zsh_quoted(FILE *stream, const char *string)
{
	for (const char *s = string; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stream);
		else if (strchr("[]:\\", *s))
			fprintf(stream, "\\%c", *s);
		else
			fputc(*s, stream);
	}
}

static void zsh_option(FILE *stream, const struct option *option)
{
	fputs("\t\t\t'*'", stream);
	if (option->letter)
		fprintf(stream, "{-%c,--%s}", option->letter, option->name);
	else
		fprintf(stream, "--%s", option->name);
	fputs("'[", stream);
	zsh_quoted(stream, option->summary);
	fputc(']', stream);
	if (option->argument) {
		fprintf(stream, ":%s:", option->argument);
		if (option->choices) {
			fputc('(', stream);
			spaced(stream, option->choices);
			fputc(')', stream);
		} else if (option->kind == OPTION_FILE) {
			fputs("_files", stream);
		} else if (option->kind == OPTION_FOLDER) {
			fputs("_files -/", stream);
		}
	}
	fputs("' \\\n", stream);
}

static void zsh(FILE *stream)
{
	const struct command *command;
	const struct option *option;

	fputs("#compdef oe\n# made by \"oe completions zsh\"\n_oe()\n{\n\tlocal -a commands\n"
		  "\tcommands=(\n",
		  stream);
	for (size_t i = 0; (command = command_at(i)); i++) {
		fprintf(stream, "\t\t'%s:", command->name);
		zsh_quoted(stream, command->summary);
		fputs("'\n", stream);
	}
	fputs("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
		  "\tlocal command=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n",
		  stream);
	for (size_t i = 0; (command = command_at(i)); i++) {
		fprintf(stream, "\t%s)\n\t\t_arguments -s \\\n", command->name);
		for (size_t cursor = 0; (option = command_option(command, &cursor));)
			zsh_option(stream, option);
		if (command->actions) {
			fputs("\t\t\t'1:action:(", stream);
			spaced(stream, command->actions);
			fputs(")' \\\n", stream);
		}
		fputs("\t\t\t'*:file:_files';;\n", stream);
	}
	fputs("\tesac\n}\n_oe \"$@\"\n", stream);
}

/* ---- fish ---- */

static void fish_quoted(FILE *stream, const char *string)
{
	for (const char *s = string; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', stream);
		fputc(*s, stream);
	}
}

static void fish_option(FILE *stream, const struct command *command, const struct option *option)
{
	fprintf(stream, "complete -c oe -n '__fish_seen_subcommand_from %s' -l %s", command->name,
			option->name);
	if (option->letter)
		fprintf(stream, " -s %c", option->letter);
	if (option->argument)
		fputs(option->kind == OPTION_FILE || option->kind == OPTION_FOLDER ? " -r -F" : " -x",
			  stream);
	if (option->choices) {
		fputs(" -a '", stream);
		spaced(stream, option->choices);
		fputs("'", stream);
	}
	fputs(" -d '", stream);
	fish_quoted(stream, option->summary);
	fputs("'\n", stream);
}

static void fish(FILE *stream)
{
	const struct command *command;
	const struct option *option;

	fputs("# made by \"oe completions fish\"\n", stream);
	for (size_t i = 0; (command = command_at(i)); i++) {
		fprintf(stream, "complete -c oe -n __fish_use_subcommand -f -a %s -d '", command->name);
		fish_quoted(stream, command->summary);
		fputs("'\n", stream);
	}
	for (size_t i = 0; (command = command_at(i)); i++) {
		for (size_t cursor = 0; (option = command_option(command, &cursor));)
			fish_option(stream, command, option);
		if (!command->actions)
			continue;
		fprintf(stream, "complete -c oe -n '__fish_seen_subcommand_from %s' -f -a '",
				command->name);
		spaced(stream, command->actions);
		fputs("'\n", stream);
	}
}

int completions_write(FILE *stream, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		bash(stream);
	else if (strcmp(shell, "zsh") == 0)
		zsh(stream);
	else
		fish(stream);
	return EXIT_DONE;
}
