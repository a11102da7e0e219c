#ifndef OE__CONFIG_YAML_SOURCE_H
#define OE__CONFIG_YAML_SOURCE_H

/*
 * The text of a YAML document as libyaml gets it, and the few places where libyaml and PyYAML read
 * differently: PyYAML's rules are the ones that configuration files were written against.
 *
 * - PyYAML takes no tab outside quotes, block scalars and comments; libyaml does.
 * - PyYAML skips a directive it does not know; libyaml refuses it.
 * - PyYAML takes \uD83D\uDE80 in double quotes (what JSON writers make of U+1F680); libyaml refuses
 *   surrogates. A pair becomes its character, a lone one U+FFFD.
 * - In flow collections PyYAML takes "{key:}"; libyaml wants a blank behind the colon.
 * - The first line of a block scalar may begin with a tab for PyYAML, not for libyaml.
 * - Inside the text U+FEFF is an ordinary character for PyYAML, a blank for libyaml.
 *
 * Called by yaml.c only, one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/auto.h"
#include "openevolve/common.h"

struct oe__yaml_source {
	const char *name; /* borrowed; for errors                                          */
	char *text;
	size_t size;
	size_t characters;
	int end_line, end_column; /* where the text ends, from 1                            */
	bool has_tabs;
	bool has_directive;  /* one that libyaml does not know: a "---" has to follow        */
	char bom[4], tab[4]; /* stand for U+FEFF, and for a tab that begins a block scalar; or "" */
	struct oe__yaml_shift *shifts; /* where the text changed its length, in order */
	size_t shift_count, shift_capacity;
};

/* Text of one scalar in the source, in characters. */
struct oe__yaml_span {
	size_t start, end;
	yaml_scalar_style_t style;
};

/* Check and copy the text. OE_ERR_CONFIG: it is not UTF-8, or holds control characters. */
int oe__yaml_source_init(struct oe__yaml_source *source, const char *text, size_t size,
						 const char *name, oe_error *err);
void oe__yaml_source_done(struct oe__yaml_source *source);

/* Rewrite what made `parser` stop if only libyaml minds it. 1: parse again; 0: it is an error. */
int oe__yaml_source_mend(struct oe__yaml_source *source, const yaml_parser_t *parser);

/* Place in the original text, from 1. */
void oe__yaml_source_place(const struct oe__yaml_source *source, const yaml_mark_t *mark, int *line,
						   int *column);

/* First tab before character `limit` that PyYAML would not take. `spans` are the scalars before
   character `known`, in order; what comes after is looked at up to where another one may begin. */
bool oe__yaml_source_tab(const struct oe__yaml_source *source, const struct oe__yaml_span *spans,
						 size_t span_count, size_t known, size_t limit, int *line, int *column);

/* Put back what was substituted in the value of a scalar; the result is its size. */
size_t oe__yaml_source_restore(const struct oe__yaml_source *source, char *value, size_t size);

OE__AUTO_VALUE(yaml_source, struct oe__yaml_source, oe__yaml_source_done)

#endif /* OE__CONFIG_YAML_SOURCE_H */
