/* Every allocation fails once, and from then on: the call says so, nothing is left behind, and a
   configuration that could not be changed is as before. */

#include "nomem.h"
#include "support.h"

static const char yaml[] = "%FUTURE 1\n---\nmax_iterations: 3\nunknown: 1\n"
						   "base: &b {name: '${KEY}', temperature: 0.5}\n"
						   "llm:\n  api_key: ${KEY}\n  models:\n    - {<<: *b, weight: 2, x:}\n"
						   "    - {name: \"\\ud83d\\ude80\", timeout: 0x10}\n"
						   "diff_pattern: '(a)(b)'\n"
						   "prompt: {template_variations: {a: [b, c]}}\n"
						   "database: {in_memory: false, feature_bins: {a: 5}}\n"
						   "evaluator: {env: {A: b}}\n";
static const char *const variables[] = { "KEY=value", "OE_MAX_ITERATIONS=9", "OPENAI_API_KEY=k",
										 "OE_LLM__COMMAND=[a, b]", NULL };

static oe_config *loaded;

static int make(void)
{
	OE__AUTO(config) oe_config *config = NULL;
	return oe_config_new(&config);
}

static int load(void)
{
	OE__AUTO(config) oe_config *config = NULL;
	oe_error err;
	int status = oe_config_copy(loaded, &config);

	return status < 0 ? status : test_load(config, yaml, &err);
}

static int set(void)
{
	OE__AUTO(config) oe_config *config = NULL;
	oe_error err;
	int status = oe_config_copy(loaded, &config);

	if (status == 0)
		status = oe_config_set(config, "evaluator.env.HOME", "/tmp", &err);
	return status < 0 ? status : oe_config_set(config, "llm.api_key", "secret", &err);
}

static int environment(void)
{
	OE__AUTO(config) oe_config *config = NULL;
	oe_error err;
	int status = oe_config_copy(loaded, &config);

	return status < 0
			   ? status
			   : oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)variables, &err);
}

static int models(void)
{
	OE__AUTO(models) struct oe__models list = { 0 };
	oe_error err;

	return oe__config_models(loaded, OE__ROLE_JUDGE, &list, &err);
}

static int text(void)
{
	OE__AUTO(config) oe_config *config = NULL;
	const char *written;
	const oe_model *model;
	oe_error err;
	int status = oe_config_copy(loaded, &config);

	for (int format = OE_CONFIG_YAML; status == 0 && format <= OE_CONFIG_SCHEMA; format++)
		status = oe_config_text(config, format, &written);
	if (status == 0)
		status = oe_config_model(config, 0, 1, &model, &err);
	return status < 0 ? status : 0;
}

START_TEST(test_each_allocation_fails)
{
	loaded = test_config();
	ck_assert_int_eq(
		oe_config_set_environment(loaded, test_lookup, (void *)(uintptr_t)variables, NULL), 0);
	must_load(loaded, yaml);
	nomem_each("make", make);
	nomem_each("load", load);
	nomem_each("set", set);
	nomem_each("environment", environment);
	nomem_each("models", models);
	nomem_each("text", text);
	ck_assert_str_eq(oe_config_get(loaded, "max_iterations"), "9");
	oe_config_free(loaded);
}
END_TEST

NOMEM_MAIN("nomem", test_each_allocation_fails)
