/* oe status: how a run stands, live or ended. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "book.h"
#include "cli.h"
#include "commands.h"
#include "confinement.h"
#include "handles.h"
#include "json.h"
#include "terminal.h"

static const char *string_at(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	return string ? string : "";
}

static long long whole_at(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static double number_at(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* Where there are several, what each of them was asked. */
static void add_models(struct text *text, json_t *models)
{
	const char *name;
	json_t *usage;

	if (json_object_size(models) < 2)
		return;
	json_object_foreach(models, name, usage)
	{
		text_add(text, "  ");
		terminal_clean_line(text, *name ? name : "without a name");
		text_format(text, ": %lld requests, ", whole_at(usage, "requests"));
		text_count(text, (double)whole_at(usage, "tokens_in"));
		text_add(text, " tokens in, ");
		text_count(text, (double)whole_at(usage, "tokens_out"));
		text_add(text, " out\n");
	}
}

static void add_outcomes(struct text *text, json_t *outcomes)
{
	const char *name;
	json_t *count;
	bool any = false;

	json_object_foreach(outcomes, name, count) {
		if (json_integer_value(count) == 0)
			continue;
		text_format(text, "%s%lld %s", any ? ", " : "outcomes    ",
					(long long)json_integer_value(count), name);
		any = true;
	}
	if (any)
		text_add_char(text, '\n');
}

static void add_best(struct text *text, const json_t *best)
{
	text_add(text, "best        ");
	text_score(text, number_at(best, "fitness"));
	text_add(text, " by ");
	terminal_clean_line(text, string_at(best, "id"));
	text_format(text, " (it %lld)\n", whole_at(best, "iteration"));
}

static void add_use(struct text *text, const char *label, const json_t *use, const char *unit)
{
	double limit = number_at(use, "limit"), unsettled = number_at(use, "unsettled");

	text_format(text, "%s%s", label, unit[0] == '$' ? "$" : "");
	text_format(text, unit[0] == '$' ? "%.4f" : "%.0f", number_at(use, "used"));
	if (isfinite(limit))
		text_format(text, unit[0] == '$' ? " of $%.4f" : " of %.0f", limit);
	text_add(text, unit[0] == '$' ? "" : unit);
	if (unsettled > 0)
		text_format(text, unit[0] == '$' ? " ($%.4f unsettled)" : " (%.0f unsettled)", unsettled);
	if (whole_at(use, "unpriced_requests") > 0)
		text_format(text, " and %lld unpriced requests", whole_at(use, "unpriced_requests"));
	text_add_char(text, '\n');
}

/* What has a limit, and the cost where it is known. */
static void add_budget(struct text *text, const json_t *budget)
{
	static const struct {
		const char *key, *unit;
	} uses[] = { { "tokens", " tokens" }, { "cost_usd", "$" }, { "evaluations", " evaluations" },
				 { "seconds", " s" } };
	bool any = false;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const json_t *use = json_object_get(budget, uses[i].key);
		bool cost = uses[i].unit[0] == '$' && isfinite(number_at(use, "used"));
		if (!cost && !isfinite(number_at(use, "limit")))
			continue;
		add_use(text, any ? "            " : "budget      ", use, uses[i].unit);
		any = true;
	}
}

static void print_text(const char *directory, json_t *root)
{
	AUTO(text) struct text text = TEXT_INIT;
	struct confinement confinement;
	const json_t *iterations = json_object_get(root, "iterations");
	const json_t *best = json_object_get(root, "best");
	const json_t *llm = json_object_get(root, "llm");
	const json_t *evaluations = json_object_get(root, "evaluations");

	text_add(&text, "run         ");
	terminal_clean_line(&text, directory);
	text_add(&text, "\nstate       ");
	terminal_clean_line(&text, string_at(root, "state"));
	if (string_at(root, "reason")[0]) {
		text_add(&text, ", ");
		terminal_clean_line(&text, string_at(root, "reason"));
	}
	text_format(&text, "\niterations  %lld done, %lld issued\n", whole_at(iterations, "done"),
				whole_at(iterations, "issued"));
	add_outcomes(&text, json_object_get(iterations, "outcomes"));
	text_format(&text, "programs    %lld\n", whole_at(root, "programs"));
	if (json_is_object(best))
		add_best(&text, best);
	if (string_at(root, "archive_hash")[0])
		text_format(&text, "archive     %s\n", string_at(root, "archive_hash"));
	text_format(&text, "models      %lld requests, %lld attempts, ", whole_at(llm, "requests"),
				whole_at(llm, "attempts"));
	text_count(&text, (double)whole_at(llm, "tokens_in"));
	text_add(&text, " tokens in, ");
	text_count(&text, (double)whole_at(llm, "tokens_out"));
	text_add(&text, " out\n");
	add_models(&text, json_object_get(llm, "models"));
	text_format(&text, "evaluations %lld done, %lld failed, %lld timed out\n",
				whole_at(evaluations, "finished"), whole_at(evaluations, "failed"),
				whole_at(evaluations, "timed_out"));
	add_budget(&text, json_object_get(root, "budget"));
	if (isfinite(number_at(root, "rate_per_s")))
		text_format(&text, "rate        %.3g iterations/s\n", number_at(root, "rate_per_s"));
	if (confinement_read(json_object_get(root, "sandbox"), &confinement)) {
		text_add(&text, "sandbox     ");
		confinement_summary(&text, &confinement);
		text_add_char(&text, '\n');
	}
	fputs(text_string(&text), stdout);
}

/* A run that ended says it; one that was interrupted is played to its end. While one is running it would
   be another one before it is printed. A log that cannot be played has none: its figures can be told. */
static void complete_hash(struct book *book, json_t *root)
{
	AUTO(population) oe_population *population = NULL;
	char hash[65];

	if (json_is_string(json_object_get(root, "archive_hash")) ||
		strcmp(string_at(root, "state"), "running") == 0)
		return;
	if (oe_run_population(book->run, &population, NULL) == 0 &&
		oe_population_hash(population, hash) == 0)
		json_set(root, "archive_hash", json_string(hash));
}

static int run(const struct arguments *arguments)
{
	struct book book;
	AUTO(run_text) char *json = NULL;
	oe_error err = { 0 };

	int status = book_open_run(arguments_operand(arguments, 0), &book);
	if (status)
		return status;
	int got = oe_run_status_json(book.run, &json, &err);
	json_t *root = got < 0 ? NULL : json_read(json, "the status");
	if (root)
		complete_hash(&book, root);
	if (got < 0) {
		status = message_error(EXIT_STORE, got, &err);
	} else if (!root) {
		status = EXIT_STORE;
	} else if (arguments_has(arguments, "json")) {
		json_t *document = json_document("status");
		json_set(document, "directory", json_words(book.directory));
		json_object_update(document, root);
		json_decref(root);
		status = json_print(document);
	} else {
		print_text(book.directory, root);
		json_decref(root);
	}
	book_close(&book);
	return status;
}

static const struct option *const tables[] = { options_json, options_common, NULL };

const struct command command_status = {
	.name = "status",
	.group = "Look",
	.summary = "Tell how a run stands",
	.operands = "[RUN]",
	.options = tables,
	.examples = {
		{ "oe status", "the newest run below this directory" },
		{ "oe status openevolve_output --json", "all figures, for a script" },
	},
	.operands_max = 1,
	.run = run,
};
