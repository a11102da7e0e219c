/*
 * The reading of a command line after the tables of its command: long and short options, mixed with
 * operands, unambiguous prefixes, values attached or apart.
 */

#include "options.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "text.h"

const struct option options_common[] = {
	{ "help", NULL, "print this help and exit", NULL, NULL, OPTION_FLAG, 'h' },
	{ "version", NULL, "print the version and exit", NULL, NULL, OPTION_FLAG, 'V' },
	{ "quiet", NULL, "say only what went wrong", NULL, NULL, OPTION_FLAG, 'q' },
	{ "verbose", NULL, "say more", NULL, NULL, OPTION_FLAG, 'v' },
	{ "color", "WHEN", "when to use colour", "auto|always|never", NULL, OPTION_CHOICE, 0 },
	{ 0 },
};

const struct option *command_option(const struct command *command, size_t *cursor)
{
	size_t skip = (*cursor)++;

	for (const struct option *const *table = command->options; *table; table++)
		for (const struct option *option = *table; option->name; option++)
			if (skip-- == 0)
				return option;
	return NULL;
}

int arguments_misuse(const struct command *command, const char *format, ...)
{
	AUTO(text) struct text text = TEXT_INIT;
	va_list arguments;

	va_start(arguments, format);
	text_vformat(&text, format, arguments);
	va_end(arguments);
	message_fail(EXIT_USAGE, "%s", text_string(&text));
	fprintf(stderr, "usage: %s%s%s [OPTION...]\n", message_program(),
			command->operands[0] ? " " : "", command->operands);
	fprintf(stderr, "'%s --help' lists the options\n", message_program());
	return EXIT_USAGE;
}

/* ---- looking options up ---- */

static const struct option *find_letter(const struct command *command, char letter)
{
	const struct option *option;

	for (size_t cursor = 0; (option = command_option(command, &cursor));)
		if (option->letter == letter)
			return option;
	return NULL;
}

/* The option with this name, or whose name alone begins with it. *others: a second candidate. */
static const struct option *find_name(const struct command *command, const char *name, size_t size,
									  const struct option **others)
{
	const struct option *option, *found = NULL;

	*others = NULL;
	for (size_t cursor = 0; (option = command_option(command, &cursor));) {
		if (strncmp(option->name, name, size) != 0)
			continue;
		if (option->name[size] == '\0') {
			*others = NULL;
			return option;
		}
		if (found)
			*others = option;
		else
			found = option;
	}
	return found;
}

static const char *nearest(const struct command *command, const char *name)
{
	const struct option *option;
	const char *best = NULL;
	size_t best_distance = strlen(name) / 3 + 2;

	for (size_t cursor = 0; (option = command_option(command, &cursor));) {
		size_t distance = text_distance(option->name, name);
		if (distance < best_distance) {
			best_distance = distance;
			best = option->name;
		}
	}
	return best;
}

/* ---- checking values ---- */

double duration_parse(const char *string)
{
	double total = 0;
	bool any = false;

	while (*string) {
		char *end;
		if (*string != '.' && (*string < '0' || *string > '9'))
			return -1;
		double number = strtod(string, &end);
		double unit = *end == '\0' || *end == 's' ? 1
					  : *end == 'm' ? 60
					  : *end == 'h' ? 3600
					  : *end == 'd' ? 86400
									: -1;
		if (end == string || !isfinite(number) || unit < 0 || (*end == '\0' && any))
			return -1;
		total += number * unit;
		any = true;
		string = *end ? end + 1 : end;
	}
	return any && isfinite(total) ? total : -1;
}

static bool is_choice(const char *choices, const char *value)
{
	size_t size = strlen(value);

	for (const char *choice = choices; choice; choice = strchr(choice, '|')) {
		choice += *choice == '|';
		if (size && strncmp(choice, value, size) == 0 && (choice[size] == '|' || !choice[size]))
			return true;
	}
	return false;
}

static bool is_whole(const char *value)
{
	errno = 0;
	return *value && strspn(value, "0123456789") == strlen(value) &&
		   strtol(value, NULL, 10) >= 0 && errno == 0;
}

static bool is_number(const char *value)
{
	char *end;
	double number = strtod(value, &end);

	return end != value && *end == '\0' && isfinite(number);
}

/* What a value of this kind should have been, or NULL if it is right. */
static const char *wrong(const struct option *option, const char *value)
{
	switch (option->kind) {
	case OPTION_WHOLE:
		return is_whole(value) ? NULL : "a whole number";
	case OPTION_NUMBER:
		return is_number(value) ? NULL : "a number";
	case OPTION_DURATION:
		return duration_parse(value) >= 0 ? NULL : "a time such as 90s or 2h30m";
	case OPTION_CHOICE:
		return is_choice(option->choices, value) ? NULL : option->choices;
	case OPTION_JSON:
		return value[strspn(value, " \t\n")] == '{' ? NULL : "an object of JSON";
	case OPTION_SETTING:
		return strchr(value, '=') > value ? NULL : "KEY=VALUE";
	case OPTION_FILE:
	case OPTION_FOLDER:
		return *value ? NULL : "a path";
	default:
		return NULL;
	}
}

