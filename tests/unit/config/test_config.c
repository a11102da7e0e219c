/* Values and where they come from: precedence, the command line, files, warnings. */

#include <unistd.h>

#include "../../test.h"
#include "base/text.h"
#include "support.h"

/* ---- origins ---- */

START_TEST(test_the_strongest_origin_wins_in_any_order)
{
	static const char *const variables[] = { "OE_DATABASE__NUM_ISLANDS=3", NULL };
	enum { FILE_, ENVIRONMENT, SET, FLAG };
	static const char *const winners[] = { "2", "3", "4", "5" };
	static const char *const origins[] = { "c.yaml:1:25", "OE_DATABASE__NUM_ISLANDS", "set",
										   "--islands" };

	/* Every subset of the four, in every order. */
	for (int subset = 0; subset < 16; subset++)
		for (int order = 0; order < 24; order++) {
			OE__AUTO(config) oe_config *config = test_config();
			int left[] = { 0, 1, 2, 3 }, rest = order, strongest = -1;
			for (int i = 4; i > 0; i--) {
				int pick = left[rest % i];
				left[rest % i] = left[i - 1];
				rest /= i;
				if (!(subset >> pick & 1))
					continue;
				strongest = pick > strongest ? pick : strongest;
				if (pick == FILE_)
					must_load(config, "database: {num_islands: 2}");
				else if (pick == ENVIRONMENT)
					ck_assert_int_eq(oe_config_set_environment(config, test_lookup,
															   (void *)(uintptr_t)variables, NULL),
									 0);
				else if (pick == SET)
					must_set(config, "database.num_islands", "4");
				else
					ck_assert_int_eq(oe_config_set_as(config, "database.num_islands", "5",
													  OE_ORIGIN_FLAG, "--islands", NULL),
									 0);
			}
			ck_assert_str_eq(oe_config_get(config, "database.num_islands"),
							 strongest < 0 ? "5" : winners[strongest]);
			ck_assert_str_eq(oe_config_origin(config, "database.num_islands"),
							 strongest < 0 ? "default" : origins[strongest]);
		}
}
END_TEST

START_TEST(test_the_later_of_two_equals_wins)
{
	OE__AUTO(config) oe_config *config = test_config();

	must_set(config, "seed", "1");
	must_set(config, "random_seed", "2");
	ck_assert_int_eq(oe__config_int(config, "random_seed"), 2);
	must_load(config, "max_iterations: 1");
	must_load(config, "max_iterations: 2");
	ck_assert_int_eq(oe__config_int(config, "max_iterations"), 2);
	must_load(config, "{}");
	must_load(config, "");
	ck_assert_int_eq(oe__config_int(config, "max_iterations"), 2);
}
END_TEST

START_TEST(test_null_is_the_default_or_a_value)
{
	OE__AUTO(config) oe_config *config = test_config();

	must_load(config, "max_iterations: 5\nrandom_seed: null\nllm:\n");
	must_set(config, "max_iterations", "null");
	ck_assert_str_eq(oe_config_get(config, "max_iterations"), "10000");
	ck_assert_int_eq(oe_config_origin_level(config, "max_iterations"), OE_ORIGIN_SET);
	ck_assert(oe__config_is_null(config, "random_seed"));
	ck_assert_str_eq(oe_config_get(config, "random_seed"), "null");
}
END_TEST

START_TEST(test_seed)
{
	OE__AUTO(config) oe_config *config = test_config();
	uint64_t seed = 0;

	ck_assert(oe__config_seed(config, &seed));
	ck_assert_uint_eq(seed, 42);
	must_load(config, "random_seed: 7");
	ck_assert(oe__config_seed(config, &seed));
	ck_assert_uint_eq(seed, 7);
	must_load(config, "database: {random_seed: 9}");
	ck_assert(oe__config_seed(config, &seed));
	ck_assert_uint_eq(seed, 9);
	must_load(config, "random_seed: null\ndatabase: {random_seed: null}");
	ck_assert(!oe__config_seed(config, &seed));
}
END_TEST

START_TEST(test_system_message)
{
	OE__AUTO(config) oe_config *config = test_config();

	ck_assert_str_eq(oe__config_system_message(config), "system_message");
	must_load(config, "llm: {system_message: from llm}");
	ck_assert_str_eq(oe__config_system_message(config), "from llm");
	must_load(config, "prompt: {system_message: from prompt}");
	ck_assert_str_eq(oe__config_system_message(config), "from prompt");
}
END_TEST

