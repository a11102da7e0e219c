#ifndef OE_TEST_PROMPT_DESK_H
#define OE_TEST_PROMPT_DESK_H

/* Prompt sets and what they are filled with, for the tests of lib/prompt. */

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config.h"
#include "prompt/prompt_internal.h"
#include "test.h"

/* A text of our own: a template, or with a leading '=' a fragment. */
struct desk_text {
	const char *name, *text;
};

/* The built-in texts, over them `texts` (ended by a name that is NULL), with the settings of a
   configuration. */
static inline struct oe__prompt_set *desk_set(const char *yaml, const struct desk_text *texts)
{
	struct oe__prompt_settings settings = { 0 };
	struct oe__catalog catalog = OE__CATALOG_INIT;
	struct oe__prompt_set *set = NULL;
	oe_config *config = NULL;
	oe_error err = { 0 };

	ck_assert_int_eq(oe_config_new(&config), 0);
	ck_assert_msg(oe_config_load_text(config, yaml, strlen(yaml), "test", &err) == 0, "%s",
				  err.message);
	ck_assert_int_eq(oe__prompt_settings_from_config(&settings, config), 0);
	oe_config_free(config);
	ck_assert_int_eq(oe__catalog_add_builtin(&catalog, &err), 0);
	for (; texts && texts->name; texts++) {
		int status = *texts->name == '='
						 ? oe__catalog_put_fragment(&catalog, texts->name + 1, texts->text,
													strlen(texts->text), NULL)
						 : oe__catalog_put_template(&catalog, texts->name, texts->text,
													strlen(texts->text), NULL);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_msg(oe__prompt_set_make(&settings, &catalog, true, &set, &err) == 0, "%s:%d: %s",
				  err.where, err.line, err.message);
	return set;
}

/* Only the place that a test is about: "{artifacts}", say. */
static inline struct oe__prompt_set *desk_place(const char *yaml, const char *place)
{
	const struct desk_text texts[] = { { "diff_user", place }, { NULL, NULL } };

	return desk_set(yaml, texts);
}

static inline size_t desk_first(void *self, enum oe__prompt_draw what, size_t limit)
{
	(void)self, (void)what;
	ck_assert_uint_gt(limit, 0);
	return 0;
}

/* A program without anything. */
static inline struct oe__prompt_input desk_input(const char *code)
{
	return (struct oe__prompt_input){
		.code = { code, strlen(code) },
		.language = "python",
		.system_message = "system_message",
		.draw = desk_first,
	};
}

/* The user's text, to be freed. */
static inline char *desk_render(const struct oe__prompt_set *set,
								const struct oe__prompt_input *input)
{
	OE__AUTO(prompt) struct oe__prompt prompt = OE__PROMPT_INIT;
	oe_error err = { 0 };

	ck_assert_msg(oe__prompt_build(set, input, &prompt, &err) == 0, "%s", err.message);
	return oe__strdup(oe__buffer_string(&prompt.user));
}

static inline void desk_expect(const struct oe__prompt_set *set,
							   const struct oe__prompt_input *input, const char *wanted)
{
	OE__AUTO(string) char *text = desk_render(set, input);

	ck_assert_str_eq(text, wanted);
}

/* Names and numbers in turn, ended by NULL: desk_metrics("a", 1.0, NULL). */
static inline oe_evaluation *desk_metrics(const char *name, ...)
{
	oe_evaluation *evaluation = NULL;
	va_list rest;

	ck_assert_int_eq(oe_evaluation_new(&evaluation), 0);
	va_start(rest, name);
	for (; name; name = va_arg(rest, const char *))
		ck_assert_int_eq(oe_evaluation_set_metric(evaluation, name, va_arg(rest, double)), 0);
	va_end(rest);
	oe__evaluation_freeze(evaluation);
	return evaluation;
}

static inline struct oe__prompt_record desk_record(const char *code, const oe_evaluation *metrics)
{
	return (struct oe__prompt_record){
		.code = { code, strlen(code) }, .metrics = metrics, .outcome = -1
	};
}

static inline struct oe__artifact desk_artifact(const char *name, const char *text)
{
	return (struct oe__artifact){ .name = (char *)(uintptr_t)name,
								  .kind = OE__ARTIFACT_TEXT,
								  .data = (char *)(uintptr_t)text,
								  .size = strlen(text) };
}

#endif /* OE_TEST_PROMPT_DESK_H */
