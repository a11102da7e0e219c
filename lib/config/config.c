/*
 * The object behind oe_config: one setting per option, each with where it comes from. The stronger
 * origin wins when it is stored, so the order of loading, setting and reading the environment does
 * not matter.
 */

#include "config/config.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "config/config_internal.h"

/* ---- making and freeing ---- */

static void setting_done(struct oe__setting *setting)
{
	oe__value_done(&setting->value);
	oe__free(setting->text);
	oe__free(setting->source);
	oe__free(setting->where);
	*setting = (struct oe__setting){ 0 };
}

void oe_config_free(oe_config *config)
{
	size_t cursor = 0;
	struct oe__map_entry *entry;

	if (!config)
		return;
	for (size_t i = 0; config->settings && i < oe__option_count; i++)
		setting_done(&config->settings[i]);
	while ((entry = oe__map_next(&config->variables, &cursor)) != NULL)
		oe__free(entry->value);
	oe__map_done(&config->variables);
	oe__models_done(&config->shown_models);
	oe__free(config->shown_base);
	oe__free(config->settings);
	oe__free(config->warnings);
	oe__free(config->written);
	oe__free(config);
}

static int default_value(const struct oe__option *option, struct oe__value *out, oe_error *err)
{
	const struct oe__place place = { .source = "default" };
	int status = oe__coerce_text(option, option->shown.default_value, out, &place, err);

	return status < 0 ? status : oe__coerce(option, option->shown.name, out, &place, err);
}

static int set_default(struct oe__setting *setting, const struct oe__option *option)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	int status = default_value(option, &setting->value, NULL);

	assert(status == 0 || status == OE_ERR_NOMEM); /* the table fits its own rows */
	if (status == 0)
		status = oe__write_plain(option, &setting->value, &text);
	setting->text = oe__strdup(oe__buffer_string(&text));
	setting->source = oe__strdup("default");
	setting->where = oe__strdup("default");
	return status < 0 || !setting->text || !setting->source || !setting->where ? OE_ERR_NOMEM : 0;
}

int oe_config_new(oe_config **out)
{
	OE__AUTO(config) oe_config *config = NULL;

	if (!out)
		return OE_ERR_INVALID;
	config = oe__calloc(1, sizeof(*config));
	if (!config)
		return OE_ERR_NOMEM;
	config->settings = oe__calloc(oe__option_count, sizeof(*config->settings));
	if (!config->settings)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < oe__option_count; i++)
		if (!oe__options[i].shown.alias && set_default(&config->settings[i], &oe__options[i]) < 0)
			return OE_ERR_NOMEM;
	*out = OE__STEAL(config);
	return 0;
}

static int copy_setting(const struct oe__setting *from, struct oe__setting *to)
{
	int status = oe__value_copy(&from->value, &to->value);

	to->origin = from->origin;
	to->line = from->line;
	to->column = from->column;
	to->text = oe__strdup(from->text);
	to->source = oe__strdup(from->source);
	to->where = oe__strdup(from->where);
	return status < 0 || !to->text || !to->source || !to->where ? OE_ERR_NOMEM : 0;
}

static int copy_variables(const struct oe__map *from, struct oe__map *to)
{
	size_t cursor = 0;
	struct oe__map_entry *entry;

	while ((entry = oe__map_next(from, &cursor)) != NULL) {
		OE__AUTO(string) char *value = oe__strdup(entry->value);
		if (!value || oe__map_put(to, entry->key, entry->key_size, value) < 0)
			return OE_ERR_NOMEM;
		value = NULL;
	}
	return 0;
}

int oe_config_copy(const oe_config *config, oe_config **out)
{
	OE__AUTO(config) oe_config *copy = NULL;

	if (!config || !out)
		return OE_ERR_INVALID;
	copy = oe__calloc(1, sizeof(*copy));
	if (!copy)
		return OE_ERR_NOMEM;
	copy->lookup = config->lookup;
	copy->userdata = config->userdata;
	copy->strict = config->strict;
	copy->settings = oe__calloc(oe__option_count, sizeof(*copy->settings));
	if (!copy->settings || copy_variables(&config->variables, &copy->variables) < 0)
		return OE_ERR_NOMEM;
	for (size_t i = 0; i < oe__option_count; i++)
		if (!oe__options[i].shown.alias &&
			copy_setting(&config->settings[i], &copy->settings[i]) < 0)
			return OE_ERR_NOMEM;
	if (config->warning_count > 0) {
		copy->warnings =
			oe__memdup(config->warnings, config->warning_count * sizeof(*config->warnings));
		if (!copy->warnings)
			return OE_ERR_NOMEM;
		copy->warning_count = copy->warning_capacity = config->warning_count;
	}
	*out = OE__STEAL(copy);
	return 0;
}

