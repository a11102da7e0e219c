#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

/*
 * The commands of oe, in the order of the manual, and what is made from their tables.
 */

#include <stdio.h>

#include "options.h"

extern const struct command command_run, command_resume, command_eval, command_edit, command_prompt,
	command_init, command_doctor, command_demo, command_best, command_list, command_show,
	command_diff, command_lineage, command_status, command_replay, command_checkpoint, command_config, command_completions,
	command_help, command_version;

/* Command at `index`, or NULL past the last one. */
const struct command *command_at(size_t index);
const struct command *command_find(const char *name);

/* Options that stand before the command: "oe [OPTION...] COMMAND ...". */
extern const struct command command_top;

/* Tables that several commands share. */
extern const struct option options_config[]; /* --config, --set, --strict-config */
extern const struct option options_models[]; /* --api-base, --primary-model ... */
extern const struct option options_search[]; /* --seed, --islands, -j ... */
extern const struct option options_watch[];  /* --progress, --events ... */
extern const struct option options_sandbox[]; /* --sandbox */
extern const struct option options_json[];   /* --json */
extern const struct option options_which[];  /* --run */

/* What is made of the tables. */
void help_command(FILE *stream, const struct command *command);
void help_overview(FILE *stream);
void help_manual(FILE *stream);
int completions_write(FILE *stream, const char *shell);

#endif /* CLI_COMMANDS_H */
