/* Every allocation fails once, and from then on: the call says so, nothing is left behind, and a
   configuration that could not be changed is as before. */

#include <stdlib.h>

#include "support.h"

static long live, count, fails_at;
static bool for_ever;

static bool refuse(void)
{
	count++;
	return fails_at > 0 && (count == fails_at || (for_ever && count > fails_at));
}

static void *take(size_t size, void *userdata)
{
	(void)userdata;
	void *block = refuse() ? NULL : malloc(size);
	live += block != NULL;
	return block;
}

static void *change(void *block, size_t size, void *userdata)
{
	(void)userdata;
	if (refuse())
		return NULL;
	void *moved = realloc(block, size);
	live += moved && !block;
	return moved;
}

static void give(void *block, void *userdata)
{
	(void)userdata;
	live -= block != NULL;
	free(block);
}

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

START_TEST(test_each_allocation_fails_once)
{
	static int (*const scenarios[])(void) = { make, load, set, environment, models, text };

	loaded = test_config();
	ck_assert_int_eq(
		oe_config_set_environment(loaded, test_lookup, (void *)(uintptr_t)variables, NULL), 0);
	must_load(loaded, yaml);
	for (size_t i = 0; i < OE__COUNT(scenarios); i++) {
		fails_at = 0;
		count = 0;
		ck_assert_int_eq(scenarios[i](), 0);
		long all = count, before = live;
		ck_assert_int_gt(all, 3);
		long step = all / 400 + 1; /* all of them, or a spread of some hundreds */
		for (int ever = 0; ever < 2; ever++)
			for (fails_at = 1; fails_at <= all; fails_at += step) {
				for_ever = ever == 1;
				count = 0;
				int status = scenarios[i]();
				ck_assert_msg(status == OE_ERR_NOMEM, "scenario %zu, allocation %ld: %d", i,
							  fails_at, status);
				ck_assert_int_eq(live, before);
			}
	}
	fails_at = 0;
	ck_assert_str_eq(oe_config_get(loaded, "max_iterations"), "9");
	oe_config_free(loaded);
	ck_assert_int_eq(live, 0);
}
END_TEST

int main(void)
{
	const oe_allocator allocator = { take, change, give, NULL };

	if (oe_set_allocator(&allocator) < 0)
		return EXIT_FAILURE;
	Suite *suite = suite_create("nomem");
	TCase *tcase = tcase_create("nomem");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_each_allocation_fails_once);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
