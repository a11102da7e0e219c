/* oe checkpoint: what becomes of checkpoints, and of the log that they are made from. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "checkpoints.h"
#include "cli.h"
#include "commands.h"
#include "files.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"
#include "text.h"

/* ---- verify ---- */

struct verification {
	bool json;
	json_t *checked; /* with --json: a list of what was looked at */
	int status;      /* exit status so far */
};

static void note(struct verification *verification, const char *path, int got, const oe_error *err)
{
	if (got < 0)
		verification->status = EXIT_STORE;
	if (verification->json) {
		json_t *entry = json_object();
		json_set(entry, "path", json_words(path));
		json_set(entry, "sound", json_boolean(got == 0));
		json_set(entry, "problem", got < 0 ? json_words(err->message) : json_null());
		json_push(verification->checked, entry);
	} else if (got < 0) {
		(void)message_error(EXIT_STORE, got, err);
	} else {
		AUTO(text) struct text line = TEXT_INIT;
		text_add(&line, "sound  ");
		terminal_clean_line(&line, path);
		puts(text_string(&line));
	}
}

static void verify_checkpoint(struct verification *verification, const char *path)
{
	oe_error err = { 0 };
	int got = oe_population_verify(path, &err);

	note(verification, path, got, &err);
}

static void verify_run(struct verification *verification, const char *directory)
{
	oe_error err = { 0 };
	AUTO(string) char *database = must_format("%s/run.db", directory);
	AUTO(string) char *folder = must_format("%s/checkpoints", directory);
	AUTO(names) struct names found = { 0 };

	int got = oe_run_verify(directory, &err);
	note(verification, database, got, &err);
	if (folder_list(folder, "checkpoint_", &found) < 0 && errno != ENOENT)
		verification->status = message_fail(EXIT_FAILED, "%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < found.count; i++) {
		AUTO(string) char *path = must_format("%s/%s", folder, found.items[i]);
		verify_checkpoint(verification, path);
	}
}

static int verify(const struct arguments *arguments)
{
	AUTO(string) char *directory = book_find(arguments_operand(arguments, 1));
	struct verification verification = { .json = arguments_has(arguments, "json") };

	if (!directory)
		return message_fail(EXIT_FAILED, "there is no run below this directory");
	if (!file_exists(directory)) /* which is no damage */
		return message_fail(EXIT_FAILED, "%s: %s", directory, strerror(errno));
	AUTO(string) char *database = must_format("%s/run.db", directory);
	if (verification.json)
		verification.checked = json_array();
	if (file_exists(database))
		verify_run(&verification, directory);
	else
		verify_checkpoint(&verification, directory);
	if (!verification.json)
		return verification.status;
	json_t *document = json_document("verify");
	json_set(document, "directory", json_words(directory));
	json_set(document, "sound", json_boolean(verification.status == EXIT_DONE));
	json_set(document, "checked", verification.checked);
	int status = json_print(document);
	return status ? status : verification.status;
}

/* ---- the command ---- */

static int run(const struct arguments *arguments)
{
	static const struct {
		const char *name;
		int (*run)(const struct arguments *arguments);
	} actions[] = {
		{ "list", checkpoints_list },     { "verify", verify },
		{ "export", checkpoints_export }, { "import", checkpoints_import },
		{ "prune", checkpoints_prune },
	};
	const char *name = arguments_operand(arguments, 0);

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(name, actions[i].name) == 0)
			return actions[i].run(arguments);
	return EXIT_USAGE; /* the table of actions has been looked at before */
}

static const struct option options[] = {
	{ "output", "DIR", "export: the new checkpoint; import: the new run", NULL, NULL, OPTION_FOLDER,
	  'o' },
	{ "evaluator", "FILE", "import: what the run goes on with", NULL, NULL, OPTION_FILE, 0 },
	{ "keep", "N", "prune: how many stay, the newest", NULL, NULL, OPTION_WHOLE, 0 },
	{ "dry-run", NULL, "prune: only say what would be removed", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = { options, options_config, options_json,
											   options_common, NULL };

const struct command command_checkpoint = {
	.name = "checkpoint",
	.group = "Look",
	.summary = "List, verify, export, import and prune checkpoints",
	.operands = "list|verify|export|import|prune [DIR]",
	.details =
		"list tells of the checkpoints of a run, and of the best program what best_program_info.json says.\n\n"
		"verify reads all of run.db, as whoever needs it would, plays its log, which has to lead "
		"where it led, and reads the run's checkpoints, or the one that is named. It exits with 7 if "
		"something is wrong or missing, be it the end of the log, and says what, and where. It does not "
		"look at best_program.* and best_program_info.json, with which no run goes on. Whether "
		"prompts and answers lead to the same programs again, so that those are what they were, is "
		"for 'oe replay --verify'.\n\n"
		"export writes the run as it is in its log, or a checkpoint, into a new one, in OpenEvolve's "
		"layout. It replaces another checkpoint, if nothing else is in its directory. import makes a run "
		"that begins with a checkpoint, OpenEvolve's or ours, for 'oe resume' to go on with; -c gives it a "
		"configuration. Of a checkpoint that is damaged both take "
		"what they can, say what is missing, and exit with 7. prune removes all but the newest "
		"checkpoints of a run, and never the one that it began from.",
	.actions = "list|verify|export|import|prune",
	.options = tables,
	.examples = {
		{ "oe checkpoint verify openevolve_output", "is everything there, and readable?" },
		{ "oe checkpoint prune --keep 3", "of the newest run" },
	},
	.operands_min = 1,
	.operands_max = 2,
	.run = run,
};
