/* Which models a configuration means, and what each of them inherits. */

#include <stdio.h>
#include <unistd.h>

#include "../../test.h"
#include "support.h"

static void resolve(const char *yaml, enum oe__model_role role, oe_config **config,
					struct oe__models *models)
{
	oe_error err = { 0 };

	*config = test_config();
	must_load(*config, yaml);
	ck_assert_msg(oe__config_models(*config, role, models, &err) == 0, "%s", err.message);
}

/* One field set in `llm` reaches an entry that lacks it, and not one that has its own. */
START_TEST(test_every_field_is_inherited)
{
	static const char *const values[][3] = {
		/* key, in llm, in the entry */
		{ "api_base", "http://outer/v1", "http://inner/v1" },
		{ "api_key", "outer", "inner" },
		{ "backend", "anthropic", "azure" },
		{ "temperature", "0.25", "0.75" },
		{ "top_p", "0.25", "0.75" },
		{ "max_tokens", "100", "200" },
		{ "timeout", "100", "200" },
		{ "retries", "7", "8" },
		{ "retry_delay", "70", "80" },
		{ "random_seed", "5", "6" },
		{ "reasoning_effort", "low", "high" },
		{ "command", "[outer]", "[inner]" },
		{ "api_version", "outer", "inner" },
		{ "anthropic_version", "outer", "inner" },
	};

	for (size_t i = 0; i < OE__COUNT(values); i++) {
		OE__AUTO(config) oe_config *config = NULL;
		OE__AUTO(models) struct oe__models models = { 0 };
		char yaml[512], texts[2][256];
		snprintf(yaml, sizeof(yaml),
				 "llm:\n  %s: %s\n  models:\n    - {name: a}\n    - {name: a, %s: %s}\n"
				 "    - {name: a, %s: null}\n",
				 values[i][0], values[i][1], values[i][0], values[i][2], values[i][0]);
		resolve(yaml, OE__ROLE_EVOLUTION, &config, &models);
		ck_assert_uint_eq(models.count, 3);
		for (size_t m = 0; m < 2; m++) {
			const struct oe__model *model = &models.items[m];
			snprintf(texts[m], sizeof(texts[m]),
					 "%s %s %d %g %g %lld %lld %lld %lld %lld %s %s %s %s", model->api_base,
					 model->api_key ? model->api_key : "", (int)model->backend, model->temperature,
					 model->top_p, (long long)model->max_tokens, (long long)model->timeout_ms,
					 (long long)model->retries, (long long)model->retry_delay_ms,
					 (long long)model->seed, model->reasoning_effort ? model->reasoning_effort : "",
					 model->command ? model->command->items[0].string : "", model->api_version,
					 model->anthropic_version);
		}
		ck_assert_msg(strcmp(texts[0], texts[1]) != 0, "%s: %s", values[i][0], texts[0]);
		ck_assert_msg(i == 2 || strstr(texts[0], i == 11 ? "outer" : values[i][1]), "%s: %s",
					  values[i][0], texts[0]);
		ck_assert_msg(i == 2 || strstr(texts[1], i == 11 ? "inner" : values[i][2]), "%s: %s",
					  values[i][0], texts[1]);
	}
}
END_TEST

START_TEST(test_defaults_and_what_the_user_set)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(models) struct oe__models models = { 0 };

	resolve("llm:\n  temperature: null\n  max_tokens: 10\n  models:\n"
			"    - {name: a}\n    - {name: b, temperature: 0.5, top_p: 1}\n",
			OE__ROLE_EVOLUTION, &config, &models);
	ck_assert(!models.items[0].has_temperature && models.items[0].has_top_p);
	ck_assert_double_eq(models.items[0].top_p, 0.95);
	ck_assert_uint_eq(models.items[0].user_set, OE__MODEL_TEMPERATURE * 0 + OE__MODEL_MAX_TOKENS);
	ck_assert(models.items[1].has_temperature);
	ck_assert_uint_eq(models.items[1].user_set,
					  OE__MODEL_TEMPERATURE | OE__MODEL_TOP_P | OE__MODEL_MAX_TOKENS);
	ck_assert(!models.items[0].has_seed); /* the run's seed is nobody else's business */
	ck_assert_double_eq(models.items[0].weight, 1.0);
	ck_assert_int_eq(models.items[0].timeout_ms, 60000);
	ck_assert_int_eq(models.items[0].retry_delay_ms, 5000);
}
END_TEST

