#ifndef OE__PROMPT_SETTINGS_H
#define OE__PROMPT_SETTINGS_H

/*
 * What the configuration says about prompts, read once. Immutable afterwards.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "config/config.h"
#include "prompt/excerpt.h"

/* Alternatives for one {key} of the user's template. */
struct oe__variation {
	char *key;
	char **texts;
	size_t count;
};

struct oe__prompt_settings {
	bool diff; /* edits, not rewrites */
	char *language;             /* or NULL: that of the program */
	char *system_message;       /* text, or the name of a template */
	char *judge_system_message; /* likewise */
	int64_t num_top, num_diverse, num_attempts;
	bool include_artifacts;
	int64_t artifact_chars; /* of each of the program's artifacts       */
	int64_t attempt_chars;  /* of all details of one failed attempt     */
	bool redact;
	enum oe__excerpt_style style;
	int64_t long_code_chars;    /* 0: never; a longer program is called long */
	int64_t short_change_chars; /* 0: never; a shorter change is told        */
	int64_t concise_lines, comprehensive_lines; /* 0: never                  */
	int64_t tokens_max;                         /* 0: no budget              */
	struct oe__variation *variations;           /* none where they are off   */
	size_t variation_count;
};

/* A zeroed one is filled in. */
int oe__prompt_settings_from_config(struct oe__prompt_settings *settings, const oe_config *config);

/* As members of the map that is being written, and back. */
void oe__prompt_settings_write(const struct oe__prompt_settings *settings,
							   struct oe__json_writer *writer);
int oe__prompt_settings_read(struct oe__prompt_settings *settings, const struct oe__value *members,
							 oe_error *err);

/* Append a variation, whose texts are copied. */
int oe__prompt_settings_vary(struct oe__prompt_settings *settings, const char *key,
							 const struct oe__value *texts);

void oe__prompt_settings_done(struct oe__prompt_settings *settings);

#endif /* OE__PROMPT_SETTINGS_H */