/* ---- text of the command line ---- */

START_TEST(test_setting_from_text)
{
	OE__AUTO(config) oe_config *config = test_config();

	must_set(config, "llm.timeout", "2m30s");
	ck_assert_int_eq(oe__config_ms(config, "llm.timeout"), 150000);
	must_set(config, "max_time", "2h30m");
	ck_assert_str_eq(oe_config_get(config, "max_time"), "9000");
	must_set(config, "max_iterations", "1e6");
	ck_assert_int_eq(oe__config_int(config, "max_iterations"), 1000000);
	must_set(config, "llm.temperature", " 1e-1 ");
	ck_assert_double_eq(oe__config_real(config, "llm.temperature"), 0.1);
	must_set(config, "language", "no");
	ck_assert_str_eq(oe__config_string(config, "language"), "no");
	must_set(config, "prompt.system_message", "a: b # c");
	ck_assert_str_eq(oe__config_string(config, "prompt.system_message"), "a: b # c");
	must_set(config, "prompt.system_message", "\"a\\tb\"");
	ck_assert_str_eq(oe__config_string(config, "prompt.system_message"), "a\tb");
	must_set(config, "prompt.system_message", "\"Go\" is a word");
	ck_assert_str_eq(oe__config_string(config, "prompt.system_message"), "\"Go\" is a word");
	must_set(config, "prompt.system_message", "");
	ck_assert_str_eq(oe__config_string(config, "prompt.system_message"), "");
	must_set(config, "log_dir", "null");
	ck_assert_ptr_null(oe__config_string(config, "log_dir"));
	must_set(config, "llm.command", "answer.sh");
	ck_assert_str_eq(oe_config_get(config, "llm.command"), "[\"answer.sh\"]");
	must_set(config, "llm.command", "[sh, -c, \"echo yes\"]");
	ck_assert_uint_eq(oe__config_value(config, "llm.command")->size, 3);
	must_set(config, "database.feature_bins", "{score: 5}");
	must_set(config, "database.feature_bins.latency", "7");
	ck_assert_str_eq(oe_config_get(config, "database.feature_bins"),
					 "{\"score\": 5, \"latency\": 7}");
	must_set(config, "evaluator.env.OMP_NUM_THREADS", "1");
	ck_assert_str_eq(
		oe__value_get(oe__config_value(config, "evaluator.env"), "OMP_NUM_THREADS")->string, "1");
}
END_TEST

START_TEST(test_arguments_of_evaluators)
{
	OE__AUTO(config) oe_config *config = test_config();
	static const char *const refused[] = {
		"[1]", "{1: a}", "{a: .nan}", "{a: [.inf]}", "{a: {b: {2: c}}}", "{a: 2024-01-31}",
		"{a: !!binary aGVsbG8=}", "{a: !!set {b, c}}",
	};
	oe_error err = { 0 };

	must_set(config, "evaluator.evaluator_args", "{a: 1, b: 0.5, c: [x, null, {d: true}], e: {}}");
	ck_assert_str_eq(oe_config_get(config, "evaluator.evaluator_args"),
					 "{\"a\": 1, \"b\": 0.5, \"c\": [\"x\", null, {\"d\": true}], \"e\": {}}");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ck_assert_msg(oe_config_set(config, "evaluator.evaluator_args", refused[i], &err) ==
						  OE_ERR_CONFIG,
					  "%s", refused[i]);
	must_set(config, "evaluator.evaluator_args.a", "\"1\"");
	ck_assert_int_eq(oe__value_get(oe__config_value(config, "evaluator.evaluator_args"), "a")->type,
					 OE__VALUE_STRING);
}
END_TEST