static int add(const struct command *command, struct arguments *out, const struct option *option,
			   const char *value)
{
	const char *expected = value ? wrong(option, value) : NULL;

	if (expected)
		return arguments_misuse(command, "--%s: expected %s, not '%s'", option->name, expected,
								value);
	char *copy = value ? must_copy(value) : NULL;
	if (option->kind == OPTION_DURATION) {
		double seconds = duration_parse(value);
		free(copy);
		copy = must_format("%.17g", seconds);
	}
	out->given = must_resize(out->given, out->given_count + 1, sizeof(*out->given));
	out->given[out->given_count++] = (struct given){ option, copy };
	return 0;
}

/* ---- the command line ---- */

struct line {
	const struct command *command;
	char **argv;
	int argc, next;
	struct arguments *out;
};

static int parse_long(struct line *line, const char *name)
{
	size_t size = strcspn(name, "=");
	const struct option *others;
	const struct option *option = find_name(line->command, name, size, &others);

	if (!option) {
		AUTO(string) char *word = must_format("%.*s", (int)size, name);
		const char *near = nearest(line->command, word);
		return arguments_misuse(line->command, near ? "no option --%s; --%s?" : "no option --%s",
								word, near);
	}
	if (others)
		return arguments_misuse(line->command, "--%.*s may be --%s or --%s", (int)size, name,
								option->name, others->name);
	bool attached = name[size] == '=';
	if (!option->argument && attached)
		return arguments_misuse(line->command, "--%s takes no value", option->name);
	if (!option->argument || attached)
		return add(line->command, line->out, option, attached ? name + size + 1 : NULL);
	if (line->next >= line->argc)
		return arguments_misuse(line->command, "--%s: %s is missing", option->name,
								option->argument);
	return add(line->command, line->out, option, line->argv[line->next++]);
}

static int parse_letters(struct line *line, const char *letters)
{
	while (*letters) {
		const struct option *option = find_letter(line->command, *letters);
		if (!option)
			return arguments_misuse(line->command, "no option -%c", *letters);
		letters++;
		int status;
		if (!option->argument) {
			status = add(line->command, line->out, option, NULL);
		} else if (*letters) {
			status = add(line->command, line->out, option, letters + (*letters == '='));
			letters = "";
		} else if (line->next < line->argc) {
			status = add(line->command, line->out, option, line->argv[line->next++]);
		} else {
			status = arguments_misuse(line->command, "-%c: %s is missing", option->letter,
									  option->argument);
		}
		if (status)
			return status;
	}
	return 0;
}

static int count_operands(const struct command *command, const struct arguments *arguments)
{
	if (arguments_has(arguments, "help") || arguments_has(arguments, "version"))
		return 0;
	if (arguments->operand_count < command->operands_min)
		return arguments_misuse(command, arguments->operand_count ? "an argument is missing"
																   : "arguments are missing");
	if (arguments->operand_count > command->operands_max)
		return arguments_misuse(command, "'%s' is one argument too many",
								arguments->operands[command->operands_max]);
	const char *action = arguments_operand(arguments, 0);
	if (command->actions && action && !is_choice(command->actions, action))
		return arguments_misuse(command, "expected %s, not '%s'", command->actions, action);
	return 0;
}

int arguments_parse(const struct command *command, int argc, char **argv, bool first_only,
					struct arguments *out, int *used)
{
	struct line line = { command, argv, argc, 0, out };
	bool options_end = false;
	int status = 0;

	*out = (struct arguments){ .command = command };
	while (line.next < argc && !status) {
		char *word = argv[line.next];
		bool is_option = !options_end && word[0] == '-' && word[1];
		if (!is_option && first_only)
			break;
		line.next++;
		if (!is_option) {
			out->operands = must_resize(out->operands, out->operand_count + 1, sizeof(char *));
			out->operands[out->operand_count++] = word;
		} else if (strcmp(word, "--") == 0) {
			options_end = true;
		} else if (word[1] == '-') {
			status = parse_long(&line, word + 2);
		} else {
			status = parse_letters(&line, word + 1);
		}
	}
	if (!status && !first_only)
		status = count_operands(command, out);
	if (used)
		*used = line.next;
	return status;
}

void arguments_done(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->given_count; i++)
		free(arguments->given[i].value);
	free(arguments->given);
	free(arguments->operands);
	*arguments = (struct arguments){ 0 };
}

/* ---- reading ---- */

static const struct given *last(const struct arguments *arguments, const char *name)
{
	for (size_t i = arguments->given_count; i > 0; i--)
		if (strcmp(arguments->given[i - 1].option->name, name) == 0)
			return &arguments->given[i - 1];
	return NULL;
}

const char *arguments_get(const struct arguments *arguments, const char *name)
{
	const struct given *given = last(arguments, name);

	return given ? given->value : NULL;
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
	return last(arguments, name) != NULL;
}

long arguments_whole(const struct arguments *arguments, const char *name, long otherwise)
{
	const char *value = arguments_get(arguments, name);

	return value ? strtol(value, NULL, 10) : otherwise;
}

double arguments_number(const struct arguments *arguments, const char *name, double otherwise)
{
	const char *value = arguments_get(arguments, name);

	return value ? strtod(value, NULL) : otherwise;
}

const char *arguments_operand(const struct arguments *arguments, size_t index)
{
	return index < arguments->operand_count ? arguments->operands[index] : NULL;
}
