/* oe eval: judge a program as a run would, without any model. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "files.h"
#include "handles.h"
#include "json.h"
#include "report.h"
#include "session.h"
#include "settings.h"

struct repeats {
	oe_evaluation **items; /* a reference each */
	size_t count;
};

static void done(struct repeats *repeats)
{
	for (size_t i = 0; i < repeats->count; i++)
		oe_evaluation_unref(repeats->items[i]);
	free(repeats->items);
}

static int judge(struct session *session, const struct arguments *arguments, size_t count,
				 struct repeats *repeats)
{
	int64_t timeout_ms =
		(int64_t)(settings_number(session->config, "evaluator.timeout", 0) * 1000);
	uint64_t seed = (uint64_t)arguments_whole(arguments, "seed", 0);
	oe_error err = { 0 };

	repeats->items = must_alloc(count, sizeof(repeats->items[0]));
	for (size_t i = 0; i < count; i++) {
		int status = oe_evaluator_run(session->evaluator, session->program, seed + i, timeout_ms,
									  &repeats->items[i], &err);
		if (status < 0)
			return message_error(EXIT_EVALUATOR, status, &err);
		repeats->count++;
	}
	return EXIT_DONE;
}

/* ---- how much repeats differ ---- */

struct spread {
	const char *name;
	double mean, deviation, low, high;
};

static double metric(const oe_evaluation *evaluation, const char *wanted)
{
	const char *name;
	double value;

	for (size_t i = 0; (name = oe_evaluation_metric_at(evaluation, i, &value)); i++)
		if (strcmp(name, wanted) == 0)
			return value;
	return NAN;
}

/* Welford's running mean and variance. False for what is not a number in every repeat. */
static bool measure(const struct repeats *repeats, const char *name, struct spread *out)
{
	double squares = 0;

	*out = (struct spread){ name, 0, 0, INFINITY, -INFINITY };
	for (size_t i = 0; i < repeats->count; i++) {
		double value = metric(repeats->items[i], name);
		if (!isfinite(value))
			return false;
		double before = value - out->mean;
		out->mean += before / (double)(i + 1);
		squares += before * (value - out->mean);
		out->low = fmin(out->low, value);
		out->high = fmax(out->high, value);
	}
	out->deviation = repeats->count > 1 ? sqrt(squares / (double)(repeats->count - 1)) : 0;
	return true;
}

static void print_spread(const struct repeats *repeats)
{
	struct spread spread;
	const char *name;

	printf("over %zu evaluations\n", repeats->count);
	for (size_t i = 0; (name = oe_evaluation_metric_at(repeats->items[0], i, NULL)); i++)
		if (measure(repeats, name, &spread))
			printf("  %s mean %.6g, deviation %.3g, from %.6g to %.6g\n", name, spread.mean,
				   spread.deviation, spread.low, spread.high);
}

/* ---- JSON ---- */

static json_t *real_or_null(double value)
{
	return value < 0 ? json_null() : json_number(value);
}

static json_t *usage_of(const oe_evaluation *evaluation)
{
	json_t *object = json_object();
	oe_usage usage = { .struct_size = sizeof(usage) };

	oe_evaluation_usage(evaluation, &usage);
	json_set(object, "wall_ms", real_or_null(usage.wall_ms));
	json_set(object, "cpu_ms", real_or_null(usage.cpu_ms));
	json_set(object, "setup_ms", real_or_null(usage.setup_ms));
	json_set(object, "memory_peak", json_count(usage.memory_peak));
	json_set(object, "memory_source", json_words(usage.memory_source));
	json_set(object, "strays_killed", json_count(usage.strays_killed));
	json_set(object, "output_bytes", json_count(usage.output_bytes));
	json_set(object, "path", json_words(usage.path));
	json_set(object, "seed", json_integer((json_int_t)usage.seed));
	return object;
}

static void add_evaluation(json_t *object, const oe_program *program, oe_evaluation *evaluation)
{
	AUTO(program) oe_program *judged = NULL;
	json_t *timings = json_object();

	if (oe_program_evaluated(program, evaluation, &judged) < 0)
		exit(message_error(EXIT_FAILED, OE_ERR_NOMEM, NULL));
	json_set(object, "verdict", json_string(oe_verdict_name(oe_evaluation_verdict(evaluation))));
	json_set(object, "message", json_words(oe_evaluation_problem(evaluation)));
	json_set(object, "fitness", *oe_evaluation_problem(evaluation)
									? json_null()
									: json_number(oe_program_fitness(judged)));
	json_set(object, "metrics", json_metrics(evaluation));
	json_set(object, "artifacts", json_artifacts(evaluation));
	json_set(timings, "wall_ms", real_or_null(oe_evaluation_wall_ms(evaluation)));
	json_set(timings, "cpu_ms", real_or_null(oe_evaluation_cpu_ms(evaluation)));
	json_set(object, "timings", timings);
	json_set(object, "usage", usage_of(evaluation));
}