START_TEST(test_setting_nonsense)
{
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_set(config, "database.num_island", "1", &err), OE_ERR_CONFIG);
	ck_assert_str_eq(
		err.message,
		"there is no option 'database.num_island': did you mean 'database.num_islands'?");
	ck_assert_int_eq(
		oe_config_set_as(config, "database.num_islands", "0", OE_ORIGIN_FLAG, "--islands", &err),
		OE_ERR_CONFIG);
	ck_assert_str_eq(err.message,
					 "'database.num_islands' is 0, expected an integer from 1 to 1024");
	ck_assert_str_eq(err.where, "--islands");
	ck_assert_int_eq(oe_config_set(config, "max_time", "soon", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(oe_config_set(config, "max_time", "-1", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(oe_config_set(config, "llm.models", "[{name: a", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(oe_config_set(config, "language", "\xff", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(oe_config_set(config, "llm", "{}", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(oe_config_set(config, "evaluator.env.", "x", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(oe_config_set(NULL, "language", "c", &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_config_set(config, NULL, "c", &err), OE_ERR_INVALID);
	ck_assert_int_eq(oe_config_set_as(config, "language", "c", OE_ORIGIN_DEFAULT, "x", &err),
					 OE_ERR_INVALID);
	ck_assert_ptr_null(oe_config_get(config, "nonsense"));
	ck_assert_ptr_null(oe_config_origin(config, "nonsense"));
	ck_assert_int_eq(oe_config_origin_level(config, "nonsense"), OE_ERR_CONFIG);
}
END_TEST

/* ---- files ---- */

START_TEST(test_loading_is_all_or_nothing)
{
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	must_load(config, "max_iterations: 3\nunknown: 1");
	ck_assert_int_eq(
		test_load(config, "max_iterations: 4\nother: 1\ndatabase:\n  num_islands: many\n", &err),
		OE_ERR_CONFIG);
	ck_assert_str_eq(err.where, "c.yaml");
	ck_assert_int_eq(err.line, 4);
	ck_assert_int_eq(err.column, 16);
	ck_assert_str_eq(err.message,
					 "'database.num_islands' is a string, expected an integer from 1 to 1024");
	ck_assert_int_eq(oe__config_int(config, "max_iterations"), 3);
	ck_assert_ptr_nonnull(oe_config_warning(config, 0));
	ck_assert_ptr_null(oe_config_warning(config, 1));
}
END_TEST

START_TEST(test_files)
{
	OE__AUTO(config) oe_config *config = test_config();
	char path[] = "/tmp/oe-test-config-XXXXXX";
	oe_error err = { 0 };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "max_iterations: 8\n", 18), 18);
	close(fd);
	ck_assert_int_eq(oe_config_load(config, path, &err), 0);
	ck_assert_int_eq(oe__config_int(config, "max_iterations"), 8);
	ck_assert(oe__has_prefix(oe_config_origin(config, "max_iterations"), path));
	unlink(path);
	ck_assert_int_eq(oe_config_load(config, path, &err), OE_ERR_IO);
	ck_assert_ptr_nonnull(strstr(err.message, path) ? path : strstr(err.where, path));
	ck_assert_int_eq(oe_config_load(config, "/tmp", &err), OE_ERR_IO);
}
END_TEST

static void expect_error(const char *yaml, int line, int column, const char *part)
{
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	ck_assert_int_eq(test_load(config, yaml, &err), OE_ERR_CONFIG);
	ck_assert_msg(err.line == line && err.column == column && strstr(err.message, part),
				  "%d:%d: %s", err.line, err.column, err.message);
}

START_TEST(test_errors_have_a_place)
{
	expect_error("- a\n- b\n", 1, 1, "expected a mapping");
	expect_error("just words", 1, 1, "expected a mapping");
	expect_error("llm: fast\n", 1, 6, "'llm' is a string");
	expect_error("a: 1\nb: [1\n", 3, 1, "");
	expect_error("llm:\n  models: [alpha, beta]\n", 2, 12, "a list of mappings");
	expect_error("llm:\n  models:\n    - name: a\n    - name: 5\n", 4, 13, "'llm.models[1].name'");
	expect_error("llm:\n  models:\n    - {name: a, temperature: hot}\n", 3, 30,
				 "'llm.models[0].temperature'");
	expect_error("database:\n  feature_dimensions: [a, 2]\n", 2, 27, "feature_dimensions");
	expect_error("database:\n  feature_bins: {a: 0}\n", 2, 21, "feature_bins");
	expect_error("database:\n  feature_bins: {1: 5}\n", 2, 18, "a key of");
	expect_error("diff_pattern: '(unclosed'\n", 1, 15, "'diff_pattern' cannot be used");
	expect_error("diff_pattern: 'one (group)'\n", 1, 15, "at least 2");
	expect_error("llm: {api_key: 12345}\n", 1, 16, "put it in quotes");
	expect_error("llm: {api_key: [secret]}\n", 1, 16, "not a text");
}
END_TEST

/* ---- warnings ---- */

START_TEST(test_unknown_keys)
{
	static const char yaml[] = "parallel_evaluations: 8\n"
							   "max_iteration: 3\n"
							   "zebra: {a: 1}\n"
							   "5: x\n"
							   "database:\n"
							   "  n_islands: 4\n"
							   "llm:\n"
							   "  models:\n"
							   "    - {model: a, concurrency: 3}\n";
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(config) oe_config *strict = test_config();
	oe_error err = { 0 };

	must_load(config, yaml);
	ck_assert(warned(config, 1,
					 "unknown key 'parallel_evaluations': did you mean "
					 "'evaluator.parallel_evaluations'?"));
	ck_assert(warned(config, 2, "unknown key 'max_iteration': did you mean 'max_iterations'?"));
	ck_assert(warned(config, 3, "unknown key 'zebra'"));
	ck_assert(warned(config, 4, "unknown key '(integer)'"));
	ck_assert(warned(config, 6, "did you mean 'database.num_islands'?"));
	ck_assert(warned(config, 9, "unknown key 'llm.models[0].model': did you mean 'name'?"));
	ck_assert(warned(config, 9, "'llm.models[0].concurrency': it belongs into 'llm' itself"));
	ck_assert_uint_eq(warning_count(config), 7);

	oe_config_set_strict(strict, 1);
	ck_assert_int_eq(test_load(strict, yaml, &err), OE_ERR_CONFIG);
	ck_assert_int_eq(err.line, 1);
	ck_assert_int_eq(test_load(strict, "llm: {models: [{nam: a}]}", &err), OE_ERR_CONFIG);
	ck_assert_int_eq(err.column, 17);
}
END_TEST

START_TEST(test_keys_without_effect)
{
	OE__AUTO(config) oe_config *config = test_config();

	must_load(config, "database:\n  in_memory: true\n  diversity_metric: other\n"
					  "llm:\n  models:\n    - {name: a, weight: 2, init_client: f}\n");
	ck_assert(!warned(config, 2, "in_memory")); /* its default: nothing is missing */
	ck_assert(warned(config, 3, "'database.diversity_metric' has no effect: OpenEvolve"));
	ck_assert(warned(config, 6, "'llm.models[0].init_client' has no effect"));
	ck_assert_uint_eq(warning_count(config), 2);
}
END_TEST

/* ---- the rest ---- */

START_TEST(test_copies_are_independent)
{
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(config) oe_config *copy = NULL;

	must_load(config, "max_iterations: 3\nzebra: 1\n");
	ck_assert_int_eq(oe_config_copy(config, &copy), 0);
	must_set(config, "max_iterations", "4");
	ck_assert_str_eq(oe_config_get(copy, "max_iterations"), "3");
	ck_assert_str_eq(oe_config_origin(copy, "max_iterations"), "c.yaml:1:17");
	ck_assert_uint_eq(warning_count(copy), 1);
	must_load(copy, "zebra: 2");
	ck_assert_uint_eq(warning_count(copy), 2);
	ck_assert_uint_eq(warning_count(config), 1);
	ck_assert_int_eq(oe_config_copy(NULL, &copy), OE_ERR_INVALID);
	oe_config_free(NULL);
}
END_TEST

START_TEST(test_check)
{
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_check(config, &err), 0);
	must_load(config, "hub:\n  semantics: ordered\n");
	ck_assert_int_eq(oe_config_check(config, &err), 0);
	must_load(config, "llm: {models: [{name: a, weight: 0}, {name: b, weight: 0}]}");
	ck_assert_int_eq(oe_config_check(config, &err), OE_ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.message, "weights"));
	must_load(config, "llm: {models: []}\ndatabase: {feature_dimensions: "
					  "[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}");
	ck_assert_int_eq(oe_config_check(config, &err), OE_ERR_CONFIG);
	ck_assert_str_eq(err.where, "c.yaml");
	ck_assert_int_eq(err.line, 2);
	ck_assert_ptr_nonnull(strstr(err.message, "feature_dimensions"));
}
END_TEST

TEST_MAIN("config", test_the_strongest_origin_wins_in_any_order, test_the_later_of_two_equals_wins,
          test_null_is_the_default_or_a_value, test_seed, test_system_message,
          test_setting_from_text, test_arguments_of_evaluators, test_setting_nonsense,
          test_loading_is_all_or_nothing, test_files, test_errors_have_a_place, test_unknown_keys,
          test_keys_without_effect, test_copies_are_independent, test_check)
