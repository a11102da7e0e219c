/* The option table as a JSON Schema of configuration files, for editors. */

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "config/config_internal.h"
#include "config/yaml.h"

static void put_range(struct oe__json_writer *json, const oe_option *option)
{
	if (isfinite(option->minimum)) {
		oe__json_key(json, "minimum");
		oe__json_real(json, option->minimum);
	}
	if (isfinite(option->maximum)) {
		oe__json_key(json, "maximum");
		oe__json_real(json, option->maximum);
	}
}

static void put_choices(struct oe__json_writer *json, const char *choices)
{
	oe__json_key(json, "enum");
	oe__json_list(json);
	for (const char *word = choices; *word != '\0';) {
		size_t size = strcspn(word, "|");
		oe__json_string_sized(json, word, size);
		word += size + (word[size] == '|');
	}
	oe__json_null(json);
	oe__json_list_end(json);
}

/* "type", nullable: null stands for the default everywhere. */
static void put_type(struct oe__json_writer *json, const char *first, const char *second)
{
	oe__json_key(json, "type");
	oe__json_list(json);
	oe__json_string(json, first);
	if (second)
		oe__json_string(json, second);
	oe__json_string(json, "null");
	oe__json_list_end(json);
}

static void put_model_keys(struct oe__json_writer *json);

static void put_kind(struct oe__json_writer *json, const oe_option *option, int type)
{
	bool seconds = option->unit && strcmp(option->unit, "seconds") == 0;

	switch (type) {
	case OE_OPTION_BOOL:
		put_type(json, "boolean", NULL);
		break;
	case OE_OPTION_INT:
		put_type(json, "integer", NULL);
		put_range(json, option);
		break;
	case OE_OPTION_REAL:
		put_type(json, "number", seconds ? "string" : NULL);
		put_range(json, option);
		break;
	case OE_OPTION_STRING:
		put_type(json, "string", NULL);
		if (option->choices)
			put_choices(json, option->choices);
		break;
	case OE_OPTION_LIST: {
		int item = option->type == OE_OPTION_LIST ? option->item_type : OE_OPTION_STRING;
		put_type(json, "array", item == OE_OPTION_STRING ? "string" : "number");
		oe__json_key(json, "items");
		oe__json_map(json);
		put_kind(json, option, item);
		oe__json_map_end(json);
		break;
	}
	case OE_OPTION_MAP:
	case OE_OPTION_INT_OR_MAP:
		put_type(json, "object", type == OE_OPTION_MAP ? NULL : "integer");
		oe__json_key(json, "additionalProperties");
		oe__json_map(json);
		put_kind(json, option, option->item_type);
		oe__json_map_end(json);
		break;
	case OE_OPTION_MODELS:
		put_type(json, "array", NULL);
		oe__json_key(json, "items");
		oe__json_map(json);
		put_model_keys(json);
		oe__json_map_end(json);
		break;
	}
}

static void put_option(struct oe__json_writer *json, const struct oe__option *option)
{
	OE__AUTO(value) struct oe__value usual = { 0 };
	const struct oe__place place = { .source = "default" };

	oe__json_key(json, oe__option_leaf(option->shown.name));
	oe__json_map(json);
	oe__json_key(json, "description");
	oe__json_string(json, option->shown.summary);
	if (option->shown.alias) {
		option = &oe__options[oe__option_index(option->shown.alias)];
	} else {
		int status = oe__coerce_text(option, option->shown.default_value, &usual, &place, NULL);
		if (status == 0)
			status = oe__coerce(option, option->shown.name, &usual, &place, NULL);
		if (status < 0)
			json->out->status = status; /* out of memory: the table fits its own rows */
		oe__json_key(json, "default");
		oe__json_put(json, &usual);
	}
	if (option->shown.no_effect) {
		oe__json_key(json, "deprecated");
		oe__json_bool(json, true);
	}
	put_kind(json, &option->shown, option->shown.type);
	oe__json_map_end(json);
}

static void put_model_keys(struct oe__json_writer *json)
{
	put_type(json, "object", NULL);
	oe__json_key(json, "properties");
	oe__json_map(json);
	for (size_t i = 0; i < oe__option_count; i++) {
		const oe_option *option = &oe__options[i].shown;
		if (!(option->flags & OE_OPTION_MODEL))
			continue;
		oe__json_key(json, oe__option_leaf(option->name));
		oe__json_map(json);
		oe__json_key(json, "description");
		oe__json_string(json, option->summary);
		put_kind(json, option, option->type);
		oe__json_map_end(json);
	}
	oe__json_map_end(json);
}

int oe__write_schema(struct oe__buffer *out)
{
	struct oe__json_writer json = { .out = out, .indent = 2 };
	const char *section = NULL;
	size_t size = 0;

	oe__json_map(&json);
	oe__json_key(&json, "$schema");
	oe__json_string(&json, "https://json-schema.org/draft/2020-12/schema");
	oe__json_key(&json, "title");
	oe__json_string(&json, "Configuration of an evolution");
	put_type(&json, "object", NULL);
	oe__json_key(&json, "properties");
	oe__json_map(&json);
	for (size_t i = 0; i < oe__option_count; i++) {
		const char *name = oe__options[i].shown.name;
		const char *dot = strchr(name, '.');
		if (dot && (!section || strncmp(section, name, size + 1) != 0)) {
			if (section) {
				oe__json_map_end(&json);
				oe__json_map_end(&json);
			}
			section = name;
			size = (size_t)(dot - name);
			oe__json_key_sized(&json, name, size);
			oe__json_map(&json);
			put_type(&json, "object", NULL);
			oe__json_key(&json, "properties");
			oe__json_map(&json);
		}
		put_option(&json, &oe__options[i]);
	}
	if (section) {
		oe__json_map_end(&json);
		oe__json_map_end(&json);
	}
	oe__json_map_end(&json);
	oe__json_map_end(&json);
	oe__buffer_char(out, '\n');
	return out->status;
}