int oe__config_begin(const oe_config *config, oe_config **copy, oe_error *err)
{
	int status = oe_config_copy(config, copy);
	return status < 0 ? oe__error_nomem(err) : 0;
}

void oe__config_commit(oe_config *config, oe_config *copy)
{
	oe_config before = *config;

	*config = *copy;
	*copy = before;
	oe_config_free(copy);
}

/* ---- warnings ---- */

int oe__config_warn(oe_config *config, const struct oe__place *place, const char *format, ...)
{
	OE__AUTO(buffer) struct oe__buffer message = OE__BUFFER_INIT(0);
	void *warnings = config->warnings;
	va_list arguments;

	va_start(arguments, format);
	int status = oe__buffer_vprintf(&message, format, arguments);
	va_end(arguments);
	if (status == 0)
		status = oe__grow(&warnings, &config->warning_capacity, config->warning_count + 1,
						  sizeof(*config->warnings));
	config->warnings = warnings;
	if (status < 0)
		return status;
	(void)oe__error_at(&config->warnings[config->warning_count++], OE_ERR_CONFIG, place->source,
					   place->line, place->column, "%s", oe__buffer_string(&message));
	return 0;
}

const oe_error *oe_config_warning(const oe_config *config, size_t index)
{
	return config && index < config->warning_count ? &config->warnings[index] : NULL;
}

void oe_config_set_strict(oe_config *config, int strict)
{
	if (config)
		config->strict = strict != 0;
}

/* ---- storing ---- */

static char *source_text(const struct oe__place *place)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	if (place->line > 0)
		oe__buffer_printf(&text, "%s:%d:%d", place->source, place->line, place->column);
	else
		oe__buffer_text(&text, place->source);
	return oe__buffer_steal(&text, NULL);
}

/* What a user should know about a value that is fine. */
static int warn_about(oe_config *config, const struct oe__option *option,
					  const struct oe__setting *made, const struct oe__place *place)
{
	OE__AUTO(value) struct oe__value usual = { 0 };
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	if ((option->shown.flags & OE_OPTION_SECRET) && place->origin >= OE_ORIGIN_SET &&
		strcmp(made->text, OE_HIDDEN) == 0)
		return oe__config_warn(config, place,
							   "'%s' on a command line is visible to others: use ${VARIABLE} or "
							   "'llm.api_key_file'",
							   option->shown.name);
	if (!option->shown.no_effect)
		return 0;
	int status = default_value(option, &usual, NULL);
	if (status == 0)
		status = oe__write_plain(option, &usual, &text);
	if (status < 0 || strcmp(oe__buffer_string(&text), made->text) == 0)
		return status;
	return oe__config_warn(config, place, "'%s' has no effect: %s", option->shown.name,
						   option->shown.no_effect);
}

static int check_value(oe_config *config, const struct oe__option *option, struct oe__value *value,
					   const struct oe__place *place, oe_error *err)
{
	int status = oe__coerce(option, option->shown.name, value, place, err);

	if (status == 0 && value->type == OE__VALUE_NULL && !(option->shown.flags & OE_OPTION_NULLABLE))
		status = default_value(option, value, err);
	if (status == 0 && option->shown.type == OE_OPTION_MODELS)
		status = oe__entries_check(config, option, value, place, err);
	if (status == 0 && (option->traits & OE__TRAIT_EXPAND) && value->type == OE__VALUE_STRING)
		status = oe__variable_capture(config, value->string, option->shown.name, place, err);
	if (status == 0)
		status = oe__path_option(option, value, place);
	return status == OE_ERR_NOMEM ? oe__error_nomem(err) : status;
}

