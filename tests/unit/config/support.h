#ifndef OE_TEST_CONFIG_SUPPORT_H
#define OE_TEST_CONFIG_SUPPORT_H

/* A configuration with an environment of the test's own, and loading from literals. */

#include <check.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_internal.h"

/* "NAME=value" strings, NULL at the end. */
static inline const char *test_lookup(const char *name, void *userdata)
{
	const char *const *variables = userdata;

	for (size_t size = strlen(name); *variables; variables++)
		if (strncmp(*variables, name, size) == 0 && (*variables)[size] == '=')
			return *variables + size + 1;
	return NULL;
}

static inline oe_config *test_config(void)
{
	oe_config *config = NULL;

	ck_assert_int_eq(oe_config_new(&config), 0);
	return config;
}

static inline int test_load(oe_config *config, const char *yaml, oe_error *err)
{
	return oe_config_load_text(config, yaml, strlen(yaml), "c.yaml", err);
}

static inline void must_load(oe_config *config, const char *yaml)
{
	oe_error err = { 0 };

	ck_assert_msg(test_load(config, yaml, &err) == 0, "%d:%d: %s", err.line, err.column,
				  err.message);
}

static inline void must_set(oe_config *config, const char *name, const char *value)
{
	oe_error err = { 0 };

	ck_assert_msg(oe_config_set(config, name, value, &err) == 0, "%s: %s", name, err.message);
}

static inline bool warned(const oe_config *config, int line, const char *text)
{
	const oe_error *warning;

	for (size_t i = 0; (warning = oe_config_warning(config, i)) != NULL; i++)
		if (warning->line == line && strstr(warning->message, text))
			return true;
	return false;
}

static inline size_t warning_count(const oe_config *config)
{
	size_t count = 0;

	while (oe_config_warning(config, count))
		count++;
	return count;
}

#endif /* OE_TEST_CONFIG_SUPPORT_H */
