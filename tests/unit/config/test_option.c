/* The option table: its rows are consistent, and every option refuses what it does not take. */

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#include "../../test.h"
#include "base/text.h"
#include "support.h"

START_TEST(test_rows_are_complete)
{
	const oe_option *option;

	for (size_t i = 0; (option = oe_option_at(i)) != NULL; i++) {
		size_t size = strlen(option->summary);
		ck_assert_msg(size > 10 && option->summary[size - 1] == '.', "%s: a sentence",
					  option->name);
		ck_assert_msg(size < 160, "%s: one sentence", option->name);
		ck_assert_ptr_nonnull(option->default_value);
		ck_assert_ptr_eq(oe_option_find(option->name), option);
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(oe_option_at(k)->name, option->name);
		if (option->alias)
			ck_assert_ptr_null(oe_option_find(option->alias)->alias);
		else if (option->type == OE_OPTION_INT || option->type == OE_OPTION_REAL)
			ck_assert_msg(option->minimum < option->maximum, "%s: a range", option->name);
		if (option->no_effect)
			ck_assert_msg(!isupper((unsigned char)option->no_effect[0]) ||
							  oe__has_prefix(option->no_effect, "OpenEvolve"),
						  "%s: part of a sentence", option->name);
	}
	ck_assert_uint_gt(oe__option_count, 120);
	ck_assert_ptr_null(oe_option_at(oe__option_count));
	ck_assert_ptr_null(oe_option_find("nonsense"));
	ck_assert_ptr_null(oe_option_find(NULL));
}
END_TEST

/* Sections are printed as they come: each stands in one piece. */
START_TEST(test_sections_are_in_one_piece)
{
	for (size_t i = 1; i < oe__option_count; i++) {
		const char *name = oe__options[i].shown.name;
		const char *dot = strchr(name, '.');
		size_t size = dot ? (size_t)(dot - name) + 1 : 0;
		if (strncmp(oe__options[i - 1].shown.name, name, size) == 0 &&
			(size > 0 || !strchr(oe__options[i - 1].shown.name, '.')))
			continue;
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(size > 0 && strncmp(oe__options[k].shown.name, name, size) != 0,
						  "%s stands apart from its section", name);
	}
}
END_TEST

/* A document that sets one option. */
static void document_of(const oe_option *option, const char *value, char *out, size_t size)
{
	const char *dot = strchr(option->name, '.');

	if (dot)
		snprintf(out, size, "%.*s:\n  %s: %s\n", (int)(dot - option->name), option->name, dot + 1,
				 value);
	else
		snprintf(out, size, "%s: %s\n", option->name, value);
}

static void must_refuse(const oe_option *option, const char *value)
{
	OE__AUTO(config) oe_config *config = test_config();
	char yaml[512];
	oe_error err = { 0 };
	bool in_section = strchr(option->name, '.') != NULL;

	document_of(option, value, yaml, sizeof(yaml));
	ck_assert_msg(test_load(config, yaml, &err) == OE_ERR_CONFIG, "%s took %s", option->name,
				  value);
	ck_assert_str_eq(err.where, "c.yaml");
	ck_assert_int_eq(err.line, in_section ? 2 : 1);
	ck_assert_int_ge(err.column, (int)strlen(oe__option_leaf(option->name)) + 2);
	ck_assert_msg(strstr(err.message, option->name) && strstr(err.message, "expected"), "%s",
				  err.message);
	ck_assert_int_eq(oe_config_origin_level(config, option->name), OE_ORIGIN_DEFAULT);
}

static void must_take(const oe_option *option, const char *value)
{
	OE__AUTO(config) oe_config *config = test_config();
	char yaml[512];

	document_of(option, value, yaml, sizeof(yaml));
	must_load(config, yaml);
	ck_assert_int_eq(oe_config_origin_level(config, option->name), OE_ORIGIN_FILE);
}

