/*
 * Settings of prompts: from the configuration, and to and from the JSON that a run keeps.
 */

#include "prompt/settings.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static const char *const style_names[] = {
	[OE__STYLE_SAFE] = "safe", [OE__STYLE_OPENEVOLVE] = "openevolve"
};

/* ---- from the configuration ---- */

static int64_t int_or_zero(const oe_config *config, const char *name)
{
	return oe__config_is_null(config, name) ? 0 : oe__config_int(config, name);
}

int oe__prompt_settings_vary(struct oe__prompt_settings *settings, const char *key,
							 const struct oe__value *texts)
{
	struct oe__variation *variations =
		oe__realloc(settings->variations, (settings->variation_count + 1) * sizeof(*variations));

	if (!variations)
		return OE_ERR_NOMEM;
	settings->variations = variations;
	struct oe__variation *variation = &variations[settings->variation_count];
	*variation = (struct oe__variation){ .key = oe__strdup(key) };
	settings->variation_count++;
	variation->texts = oe__calloc(texts->size + 1, sizeof(*variation->texts));
	if (!variation->key || !variation->texts)
		return OE_ERR_NOMEM;
	for (; variation->count < texts->size; variation->count++) {
		const struct oe__value *text = &texts->items[variation->count];
		char *copy = oe__strndup(text->string, text->size);
		if (!copy)
			return OE_ERR_NOMEM;
		variation->texts[variation->count] = copy;
	}
	return 0;
}

static int read_variations(struct oe__prompt_settings *settings, const struct oe__value *map)
{
	for (size_t i = 0; i < map->size; i++) {
		/* A key without alternatives varies nothing. */
		if (map->items[i].type != OE__VALUE_LIST || map->items[i].size == 0)
			continue;
		int status = oe__prompt_settings_vary(settings, map->keys[i].string, &map->items[i]);
		if (status < 0)
			return status;
	}
	return 0;
}

static int read_texts(struct oe__prompt_settings *settings, const oe_config *config)
{
	const char *language = oe__config_string(config, "language");
	const char *judge = oe__config_string(config, "prompt.evaluator_system_message");

	settings->language = oe__strdup(language);
	settings->system_message = oe__strdup(oe__config_system_message(config));
	settings->judge_system_message = oe__strdup(judge ? judge : "evaluator_system_message");
	if ((language && !settings->language) || !settings->system_message ||
		!settings->judge_system_message)
		return OE_ERR_NOMEM;
	return 0;
}

int oe__prompt_settings_from_config(struct oe__prompt_settings *settings, const oe_config *config)
{
	int status = read_texts(settings, config);

	settings->diff = oe__config_bool(config, "diff_based_evolution");
	settings->num_top = oe__config_int(config, "prompt.num_top_programs");
	settings->num_diverse = oe__config_int(config, "prompt.num_diverse_programs");
	settings->num_attempts = oe__config_int(config, "prompt.num_previous_attempts");
	settings->include_artifacts = oe__config_bool(config, "prompt.include_artifacts");
	settings->artifact_chars = oe__config_int(config, "prompt.max_artifact_bytes");
	settings->attempt_chars = oe__config_int(config, "prompt.max_attempt_bytes");
	settings->redact = oe__config_bool(config, "prompt.artifact_security_filter");
	settings->style = (enum oe__excerpt_style)oe__config_choice(config, "prompt.artifact_style");
	settings->long_code_chars = int_or_zero(config, "prompt.suggest_simplification_after_chars");
	if (settings->long_code_chars == 0)
		settings->long_code_chars = int_or_zero(config, "prompt.code_length_threshold");
	settings->short_change_chars = int_or_zero(config, "prompt.include_changes_under_chars");
	settings->concise_lines = int_or_zero(config, "prompt.concise_implementation_max_lines");
	settings->comprehensive_lines =
		int_or_zero(config, "prompt.comprehensive_implementation_min_lines");
	settings->tokens_max = int_or_zero(config, "prompt.max_tokens");
	if (status == 0 && oe__config_bool(config, "prompt.use_template_stochasticity"))
		status = read_variations(settings, oe__config_value(config, "prompt.template_variations"));
	return status;
}

/* ---- JSON ---- */

/* The members that are numbers, booleans and texts, so that none is written and not read. */
struct member {
	const char *name;
	enum { MEMBER_BOOL, MEMBER_INT, MEMBER_TEXT } type;
	size_t offset;
};

#define MEMBER(kind, field)                                                                        \
	{                                                                                              \
#field, kind, offsetof(struct oe__prompt_settings, field)                                  \
	}