static int print_json(const struct session *session, const struct repeats *repeats)
{
	json_t *root = json_document("eval");
	struct spread spread;
	const char *name;

	json_set(root, "program", json_words(session->program_path));
	json_set(root, "evaluator", json_words(session->evaluator_path));
	json_set(root, "sandbox", json_parsed(oe_evaluator_confinement(session->evaluator)));
	add_evaluation(root, session->program, repeats->items[0]);
	if (repeats->count > 1) {
		json_t *all = json_array(), *spreads = json_object();
		for (size_t i = 0; i < repeats->count; i++) {
			json_t *one = json_object();
			add_evaluation(one, session->program, repeats->items[i]);
			json_push(all, one);
		}
		for (size_t i = 0; (name = oe_evaluation_metric_at(repeats->items[0], i, NULL)); i++) {
			if (!measure(repeats, name, &spread))
				continue;
			json_t *object = json_object();
			json_set(object, "mean", json_number(spread.mean));
			json_set(object, "deviation", json_number(spread.deviation));
			json_set(object, "low", json_number(spread.low));
			json_set(object, "high", json_number(spread.high));
			json_set(spreads, name, object);
		}
		json_set(root, "evaluations", all);
		json_set(root, "spread", spreads);
	}
	return json_print(root);
}

static void print_text(const struct session *session, const struct repeats *repeats)
{
	printf("%s by %s\n", session->program_path, session->evaluator_path);
	report_evaluation(repeats->items[0]);
	if (repeats->count > 1)
		print_spread(repeats);
}

static int run(const struct arguments *arguments)
{
	const char *evaluator = arguments_get(arguments, "evaluator");
	long count = arguments_whole(arguments, "repeat", 1);
	struct session session = { 0 };
	struct repeats repeats = { 0 };

	if (!evaluator)
		return arguments_misuse(arguments->command, "--evaluator FILE is missing");
	if (count < 1 || count > 100000)
		return arguments_misuse(arguments->command, "--repeat: expected 1 to 100000");
	int status = settings_read(arguments, NULL, &session.config);
	if (status == EXIT_DONE) {
		settings_warn(session.config);
		status = session_read_program(&session, arguments_operand(arguments, 0));
	}
	session_raise_limits();
	if (status == EXIT_DONE)
		status = session_start_scheduler(&session);
	if (status == EXIT_DONE)
		status = session_make_evaluator(&session, evaluator);
	if (status == EXIT_DONE)
		status = judge(&session, arguments, (size_t)count, &repeats);
	if (status == EXIT_DONE) {
		if (arguments_has(arguments, "json"))
			print_json(&session, &repeats);
		else
			print_text(&session, &repeats);
		for (size_t i = 0; i < repeats.count; i++)
			if (*oe_evaluation_problem(repeats.items[i]))
				status = EXIT_FAILED;
	}
	done(&repeats);
	session_done(&session);
	return status;
}

static const struct option options[] = {
	{ "evaluator", "FILE", "the evaluator; required", NULL, NULL, OPTION_FILE, 0 },
	{ "repeat", "N", "evaluate so often, and say how much the results differ", NULL, NULL,
	  OPTION_WHOLE, 'n' },
	{ "seed", "N", "seed of the first evaluation, handed to the evaluator", NULL, NULL,
	  OPTION_WHOLE, 0 },
	{ 0 },
};

static const struct option *const tables[] = {
	options, options_config, options_sandbox, options_json, options_common, NULL,
};

const struct command command_eval = {
	.name = "eval",
	.group = "Run",
	.summary = "Evaluate a program once, without a model",
	.operands = "PROGRAM",
	.details = "The program is judged as in a run: in its own process, with the time limit of "
			   "evaluator.timeout. Exits with 1 if an evaluation gives no score.",
	.options = tables,
	.examples = {
		{ "oe eval initial_program.py --evaluator evaluator.py", "metrics, artifacts and time" },
		{ "oe eval best.py --evaluator evaluator.py -n 20 --json", "how noisy is it?" },
	},
	.operands_min = 1,
	.operands_max = 1,
	.run = run,
};
