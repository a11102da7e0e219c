/*
 * Environment variables: OE_* and OPENAI_* as values of options, and ${VARIABLE} inside of values.
 * What is looked up is kept, so that reading a configuration never needs the environment.
 */

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "config/config_internal.h"

/* Keys that providers' own clients take, for backends whose key is not given. */
static const char *const provider_keys[] = { "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
											 "AZURE_OPENAI_API_KEY" };

/* What else clients take from the environment: how to reach the network (network.c), and whose account
   it is (model.c). */
static const char *const others[] = { "http_proxy", "HTTP_PROXY",	"https_proxy",
									  "HTTPS_PROXY", "all_proxy",	"ALL_PROXY",
									  "no_proxy",	 "NO_PROXY",	"SSL_CERT_FILE",
									  "OPENAI_ORG_ID", "OPENAI_PROJECT_ID" };

/* What evaluations are given of the host's environment: what a program needs to run at all, what
   evaluators of OpenEvolve read, and nothing that could be a secret. */
static const char *const passed_on[] = {
	"PATH",
	"HOME",
	"LANG",
	"LC_ALL",
	"LC_CTYPE",
	"TZ",
	"VIRTUAL_ENV",
	"PYTHONPATH",
	"PYTHONHOME",
	"CONDA_PREFIX",
	"LD_LIBRARY_PATH",
	"CUDA_VISIBLE_DEVICES",
	"OPENEVOLVE_PROMPT",
	"EVAL_TASK_NAME",
	"SCALING_TASK_NAME",
	"RICH_FEEDBACK",
	"ENABLE_ARTIFACTS",
};

static const char temporary[] = "TMPDIR";

const char *oe__variable_in(const char *text, size_t *size)
{
	if (!oe__has_prefix(text, "${"))
		return NULL;
	const char *end = strchr(text, '}');
	if (!end || end[1] != '\0' || end == text + 2)
		return NULL;
	*size = (size_t)(end - (text + 2));
	return text + 2;
}

static int keep(oe_config *config, const char *name, size_t size, const char *value)
{
	OE__AUTO(string) char *copy = oe__strdup(value);
	char *before = oe__map_get(&config->variables, name, size);

	if (!copy || oe__map_put(&config->variables, name, size, copy) < 0)
		return OE_ERR_NOMEM;
	copy = NULL;
	oe__free(before);
	return 0;
}

int oe__variable_capture(oe_config *config, const char *text, const char *option,
						 const struct oe__place *place, oe_error *err)
{
	size_t size;
	const char *start = oe__variable_in(text, &size);

	if (!start)
		return 0;
	if (!config->lookup)
		return 0; /* whoever needs the value will not get it */
	OE__AUTO(string) char *name = oe__strndup(start, size);
	if (!name)
		return oe__error_nomem(err);
	const char *value = config->lookup(name, config->userdata);
	if (!value)
		return oe__error_at(err, OE_ERR_CONFIG, place->source, place->line, place->column,
							"'%s' needs the environment variable %s, which is not set", option,
							name);
	if (!oe__utf8_valid(value, strlen(value)))
		return oe__error_at(err, OE_ERR_CONFIG, place->source, place->line, place->column,
							"the environment variable %s of '%s' is not UTF-8", name, option);
	return keep(config, name, size, value) < 0 ? oe__error_nomem(err) : 0;
}

int oe__variable_expand(const oe_config *config, const char *text, const char *option,
						const char **out, oe_error *err)
{
	size_t size = 0;
	const char *name = oe__variable_in(text, &size);
	const char *value = name ? oe__map_get(&config->variables, name, size) : text;

	if (!value)
		return oe__error(err, OE_ERR_CONFIG,
						 "'%s' needs the environment variable %.*s, but no environment was given",
						 option, (int)size, name);
	*out = value;
	return 0;
}

const char *oe__variable_get(const oe_config *config, const char *name)
{
	return oe__map_get(&config->variables, name, strlen(name));
}

const char *oe__config_passed_on(const oe_config *config, size_t index, const char **value)
{
	if (index >= OE__COUNT(passed_on))
		return NULL;
	*value = oe__variable_get(config, passed_on[index]);
	return passed_on[index];
}

