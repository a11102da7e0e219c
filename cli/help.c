/*
 * --help, the list of commands and the manual page, all written from the command tables.
 */

#include <string.h>

#include "cli.h"
#include "commands.h"
#include "terminal.h"
#include "text.h"

#define COLUMNS 79

/* Append words of `string`, broken so that no line passes the last column. */
static void wrap(struct text *text, const char *string, size_t indent, size_t column)
{
	while (*string) {
		size_t size = strcspn(string, " \n");
		if (column + size > COLUMNS && column > indent) {
			if (text->size && text->data[text->size - 1] == ' ')
				text_cut(text, text->size - 1);
			text_add_char(text, '\n');
			text_repeat(text, " ", indent);
			column = indent;
		}
		text_add_bytes(text, string, size);
		column += size;
		string += size;
		if (*string == '\n') {
			text_add_char(text, '\n');
			text_repeat(text, " ", string[1] == '\n' || !string[1] ? 0 : indent);
			column = indent;
			string++;
		} else if (*string == ' ') {
			text_add_char(text, ' ');
			column++;
			string++;
		}
	}
	text_add_char(text, '\n');
}

static void option_head(struct text *text, const struct option *option)
{
	if (option->letter)
		text_format(text, "-%c, ", option->letter);
	else
		text_add(text, "    ");
	text_format(text, "--%s", option->name);
	if (option->argument)
		text_format(text, " %s", option->argument);
}

static void option_tail(struct text *text, const struct option *option)
{
	text_add(text, option->summary);
	if (option->choices)
		text_format(text, ": %s", option->choices);
	if (option->key)
		text_format(text, " (%s)", option->key);
}

static void options_text(struct text *text, const struct command *command)
{
	const struct option *option;
	const size_t indent = 28;

	text_add(text, "\nOptions:\n");
	for (size_t cursor = 0; (option = command_option(command, &cursor));) {
		AUTO(text) struct text head = TEXT_INIT;
		AUTO(text) struct text tail = TEXT_INIT;
		text_add(&head, "  ");
		option_head(&head, option);
		option_tail(&tail, option);
		text_add(text, text_string(&head));
		if (head.size + 2 > indent) {
			text_add_char(text, '\n');
			text_repeat(text, " ", indent);
		} else {
			text_repeat(text, " ", indent - head.size);
		}
		wrap(text, text_string(&tail), indent, indent);
	}
}

void help_command(FILE *stream, const struct command *command)
{
	AUTO(text) struct text text = TEXT_INIT;

	text_format(&text, "%s.\n\nUsage: oe %s%s%s [OPTION...]\n", command->summary, command->name,
				command->operands[0] ? " " : "", command->operands);
	if (command->details) {
		text_add_char(&text, '\n');
		wrap(&text, command->details, 0, 0);
	}
	options_text(&text, command);
	text_add(&text, "\nExamples:\n");
	for (size_t i = 0; i < 2 && command->examples[i].line; i++)
		text_format(&text, "  %s\n      %s\n", command->examples[i].line,
					command->examples[i].meaning);
	fputs(text_string(&text), stream);
}

void help_overview(FILE *stream)
{
	const struct command *command;
	const char *group = "";

	fprintf(stream, "%s.\n\nUsage: oe COMMAND [OPTION...]\n", command_top.summary);
	for (size_t i = 0; (command = command_at(i)); i++) {
		if (strcmp(group, command->group) != 0)
			fprintf(stream, "\n%s:\n", command->group);
		group = command->group;
		fprintf(stream, "  %-13s%s\n", command->name, command->summary);
	}
	fputs("\n'oe COMMAND --help' tells more about one of them. To see it work without a model:\n"
		  "  oe demo circle_packing\n",
		  stream);
}

/* ---- the manual page, in mdoc's older sister man(7) ---- */

/* Text of ours in roff: only dashes, backslashes and leading dots need care. */
static void roff(FILE *stream, const char *string)
{
	bool line_start = true;

	for (const char *s = string; *s; s++) {
		if (line_start && (*s == '.' || *s == '\''))
			fputs("\\&", stream);
		line_start = *s == '\n';
		if (*s == '\n' && s[1] == '\n') {
			fputs("\n.PP", stream);
		} else if (*s == '\\') {
			fputs("\\e", stream);
		} else if (*s == '-') {
			fputs("\\-", stream);
		} else {
			fputc(*s, stream);
		}
	}
}

static void manual_option(FILE *stream, const struct option *option)
{
	AUTO(text) struct text tail = TEXT_INIT;

	fputs(".TP\n\\fB", stream);
	if (option->letter)
		fprintf(stream, "\\-%c\\fR, \\fB", option->letter);
	fputs("\\-\\-", stream);
	roff(stream, option->name);
	if (option->argument)
		fprintf(stream, "\\fR \\fI%s", option->argument);
	fputs("\\fR\n", stream);
	option_tail(&tail, option);
	roff(stream, text_string(&tail));
	fputc('\n', stream);
}

