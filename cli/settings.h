#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

/* From a command line to a configuration. */

#include "openevolve/openevolve.h"
#include "options.h"

/* Where a configuration begins, before --config and the flags; all may be NULL. */
struct settings_base {
	const char *path; /* a file, if there is no --config         */
	const char *text; /* YAML, such as a run recorded            */
	const char *name; /* what stands for the text in messages    */
};

/* Environment, base, --config, --set and flags; `base` may be NULL. Returns an exit status. */
int settings_read(const struct arguments *arguments, const struct settings_base *base,
				  oe_config **out);

/* The environment variable of an option: OE_LLM__API_BASE. A new string. */
char *settings_variable(const char *name);

/* Print the warnings that a configuration has gathered, and those about variables that set nothing. */
void settings_warn(const oe_config *config);

/* Set an option that nobody has set, from what is seen: the language of a program. */
int settings_assume(oe_config *config, const char *name, const char *value, const char *source);

/* A number of the configuration; `otherwise` when null. */
double settings_number(const oe_config *config, const char *name, double otherwise);

/* Text of the configuration, or NULL when null. */
const char *settings_text(const oe_config *config, const char *name);

#endif /* CLI_SETTINGS_H */
