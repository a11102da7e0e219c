/* A configuration as text: what is written loads again, and the schema names every option. */

#include "../../test.h"
#include "base/json.h"
#include "support.h"

/* Everything a configuration says is said again by one that was loaded from its text. */
static void check_round_trip(oe_config *config, int format)
{
	OE__AUTO(config) oe_config *again = test_config();
	const char *text;

	ck_assert_int_eq(oe_config_text(config, format, &text), 0);
	must_load(again, text);
	for (size_t i = 0; i < oe__option_count; i++) {
		const char *name = oe__options[i].shown.name;
		ck_assert_msg(strcmp(oe_config_get(again, name), oe_config_get(config, name)) == 0,
					  "%s: %s became %s", name, oe_config_get(config, name),
					  oe_config_get(again, name));
	}
}

START_TEST(test_text_loads_again)
{
	static const char *const messages[] = {
		"one line",
		"no",
		"12",
		"",
		" leading",
		"trailing ",
		"a: b",
		"# c",
		"it's \"quoted\" \\ \t tab",
		"two\nlines",
		"two\nlines\n",
		"many\nends\n\n\n",
		"\n\nbegins empty",
		"  begins with blanks\nthen not\n",
		"\tbegins with a tab\n\tand again",
		"trailing blanks  \n  \nhere",
		"\n",
		"crlf\r\nline\r\n",
		"control \x01 and \x7f\n",
		"\xc2\x85next line\xe2\x80\xa8separator\n",
		"\xef\xbb\xbf bom \n x",
		"\xf0\x9f\x9a\x80 rocket\nline",
		"http://host:8000/v1",
		"--- \n...\n",
		"<hidden>",
		"${NAME}",
	};

	for (size_t i = 0; i < OE__COUNT(messages); i++) {
		OE__AUTO(config) oe_config *config = test_config();
		must_set(config, "prompt.system_message", messages[i]);
		ck_assert_str_eq(oe_config_get(config, "prompt.system_message"), messages[i]);
		check_round_trip(config, OE_CONFIG_YAML);
		check_round_trip(config, OE_CONFIG_CHANGED);
		check_round_trip(config, OE_CONFIG_ORIGIN);
		check_round_trip(config, OE_CONFIG_JSON);
	}
}
END_TEST

START_TEST(test_text_of_everything)
{
	OE__AUTO(config) oe_config *config = test_config();
	const char *text;

	ck_assert_int_eq(oe_config_text(config, OE_CONFIG_CHANGED, &text), 0);
	ck_assert_str_eq(text, "{}\n");
	must_load(config,
			  "max_iterations: 3\n"
			  "llm:\n  models: [{name: a, weight: 1.5, reasoning_effort: 'on'}, {name: b}]\n"
			  "  temperature: null\n  timeout: 90.0\n"
			  "prompt: {template_variations: {opening: [Do it., 'no', 'a, b']}}\n"
			  "database: {feature_bins: {score: 5}, feature_dimensions: score}\n"
			  "evaluator: {cascade_thresholds: [1.0e-30, 1], env: {A b: 'x: y'}}\n");
	check_round_trip(config, OE_CONFIG_YAML);
	check_round_trip(config, OE_CONFIG_CHANGED);
	check_round_trip(config, OE_CONFIG_ORIGIN);
	check_round_trip(config, OE_CONFIG_JSON);
	ck_assert_int_eq(oe_config_text(config, OE_CONFIG_CHANGED, &text), 0);
	ck_assert_str_eq(text, "max_iterations: 3\n"
						   "\nllm:\n"
						   "  models:\n"
						   "    - {name: a, weight: 1.5, reasoning_effort: \"on\"}\n"
						   "    - {name: b}\n"
						   "  temperature: null\n"
						   "  timeout: 90\n"
						   "\nprompt:\n"
						   "  template_variations: {opening: [Do it., \"no\", \"a, b\"]}\n"
						   "\ndatabase:\n"
						   "  feature_dimensions: [score]\n"
						   "  feature_bins: {score: 5}\n"
						   "\nevaluator:\n"
						   "  cascade_thresholds: [1.0e-30, 1]\n"
						   "  env: {A b: \"x: y\"}\n");
	must_load(config, "convergence_threshold: -.inf\n");
	check_round_trip(config, OE_CONFIG_YAML);
	ck_assert_int_eq(oe_config_text(config, OE_CONFIG_ORIGIN, &text), 0);
	ck_assert_ptr_nonnull(strstr(text, "\nconvergence_threshold: -.inf  # c.yaml:1:24\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n  num_islands: 5  # default\n"));
	ck_assert_int_eq(oe_config_text(config, 99, &text), OE_ERR_INVALID);
}
END_TEST

START_TEST(test_schema)
{
	OE__AUTO(config) oe_config *config = test_config();
	OE__AUTO(value) struct oe__value schema = { 0 };
	const char *text;

	ck_assert_int_eq(oe_config_text(config, OE_CONFIG_SCHEMA, &text), 0);
	ck_assert_int_eq(oe__json_parse(text, strlen(text), &schema, NULL), 0);
	for (size_t i = 0; i < oe__option_count; i++) {
		const char *name = oe__options[i].shown.name, *dot = strchr(name, '.');
		const struct oe__value *level = oe__value_get(&schema, "properties");
		if (dot) {
			OE__AUTO(string) char *section = oe__strndup(name, (size_t)(dot - name));
			level = oe__value_get(oe__value_get(level, section), "properties");
		}
		const struct oe__value *option = oe__value_get(level, oe__option_leaf(name));
		ck_assert_msg(option && oe__value_get(option, "description") &&
						  oe__value_get(option, "type"),
					  "%s is not in the schema", name);
	}
}
END_TEST

TEST_MAIN("text", test_text_loads_again, test_text_of_everything, test_schema)
