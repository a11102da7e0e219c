/* oe config: what the options are, mean, and where their values come from. */

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "json.h"
#include "session.h"
#include "settings.h"
#include "terminal.h"

static int print_text(oe_config *config, int format)
{
	const char *text = NULL;
	int status = oe_config_text(config, format, &text);

	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	terminal_print(stdout, text, strlen(text));
	if (!text_ends(text, "\n"))
		putchar('\n');
	return EXIT_DONE;
}

/* Takes the options that nobody set out of the sections of `values`, and sections without any. */
static void keep_changed(json_t *values, const oe_config *config)
{
	const oe_option *option;
	const char *section;
	json_t *value;
	void *next;

	for (size_t i = 0; (option = oe_option_at(i)); i++) {
		const char *dot = strchr(option->name, '.');
		AUTO(string) char *name =
			must_format("%.*s", dot ? (int)(dot - option->name) : 0, option->name);
		if (!option->alias && oe_config_origin_level(config, option->name) == OE_ORIGIN_DEFAULT)
			json_object_del(dot ? json_object_get(values, name) : values,
							dot ? dot + 1 : option->name);
	}
	json_object_foreach_safe(values, next, section, value)
		if (json_is_object(value) && json_object_size(value) == 0)
			json_object_del(values, section);
}

static int show_json(oe_config *config, bool changed)
{
	const char *text = NULL;

	int status = oe_config_text(config, OE_CONFIG_JSON, &text);
	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	json_t *values = json_read(text, "the configuration");
	if (!values)
		return EXIT_INTERNAL;
	json_t *root = json_document("config");
	json_t *origins = json_object();
	const oe_option *option;
	for (size_t i = 0; (option = oe_option_at(i)); i++)
		if (!option->alias && oe_config_origin_level(config, option->name) > OE_ORIGIN_DEFAULT)
			json_set(origins, option->name, json_words(oe_config_origin(config, option->name)));
	if (changed)
		keep_changed(values, config);
	json_set(root, "values", values);
	json_set(root, "origins", origins);
	return json_print(root);
}

static int show(const struct arguments *arguments, oe_config *config)
{
	settings_warn(config);
	if (arguments_has(arguments, "json"))
		return show_json(config, arguments_has(arguments, "changed"));
	if (arguments_has(arguments, "origin"))
		return print_text(config, OE_CONFIG_ORIGIN);
	return print_text(config, arguments_has(arguments, "changed") ? OE_CONFIG_CHANGED
																   : OE_CONFIG_YAML);
}

static int check(oe_config *config)
{
	const oe_model *model;
	oe_error err = { 0 };
	int status = oe_config_check(config, &err);

	settings_warn(config);
	if (status < 0)
		return message_error(EXIT_CONFIG, status, &err);
	/* A file without models is fine as a file, but somebody should know. */
	if (oe_config_model(config, 0, 0, &model, &err) <= 0)
		message("note: %s", err.message[0] ? err.message : session_no_model);
	size_t warnings = 0;
	while (oe_config_warning(config, warnings))
		warnings++;
	if (message_level() > 0)
		printf("ok, %zu warnings\n", warnings);
	return EXIT_DONE;
}

static const char *type_name(int type)
{
	static const char *const names[] = { "boolean", "whole number",     "number", "text",
										 "list",    "map",              "whole number or map",
										 "list of models" };

	return type >= 0 && type < (int)(sizeof(names) / sizeof(names[0])) ? names[type] : "value";
}

static void explain_range(const oe_option *option)
{
	if (option->type != OE_OPTION_INT && option->type != OE_OPTION_REAL &&
		option->type != OE_OPTION_INT_OR_MAP)
		return;
	if (isfinite(option->minimum) && isfinite(option->maximum))
		printf("range     %g to %g\n", option->minimum, option->maximum);
	else if (isfinite(option->minimum))
		printf("range     at least %g\n", option->minimum);
	else if (isfinite(option->maximum))
		printf("range     at most %g\n", option->maximum);
}

