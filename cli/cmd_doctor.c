/* oe doctor: try what a run will need, and say what is missing before the run does. */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>

#include "cli.h"
#include "commands.h"
#include "confinement.h"
#include "files.h"
#include "handles.h"
#include "json.h"
#include "session.h"
#include "settings.h"
#include "terminal.h"

/* A run keeps some thousand bytes per iteration; less space than this will not last. */
#define SPACE_LOW (500.0 * 1024 * 1024)

/* Enough for the connections of a default run. */
#define DESCRIPTORS_LOW 1024

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_WARN, LEVEL_FAIL };

static const struct {
	const char *name, *shown;
	enum terminal_colour colour;
} levels[] = {
	[LEVEL_OK] = { "ok", "ok   ", COLOUR_GOOD },
	[LEVEL_NOTE] = { "note", "note ", COLOUR_DIM },
	[LEVEL_WARN] = { "warn", "warn ", COLOUR_WARN },
	[LEVEL_FAIL] = { "fail", "FAIL ", COLOUR_BAD },
};

/* Findings are printed as they are made, or gathered for --json. */
struct report {
	json_t *findings; /* NULL: print */
	bool failed;
};

__attribute__((format(printf, 4, 5))) static void
find(struct report *report, enum level level, const char *subject, const char *format, ...)
{
	AUTO(text) struct text text = TEXT_INIT, line = TEXT_INIT;
	va_list arguments;

	va_start(arguments, format);
	text_vformat(&text, format, arguments);
	va_end(arguments);
	report->failed |= level == LEVEL_FAIL;
	if (report->findings) {
		json_t *finding = json_object();
		json_set(finding, "level", json_string(levels[level].name));
		json_set(finding, "subject", json_string(subject));
		json_set(finding, "message", json_words(text_string(&text)));
		json_push(report->findings, finding);
		return;
	}
	terminal_clean_line(&line, text_string(&text));
	printf("%s%s%s %s: %s\n", terminal_colour(stdout, levels[level].colour), levels[level].shown,
		   terminal_colour(stdout, COLOUR_NONE), subject, text_string(&line));
	fflush(stdout);
}

/* What the library says about a failure. */
static void find_error(struct report *report, const char *subject, int status, const oe_error *err)
{
	const char *message = err->message[0] ? err->message : oe_status_string(status);

	if (err->where[0] && err->line > 0)
		find(report, LEVEL_FAIL, subject, "%s:%d:%d: %s", err->where, err->line, err->column,
			 message);
	else
		find(report, LEVEL_FAIL, subject, "%s%s%s", err->where, err->where[0] ? ": " : "",
			 message);
}

/* ---- the machine ---- */

static void check_machine(struct report *report, const char *directory)
{
	uint32_t version = oe_version();
	struct rlimit limit = { 0 };
	struct statvfs space;

	find(report, LEVEL_OK, "version", "libopenevolve %u.%u.%u", version >> 16,
		 version >> 8 & 0xff, version & 0xff);
	session_raise_limits();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		find(report, limit.rlim_cur < DESCRIPTORS_LOW ? LEVEL_WARN : LEVEL_OK, "descriptors",
			 "%ju may be open%s", (uintmax_t)limit.rlim_cur,
			 limit.rlim_cur < DESCRIPTORS_LOW ? "; raise it with ulimit -n" : "");
	if (statvfs(directory, &space) == 0) {
		double bytes = (double)space.f_bavail * (double)space.f_frsize;
		find(report, bytes < SPACE_LOW ? LEVEL_WARN : LEVEL_OK, "space", "%.1f GB free in %s",
			 bytes / 1e9, directory);
	}
}

/* ---- configuration and models ---- */

