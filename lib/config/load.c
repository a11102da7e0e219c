/* Loading: from a YAML document to settings. Keys that nobody knows are reported, not lost. */

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "config/config_internal.h"
#include "config/yaml.h"

static struct oe__place place_of(const struct oe__value *value, const char *name)
{
	return (struct oe__place){
		.origin = OE_ORIGIN_FILE, .source = name, .line = value->line, .column = value->column
	};
}

static int unknown_key(oe_config *config, const struct oe__value *key, const char *full,
					   const char *file, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer message = OE__BUFFER_INIT(0);
	const struct oe__place place = place_of(key, file);
	char meant[160];

	oe__buffer_printf(&message, "unknown key '%s'", full);
	if (oe__option_suggest(full, meant, sizeof(meant)))
		oe__buffer_printf(&message, ": did you mean %s?", meant);
	if (message.status < 0)
		return oe__error_nomem(err);
	if (config->strict)
		return oe__error_at(err, OE_ERR_CONFIG, file, key->line, key->column, "%s", message.data);
	return oe__config_warn(config, &place, "%s", message.data) < 0 ? oe__error_nomem(err) : 0;
}

/* A key's name within its section; numbers and the like are no names. */
static int full_name(const char *section, const struct oe__value *key, struct oe__buffer *out)
{
	if (*section != '\0')
		oe__buffer_printf(out, "%s.", section);
	if (key->type == OE__VALUE_STRING && strlen(key->string) == key->size)
		return oe__buffer_append(out, key->string, key->size);
	return oe__buffer_printf(out, "(%s)", oe__value_type_name(key));
}

static int load_section(oe_config *config, const char *section, struct oe__value *map,
						const char *file, oe_error *err);

static int load_entry(oe_config *config, const char *section, const struct oe__value *key,
					  struct oe__value *value, const char *file, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer name = OE__BUFFER_INIT(0);

	if (full_name(section, key, &name) < 0)
		return oe__error_nomem(err);
	const struct oe__place place = place_of(value, file);
	int index = oe__option_index(name.data);
	if (index >= 0)
		return oe__config_store(config, index, value, &place, err);
	if (*section != '\0' || !oe__option_is_section(name.data))
		return unknown_key(config, key, name.data, file, err);
	if (value->type == OE__VALUE_NULL)
		return 0; /* a section without options */
	if (value->type != OE__VALUE_MAP || value->tag)
		return oe__error_at(err, OE_ERR_CONFIG, file, value->line, value->column,
							"'%s' is a %s, expected a mapping of options", name.data,
							oe__value_type_name(value));
	return load_section(config, name.data, value, file, err);
}

static int load_section(oe_config *config, const char *section, struct oe__value *map,
						const char *file, oe_error *err)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i < map->size; i++)
		status = load_entry(config, section, &map->keys[i], &map->items[i], file, err);
	return status;
}

int oe_config_load_text(oe_config *config, const char *text, size_t size, const char *name,
						oe_error *err)
{
	OE__AUTO(config) oe_config *copy = NULL;
	OE__AUTO(value) struct oe__value tree = { 0 };

	if (!config || (!text && size > 0) || !name)
		return oe__error(err, OE_ERR_INVALID, "oe_config_load_text: NULL argument");
	int status = oe__yaml_load(text ? text : "", size, name, &tree, err);
	if (status < 0)
		return status;
	if (tree.type != OE__VALUE_NULL && (tree.type != OE__VALUE_MAP || tree.tag))
		return oe__error_at(err, OE_ERR_CONFIG, name, tree.line, tree.column,
							"the document is a %s, expected a mapping of options",
							oe__value_type_name(&tree));
	status = oe__config_begin(config, &copy, err);
	if (status == 0)
		status = load_section(copy, "", &tree, name, err);
	if (status == 0)
		oe__config_commit(config, OE__STEAL(copy));
	return status;
}

int oe_config_load(oe_config *config, const char *path, oe_error *err)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(OE__CONFIG_MAX);

	if (!config || !path)
		return oe__error(err, OE_ERR_INVALID, "oe_config_load: NULL argument");
	int status = oe__file_read(path, &text, err);
	if (status < 0)
		return status;
	return oe_config_load_text(config, text.data, text.size, path, err);
}