START_TEST(test_older_names)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(models) struct oe__models models = { 0 };
	OE__AUTO(models) struct oe__models judges = { 0 };

	resolve("llm:\n  models: [{name: alpha}]\n  primary_model: one\n  secondary_model: two\n",
			OE__ROLE_EVOLUTION, &config, &models);
	ck_assert_uint_eq(models.count, 3);
	ck_assert_str_eq(models.items[1].name, "one");
	ck_assert_double_eq(models.items[1].weight, 1.0);
	ck_assert_double_eq(models.items[2].weight, 0.2);
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_JUDGE, &judges, NULL), 0);
	ck_assert_uint_eq(judges.count, 3);
}
END_TEST

/* A provider tells how to reach a model, where nothing else does. */
START_TEST(test_providers)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(models) struct oe__models models = { 0 };

	resolve("llm:\n  provider: claude_code\n  models:\n    - {name: a, max_budget_usd: 0.5}\n"
			"    - {name: b, provider: openai}\n    - {name: c, command: [cat]}\n"
			"    - {name: d, backend: anthropic}\n",
			OE__ROLE_EVOLUTION, &config, &models);
	ck_assert(models.items[0].claude_code);
	ck_assert_int_eq(models.items[0].backend, OE__BACKEND_COMMAND);
	ck_assert_double_eq(models.items[0].budget_usd, 0.5);
	ck_assert(!models.items[1].claude_code);
	ck_assert_int_eq(models.items[1].backend, OE__BACKEND_OPENAI);
	ck_assert_double_lt(models.items[1].budget_usd, 0);
	ck_assert(!models.items[2].claude_code); /* a command of its own */
	ck_assert_int_eq(models.items[2].backend, OE__BACKEND_COMMAND);
	ck_assert_int_eq(models.items[3].backend, OE__BACKEND_ANTHROPIC);
}
END_TEST

/* --primary-model replaces the models of a file, but not judges of their own. */
START_TEST(test_a_flag_replaces_the_list)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(models) struct oe__models models = { 0 };
	OE__AUTO(models) struct oe__models flagged = { 0 };
	OE__AUTO(models) struct oe__models judges = { 0 };

	resolve("llm:\n  models: [{name: a}, {name: b}]\n  evaluator_models: [{name: judge}]\n",
			OE__ROLE_EVOLUTION, &config, &models);
	ck_assert_int_eq(
		oe_config_set_as(config, "llm.primary_model", "p", OE_ORIGIN_FLAG, "--primary-model", NULL),
		0);
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_EVOLUTION, &flagged, NULL), 0);
	ck_assert_uint_eq(flagged.count, 1);
	ck_assert_str_eq(flagged.items[0].name, "p");
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_JUDGE, &judges, NULL), 0);
	ck_assert_str_eq(judges.items[0].name, "judge");
}
END_TEST

START_TEST(test_a_list_set_by_flag_replaces_older_names)
{
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(models) struct oe__models models = { 0 };

	must_load(config, "llm: {primary_model: one}");
	must_set(config, "llm.models", "[{name: two}]");
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_EVOLUTION, &models, NULL), 0);
	ck_assert_uint_eq(models.count, 1);
	ck_assert_str_eq(models.items[0].name, "two");
}
END_TEST

/* --api-base alone reaches every entry that has none of its own. */
START_TEST(test_api_base_alone)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(models) struct oe__models models = { 0 };
	OE__AUTO(models) struct oe__models flagged = { 0 };

	resolve("llm:\n  api_base: http://file/v1\n  models: [{name: a}, {name: b, api_base: "
			"http://own/v1/}, {name: c, api_base: ''}]\n",
			OE__ROLE_EVOLUTION, &config, &models);
	ck_assert_int_eq(oe_config_set_as(config, "llm.api_base", "http://flag/v1//", OE_ORIGIN_FLAG,
									  "--api-base", NULL),
					 0);
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_EVOLUTION, &flagged, NULL), 0);
	ck_assert_str_eq(flagged.items[0].api_base, "http://flag/v1");
	ck_assert_str_eq(flagged.items[1].api_base, "http://own/v1");
	ck_assert_str_eq(flagged.items[2].api_base, "http://flag/v1");
}
END_TEST

