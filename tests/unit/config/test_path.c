/* lib/config/path.c: paths that are whole, wherever they were given. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/option.h"
#include "support.h"
#include "scratch.h"

static const char *const paths[] = { "log_dir", "budget.prices", "llm.api_key_file", "llm.record",
									 "llm.replay", "llm.ca_file", "prompt.template_dir" };
static const char *const lists[] = { "sandbox.readable", "sandbox.writable" };
static const char *const programs[] = { "llm.command", "evaluator.command" };

static void set(oe_config *config, const char *name, const char *value, int origin)
{
	oe_error err = { 0 };

	ck_assert_msg(oe_config_set_as(config, name, value, origin, "here", &err) == 0, "%s", err.message);
}

/* As by a flag, --set or a variable: of the working directory, be it there or not. */
START_TEST(test_given_here)
{
	OE__AUTO(config) oe_config *config = test_config();

	scratch_enter();
	ck_assert_int_eq(chdir(scratch_root), 0);
	for (int origin = OE_ORIGIN_SET; origin <= OE_ORIGIN_FLAG; origin++) {
		for (size_t i = 0; i < OE__COUNT(paths); i++) {
			set(config, paths[i], "./a/b", origin);
			ck_assert_str_eq(oe_config_get(config, paths[i]), scratch("a/b"));
			set(config, paths[i], "/a/../b", origin);
			ck_assert_str_eq(oe_config_get(config, paths[i]), "/a/../b");
			set(config, paths[i], "null", origin);
			ck_assert_str_eq(oe_config_get(config, paths[i]), "null");
		}
		for (size_t i = 0; i < OE__COUNT(lists); i++) {
			set(config, lists[i], "[a, /b, ../c]", origin);
			ck_assert_str_eq(oe__config_value(config, lists[i])->items[0].string, scratch("a"));
			ck_assert_str_eq(oe__config_value(config, lists[i])->items[1].string, "/b");
			ck_assert_str_eq(oe__config_value(config, lists[i])->items[2].string, scratch("../c"));
		}
		/* A name is looked for on PATH, and arguments are nobody's business. */
		for (size_t i = 0; i < OE__COUNT(programs); i++) {
			set(config, programs[i], "[./a, b/c]", origin);
			ck_assert_str_eq(oe__config_value(config, programs[i])->items[0].string, scratch("a"));
			ck_assert_str_eq(oe__config_value(config, programs[i])->items[1].string, "b/c");
			set(config, programs[i], "[sh, -c]", origin);
			ck_assert_str_eq(oe_config_get(config, programs[i]), "[\"sh\", \"-c\"]");
		}
		set(config, "evaluator.python", "venv/bin/python", origin);
		ck_assert_str_eq(oe_config_get(config, "evaluator.python"), scratch("venv/bin/python"));
		set(config, "evaluator.python", "python3", origin);
		ck_assert_str_eq(oe_config_get(config, "evaluator.python"), "python3");
	}
	ck_assert_int_eq(chdir("/"), 0);
	scratch_leave();
}
END_TEST

/* In a file: beside it, if something is there. */
START_TEST(test_in_a_file)
{
	static const char yaml[] = "log_dir: there\nllm:\n  record: new\n  models:\n"
							   "    - {name: a, api_key_file: there, command: [./there, x]}\n"
							   "sandbox: {readable: [there, here]}\n";
	OE__AUTO(config) oe_config *config = test_config();
	oe_error err = { 0 };

	scratch_enter();
	ck_assert_int_eq(mkdir(scratch("conf"), 0700), 0);
	ck_assert_int_eq(mkdir(scratch("work"), 0700), 0);
	ck_assert_int_eq(chdir(scratch("work")), 0);
	scratch_write("conf/there", "", 0);
	scratch_write("work/there", "", 0);
	scratch_write("work/here", "", 0);
	scratch_write("conf/c.yaml", yaml, sizeof(yaml) - 1);
	ck_assert_int_eq(oe_config_load(config, "../conf/c.yaml", &err), 0);
	const struct oe__value *readable = oe__config_value(config, "sandbox.readable");
	const struct oe__value *model = &oe__config_value(config, "llm.models")->items[0];
	ck_assert(oe__file_is_same(oe_config_get(config, "log_dir"), scratch("conf/there")));
	ck_assert(oe__file_is_same(readable->items[0].string, scratch("conf/there")));
	ck_assert(oe__file_is_same(oe__value_get(model, "api_key_file")->string, scratch("conf/there")));
	ck_assert(oe__file_is_same(oe__value_get(model, "command")->items[0].string, scratch("conf/there")));
	ck_assert_str_eq(readable->items[1].string, scratch("work/here"));
	ck_assert_str_eq(oe_config_get(config, "llm.record"), scratch("work/new"));
	/* What is written down leads there from anywhere. */
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert(oe__file_is_same(oe_config_get(config, "log_dir"), scratch("conf/there")));
	scratch_leave();
}
END_TEST

static int set_where_nothing_is(void *argument)
{
	OE__AUTO(config) oe_config *config = NULL;

	if (chdir(argument) < 0 || rmdir(argument) < 0 || oe_config_new(&config) < 0)
		return 1;
	if (oe_config_set(config, "llm.record", "tape", NULL) < 0)
		return 2;
	return strcmp(oe_config_get(config, "llm.record"), "tape") == 0 ? 0 : 3;
}

/* Whoever works in a directory that was removed will be told by somebody else. */
START_TEST(test_nowhere)
{
	scratch_enter();
	ck_assert_int_eq(mkdir(scratch("gone"), 0777), 0);
	ck_assert_int_eq(chmod(scratch("gone"), 0777), 0);
	ck_assert_int_eq(as_nobody(set_where_nothing_is, (void *)(uintptr_t)scratch("gone")), 0);
	scratch_leave();
}
END_TEST

/* No option is forgotten: what is said to be a file or a directory is a path. */
START_TEST(test_all)
{
	size_t count = 0;

	for (size_t i = 0; i < oe__option_count; i++) {
		const oe_option *option = &oe__options[i].shown;

		if (option->alias || option->no_effect || option->type == OE_OPTION_INT ||
			(strncmp(option->summary, "File", 4) != 0 && strncmp(option->summary, "Director", 8) != 0))
			continue;
		ck_assert_msg(oe__options[i].traits & OE__TRAIT_PATH, "%s", option->name);
		count++;
	}
	ck_assert_uint_ge(count, 6);
}
END_TEST

TEST_MAIN("path", test_given_here, test_in_a_file, test_nowhere, test_all)
