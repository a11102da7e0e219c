#include "config/option.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"

const oe_option *oe_option_at(size_t index)
{
	return index < oe__option_count ? &oe__options[index].shown : NULL;
}

const char *oe__option_leaf(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot ? dot + 1 : name;
}

static int row_of(const char *name)
{
	for (size_t i = 0; i < oe__option_count; i++)
		if (strcmp(oe__options[i].shown.name, name) == 0)
			return (int)i;
	return -1;
}

const oe_option *oe_option_find(const char *name)
{
	int row = name ? row_of(name) : -1;
	return row < 0 ? NULL : &oe__options[row].shown;
}

int oe__option_index(const char *name)
{
	int row = row_of(name);
	return row >= 0 && oe__options[row].shown.alias ? row_of(oe__options[row].shown.alias) : row;
}

/* Whether `name` is `section`, a dot and `key`; with an empty section, the key alone. */
static bool is_named(const char *name, const char *section, const char *key)
{
	size_t size = strlen(section);

	if (size == 0)
		return strcmp(name, key) == 0;
	return strncmp(name, section, size) == 0 && name[size] == '.' &&
		   strcmp(name + size + 1, key) == 0;
}

int oe__option_index_in(const char *section, const char *key)
{
	for (size_t i = 0; i < oe__option_count; i++)
		if (is_named(oe__options[i].shown.name, section, key))
			return oe__option_index(oe__options[i].shown.name);
	return -1;
}

bool oe__option_is_section(const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < oe__option_count; i++)
		if (strncmp(oe__options[i].shown.name, name, size) == 0 &&
			oe__options[i].shown.name[size] == '.')
			return size > 0;
	return false;
}

const struct oe__option *oe__option_of_model(const char *key)
{
	int index = oe__option_index_in("llm", key);

	if (index < 0 || !(oe__options[index].shown.flags & OE_OPTION_MODEL))
		return NULL;
	return &oe__options[index];
}

/* ---- what was meant ---- */

/* Names of OpenEvolve's past and of its documentation that are not near to their successors. */
static const struct {
	const char *name, *meant;
} former[] = {
	{ "allow_full_rewrites", "diff_based_evolution" },
	{ "max_program_length", "max_code_length" },
	{ "evaluator.cascade_stages", "evaluator.cascade_thresholds" },
	{ "database.n_islands", "database.num_islands" },
};

const char *oe_option_nearest(const char *name)
{
	const char *best = NULL;

	if (!name)
		return NULL;
	for (size_t i = 0; i < OE__COUNT(former); i++)
		if (strcmp(former[i].name, name) == 0)
			return former[i].meant;
	/* The same key in another section is nearer than any typing error. */
	for (size_t i = 0; i < oe__option_count; i++)
		if (strcmp(oe__option_leaf(oe__options[i].shown.name), oe__option_leaf(name)) == 0)
			return oe__options[i].shown.name;
	size_t distance_best = strlen(oe__option_leaf(name)) / 3 + 1;
	for (size_t i = 0; i < oe__option_count; i++) {
		size_t distance = oe__name_distance(name, oe__options[i].shown.name);
		if (distance < distance_best) {
			distance_best = distance;
			best = oe__options[i].shown.name;
		}
	}
	return best;
}

bool oe__option_suggest(const char *name, char *out, size_t size)
{
	OE__AUTO(buffer) struct oe__buffer text = OE__BUFFER_INIT(0);
	const char *nearest = oe_option_nearest(name);

	if (!nearest)
		return false;
	oe__buffer_printf(&text, "'%s'", nearest);
	if (strcmp(oe__option_leaf(nearest), oe__option_leaf(name)) == 0)
		for (size_t i = 0; i < oe__option_count; i++) {
			const char *other = oe__options[i].shown.name;
			if (strcmp(other, nearest) == 0 ||
				strcmp(oe__option_leaf(other), oe__option_leaf(name)) != 0)
				continue;
			oe__buffer_printf(&text, " or '%s'", other);
			break;
		}
	if (text.status < 0 || text.size >= size)
		return false;
	memcpy(out, text.data, text.size + 1);
	return true;
}