static const struct member members[] = {
	MEMBER(MEMBER_BOOL, diff),
	MEMBER(MEMBER_TEXT, language),
	MEMBER(MEMBER_TEXT, system_message),
	MEMBER(MEMBER_TEXT, judge_system_message),
	MEMBER(MEMBER_INT, num_top),
	MEMBER(MEMBER_INT, num_diverse),
	MEMBER(MEMBER_INT, num_attempts),
	MEMBER(MEMBER_BOOL, include_artifacts),
	MEMBER(MEMBER_INT, artifact_chars),
	MEMBER(MEMBER_INT, attempt_chars),
	MEMBER(MEMBER_BOOL, redact),
	MEMBER(MEMBER_INT, long_code_chars),
	MEMBER(MEMBER_INT, short_change_chars),
	MEMBER(MEMBER_INT, concise_lines),
	MEMBER(MEMBER_INT, comprehensive_lines),
	MEMBER(MEMBER_INT, tokens_max),
};
#undef MEMBER

static void write_member(const struct oe__prompt_settings *settings, const struct member *member,
						 struct oe__json_writer *writer)
{
	const void *at = (const char *)settings + member->offset;

	oe__json_key(writer, member->name);
	if (member->type == MEMBER_BOOL)
		oe__json_bool(writer, *(const bool *)at);
	else if (member->type == MEMBER_INT)
		oe__json_int(writer, *(const int64_t *)at);
	else
		oe__json_string(writer, *(char *const *)at);
}

void oe__prompt_settings_write(const struct oe__prompt_settings *settings,
							   struct oe__json_writer *writer)
{
	for (size_t i = 0; i < OE__COUNT(members); i++)
		write_member(settings, &members[i], writer);
	oe__json_key(writer, "style");
	oe__json_string(writer, style_names[settings->style]);
	oe__json_key(writer, "variations");
	oe__json_map(writer);
	for (size_t i = 0; i < settings->variation_count; i++) {
		const struct oe__variation *variation = &settings->variations[i];

		oe__json_key(writer, variation->key);
		oe__json_list(writer);
		for (size_t j = 0; j < variation->count; j++)
			oe__json_string(writer, variation->texts[j]);
		oe__json_list_end(writer);
	}
	oe__json_map_end(writer);
}

static int read_member(struct oe__prompt_settings *settings, const struct member *member,
					   const struct oe__value *value)
{
	void *at = (char *)settings + member->offset;

	if (member->type == MEMBER_BOOL && value->type == OE__VALUE_BOOL)
		*(bool *)at = value->boolean;
	else if (member->type == MEMBER_INT && value->type == OE__VALUE_INT && value->integer >= 0)
		*(int64_t *)at = value->integer;
	else if (member->type == MEMBER_TEXT && value->type == OE__VALUE_STRING)
		return (*(char **)at = oe__strndup(value->string, value->size)) ? 0 : OE_ERR_NOMEM;
	else if (member->type != MEMBER_TEXT || value->type != OE__VALUE_NULL)
		return OE_ERR_FORMAT;
	return 0;
}

static int bad(oe_error *err, const char *name)
{
	return oe__error(err, OE_ERR_FORMAT, "prompt settings: '%s' is missing or malformed", name);
}

int oe__prompt_settings_read(struct oe__prompt_settings *settings, const struct oe__value *map,
							 oe_error *err)
{
	for (size_t i = 0; i < OE__COUNT(members); i++) {
		const struct oe__value *value = oe__value_get(map, members[i].name);
		int status = value ? read_member(settings, &members[i], value) : OE_ERR_FORMAT;
		if (status < 0)
			return status == OE_ERR_FORMAT ? bad(err, members[i].name) : oe__error_nomem(err);
	}
	if (!settings->system_message || !settings->judge_system_message)
		return bad(err, "system_message");

	const struct oe__value *style = oe__value_get(map, "style");
	const struct oe__value *variations = oe__value_get(map, "variations");
	if (!style || (!oe__value_is(style, "safe") && !oe__value_is(style, "openevolve")))
		return bad(err, "style");
	settings->style = oe__value_is(style, "safe") ? OE__STYLE_SAFE : OE__STYLE_OPENEVOLVE;
	if (!variations || variations->type != OE__VALUE_MAP)
		return bad(err, "variations");
	for (size_t i = 0; i < variations->size; i++)
		for (size_t j = 0; j < variations->items[i].size; j++)
			if (variations->items[i].type != OE__VALUE_LIST ||
				variations->items[i].items[j].type != OE__VALUE_STRING)
				return bad(err, "variations");
	return read_variations(settings, variations) < 0 ? oe__error_nomem(err) : 0;
}

void oe__prompt_settings_done(struct oe__prompt_settings *settings)
{
	for (size_t i = 0; i < settings->variation_count; i++) {
		struct oe__variation *variation = &settings->variations[i];

		for (size_t j = 0; j < variation->count; j++)
			oe__free(variation->texts[j]);
		oe__free(variation->texts);
		oe__free(variation->key);
	}
	oe__free(settings->variations);
	oe__free(settings->language);
	oe__free(settings->system_message);
	oe__free(settings->judge_system_message);
	*settings = (struct oe__prompt_settings){ 0 };
}
