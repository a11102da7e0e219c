/* Typed reading, see config.h. */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "base/thread.h"
#include "config/config_internal.h"

static const struct oe__setting *find(const oe_config *config, const char *name)
{
	int index = oe__option_index(name);

	assert(index >= 0); /* the name is in the table */
	return &config->settings[index];
}

const struct oe__value *oe__config_value(const oe_config *config, const char *name)
{
	return &find(config, name)->value;
}

bool oe__config_is_null(const oe_config *config, const char *name)
{
	return oe__config_value(config, name)->type == OE__VALUE_NULL;
}

bool oe__config_is_set(const oe_config *config, const char *name)
{
	return find(config, name)->origin != OE_ORIGIN_DEFAULT;
}

bool oe__config_bool(const oe_config *config, const char *name)
{
	const struct oe__value *value = oe__config_value(config, name);

	assert(value->type == OE__VALUE_BOOL);
	return value->boolean;
}

int64_t oe__config_int(const oe_config *config, const char *name)
{
	const struct oe__value *value = oe__config_value(config, name);

	assert(value->type == OE__VALUE_INT);
	return value->integer;
}

double oe__config_real(const oe_config *config, const char *name)
{
	const struct oe__value *value = oe__config_value(config, name);

	assert(value->type == OE__VALUE_INT || value->type == OE__VALUE_REAL);
	return value->real;
}

const char *oe__config_string(const oe_config *config, const char *name)
{
	const struct oe__value *value = oe__config_value(config, name);

	assert(value->type == OE__VALUE_STRING || value->type == OE__VALUE_NULL);
	return value->type == OE__VALUE_NULL ? NULL : value->string;
}

int64_t oe__config_ms(const oe_config *config, const char *name)
{
	if (oe__config_is_null(config, name))
		return -1;
	double ms = oe__config_real(config, name) * 1000;
	assert(ms >= 0 && ms < 9e18); /* the table bounds all times */
	return (int64_t)ceil(ms);
}

int oe__config_choice(const oe_config *config, const char *name)
{
	int option = oe__option_index(name);
	const char *value = oe__config_string(config, name);
	const char *words = oe__options[option].shown.choices;
	int index = 0;

	assert(words && value);
	for (const char *word = words;; index++) {
		size_t size = strcspn(word, "|");
		if (strlen(value) == size && strncmp(word, value, size) == 0)
			return index;
		assert(word[size] == '|'); /* the value was checked when it was stored */
		word += size + 1;
	}
}

const char *oe__config_seed_option(const oe_config *config)
{
	static const char own[] = "database.random_seed", all[] = "random_seed";
	bool differs = oe__config_is_set(config, own) && !oe__config_is_null(config, own) &&
				   strcmp(oe_config_get(config, own), oe_config_get(config, all)) != 0;

	return differs ? own : all;
}

bool oe__config_seed(const oe_config *config, uint64_t *seed)
{
	const char *name = oe__config_seed_option(config);

	if (oe__config_is_null(config, name))
		return false;
	*seed = (uint64_t)oe__config_int(config, name);
	return true;
}

const char *oe__config_system_message(const oe_config *config)
{
	if (!oe__config_is_set(config, "prompt.system_message") &&
		oe__config_is_set(config, "llm.system_message"))
		return oe__config_string(config, "llm.system_message");
	return oe__config_string(config, "prompt.system_message");
}

int32_t oe__config_evaluations(const oe_config *config)
{
	int64_t wanted = oe__config_int(config, "evaluator.parallel_evaluations");

	return wanted > 0 ? (int32_t)wanted : oe__cpu_count();
}