START_TEST(test_backends)
{
	static const struct {
		const char *base;
		enum oe__backend backend;
	} cases[] = {
		{ "https://api.openai.com/v1", OE__BACKEND_OPENAI },
		{ "http://127.0.0.1:8000/v1", OE__BACKEND_OPENAI },
		{ "https://api.anthropic.com/v1/", OE__BACKEND_ANTHROPIC },
		{ "https://API.Anthropic.com", OE__BACKEND_ANTHROPIC },
		{ "https://name.openai.azure.com/", OE__BACKEND_AZURE },
		{ "https://u:p@name.openai.azure.com:443/openai", OE__BACKEND_AZURE },
		{ "http://proxy/api.anthropic.com", OE__BACKEND_OPENAI },
		{ "http://host?x=.openai.azure.com", OE__BACKEND_OPENAI },
	};

	for (size_t i = 0; i < OE__COUNT(cases); i++) {
		OE__AUTO(config) oe_config *config = NULL;
		OE__AUTO(models) struct oe__models models = { 0 };
		char yaml[256];
		snprintf(yaml, sizeof(yaml), "llm: {api_base: '%s', model: a}", cases[i].base);
		resolve(yaml, OE__ROLE_EVOLUTION, &config, &models);
		ck_assert_int_eq(models.items[0].backend, cases[i].backend);
	}
}
END_TEST

START_TEST(test_backends_without_a_name)
{
	OE__AUTO(config) oe_config *config = NULL;
	OE__AUTO(models) struct oe__models models = { 0 };
	OE__AUTO(config) oe_config *command = NULL;
	OE__AUTO(models) struct oe__models commands = { 0 };
	OE__AUTO(config) oe_config *native = NULL;
	OE__AUTO(models) struct oe__models natives = { 0 };

	resolve("llm: {backend: mutate}", OE__ROLE_EVOLUTION, &config, &models);
	ck_assert_uint_eq(models.count, 1);
	ck_assert_int_eq(models.items[0].backend, OE__BACKEND_MUTATE);
	ck_assert_str_eq(models.items[0].name, "");
	resolve("llm: {backend: command, command: [cat]}", OE__ROLE_EVOLUTION, &command, &commands);
	ck_assert_str_eq(commands.items[0].command->items[0].string, "cat");
	resolve("llm: {backend: anthropic, model: a}", OE__ROLE_EVOLUTION, &native, &natives);
	ck_assert_str_eq(natives.items[0].api_base, "https://api.anthropic.com");
}
END_TEST

/* ---- keys ---- */

static const char *const variables[] = { "OPENAI_API_KEY=openai", "ANTHROPIC_API_KEY=anthropic",
										 "AZURE_OPENAI_API_KEY=azure", "MINE=mine", NULL };

static void expect_key(const char *yaml, const char *key)
{
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(models) struct oe__models models = { 0 };
	oe_error err = { 0 };

	ck_assert_int_eq(
		oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)variables, NULL), 0);
	must_load(config, yaml);
	ck_assert_msg(oe__config_models(config, OE__ROLE_EVOLUTION, &models, &err) == 0, "%s",
				  err.message);
	ck_assert_pstr_eq(models.items[0].api_key, key);
}