static void print_environment(const char *name)
{
	AUTO(string) char *variable = settings_variable(name);

	printf("variable  %s\n", variable);
}

static int explain(const struct arguments *arguments, const oe_config *config)
{
	const char *name = arguments_operand(arguments, 1);
	const oe_option *option = name ? oe_option_find(name) : NULL;

	if (!name)
		return arguments_misuse(arguments->command, "which option? 'oe config keys' lists them");
	if (option && option->alias)
		option = oe_option_find(option->alias);
	if (!option) {
		const char *near = oe_option_nearest(name);
		return message_fail(EXIT_CONFIG, near ? "no option '%s'; '%s'?" : "no option '%s'", name,
							near);
	}
	printf("%s\n  %s\n\n", option->name, option->summary);
	printf("type      %s%s\n", type_name(option->type),
		   option->flags & OE_OPTION_NULLABLE ? ", or null" : "");
	if (option->choices && option->choices[0])
		printf("choices   %s\n", option->choices);
	explain_range(option);
	if (option->unit && option->unit[0])
		printf("unit      %s\n", option->unit);
	printf("default   %s\n", option->default_value);
	print_environment(option->name);
	if (option->flags & OE_OPTION_MODEL)
		puts("models    also in an entry of llm.models");
	printf("origin    %s\n", option->flags & OE_OPTION_OPENEVOLVE ? "OpenEvolve" : "ours");
	if (option->no_effect)
		printf("effect    none: %s\n", option->no_effect);
	AUTO(text) struct text value = TEXT_INIT;
	terminal_clean_line(&value, oe_config_get(config, option->name));
	printf("value     %s (%s)\n", text_string(&value), oe_config_origin(config, option->name));
	return EXIT_DONE;
}

static int keys(void)
{
	const oe_option *option;

	for (size_t i = 0; (option = oe_option_at(i)); i++)
		if (!option->alias)
			puts(option->name);
	return EXIT_DONE;
}

static int run(const struct arguments *arguments)
{
	const char *action = arguments_operand(arguments, 0);
	const char *file = arguments_operand(arguments, 1);
	AUTO(config) oe_config *config = NULL;
	bool explains = action && strcmp(action, "explain") == 0;
	struct settings_base base = { .path = explains ? NULL : file };

	if (action && strcmp(action, "keys") == 0)
		return keys();
	int status = settings_read(arguments, &base, &config);
	if (status)
		return status;
	if (!action || strcmp(action, "show") == 0)
		return show(arguments, config);
	if (strcmp(action, "check") == 0)
		return check(config);
	if (strcmp(action, "schema") == 0)
		return print_text(config, OE_CONFIG_SCHEMA);
	return explain(arguments, config);
}

static const struct option options[] = {
	{ "origin", NULL, "show: where each value comes from", NULL, NULL, OPTION_FLAG, 0 },
	{ "changed", NULL, "show: only what is not the default", NULL, NULL, OPTION_FLAG, 0 },
	{ "strict", NULL, "check: unknown keys are errors", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const struct option *const tables[] = {
	options, options_config, options_search, options_models, options_json, options_common, NULL,
};

const struct command command_config = {
	.name = "config",
	.group = "Configuration and help",
	.summary = "Show, check and explain options",
	.operands = "[show|check|schema|explain|keys] [FILE|KEY]",
	.details = "show prints every option as a run would see it; check says what is wrong with a "
			   "file; schema prints a JSON Schema for editors; explain tells about one option; keys "
			   "lists all of them.",
	.actions = "show|check|schema|explain|keys",
	.options = tables,
	.examples = {
		{ "oe config show -c config.yaml --origin", "every value, and where it comes from" },
		{ "oe config explain database.migration_interval", "one option" },
	},
	.operands_max = 2,
	.run = run,
};