int oe__config_store(oe_config *config, int index, struct oe__value *value,
					 const struct oe__place *place, oe_error *err)
{
	const struct oe__option *option = &oe__options[index];
	struct oe__setting *setting = &config->settings[index];
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);

	assert(!option->shown.alias);
	int status = check_value(config, option, value, place, err);
	if (status < 0)
		return status;
	if (place->origin < setting->origin)
		return 0; /* it has been set by somebody who knows better */
	struct oe__setting made = {
		.origin = place->origin,
		.line = place->line,
		.column = place->column,
		.source = source_text(place),
		.where = oe__strdup(place->source),
	};
	if (oe__write_plain(option, value, &text) == 0)
		made.text = oe__buffer_steal(&text, NULL);
	if (!made.text || !made.source || !made.where || warn_about(config, option, &made, place) < 0) {
		setting_done(&made);
		return oe__error_nomem(err);
	}
	made.value = *value;
	*value = (struct oe__value){ 0 };
	setting_done(setting);
	*setting = made;
	return 0;
}

/* ---- setting ---- */

static int unknown_name(const char *name, const struct oe__place *place, oe_error *err)
{
	char meant[160];

	if (oe__option_suggest(name, meant, sizeof(meant)))
		return oe__error_at(err, OE_ERR_CONFIG, place->source, 0, 0,
							"there is no option '%s': did you mean %s?", name, meant);
	return oe__error_at(err, OE_ERR_CONFIG, place->source, 0, 0, "there is no option '%s'", name);
}

/* The map option that `name` goes on into, and the key in it. */
static int map_option(const char *name, const char **key)
{
	for (size_t i = 0; i < oe__option_count; i++) {
		const oe_option *option = &oe__options[i].shown;
		size_t size = strlen(option->name);
		if ((option->type == OE_OPTION_MAP || option->type == OE_OPTION_INT_OR_MAP) &&
			strncmp(name, option->name, size) == 0 && name[size] == '.' && name[size + 1] != '\0') {
			*key = name + size + 1;
			return (int)i;
		}
	}
	return -1;
}

/* The current map with one more entry. */
static int extend_map(const oe_config *config, int index, const char *key, const char *text,
					  struct oe__value *out, const struct oe__place *place, oe_error *err)
{
	const struct oe__value *current = &config->settings[index].value;
	OE__AUTO(value) struct oe__value item = { 0 };
	OE__AUTO(value) struct oe__value map = { 0 };

	int status = oe__coerce_text(&oe__options[index], text, &item, place, err);
	if (status < 0)
		return status;
	if (current->type == OE__VALUE_MAP && oe__value_copy(current, &map) < 0)
		return oe__error_nomem(err);
	if (oe__value_put(&map, key, &item) < 0)
		return oe__error_nomem(err);
	*out = map;
	map = (struct oe__value){ 0 };
	return 0;
}

int oe_config_set_as(oe_config *config, const char *name, const char *value, int origin,
					 const char *source, oe_error *err)
{
	OE__AUTO(config) oe_config *copy = NULL;
	OE__AUTO(value) struct oe__value parsed = { 0 };
	const char *key = NULL;

	if (!config || !name || !value || !source || origin <= OE_ORIGIN_DEFAULT ||
		origin > OE_ORIGIN_FLAG)
		return oe__error(err, OE_ERR_INVALID, "oe_config_set_as: missing or wrong argument");
	const struct oe__place place = { .origin = origin, .source = source };
	int index = oe__option_index(name), status;
	if (index >= 0)
		status = oe__coerce_text(&oe__options[index], value, &parsed, &place, err);
	else if ((index = map_option(name, &key)) >= 0)
		status = extend_map(config, index, key, value, &parsed, &place, err);
	else
		return unknown_name(name, &place, err);
	if (status == 0)
		status = oe__config_begin(config, &copy, err);
	if (status == 0)
		status = oe__config_store(copy, index, &parsed, &place, err);
	if (status == 0)
		oe__config_commit(config, OE__STEAL(copy));
	return status;
}

int oe_config_set(oe_config *config, const char *name, const char *value, oe_error *err)
{
	return oe_config_set_as(config, name, value, OE_ORIGIN_SET, "set", err);
}

/* ---- reading ---- */

static const struct oe__setting *find(const oe_config *config, const char *name)
{
	int index = config && name ? oe__option_index(name) : -1;
	return index < 0 ? NULL : &config->settings[index];
}

const char *oe_config_get(const oe_config *config, const char *name)
{
	const struct oe__setting *setting = find(config, name);
	return setting ? setting->text : NULL;
}

const char *oe_config_origin(const oe_config *config, const char *name)
{
	const struct oe__setting *setting = find(config, name);
	return setting ? setting->source : NULL;
}

int oe_config_origin_level(const oe_config *config, const char *name)
{
	const struct oe__setting *setting = find(config, name);
	return setting ? setting->origin : OE_ERR_CONFIG;
}