START_TEST(test_keys)
{
	char path[] = "/tmp/oe-test-key-XXXXXX", yaml[256];
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, " filed \n", 8), 8);
	expect_key("llm: {model: a}", "openai");
	expect_key("llm: {model: a, api_key: null}", "openai");
	expect_key("llm: {model: a, api_key: ''}", NULL);
	expect_key("llm: {model: a, api_key: given}", "given");
	expect_key("llm: {model: a, api_key: '${MINE}'}", "mine");
	expect_key("llm: {model: a, backend: anthropic}", "anthropic");
	expect_key("llm: {model: a, api_base: 'https://x.openai.azure.com'}", "azure");
	expect_key("llm: {backend: mutate}", NULL);
	expect_key("llm: {api_key: outer, models: [{name: a, api_key: inner}]}", "inner");
	snprintf(yaml, sizeof(yaml), "llm: {model: a, api_key_file: %s}", path);
	expect_key(yaml, "filed");
	snprintf(yaml, sizeof(yaml), "llm: {model: a, api_key: given, api_key_file: %s}", path);
	expect_key(yaml, "given");
	snprintf(yaml, sizeof(yaml), "llm: {api_key: given, models: [{name: a, api_key_file: %s}]}",
			 path);
	expect_key(yaml, "filed");
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(test_variables_in_names_and_bases)
{
	static const char *const names[] = { "NAME=big", "BASE=http://env:1/v1/", NULL };
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(models) struct oe__models models = { 0 };

	ck_assert_int_eq(oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)names, NULL),
					 0);
	must_load(config, "llm: {api_base: '${BASE}', models: [{name: '${NAME}'}]}");
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_EVOLUTION, &models, NULL), 0);
	ck_assert_str_eq(models.items[0].name, "big");
	ck_assert_str_eq(models.items[0].api_base, "http://env:1/v1");
}
END_TEST

/* ---- lists that cannot be used ---- */

static void expect_error(const char *yaml, const char *part)
{
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(models) struct oe__models models = { 0 };
	oe_error err = { 0 };

	must_load(config, yaml);
	ck_assert_int_lt(oe__config_models(config, OE__ROLE_EVOLUTION, &models, &err), 0);
	ck_assert_msg(strstr(err.message, part) || strstr(err.where, part), "%s", err.message);
	ck_assert_uint_eq(models.count, 0);
}

START_TEST(test_unusable_lists)
{
	expect_error("{}", "no model is configured");
	expect_error("llm: {secondary_model: a, secondary_model_weight: 0}", "no model is configured");
	expect_error("llm: {primary_model: ''}", "no model is configured");
	expect_error("llm: {models: [{weight: 1}]}", "has no name");
	expect_error("llm: {primary_model: a, primary_model_weight: -1}", "weight");
	expect_error("llm: {models: [{name: a, weight: .inf}]}", "weight");
	expect_error("llm: {models: [{name: a, weight: 0}, {name: b, weight: 0.0}]}", "all weights");
	expect_error("llm: {backend: command}", "'llm.command'");
	expect_error("llm: {provider: claude_code, models: [{weight: 1}]}", "has no name");
	expect_error("llm: {provider: copilot_cli, primary_model: a}", "'copilot_cli' is not available");
	expect_error("llm: {model: a, api_base: host/v1}", "http://");
	expect_error("llm: {model: a, api_key_file: /nonexistent/key}", "/nonexistent/key");
	expect_error("llm: {model: a, api_key_file: /dev/null}", "expected an API key");
}
END_TEST

START_TEST(test_shown_models)
{
	OE__AUTO(config) oe_config *config = test_config();
	const oe_model *model = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_model(config, 0, 0, &model, &err), OE_ERR_CONFIG);
	must_load(config, "llm: {api_key: x, models: [{name: a, weight: 2}, {name: b}]}");
	ck_assert_int_eq(oe_config_model(config, 0, 0, &model, &err), 1);
	ck_assert_str_eq(model->name, "a");
	ck_assert_str_eq(model->backend, "openai");
	ck_assert_double_eq(model->weight, 2);
	ck_assert_int_eq(oe_config_model(config, 1, 1, &model, &err), 1);
	ck_assert_str_eq(model->name, "b");
	ck_assert_int_eq(oe_config_model(config, 0, 2, &model, &err), 0);
	ck_assert_str_eq(model->name, "b"); /* outputs are written on success only */
}
END_TEST

TEST_MAIN("model", test_every_field_is_inherited, test_defaults_and_what_the_user_set,
		  test_older_names, test_providers, test_a_flag_replaces_the_list,
		  test_a_list_set_by_flag_replaces_older_names, test_api_base_alone, test_backends,
		  test_backends_without_a_name, test_keys, test_variables_in_names_and_bases,
		  test_unusable_lists, test_shown_models)
