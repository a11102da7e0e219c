#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

/*
 * Commands and their arguments, described by tables: parsing, --help, the manual page and the
 * completions all come from these.
 */

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
	OPTION_FLAG,     /* no argument                                 */
	OPTION_TEXT,     /* anything                                    */
	OPTION_FILE,     /* a file: for completions                     */
	OPTION_FOLDER,   /* a directory                                 */
	OPTION_WHOLE,    /* a whole number >= 0                         */
	OPTION_NUMBER,   /* a finite number                             */
	OPTION_DURATION, /* 2h30m, 90s, 45: arguments_get() gives seconds */
	OPTION_CHOICE,   /* one of `choices`                            */
	OPTION_JSON,     /* an object of JSON                           */
	OPTION_SETTING   /* KEY=VALUE                                   */
};

struct option {
	const char *name;     /* "iterations"; NULL ends a table            */
	const char *argument; /* "N"; NULL for a flag                       */
	const char *summary;  /* a phrase, no full stop                     */
	const char *choices;  /* "auto|tty|plain|none", or NULL             */
	const char *key;      /* configuration option that it sets, or NULL */
	enum option_kind kind;
	char letter; /* 'i', or 0                                  */
};

struct arguments;

struct example {
	const char *line, *meaning;
};

struct command {
	const char *name;
	const char *group;    /* heading in the list of commands       */
	const char *summary;  /* a sentence without full stop          */
	const char *operands; /* "PROGRAM EVALUATOR"                   */
	const char *details;  /* paragraphs for --help and the manual  */
	const struct option *const *options; /* tables, NULL at the end */
	const char *actions; /* choices of the first operand, or NULL */
	struct example examples[2];
	size_t operands_min, operands_max;
	int (*run)(const struct arguments *arguments);
};

struct given {
	const struct option *option;
	char *value; /* NULL for a flag */
};

struct arguments {
	const struct command *command;
	struct given *given; /* in the order of the command line */
	size_t given_count;
	char **operands;
	size_t operand_count;
};

#define OPERANDS_ANY ((size_t)-1)

/* Options that every command takes: --help, --color ... */
extern const struct option options_common[];

/*
 * Read a command line.
 *
 * first_only: stop at the first operand, which begins something else; *used says where.
 * Returns 0, or EXIT_USAGE after three lines on standard error.
 */
int arguments_parse(const struct command *command, int argc, char **argv, bool first_only,
					struct arguments *out, int *used);
void arguments_done(struct arguments *arguments);

/* The last value given for this option, or NULL. The name must be in the table. */
const char *arguments_get(const struct arguments *arguments, const char *name);
bool arguments_has(const struct arguments *arguments, const char *name);

/* The same as a number. */
long arguments_whole(const struct arguments *arguments, const char *name, long otherwise);
double arguments_number(const struct arguments *arguments, const char *name, double otherwise);

/* Operand at `index`, or NULL. */
const char *arguments_operand(const struct arguments *arguments, size_t index);

/* Three lines on standard error. Returns EXIT_USAGE. */
int arguments_misuse(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Visit the options of a command, table by table: *cursor begins at 0. NULL at the end. */
const struct option *command_option(const struct command *command, size_t *cursor);

/* 2h30m, 1d, 90s, 1.5h, 45 -> seconds; negative if it is none of these. */
double duration_parse(const char *string);

#endif /* CLI_OPTIONS_H */