static void number_text(double value, bool integer, char *out, size_t size)
{
	snprintf(out, size, integer ? "%.0f" : "%.6f", value);
}

static void check_range(const oe_option *option)
{
	bool integer = option->type != OE_OPTION_REAL;
	double step = integer ? 1 : 0.0005;
	char text[64];

	if (isfinite(option->minimum)) {
		number_text(option->minimum, integer, text, sizeof(text));
		must_take(option, text);
		number_text(option->minimum - step, integer, text, sizeof(text));
		must_refuse(option, text);
	}
	if (isfinite(option->maximum)) {
		number_text(option->maximum, integer, text, sizeof(text));
		must_take(option, text);
		number_text(option->maximum + step, integer, text, sizeof(text));
		must_refuse(option, text);
	}
	if (isfinite(option->minimum) || integer)
		must_refuse(option, ".nan");
}

static void check_type(const oe_option *option)
{
	bool text = option->type == OE_OPTION_STRING;

	if (option->type == OE_OPTION_BOOL) {
		must_take(option, "yes");
		must_take(option, "0");
		must_refuse(option, "2");
		must_refuse(option, "0.5");
	} else if (option->type == OE_OPTION_INT || option->type == OE_OPTION_REAL ||
			   option->type == OE_OPTION_INT_OR_MAP) {
		if (option->type != OE_OPTION_REAL)
			must_refuse(option, "12.5");
		must_refuse(option, "99999999999999999999999");
		must_refuse(option, "'3'");
		check_range(option);
	} else if (text) {
		must_refuse(option, "12");
		must_refuse(option, "yes");
		must_refuse(option, "2024-01-31");
		must_refuse(option, "\"a\\0b\"");
		must_refuse(option, "!!binary aGVsbG8=");
	} else {
		must_refuse(option, "!!set {a, b}");
	}
	if (!text && option->item_type != OE_OPTION_STRING)
		must_refuse(option, "words");
	if (option->type != OE_OPTION_LIST && option->type != OE_OPTION_MODELS)
		must_refuse(option, "[[], 1]");
	if (option->type != OE_OPTION_MAP && option->type != OE_OPTION_INT_OR_MAP &&
		option->type != OE_OPTION_MODELS)
		must_refuse(option, "{a: 1}");
	if (option->choices)
		must_refuse(option, "nonsense");
	must_take(option, "null");
}

START_TEST(test_every_option_refuses_what_it_does_not_take)
{
	const oe_option *option;

	for (size_t i = 0; (option = oe_option_at(i)) != NULL; i++)
		if (!option->alias)
			check_type(option);
}
END_TEST

/* All options but secrets say what they are when asked by name. */
START_TEST(test_every_option_can_be_set_to_its_default)
{
	OE__AUTO(config) oe_config *config = test_config();
	const oe_option *option;

	for (size_t i = 0; (option = oe_option_at(i)) != NULL; i++) {
		if (option->alias)
			continue;
		OE__AUTO(string) char *before = oe__strdup(oe_config_get(config, option->name));
		must_set(config, option->name, option->default_value);
		ck_assert_str_eq(oe_config_get(config, option->name), before);
		ck_assert_str_eq(oe_config_origin(config, option->name), "set");
	}
	ck_assert_ptr_null(oe_config_warning(config, 0)); /* a default has all its effect */
	ck_assert_int_eq(oe_config_check(config, NULL), 0);
}
END_TEST

static void check_chosen(const oe_config *config, const oe_option *option, const char *word,
						 int index)
{
	char expected[40];

	snprintf(expected, sizeof(expected), option->type == OE_OPTION_LIST ? "[\"%s\"]" : "%s", word);
	ck_assert_str_eq(oe_config_get(config, option->name), expected);
	if (option->type != OE_OPTION_LIST)
		ck_assert_int_eq(oe__config_choice(config, option->name), index);
}

