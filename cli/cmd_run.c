/* oe run: begin an evolution. Takes every option of openevolve-run. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "evolve.h"
#include "files.h"
#include "handles.h"
#include "report.h"
#include "settings.h"
#include "signals.h"

/* --checkpoint of the very run that the output directory holds: its log is at least as far. */
static bool is_latest_of(const char *checkpoint, const char *directory)
{
	AUTO(string) char *checkpoints = path_folder(checkpoint);
	AUTO(string) char *run = path_folder(checkpoints);
	AUTO(string) char *real = path_absolute(run);
	AUTO(string) char *own = path_absolute(directory);

	return evolve_has_run(directory) && strcmp(real, own) == 0;
}

static int print_plan(const struct session *session, const char *directory)
{
	const oe_config *config = session->config;
	const char *target = settings_text(config, "target_score");

	printf("program     %s (%s)\n", session->program_path,
		   oe_program_language(session->program));
	printf("evaluator   %s\n", session->evaluator_path);
	printf("output      %s%s\n", directory, evolve_has_run(directory) ? " (holds a run)" : "");
	printf("iterations  %s\n", oe_config_get(config, "max_iterations"));
	if (target)
		printf("target      %s\n", target);
	return report_models(session->config);
}

/* Everything but the models is really tried. */
static int dry_run(struct session *session, const char *directory)
{
	AUTO(evaluation) oe_evaluation *evaluation = NULL;
	oe_error err = { 0 };
	double timeout_s = settings_number(session->config, "evaluator.timeout", 0);

	int status = print_plan(session, directory);
	if (status)
		return status;
	fflush(stdout);
	int got = oe_evaluator_run(session->evaluator, session->program, 0,
							   (int64_t)(timeout_s * 1000), &evaluation, &err);
	if (got < 0)
		return message_error(EXIT_EVALUATOR, got, &err);
	printf("initial program\n");
	report_evaluation(evaluation);
	return *oe_evaluation_problem(evaluation) ? EXIT_EVALUATOR : EXIT_DONE;
}

static int build(struct session *session, const struct arguments *arguments)
{
	const char *program = arguments_operand(arguments, 0);
	const char *evaluator = arguments_operand(arguments, 1);
	AUTO(string) char *folder = path_folder(program);
	const char *output = arguments_get(arguments, "output");

	int status = settings_read(arguments, NULL, &session->config);
	if (status == EXIT_DONE) {
		settings_warn(session->config);
		status = session_read_program(session, program);
	}
	session->directory = output ? must_copy(output) : must_format("%s/openevolve_output", folder);
	session_raise_limits();
	if (status == EXIT_DONE)
		status = session_start(session, evaluator);
	return status;
}

static int run(const struct arguments *arguments)
{
	struct session session = { 0 };

	signals_expect();
	int status = build(&session, arguments);
	if (status == EXIT_DONE && arguments_has(arguments, "dry-run")) {
		status = dry_run(&session, session.directory);
	} else if (status == EXIT_DONE) {
		struct evolve_plan plan = {
			.directory = session.directory,
			.checkpoint = arguments_get(arguments, "checkpoint"),
			.resume = arguments_has(arguments, "resume"),
		};
		if (plan.checkpoint && !file_exists(plan.checkpoint))
			status = message_fail(EXIT_FAILED, "checkpoint: %s: %s", plan.checkpoint,
								  strerror(errno));
		else if (plan.checkpoint && is_latest_of(plan.checkpoint, plan.directory))
			status = message_fail(EXIT_STORE,
								  "%s belongs to the run in %s: 'oe resume %s' goes on with it, "
								  "-o DIR begins another one from the checkpoint",
								  plan.checkpoint, plan.directory, plan.directory);
		else
			status = evolve(&session, arguments, &plan);
	}
	session_done(&session);
	return status;
}

static const struct option options[] = {
	{ "output", "DIR", "directory of the run; by default openevolve_output beside the program",
	  NULL, NULL, OPTION_FOLDER, 'o' },
	{ "checkpoint", "DIR", "begin with the programs of a checkpoint, ours or OpenEvolve's", NULL,
	  NULL, OPTION_FOLDER, 0 },
	{ "resume", NULL, "go on with the run in the directory, if there is one", NULL, NULL,
	  OPTION_FLAG, 0 },
	{ "dry-run", NULL, "check everything, evaluate the initial program, and stop", NULL, NULL,
	  OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = {
	options_config, options_search, options_models, options_sandbox,
	options,		   options_watch,  options_common, NULL,
};

const struct command command_run = {
	.name = "run",
	.group = "Run",
	.summary = "Evolve a program",
	.operands = "PROGRAM EVALUATOR",
	.details = "PROGRAM is where the search begins. EVALUATOR scores programs: a Python file with "
			   "evaluate(program_path), or any executable. When standard output is not a terminal, "
			   "the path of the best program is printed on it.\n\n"
			   "A flag wins over --set, that over OE_* variables, these over the file.",
	.options = tables,
	.examples = {
		{ "oe run initial_program.py evaluator.py -c config.yaml -i 100",
		  "a hundred iterations" },
		{ "oe run f.c ./score.sh --set llm.backend=mutate --max-time 10m",
		  "ten minutes without a model" },
	},
	.operands_min = 2,
	.operands_max = 2,
	.run = run,
};
