/* Things that several commands print for people. */

#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "session.h"
#include "settings.h"
#include "terminal.h"
#include "text.h"

#define ARTIFACT_LINES 12

static void report_metrics(const oe_evaluation *evaluation)
{
	const char *name;
	double value;

	for (size_t i = 0; (name = oe_evaluation_metric_at(evaluation, i, &value)); i++) {
		AUTO(text) struct text line = TEXT_INIT;
		text_add(&line, "  ");
		terminal_clean_line(&line, name);
		text_add(&line, " = ");
		if (isnan(value))
			terminal_clean_line(&line, oe_evaluation_metric_json(evaluation, i));
		else
			text_format(&line, "%.10g", value);
		puts(text_string(&line));
	}
}

/* The first lines of an artifact, and how much there is. */
static void report_artifact(const char *name, oe_bytes content)
{
	AUTO(text) struct text text = TEXT_INIT;
	size_t shown = 0, lines = 0;
	const char *data = content.data;

	while (shown < content.size && lines < ARTIFACT_LINES && shown < 4096)
		lines += data[shown++] == '\n';
	text_add(&text, "  artifact ");
	terminal_clean_line(&text, name);
	text_format(&text, ", %zu bytes%s\n    ", content.size,
				shown < content.size ? " (the beginning)" : "");
	AUTO(text) struct text clean = TEXT_INIT;
	terminal_clean(&clean, data, shown, true);
	for (const char *s = text_string(&clean); *s; s++) {
		text_add_char(&text, *s);
		if (*s == '\n' && s[1])
			text_add(&text, "    ");
	}
	if (text.data[text.size - 1] != '\n')
		text_add_char(&text, '\n');
	fputs(text_string(&text), stdout);
}

void report_evaluation(const oe_evaluation *evaluation)
{
	AUTO(text) struct text line = TEXT_INIT;
	const char *problem = oe_evaluation_problem(evaluation);
	oe_bytes content;
	const char *name;

	text_format(&line, "  verdict %s", oe_verdict_name(oe_evaluation_verdict(evaluation)));
	if (oe_evaluation_wall_ms(evaluation) >= 0) {
		text_add(&line, ", ");
		text_format(&line, "%.1f ms", oe_evaluation_wall_ms(evaluation));
	}
	if (oe_evaluation_cpu_ms(evaluation) >= 0)
		text_format(&line, " (%.1f ms of processor)", oe_evaluation_cpu_ms(evaluation));
	if (problem[0]) {
		text_add(&line, oe_evaluation_verdict(evaluation) == OE_VERDICT_OK ? ", but no score: " : ": ");
		terminal_clean_line(&line, problem);
	}
	puts(text_string(&line));
	report_metrics(evaluation);
	for (size_t i = 0; (name = oe_evaluation_artifact_at(evaluation, i, &content)); i++)
		report_artifact(name, content);
}

int report_models(oe_config *config)
{
	const oe_model *model = NULL;
	oe_error err = { 0 };
	const char *replay = settings_text(config, "llm.replay");
	int got = 0;
	size_t i;

	if (replay) {
		AUTO(text) struct text line = TEXT_INIT;
		terminal_clean_line(&line, replay);
		printf("answers     recorded in %s\n", text_string(&line));
		return EXIT_DONE;
	}
	for (i = 0; (got = oe_config_model(config, 0, i, &model, &err)) > 0; i++) {
		AUTO(text) struct text line = TEXT_INIT;
		text_add(&line, "model       ");
		terminal_clean_line(&line, model->name[0] ? model->name : model->backend);
		text_format(&line, " (%s", model->backend);
		if (strcmp(model->backend, "mutate") != 0 && strcmp(model->backend, "command") != 0) {
			text_add(&line, ", ");
			terminal_clean_line(&line, model->api_base);
			text_add(&line, model->has_key ? ", key set" : ", no key");
		}
		text_format(&line, ", weight %g)", model->weight);
		puts(text_string(&line));
	}
	if (got < 0)
		return message_error(EXIT_CONFIG, got, &err);
	return i ? EXIT_DONE : message_fail(EXIT_CONFIG, "%s", session_no_model);
}