static void check_config(struct report *report, oe_config *config)
{
	oe_error err = { 0 };
	const oe_error *warning;
	size_t count = 0;
	int status = oe_config_check(config, &err);

	if (status < 0)
		find_error(report, "config", status, &err);
	for (; (warning = oe_config_warning(config, count)); count++)
		find(report, LEVEL_WARN, "config", "%s:%d: %s", warning->where, warning->line,
			 warning->message);
	if (status == 0 && count == 0)
		find(report, LEVEL_OK, "config", "nothing to remark");
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One short question, asked once; an answer of any kind will do. */
static void ask_model(struct report *report, struct session *session, bool judges, size_t index)
{
	AUTO(completion) oe_completion *completion = NULL;
	AUTO(llm) oe_llm *llm = NULL;
	oe_error err = { 0 };
	double begin = seconds_now();

	int status = oe_llm_from_config_at(session->config, session->scheduler, judges, index, &llm, &err);
	if (status > 0)
		status = oe_llm_ask(llm, "You are being tested.", "Answer with the word: ready", 1, &completion,
							&err);
	if (status < 0) {
		find_error(report, "llm", status, &err);
		return;
	}
	const char *model = oe_completion_model(completion);
	bool usage = oe_completion_tokens_in(completion) >= 0;
	find(report, LEVEL_OK, "llm", "%s answered in %.0f ms, %s", *model ? model : "the backend",
		 1e3 * (seconds_now() - begin), usage ? "with its usage" : "without its usage");
}

static void show_model(struct report *report, const oe_model *model, bool remote)
{
	bool keyless = strcmp(model->backend, "openai") == 0 && !model->has_key;

	find(report, keyless ? LEVEL_NOTE : LEVEL_OK, "llm", "%s%s%s%s%s%s", model->backend,
		 *model->name ? " " : "", model->name, remote ? " at " : "", remote ? model->api_base : "",
		 !remote		   ? ""
		 : model->has_key  ? ", key set"
						   : ", no key");
}

/* Those of the evolution, or of the evaluator's feedback. */
static void check_list(struct report *report, struct session *session, bool judges, bool offline)
{
	const oe_model *model = NULL;
	oe_error err = { 0 };
	int got;

	for (size_t i = 0; (got = oe_config_model(session->config, judges, i, &model, &err)) > 0; i++) {
		bool embedded = strcmp(model->backend, "mutate") == 0;
		show_model(report, model, !embedded && strcmp(model->backend, "command") != 0);
		if (offline && !embedded)
			find(report, LEVEL_NOTE, "llm", "not asked (--offline)");
		else if (!embedded)
			ask_model(report, session, judges, i);
	}
	if (got < 0)
		find_error(report, "llm", got, &err);
}

static void check_models(struct report *report, struct session *session, bool offline)
{
	oe_error err = { 0 };

	/* Whoever waits for an answer here wants to hear of the first failure. */
	if (oe_config_origin_level(session->config, "llm.retries") == OE_ORIGIN_DEFAULT &&
		oe_config_set(session->config, "llm.retries", "0", &err) < 0)
		find_error(report, "llm", err.status, &err);
	check_list(report, session, false, offline);
	const char *feedback = oe_config_get(session->config, "evaluator.use_llm_feedback");
	if (feedback && strcmp(feedback, "true") == 0)
		check_list(report, session, true, offline);
}

/* ---- program and evaluator ---- */

static void check_program(struct report *report, const oe_program *program)
{
	size_t size = 0, blocks = 0, lines = 0;
	const char *code = oe_program_code(program).data;

	size = oe_program_code(program).size;
	for (const char *at = code; (at = strstr(at, "EVOLVE-BLOCK-START")); at++)
		blocks++;
	for (size_t i = 0; i < size; i++)
		lines += code[i] == '\n';
	find(report, LEVEL_OK, "program", "%zu lines, %.1f KB of %s, %zu EVOLVE-BLOCK%s%s", lines,
		 (double)size / 1e3, oe_program_language(program), blocks, blocks == 1 ? "" : "s",
		 blocks == 0 ? ": all of it may change" : "");
}

static bool has_metric(const oe_evaluation *evaluation, const char *wanted)
{
	const char *name;

	for (size_t i = 0; (name = oe_evaluation_metric_at(evaluation, i, NULL)); i++)
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

static void check_evaluation(struct report *report, const struct session *session,
							 oe_evaluation *const runs[2])
{
	AUTO(program) oe_program *first = NULL, *second = NULL;

	if (*oe_evaluation_problem(runs[0])) {
		find(report, LEVEL_FAIL, "evaluator", "the initial program has no score (%s): %s",
			 oe_verdict_name(oe_evaluation_verdict(runs[0])), oe_evaluation_problem(runs[0]));
		return;
	}
	if (oe_program_evaluated(session->program, runs[0], &first) < 0 ||
		oe_program_evaluated(session->program, runs[1], &second) < 0)
		exit(message_error(EXIT_FAILED, OE_ERR_NOMEM, NULL));
	double a = oe_program_fitness(first), b = oe_program_fitness(second);
	find(report, LEVEL_OK, "evaluator", "fitness %.6g in %.0f ms", a,
		 oe_evaluation_wall_ms(runs[0]));
	if (fabs(a - b) > 0)
		find(report, LEVEL_NOTE, "evaluator", "a second evaluation gives %.6g: fitness is noisy", b);
	if (!has_metric(runs[0], "combined_score"))
		find(report, LEVEL_WARN, "evaluator",
			 "no metric combined_score; the mean of the numbers is the fitness");
}

static void check_evaluator(struct report *report, struct session *session, const char *path)
{
	int64_t timeout_ms = (int64_t)(settings_number(session->config, "evaluator.timeout", 0) * 1e3);
	oe_evaluation *runs[2] = { NULL, NULL };
	oe_error err = { 0 };
	int status = oe_evaluator_from_config(session->config, session->scheduler, path,
										  session->suffix, NULL, &session->evaluator, &err);

	for (uint64_t i = 0; i < 2 && status == 0; i++)
		status = oe_evaluator_run(session->evaluator, session->program, 0, timeout_ms, &runs[i],
								  &err);
	if (status < 0)
		find_error(report, "evaluator", status, &err);
	else
		check_evaluation(report, session, runs);
	oe_evaluation_unref(runs[0]);
	oe_evaluation_unref(runs[1]);
}

/* ---- the sandbox ---- */

/* The same without anything that is required: what there is is to be shown then, too. */
static json_t *relaxed(const oe_config *config, const char *evaluator)
{
	AUTO(config) oe_config *copy = NULL;
	AUTO(sandbox) oe_sandbox *sandbox = NULL;

	if (oe_config_copy(config, &copy) < 0)
		exit(message_error(EXIT_FAILED, OE_ERR_NOMEM, NULL));
	int status = oe_config_set_as(copy, "sandbox.mode", "auto", OE_ORIGIN_FLAG, "doctor", NULL);
	if (status >= 0)
		status = oe_config_set_as(copy, "sandbox.require", "[]", OE_ORIGIN_FLAG, "doctor", NULL);
	if (status >= 0)
		status = oe_sandbox_from_config(copy, evaluator, &sandbox, NULL);
	return json_parsed(status < 0 ? NULL : oe_sandbox_report_json(sandbox));
}

/* That of the evaluator, as it runs; without one, what it would get. */
static json_t *confinement_of(struct report *report, const struct session *session,
							  const char *evaluator, bool *refused)
{
	const char *known = oe_evaluator_confinement(session->evaluator);
	AUTO(sandbox) oe_sandbox *sandbox = NULL;
	oe_error err = { 0 };

	if (known)
		return json_parsed(known);
	int status = oe_sandbox_from_config(session->config, evaluator, &sandbox, &err);
	if (status < 0)
		find_error(report, "sandbox", status, &err);
	*refused = status == OE_ERR_SANDBOX;
	if (*refused)
		return relaxed(session->config, evaluator);
	return json_parsed(status < 0 ? NULL : oe_sandbox_report_json(sandbox));
}

/* Returns the report, for --json. */
static json_t *check_sandbox(struct report *report, const struct session *session,
							 const char *evaluator)
{
	AUTO(text) struct text summary = TEXT_INIT;
	struct confinement confinement;
	bool refused = false;
	json_t *found = confinement_of(report, session, evaluator, &refused);

	if (!confinement_read(found, &confinement))
		return found;
	text_add(&summary, refused ? "without that, " : "");
	confinement_summary(&summary, &confinement);
	/* Namespaces are what a program cannot reach around. */
	enum level level = refused ? LEVEL_NOTE : confinement.tier < 2 ? LEVEL_WARN : LEVEL_OK;
	find(report, level, "sandbox", "%s", text_string(&summary));
	if (!report->findings)
		confinement_table(found);
	return found;
}

/* ---- the command ---- */

static int run(const struct arguments *arguments)
{
	const char *program = arguments_operand(arguments, 0);
	const char *evaluator = arguments_operand(arguments, 1);
	struct session session = { 0 };
	struct report report = { .findings = arguments_has(arguments, "json") ? json_array() : NULL };

	if (program && !evaluator)
		return arguments_misuse(arguments->command, "an evaluator must follow the program");
	int status = settings_read(arguments, NULL, &session.config);
	if (status == EXIT_DONE)
		status = session_start_scheduler(&session);
	if (status == EXIT_DONE && program)
		status = session_read_program(&session, program);
	if (status != EXIT_DONE) {
		json_decref(report.findings);
		session_done(&session);
		return status;
	}
	check_machine(&report, ".");
	check_config(&report, session.config);
	check_models(&report, &session, arguments_has(arguments, "offline"));
	if (program) {
		check_program(&report, session.program);
		check_evaluator(&report, &session, evaluator);
	}
	json_t *sandbox = check_sandbox(&report, &session, evaluator);
	session_done(&session);
	if (report.findings) {
		json_t *root = json_document("doctor");
		json_set(root, "ok", json_boolean(!report.failed));
		json_set(root, "findings", report.findings);
		json_set(root, "sandbox", sandbox);
		json_print(root);
	} else {
		json_decref(sandbox);
	}
	return report.failed ? EXIT_FAILED : EXIT_DONE;
}

static const struct option options[] = {
	{ "offline", NULL, "do not ask the models anything", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = {
	options, options_config, options_models, options_sandbox, options_json, options_common, NULL,
};

const struct command command_doctor = {
	.name = "doctor",
	.group = "Start",
	.summary = "Check the machine, the configuration, the models, the evaluator and the sandbox",
	.operands = "[PROGRAM EVALUATOR]",
	.details = "With a program and an evaluator, the program is evaluated twice. Keys are never "
			   "printed, only whether there are any. What the sandbox guarantees is tried, not "
			   "guessed: a program attempts what is forbidden.",
	.options = tables,
	.examples = {
		{ "oe doctor", "the machine and the models" },
		{ "oe doctor initial_program.py evaluator.py -c config.yaml --offline", "all but the models" },
	},
	.operands_max = 2,
	.run = run,
};
