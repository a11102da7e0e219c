#ifndef OE__CONFIG_CONFIG_INTERNAL_H
#define OE__CONFIG_CONFIG_INTERNAL_H

/*
 * What the files of this layer share about an oe_config: one setting per row of the option table.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/map.h"
#include "base/value.h"
#include "config/config.h"
#include "config/option.h"

struct oe__setting {
	struct oe__value value; /* checked: has the option's type, items included           */
	char *text;             /* for oe_config_get(): without secrets                     */
	char *source;           /* for oe_config_origin()                                   */
	char *where;            /* the file, variable or flag alone, for errors             */
	int line, column;       /* in the file; else 0                                      */
	int origin;             /* enum oe_origin                                           */
};

struct oe_config {
	struct oe__setting *settings; /* in the table's order; those of aliases stay empty   */
	struct oe__map variables;     /* environment variables that were looked up -> char * */
	oe_environment lookup;
	void *userdata;
	bool strict;
	oe_error *warnings;
	size_t warning_count, warning_capacity;
	char *written;                  /* by oe_config_text()  */
	struct oe__models shown_models; /* of oe_config_model(), and what they are shown as  */
	oe_model shown;
	char *shown_base;
};

/* Where a value comes from, for its origin and for errors. */
struct oe__place {
	int origin;
	const char *source; /* file, variable, flag      */
	int line, column;   /* in a file, from 1; else 0 */
};

/* ---- config.c ---- */

/* Give an option (by index) a value; moves it. Nothing happens if a stronger origin has set it. */
int oe__config_store(oe_config *config, int index, struct oe__value *value,
					 const struct oe__place *place, oe_error *err);

int oe__config_warn(oe_config *config, const struct oe__place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Work on a copy and keep it only if everything went well. */
int oe__config_begin(const oe_config *config, oe_config **copy, oe_error *err);
void oe__config_commit(oe_config *config, oe_config *copy); /* frees the copy */

/* ---- variable.c ---- */

/* The variable's name in "${NAME}", or NULL; its size. */
const char *oe__variable_in(const char *text, size_t *size);

/* Look up the variable of a text "${NAME}", so that it can be expanded later. Without an environment
   it is left alone: a run's own configuration can be read where its keys are not known. */
int oe__variable_capture(oe_config *config, const char *text, const char *option,
						 const struct oe__place *place, oe_error *err);

/* Text with its variable expanded, borrowed; `option` is for messages. OE_ERR_CONFIG: there was no
   environment when it was stored. */
int oe__variable_expand(const oe_config *config, const char *text, const char *option,
						const char **out, oe_error *err);

/* A variable taken over by oe_config_set_environment(), or NULL. */
const char *oe__variable_get(const oe_config *config, const char *name);

/* ---- coerce.c ---- */

/* Bring a value into the form its option wants, in place. `name` is for messages: an option, or a
   key of an entry. OE_ERR_CONFIG: wrong type, or out of range. A null stays one. */
int oe__coerce(const struct oe__option *option, const char *name, struct oe__value *value,
			   const struct oe__place *place, oe_error *err);

/* What the option takes, for messages: "an integer from 1 to 1024". */
int oe__coerce_expected(const struct oe__option *option, struct oe__buffer *out);

/* Value of a text as `--set` has it; not checked yet. */
int oe__coerce_text(const struct oe__option *option, const char *text, struct oe__value *out,
					const struct oe__place *place, oe_error *err);

/* ---- path.c ---- */

/* Make the paths whole that a value of the option is, or holds; others are left alone. */
int oe__path_option(const struct oe__option *option, struct oe__value *value,
					const struct oe__place *place);

/* ---- entry.c ---- */

/* Check the entries of a model list: keys, their values, their variables. */
int oe__entries_check(oe_config *config, const struct oe__option *option, struct oe__value *list,
					  const struct oe__place *place, oe_error *err);

/* ---- model.c ---- */

/* The list with inheritance done, not yet checked for use. */
int oe__models_resolve(const oe_config *config, enum oe__model_role role, struct oe__models *out,
					   oe_error *err);

/* ---- write.c ---- */

/* A value as text, secrets hidden: as it is if it is a text, else JSON. */
int oe__write_plain(const struct oe__option *option, const struct oe__value *value,
					struct oe__buffer *out);

/* A URL without its password. */
int oe__write_url(const char *url, struct oe__buffer *out);

/* ---- schema.c ---- */
int oe__write_schema(struct oe__buffer *out);

#endif /* OE__CONFIG_CONFIG_INTERNAL_H */
