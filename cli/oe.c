/*
 * The oe command: a table of commands, found by name. Its main thread is the owner thread of the
 * controller when one runs.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "terminal.h"
#include "text.h"

static const struct command *const commands[] = {
	&command_init,   &command_doctor,      &command_demo,    &command_run,  &command_resume,
	&command_eval,   &command_edit,        &command_prompt,  &command_best, &command_list,
	&command_show,   &command_diff,        &command_lineage, &command_status,
	&command_replay, &command_checkpoint,
	&command_config, &command_completions, &command_help,    &command_version,
};

const struct command *command_at(size_t index)
{
	return index < sizeof(commands) / sizeof(commands[0]) ? commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; command_at(i); i++)
		if (strcmp(command_at(i)->name, name) == 0)
			return command_at(i);
	return NULL;
}

static const struct option options_top[] = {
	{ "directory", "DIR", "change to this directory first", NULL, NULL, OPTION_FOLDER, 'C' },
	{ 0 },
};

static const struct option *const tables_top[] = { options_top, options_common, NULL };

const struct command command_top = {
	.name = "oe",
	.summary = "Evolve programs with language models",
	.operands = "COMMAND",
	.options = tables_top,
	.operands_max = OPERANDS_ANY,
};

static int print_version(void)
{
	uint32_t version = oe_version();

	printf("oe %u.%u.%u\n", version >> 16, version >> 8 & 0xff, version & 0xff);
	return message_finish(EXIT_DONE);
}

static void apply_common(const struct arguments *arguments)
{
	if (arguments_has(arguments, "color"))
		terminal_set_colour(arguments_get(arguments, "color"));
	if (arguments_has(arguments, "quiet"))
		message_set_level(0);
	if (arguments_has(arguments, "verbose"))
		message_set_level(2);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct arguments arguments;
	AUTO(string) char *program = must_format("oe %s", command->name);

	message_set_program(program);
	int status = arguments_parse(command, argc, argv, false, &arguments, NULL);
	if (status == 0) {
		apply_common(&arguments);
		if (arguments_has(&arguments, "help")) {
			help_command(stdout, command);
			status = message_finish(EXIT_DONE);
		} else if (arguments_has(&arguments, "version")) {
			status = print_version();
		} else {
			status = message_finish(command->run(&arguments));
		}
	}
	arguments_done(&arguments);
	message_set_program("oe");
	return status;
}

/* git's way to grow: "oe foo" runs the program oe-foo, wherever it is. Returns if there is none. */
static void run_external(char **argv)
{
	AUTO(string) char *name = must_format("oe-%s", argv[0]);
	char *first = argv[0];

	if (strchr(first, '/'))
		return;
	argv[0] = name;
	execvp(name, argv);
	argv[0] = first;
}

static int unknown(const char *name)
{
	const char *near = NULL;
	size_t best = strlen(name) / 3 + 2;

	for (size_t i = 0; command_at(i); i++) {
		size_t distance = text_distance(command_at(i)->name, name);
		if (distance < best) {
			best = distance;
			near = command_at(i)->name;
		}
	}
	message_fail(EXIT_USAGE, near ? "no command '%s'; 'oe %s'?" : "no command '%s'", name, near);
	fputs("usage: oe COMMAND [OPTION...]\n'oe help' lists the commands\n", stderr);
	return EXIT_USAGE;
}

static int run_top(int argc, char **argv)
{
	struct arguments arguments;
	int used, status = arguments_parse(&command_top, argc, argv, true, &arguments, &used);

	if (status == 0) {
		apply_common(&arguments);
		const char *directory = arguments_get(&arguments, "directory");
		if (directory && chdir(directory) < 0)
			status = message_fail(EXIT_FAILED, "%s: %s", directory, strerror(errno));
	}
	bool version = arguments_has(&arguments, "version");
	bool help = arguments_has(&arguments, "help");
	arguments_done(&arguments);
	if (status)
		return status;
	if (version)
		return print_version();
	if (help || used == argc) {
		help_overview(help ? stdout : stderr);
		return help ? message_finish(EXIT_DONE) : EXIT_USAGE;
	}
	const struct command *command = command_find(argv[used]);
	if (command)
		return run_command(command, argc - used - 1, argv + used + 1);
	run_external(argv + used);
	return unknown(argv[used]);
}

/* What was closed would become the number of the next file that is opened, and be printed to. Opened
   the wrong way round, so that using it fails as it would have. */
static void occupy_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	occupy_standard();
	terminal_start();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is told of like a disk that is full */
	if (oe_version() < OE_VERSION || oe_version() >> 16 != OE_VERSION_MAJOR)
		return message_fail(EXIT_FAILED, "libopenevolve %u.%u.%u is not the one that this was "
										 "built for (%d.%d.%d)",
							oe_version() >> 16, oe_version() >> 8 & 0xff, oe_version() & 0xff,
							OE_VERSION_MAJOR, OE_VERSION_MINOR, OE_VERSION_PATCH);
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "oe";
	/* OpenEvolve's own command is "oe run" under another name. */
	if (text_starts(name, "openevolve-run"))
		return run_command(&command_run, argc - 1, argv + 1);
	return run_top(argc > 0 ? argc - 1 : 0, argv + 1);
}