const char *oe__config_temporary(const oe_config *config)
{
	const char *directory = oe__variable_get(config, temporary);
	return directory ? directory : "/tmp";
}

static int keep_passed_on(oe_config *config)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < OE__COUNT(passed_on) + 1; i++) {
		const char *name = i < OE__COUNT(passed_on) ? passed_on[i] : temporary;
		const char *value = config->lookup(name, config->userdata);
		if (value && *value)
			status = keep(config, name, strlen(name), value);
	}
	return status;
}

/* ---- options from variables ---- */

/* OE_ and the name in capitals, each dot as two underscores. */
static int variable_name(const char *option, struct oe__buffer *out)
{
	oe__buffer_text(out, "OE_");
	for (const char *c = option; *c != '\0'; c++) {
		if (*c == '.')
			oe__buffer_text(out, "__");
		else
			oe__buffer_char(out, (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c));
	}
	return out->status;
}

/* An empty variable counts as not set. */
static int take(oe_config *config, const char *option, const char *variable, const char *text,
				int origin, oe_error *err)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	const struct oe__place place = { .origin = origin, .source = variable };
	int index = oe__option_index(option);

	if (!text || *text == '\0')
		return 0;
	int status = oe__coerce_text(&oe__options[index], text, &value, &place, err);
	return status < 0 ? status : oe__config_store(config, index, &value, &place, err);
}

static int take_provider(oe_config *config, oe_error *err)
{
	const char *base = config->lookup("OPENAI_API_BASE", config->userdata);
	int status = take(config, "llm.api_base", "OPENAI_API_BASE", base, OE_ORIGIN_PROVIDER, err);

	for (size_t i = 0; status == 0 && i < OE__COUNT(provider_keys); i++) {
		const char *key = config->lookup(provider_keys[i], config->userdata);
		if (key && *key != '\0' &&
			keep(config, provider_keys[i], strlen(provider_keys[i]), key) < 0)
			return oe__error_nomem(err);
		if (i == 0 && status == 0)
			status = take(config, "llm.api_key", provider_keys[i], key, OE_ORIGIN_PROVIDER, err);
	}
	return status;
}

static int keep_others(oe_config *config)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < OE__COUNT(others); i++) {
		const char *value = config->lookup(others[i], config->userdata);
		if (value && *value)
			status = keep(config, others[i], strlen(others[i]), value);
	}
	return status;
}

static int take_options(oe_config *config, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < oe__option_count; i++) {
		OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);
		if (variable_name(oe__options[i].shown.name, &name) < 0)
			return oe__error_nomem(err);
		status = take(config, oe__options[i].shown.name, name.data,
					  config->lookup(name.data, config->userdata), OE_ORIGIN_ENVIRONMENT, err);
	}
	return status;
}

int oe_config_set_environment(oe_config *config, oe_environment lookup, void *userdata,
							  oe_error *err)
{
	OE__AUTO(config) oe_config *copy = NULL;

	if (!config || !lookup)
		return oe__error(err, OE_ERR_INVALID, "oe_config_set_environment: NULL argument");
	int status = oe__config_begin(config, &copy, err);
	if (status < 0)
		return status;
	copy->lookup = lookup;
	copy->userdata = userdata;
	/* OpenEvolve's own switch, which counts whatever a file says; OE_... goes before it. */
	const char *artifacts = lookup("ENABLE_ARTIFACTS", userdata);
	if (artifacts && !oe__equal_nocase(artifacts, "true"))
		status = take(copy, "evaluator.enable_artifacts", "ENABLE_ARTIFACTS", "false",
					  OE_ORIGIN_ENVIRONMENT, err);
	if (status == 0 && (keep_passed_on(copy) < 0 || keep_others(copy) < 0))
		status = oe__error_nomem(err);
	if (status == 0)
		status = take_provider(copy, err);
	if (status == 0)
		status = take_options(copy, err);
	if (status == 0)
		oe__config_commit(config, OE__STEAL(copy));
	return status;
}
