/* The environment, the variables that values name, and the secrets that come from there. */

#include "../../test.h"
#include "support.h"

START_TEST(test_environment)
{
	static const char *const variables[] = { "OE_LLM__TEMPERATURE=0.25",
											 "OE_MAX_ITERATIONS=",
											 "OE_SEED=5",
											 "OE_EVALUATOR__CASCADE_EVALUATION=0",
											 "OE_DATABASE__FEATURE_DIMENSIONS=[score, size]",
											 "OPENAI_API_BASE=http://env/v1",
											 "OPENAI_API_KEY=sk-env",
											 "ENABLE_ARTIFACTS=False",
											 NULL };
	OE__AUTO(config) oe_config *config = test_config();

	must_load(config, "llm: {temperature: 0.5}\nmax_iterations: 3\n");
	ck_assert_int_eq(
		oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)variables, NULL), 0);
	ck_assert_str_eq(oe_config_get(config, "llm.temperature"), "0.25");
	ck_assert_str_eq(oe_config_origin(config, "llm.temperature"), "OE_LLM__TEMPERATURE");
	ck_assert_str_eq(oe_config_get(config, "max_iterations"), "3");
	ck_assert_str_eq(oe_config_get(config, "random_seed"), "5");
	ck_assert(!oe__config_bool(config, "evaluator.cascade_evaluation"));
	ck_assert_str_eq(oe_config_get(config, "database.feature_dimensions"), "[\"score\", \"size\"]");
	ck_assert_str_eq(oe_config_get(config, "llm.api_base"), "http://env/v1");
	ck_assert_int_eq(oe_config_origin_level(config, "llm.api_base"), OE_ORIGIN_PROVIDER);
	ck_assert_str_eq(oe_config_get(config, "llm.api_key"), OE_HIDDEN);
	ck_assert_str_eq(oe_config_origin(config, "llm.api_key"), "OPENAI_API_KEY");
	ck_assert(!oe__config_bool(config, "evaluator.enable_artifacts"));
	must_load(config, "llm: {api_base: http://file/v1}");
	ck_assert_str_eq(oe_config_get(config, "llm.api_base"), "http://file/v1");
}
END_TEST

START_TEST(test_a_wrong_variable_changes_nothing)
{
	static const char *const variables[] = { "OE_MAX_ITERATIONS=5", "OE_DATABASE__NUM_ISLANDS=x",
											 NULL };
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	ck_assert_int_eq(
		oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)variables, &err),
		OE_ERR_CONFIG);
	ck_assert_str_eq(err.where, "OE_DATABASE__NUM_ISLANDS");
	ck_assert_str_eq(oe_config_get(config, "max_iterations"), "10000");
	ck_assert_int_eq(oe_config_set_environment(config, NULL, NULL, &err), OE_ERR_INVALID);
}
END_TEST

/* ---- secrets ---- */

static void check_no_secret(oe_config *config)
{
	const char *text;
	const oe_error *warning;

	for (int format = OE_CONFIG_YAML; format <= OE_CONFIG_SCHEMA; format++) {
		ck_assert_int_eq(oe_config_text(config, format, &text), 0);
		ck_assert_msg(!strstr(text, "s3cret"), "%s", text);
	}
	for (size_t i = 0; i < oe__option_count; i++)
		ck_assert_ptr_null(strstr(oe_config_get(config, oe__options[i].shown.name), "s3cret"));
	for (size_t i = 0; (warning = oe_config_warning(config, i)) != NULL; i++)
		ck_assert_ptr_null(strstr(warning->message, "s3cret"));
}

START_TEST(test_secrets_are_never_shown)
{
	static const char *const variables[] = { "OPENAI_API_KEY=s3cret", "MY_KEY=s3cret",
											 "ANTHROPIC_API_KEY=s3cret", NULL };
	OE__AUTO(config) oe_config *config = test_config();
	const oe_model *model = NULL;

	ck_assert_int_eq(
		oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)variables, NULL), 0);
	check_no_secret(config);
	must_load(config, "llm:\n  api_key: s3cret\n  api_base: http://user:s3cret@host/v1?x=@\n"
					  "  models:\n    - {name: a, api_key: s3cret, apikey: s3cret}\n"
					  "    - {name: b, api_key: '${MY_KEY}', api_base: 'https://s3cret@other/'}\n"
					  "evaluator: {env: {SOME_TOKEN: s3cret, HOME: /tmp}}\n");
	check_no_secret(config);
	ck_assert_str_eq(oe_config_get(config, "llm.api_base"), "http://" OE_HIDDEN "@host/v1?x=@");
	ck_assert_ptr_nonnull(strstr(oe_config_get(config, "llm.models"), "${MY_KEY}"));
	ck_assert_ptr_nonnull(strstr(oe_config_get(config, "evaluator.env"), "/tmp"));
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(oe_config_model(config, 0, i, &model, NULL), 1);
		ck_assert_int_eq(model->has_key, 1);
		ck_assert_ptr_null(strstr(model->api_base, "s3cret"));
	}
	must_load(config, "llm: {api_key: '${MY_KEY}'}");
	ck_assert_str_eq(oe_config_get(config, "llm.api_key"), "${MY_KEY}");
	must_set(config, "llm.api_key", "s3cret");
	ck_assert(warned(config, 0, "visible to others"));
	check_no_secret(config);
}
END_TEST

START_TEST(test_a_hidden_secret_reads_as_none)
{
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(config) oe_config *again = test_config();
	const char *text;

	must_load(config, "llm: {api_key: s3cret, models: [{name: a, api_key: s3cret}]}");
	ck_assert_int_eq(oe_config_text(config, OE_CONFIG_YAML, &text), 0);
	must_load(again, text);
	ck_assert(oe__config_is_null(again, "llm.api_key"));
}
END_TEST

START_TEST(test_variables)
{
	static const char *const variables[] = { "EMPTY=", NULL };
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	struct oe__models models;
	must_load(config, "llm:\n  api_key: ${NONE}\n  primary_model: a\n");
	ck_assert_int_eq(oe__config_models(config, OE__ROLE_EVOLUTION, &models, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, "NONE, but no environment was given"));
	ck_assert_int_eq(test_load(config, "llm: {models: [{name: a, weight: -1}]}", &err),
					 OE_ERR_CONFIG);
	ck_assert_int_eq(
		oe_config_set_environment(config, test_lookup, (void *)(uintptr_t)variables, NULL), 0);
	ck_assert_int_eq(test_load(config, "llm:\n  api_key: ${NONE}\n", &err), OE_ERR_CONFIG);
	ck_assert_str_eq(err.message,
					 "'llm.api_key' needs the environment variable NONE, which is not set");
	ck_assert_int_eq(err.line, 2);
	ck_assert_int_eq(err.column, 12);
	must_load(config, "llm: {api_key: '${EMPTY}'}");
	must_load(config, "llm: {api_key: '${}'}");
	must_load(config, "llm: {api_key: 'x${NONE}'}");
}
END_TEST

TEST_MAIN("environment", test_environment, test_a_wrong_variable_changes_nothing,
          test_secrets_are_never_shown, test_a_hidden_secret_reads_as_none, test_variables)
