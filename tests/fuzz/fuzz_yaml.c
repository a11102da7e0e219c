/*
 * Configurations. Input: a YAML text, of which ${NAME} and ${LONG} are known. Whatever is accepted can
 * be written and read again, and then says the same; whatever is refused leaves the configuration as
 * it was and says where and why.
 */

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/value.h"
#include "config/config.h"
#include "config/yaml.h"
#include "openevolve/config.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(const oe_error *err)
{
	assert(err->message[0] && strlen(err->message) < sizeof(err->message));
	assert(err->line >= 0 && err->column >= 0);
}

static const char *environment(const char *name, void *userdata)
{
	(void)userdata;
	if (strcmp(name, "NAME") == 0)
		return "a ${LONG} 1";
	return strcmp(name, "LONG") == 0 ? "- [x, \"y\"]\n#\n" : NULL;
}

static oe_config *new_config(void)
{
	oe_config *config = NULL;

	assert(oe_config_new(&config) == 0);
	assert(oe_config_set_environment(config, environment, NULL, NULL) == 0);
	return config;
}

static void check_json(oe_config *config)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	const char *written;

	assert(oe_config_text(config, OE_CONFIG_JSON, &written) == 0);
	assert(oe__json_parse(written, strlen(written), &value, NULL) == 0);
	assert(value.type == OE__VALUE_MAP);
}

static void check_config(const char *text, size_t size)
{
	OE__AUTO(config) oe_config *config = new_config();
	OE__AUTO(config) oe_config *again = new_config();
	struct oe__models models;
	oe_error err = { 0 };
	const char *written;

	if (oe_config_load_text(config, text, size, "input", &err) < 0) {
		check_place(&err);
		return;
	}
	assert(oe_config_text(config, OE_CONFIG_YAML, &written) == 0);
	size_t length = strlen(written);
	assert(oe_config_load_text(again, written, length, "written", &err) == 0);
	const char *rewritten;
	assert(oe_config_text(again, OE_CONFIG_YAML, &rewritten) == 0);
	/* What is hidden is not read again. */
	assert(strstr(written, OE_HIDDEN) || strcmp(written, rewritten) == 0);
	check_json(config);
	for (size_t i = 0; oe_config_warning(config, i); i++)
		check_place(oe_config_warning(config, i));
	if (oe__config_models(config, OE__ROLE_EVOLUTION, &models, &err) == 0)
		oe__models_done(&models);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OE__AUTO(value) struct oe__value value = { 0 };
	const char *text = (const char *)data;
	oe_error err = { 0 };

	/* A key file is read when models are resolved: not those of this machine. */
	if (memmem(data, size, "key_file", 8))
		return 0;
	int status = oe__yaml_load(text, size, "input", &value, &err);
	if (status < 0) {
		check_place(&err);
		assert(value.type == OE__VALUE_NULL);
		return 0;
	}
	check_config(text, size);
	return 0;
}