START_TEST(test_every_choice_is_taken)
{
	const oe_option *option;

	for (size_t i = 0; (option = oe_option_at(i)) != NULL; i++) {
		OE__AUTO(config) oe_config *config = test_config();
		char word[32];
		int index = 0;
		for (const char *c = option->choices ? option->choices : ""; *c; index++) {
			size_t size = strcspn(c, "|");
			snprintf(word, sizeof(word), "%.*s", (int)size, c);
			must_set(config, option->name, word);
			check_chosen(config, option, word, index);
			word[0] = (char)(word[0] ^ 0x20); /* any case is fine, the table's is kept */
			must_set(config, option->name, word);
			word[0] = (char)(word[0] ^ 0x20);
			check_chosen(config, option, word, index);
			c += size + (c[size] == '|');
		}
	}
}
END_TEST

/* A word of many: what may have been meant is said, and where. */
START_TEST(test_lists_of_choices)
{
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	must_load(config, "sandbox: {require: [fs_read, NET_INET]}\n");
	ck_assert_str_eq(oe_config_get(config, "sandbox.require"), "[\"fs_read\", \"net_inet\"]");
	ck_assert_int_eq(test_load(config, "sandbox:\n  require: [cpu, fs_raed]\n", &err),
					 OE_ERR_CONFIG);
	ck_assert_int_eq(err.line, 2);
	ck_assert_str_eq(err.message, "'sandbox.require' is 'fs_raed', expected a list, each item one "
								  "of 22 words: did you mean 'fs_read'?");
	ck_assert_int_eq(test_load(config, "sandbox: {require: zebra}\n", &err), OE_ERR_CONFIG);
	ck_assert_str_eq(err.message, "'sandbox.require' is 'zebra', expected a list, each item one of "
								  "22 words");
}
END_TEST

START_TEST(test_aliases)
{
	OE__AUTO(config) oe_config *config = test_config();

	must_set(config, "seed", "7");
	ck_assert_str_eq(oe_config_get(config, "random_seed"), "7");
	ck_assert_str_eq(oe_config_get(config, "seed"), "7");
	must_load(config, "patience: 9\nllm: {model: one}\n");
	ck_assert_int_eq(oe__config_int(config, "early_stopping_patience"), 9);
	ck_assert_str_eq(oe__config_string(config, "llm.primary_model"), "one");
	/* A name of before with its words, and mixed. */
	must_load(config, "store: {synchronous: normal}\n");
	ck_assert_str_eq(oe__config_string(config, "durability"), "process");
	must_set(config, "store.synchronous", "FULL");
	ck_assert_str_eq(oe__config_string(config, "durability"), "power");
	must_set(config, "durability", "Process");
	ck_assert_str_eq(oe_config_get(config, "durability"), "process");
}
END_TEST

START_TEST(test_nearest)
{
	char meant[160];

	ck_assert_str_eq(oe_option_nearest("database.num_island"), "database.num_islands");
	ck_assert_str_eq(oe_option_nearest("max_iteration"), "max_iterations");
	ck_assert_str_eq(oe_option_nearest("parallel_evaluations"), "evaluator.parallel_evaluations");
	ck_assert_str_eq(oe_option_nearest("llm.num_islands"), "database.num_islands");
	ck_assert_str_eq(oe_option_nearest("allow_full_rewrites"), "diff_based_evolution");
	ck_assert_ptr_null(oe_option_nearest("zebra"));
	ck_assert_ptr_null(oe_option_nearest(NULL));
	ck_assert(oe__option_suggest("timeout", meant, sizeof(meant)));
	ck_assert_str_eq(meant, "'llm.timeout' or 'evaluator.timeout'");
	ck_assert(!oe__option_suggest("zebra", meant, sizeof(meant)));
}
END_TEST

TEST_MAIN("option", test_rows_are_complete, test_sections_are_in_one_piece,
		  test_every_option_refuses_what_it_does_not_take,
		  test_every_option_can_be_set_to_its_default, test_every_choice_is_taken,
		  test_lists_of_choices, test_aliases,
		  test_nearest)
