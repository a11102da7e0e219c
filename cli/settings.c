/*
 * From a command line to a configuration: each flag that stands for an option names it in its
 * table, so this file knows only the few that mean more.
 */

#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "handles.h"
#include "text.h"

const struct option options_config[] = {
	{ "config", "FILE", "configuration, in YAML", NULL, NULL, OPTION_FILE, 'c' },
	{ "set", "KEY=VALUE", "set one option, such as database.num_islands=3; may be repeated", NULL,
	  NULL, OPTION_SETTING, 0 },
	{ "strict-config", NULL, "make unknown keys errors", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

const struct option options_models[] = {
	{ "api-base", "URL", "where the models are", NULL, "llm.api_base", OPTION_TEXT, 0 },
	{ "primary-model", "NAME", "the model to ask, instead of those in the configuration", NULL,
	  "llm.primary_model", OPTION_TEXT, 0 },
	{ "secondary-model", "NAME", "another one, asked less often", NULL, "llm.secondary_model",
	  OPTION_TEXT, 0 },
	{ "llm-record", "FILE", "append every answer to this file", NULL, "llm.record", OPTION_FILE, 0 },
	{ "llm-replay", "FILE", "give the answers of such a file, and ask no model", NULL, "llm.replay",
	  OPTION_FILE, 0 },
	{ 0 },
};

const struct option options_search[] = {
	{ "iterations", "N", "how many iterations", NULL, "max_iterations", OPTION_WHOLE, 'i' },
	{ "target-score", "X", "stop when the best fitness reaches this", NULL, "target_score",
	  OPTION_NUMBER, 't' },
	{ "max-time", "TIME", "stop after this time, such as 90s or 2h30m", NULL, "max_time",
	  OPTION_DURATION, 0 },
	{ "max-llm-tokens", "N", "let models use so many tokens", NULL, "budget.tokens", OPTION_WHOLE, 0 },
	{ "max-cost", "USD", "let models cost so much; needs budget.prices", NULL, "budget.cost_usd",
	  OPTION_NUMBER, 0 },
	{ "max-evaluations", "N", "evaluate so many programs", NULL, "budget.evaluations", OPTION_WHOLE,
	  0 },
	{ "patience", "N", "stop after N iterations without improvement", NULL,
	  "early_stopping_patience", OPTION_WHOLE, 0 },
	{ "jobs", "N", "evaluations at a time", NULL, "evaluator.parallel_evaluations", OPTION_WHOLE,
	  'j' },
	{ "llm-jobs", "N", "calls of models at a time", NULL, "llm.concurrency", OPTION_WHOLE, 0 },
	{ "seed", "N", "seed of everything random", NULL, "random_seed", OPTION_WHOLE, 0 },
	{ "islands", "N", "number of islands", NULL, "database.num_islands", OPTION_WHOLE, 0 },
	{ "grace", "TIME", "how long evaluations may go on after Ctrl-C, at most 5s", NULL, "evaluator.grace",
	  OPTION_DURATION, 0 },
	{ "log-level", "LEVEL", "least importance of what is logged",
	  "DEBUG|INFO|WARNING|ERROR|CRITICAL", "log_level", OPTION_CHOICE, 'l' },
	{ "logger-prefix", "WORD", "put before the names in log files", NULL, "logger_prefix",
	  OPTION_TEXT, 0 },
	{ "evaluator-args", "JSON", "arguments by name for evaluate(), as '{\"weight\": 2}'", NULL,
	  "evaluator.evaluator_args", OPTION_JSON, 0 },
	{ 0 },
};

const struct option options_sandbox[] = {
	{ "sandbox", "MODE", "confine evaluations as well as can be, fully or not at all, or never",
	  "auto|strict|none", "sandbox.mode", OPTION_CHOICE, 0 },
	{ 0 },
};

const struct option options_json[] = {
	{ "json", NULL, "print one JSON document", NULL, NULL, OPTION_FLAG, 0 },
	{ 0 },
};

static const char *environment(const char *name, void *userdata)
{
	(void)userdata;
	return getenv(name);
}

static int set_flag(oe_config *config, const char *name, const char *value, const char *flag,
					oe_error *err)
{
	AUTO(string) char *source = must_format("--%s", flag);

	return oe_config_set_as(config, name, value, OE_ORIGIN_FLAG, source, err);
}

/* Text that YAML might read as something else stays text. */
static char *quoted(const char *value)
{
	struct text text = TEXT_INIT;

	text_add_char(&text, '\'');
	for (const char *s = value; *s; s++)
		text_add(&text, *s == '\'' ? "''" : (char[]){ *s, '\0' });
	text_add_char(&text, '\'');
	return text_take(&text);
}

static int set_option(oe_config *config, const struct given *given, oe_error *err)
{
	const struct option *option = given->option;

	if (option->kind == OPTION_SETTING) {
		size_t size = strcspn(given->value, "=");
		AUTO(string) char *name = must_format("%.*s", (int)size, given->value);
		return oe_config_set(config, name, given->value + size + 1, err);
	}
	if (!option->key)
		return 0;
	AUTO(string) char *value =
		option->kind == OPTION_TEXT || option->kind == OPTION_FILE ? quoted(given->value)
																   : must_copy(given->value);
	int status = set_flag(config, option->key, value, option->name, err);
	/* As in OpenEvolve, a model on the command line replaces those of the file. */
	if (status >= 0 && text_ends(option->name, "-model"))
		status = set_flag(config, "llm.models", "[]", option->name, err);
	/* One seed for everything, whatever the file says about the population's own. */
	if (status >= 0 && strcmp(option->name, "seed") == 0)
		status = set_flag(config, "database.random_seed", value, option->name, err);
	return status;
}

static bool is_of_models(const struct option *option)
{
	return option->key && (text_ends(option->name, "-model") || strcmp(option->name, "api-base") == 0);
}

/* A model on the command line replaces the answers of a recording, too: of the file, or of the run. */
static int leave_recording(oe_config *config, const struct arguments *arguments, oe_error *err)
{
	for (size_t i = 0; i < arguments->given_count; i++)
		if (is_of_models(arguments->given[i].option) &&
			oe_config_origin_level(config, "llm.replay") < OE_ORIGIN_SET)
			return set_flag(config, "llm.replay", "null", arguments->given[i].option->name, err);
	return 0;
}

static int load(oe_config *config, const struct arguments *arguments,
				const struct settings_base *base, oe_error *err)
{
	const char *path = arguments_get(arguments, "config");

	if (path)
		return oe_config_load(config, path, err);
	if (base && base->text)
		return oe_config_load_text(config, base->text, strlen(base->text), base->name, err);
	if (base && base->path)
		return oe_config_load(config, base->path, err);
	return 0;
}

int settings_read(const struct arguments *arguments, const struct settings_base *base,
				  oe_config **out)
{
	AUTO(config) oe_config *config = NULL;
	oe_error err = { 0 };

	int status = oe_config_new(&config);
	if (status < 0)
		return message_error(EXIT_FAILED, status, NULL);
	oe_config_set_strict(config, arguments_has(arguments, "strict-config") ||
									 arguments_has(arguments, "strict"));
	status = oe_config_set_environment(config, environment, NULL, &err);
	if (status >= 0)
		status = load(config, arguments, base, &err);
	for (size_t i = 0; i < arguments->given_count && status >= 0; i++)
		status = set_option(config, &arguments->given[i], &err);
	if (status >= 0)
		status = leave_recording(config, arguments, &err);
	if (status < 0)
		return message_error(EXIT_CONFIG, status, &err);
	*out = config;
	config = NULL;
	return EXIT_DONE;
}

char *settings_variable(const char *name)
{
	struct text text = TEXT_INIT;

	text_add(&text, "OE_");
	for (const char *s = name; *s; s++)
		if (*s == '.')
			text_add(&text, "__");
		else
			text_add_char(&text, (char)(*s >= 'a' && *s <= 'z' ? *s - 'a' + 'A' : *s));
	return text_take(&text);
}

/* Others may begin with OE_ too: only what is nearly an option's is a slip. */
static void check_variable(const char *name)
{
	const oe_option *option;
	AUTO(string) char *near = NULL;
	size_t best = 3;

	for (size_t i = 0; (option = oe_option_at(i)); i++) {
		AUTO(string) char *variable = settings_variable(option->name);
		size_t distance = text_distance(variable, name);
		if (distance == 0)
			return;
		if (distance < best) {
			best = distance;
			free(near);
			near = must_copy(variable);
		}
	}
	if (near)
		message("warning: the variable %s sets nothing: did you mean %s?", name, near);
}

void settings_warn(const oe_config *config)
{
	const oe_error *warning;

	for (size_t i = 0; (warning = oe_config_warning(config, i)); i++)
		message_warning(warning);
	for (char **variable = environ; variable && *variable; variable++) {
		AUTO(string) char *name =
			must_format("%.*s", (int)strcspn(*variable, "="), *variable);
		if (text_starts(name, "OE_"))
			check_variable(name);
	}
}

int settings_assume(oe_config *config, const char *name, const char *value, const char *source)
{
	oe_error err = { 0 };

	if (oe_config_origin_level(config, name) > OE_ORIGIN_DEFAULT)
		return EXIT_DONE;
	AUTO(string) char *text = quoted(value);
	int status = oe_config_set_as(config, name, text, OE_ORIGIN_PROVIDER, source, &err);
	return status < 0 ? message_error(EXIT_CONFIG, status, &err) : EXIT_DONE;
}

double settings_number(const oe_config *config, const char *name, double otherwise)
{
	const char *value = oe_config_get(config, name);
	char *end;

	if (!value)
		return otherwise;
	double number = strtod(value, &end);
	return end == value || *end ? otherwise : number;
}

const char *settings_text(const oe_config *config, const char *name)
{
	const char *value = oe_config_get(config, name);

	return value && strcmp(value, "null") != 0 ? value : NULL;
}
