#ifndef OE__EDIT_PATTERN_H
#define OE__EDIT_PATTERN_H

/*
 * The option diff_pattern, compiled: where the blocks of an answer are, as OpenEvolve finds them.
 * A pattern is immutable and may be used by any number of threads at once; a scan belongs to one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

/* OpenEvolve's default; a scanner written for it does without regular expressions. */
#define OE__PATTERN_DEFAULT "<<<<<<< SEARCH\\n(.*?)=======\\n(.*?)>>>>>>> REPLACE"

struct oe__pattern;

/*
 * `text` is a regular expression of Python's `re` with at least two groups; the dot matches line
 * ends. NULL is the default. OE_ERR_CONFIG says where it is wrong.
 */
int oe__pattern_new(const char *text, struct oe__pattern **out, oe_error *err);
void oe__pattern_free(struct oe__pattern *pattern);
bool oe__pattern_is_default(const struct oe__pattern *pattern);

struct oe__match {
	size_t start, end; /* of the whole match, as offsets in the text */
	oe_bytes search, replacement;
};

struct oe__pattern_scan {
	const struct oe__pattern *pattern;
	oe_bytes text;
	size_t offset;
	bool after_empty;  /* the last match was empty: the next one may not be empty at its place */
	void *match;       /* pcre2_match_data    */
	void *context;     /* pcre2_match_context */
	uint64_t work;     /* done so far, and ... */
	uint64_t work_max; /* ... allowed          */
	size_t position;   /* of the matcher, for `work` */
};

/* The scan is written to in any case: release it always. */
int oe__pattern_scan(const struct oe__pattern *pattern, oe_bytes text,
					 struct oe__pattern_scan *scan);

/* 1 and the next match; 0 when there is none; OE_ERR_LIMIT when looking for it takes too long. */
int oe__pattern_next(struct oe__pattern_scan *scan, struct oe__match *out);

void oe__pattern_scan_done(struct oe__pattern_scan *scan);

OE__AUTO_POINTER(pattern, struct oe__pattern *, oe__pattern_free)
OE__AUTO_VALUE(pattern_scan, struct oe__pattern_scan, oe__pattern_scan_done)

#endif /* OE__EDIT_PATTERN_H */
