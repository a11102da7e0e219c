/* The entries of `llm.models` and `llm.evaluator_models`: their keys are those of `llm` that may
   differ between models. What an entry leaves out stays out: it is inherited when it is used. */

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "config/config_internal.h"

static int unknown_key(oe_config *config, const struct oe__value *key, const char *entry,
					   const struct oe__place *place, oe_error *err)
{
	const char *name = key->type == OE__VALUE_STRING && !key->tag ? key->string : NULL;
	const char *kind = oe__value_type_name(key);
	const char *hint = "";

	if (name && (strcmp(name, "model") == 0 || strcmp(name, "model_name") == 0))
		hint = ": did you mean 'name'?";
	else if (name && oe__option_index_in("llm", name) >= 0)
		hint = ": it belongs into 'llm' itself";
	if (config->strict)
		return oe__error_at(err, OE_ERR_CONFIG, place->source, place->line, place->column,
							"unknown key '%s.%s'%s", entry, name ? name : kind, hint);
	if (oe__config_warn(config, place, "unknown key '%s.%s'%s", entry, name ? name : kind, hint) <
		0)
		return oe__error_nomem(err);
	return 0;
}

static int check_key(oe_config *config, const char *entry, const struct oe__value *key,
					 struct oe__value *value, const struct oe__place *list_place, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);
	struct oe__place place = *list_place, key_place = *list_place;

	if (key->line > 0) {
		place.line = value->line;
		place.column = value->column;
		key_place.line = key->line;
		key_place.column = key->column;
	}
	const struct oe__option *option = NULL;
	if (key->type == OE__VALUE_STRING && !key->tag)
		option = oe__option_of_model(key->string);
	if (!option)
		return unknown_key(config, key, entry, &key_place, err);
	oe__buffer_printf(&name, "%s.%s", entry, key->string);
	if (name.status < 0)
		return oe__error_nomem(err);
	int status = oe__coerce(option, name.data, value, &place, err);
	if (status == 0 && (option->traits & OE__TRAIT_EXPAND) && value->type == OE__VALUE_STRING)
		status = oe__variable_capture(config, value->string, name.data, &place, err);
	if (status == 0 && oe__path_option(option, value, &place) < 0)
		return oe__error_nomem(err);
	if (status == 0 && option->shown.no_effect && !(option->traits & OE__TRAIT_ENTRY) &&
		value->type != OE__VALUE_NULL &&
		oe__config_warn(config, &key_place, "'%s' has no effect: %s", name.data,
						option->shown.no_effect) < 0)
		return oe__error_nomem(err);
	return status;
}

int oe__entries_check(oe_config *config, const struct oe__option *option, struct oe__value *list,
					  const struct oe__place *place, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < list->size; i++) {
		OE__AUTO(buffer) struct oe__buffer entry = OE__BUFFER_INIT(0);
		struct oe__value *map = &list->items[i];
		oe__buffer_printf(&entry, "%s[%zu]", option->shown.name, i);
		if (entry.status < 0)
			return oe__error_nomem(err);
		for (size_t k = 0; status == 0 && k < map->size; k++)
			status = check_key(config, entry.data, &map->keys[k], &map->items[k], place, err);
	}
	return status;
}