static void manual_command(FILE *stream, const struct command *command)
{
	const struct option *option;

	fprintf(stream, ".SS \"oe %s %s\"\n", command->name, command->operands);
	roff(stream, command->summary);
	fputs(".\n", stream);
	if (command->details) {
		fputs(".PP\n", stream);
		roff(stream, command->details);
		fputc('\n', stream);
	}
	for (size_t cursor = 0; (option = command_option(command, &cursor));) {
		size_t common = 0;
		while (options_common[common].name && option != &options_common[common])
			common++;
		if (!options_common[common].name)
			manual_option(stream, option);
	}
	for (size_t i = 0; i < 2 && command->examples[i].line; i++) {
		fputs(".PP\n", stream);
		roff(stream, command->examples[i].meaning);
		fputs(":\n.PP\n.nf\n.RS\n", stream);
		roff(stream, command->examples[i].line);
		fputs("\n.RE\n.fi\n", stream);
	}
}

static const struct {
	const char *status, *meaning;
} statuses[] = {
	{ "0", "finished: iterations, target, patience, time or a budget; \"oe status\" knows which" },
	{ "1", "a failure that is none of the following; \"oe diff --exit-code\": they differ" },
	{ "2", "the command line is wrong" },
	{ "3", "the configuration is not valid; the message has the place" },
	{ "4", "the evaluator is not usable, or no program has a score" },
	{ "5", "no model answers: key, quota, network; or no iteration of this session got an answer" },
	{ "6", "with --require-target: the target was not reached" },
	{ "7", "the run or checkpoint is damaged, cannot be written, is locked by another run, or too new; or the "
	       "run did not begin" },
	{ "8", "the sandbox cannot give a guarantee that sandbox.require or --sandbox strict asks for; "
	       "nothing was run" },
	{ "70", "an error in oe itself, worth a report" },
	{ "130, 143", "stopped by SIGINT or SIGTERM, in good order" },
};

static const struct {
	const char *name, *meaning;
} variables[] = {
	{ "OE_SECTION__KEY", "any configuration option: OE_DATABASE__NUM_ISLANDS" },
	{ "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE",
	  "how models are reached, unless llm.proxy, llm.no_proxy or llm.ca_file says so" },
	{ "OPENAI_API_KEY, OPENAI_API_BASE", "used when nothing else gives llm.api_key and "
										 "llm.api_base" },
	{ "NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE", "when not empty: no colour, colour" },
	{ "OE_EXAMPLES", "where \"oe demo\" finds the examples" },
};

static const struct {
	const char *name, *meaning;
} files[] = {
	{ "run.db", "the log of the run, from which everything else can be made again (SQLite)" },
	{ "best/best_program.EXT, best/best_program_info.json", "the fittest program so far" },
	{ "checkpoints/checkpoint_N/", "the population after N iterations, in OpenEvolve's layout" },
	{ "logs/openevolve_DATE_TIME.log", "what happened, as OpenEvolve writes it" },
};

void help_manual(FILE *stream)
{
	const struct command *command;

	fprintf(stream,
			".\\\" Made from the tables in cli/ by \"oe help --man\".\n"
			".TH OE 1 \"\" \"oe %d.%d.%d\" \"User Commands\"\n.SH NAME\noe \\- evolve programs with "
			"language models\n.SH SYNOPSIS\n.B oe\n[\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR "
			"[\\fIOPTION\\fR...]\n.SH DESCRIPTION\n",
			OE_VERSION_MAJOR, OE_VERSION_MINOR, OE_VERSION_PATCH);
	roff(stream, "oe keeps a population of programs, lets a model change them, has an evaluator "
				 "score each child, and goes on from the better ones.\n\nData goes to standard "
				 "output, everything for people to standard error. With --json a command prints one "
				 "document, whose \"schema\" names its kind and version; fields are added, never "
				 "changed. Options may stand anywhere, and be shortened as long as they are "
				 "unambiguous.\n");
	fputs(".SH COMMANDS\n", stream);
	for (size_t i = 0; (command = command_at(i)); i++)
		manual_command(stream, command);
	fputs(".SH COMMON OPTIONS\n", stream);
	for (size_t i = 0; options_common[i].name; i++)
		manual_option(stream, &options_common[i]);
	fputs(".SH SIGNALS\n", stream);
	roff(stream, "The first SIGINT, SIGTERM or SIGHUP stops the run in good order: calls of models "
				 "are cancelled, evaluations get a few seconds, a checkpoint is written. The second "
				 "kills the evaluations; the third ends oe at once. SIGUSR1 writes a checkpoint, SIGUSR2 "
				 "a line about how the run stands, to the log file too.\n");
	fputs(".SH EXIT STATUS\n", stream);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		fprintf(stream, ".TP\n\\fB%s\\fR\n", statuses[i].status);
		roff(stream, statuses[i].meaning);
		fputc('\n', stream);
	}
	fputs(".SH ENVIRONMENT\n", stream);
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		fprintf(stream, ".TP\n\\fB%s\\fR\n", variables[i].name);
		roff(stream, variables[i].meaning);
		fputc('\n', stream);
	}
	fputs(".SH FILES\nIn the directory of a run:\n", stream);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		fprintf(stream, ".TP\n\\fI%s\\fR\n", files[i].name);
		roff(stream, files[i].meaning);
		fputc('\n', stream);
	}
}
