#ifndef CLI_CONFINEMENT_H
#define CLI_CONFINEMENT_H

/* What confines evaluations, as people read it; from the report of the library, which is JSON. */

#include <jansson.h>

#include "text.h"

struct confinement {
	int tier; /* -1: nothing is confined */
	size_t enforced, partial, none, not_requested;
};

/* Count. False if it is no report. */
bool confinement_read(const json_t *report, struct confinement *out);

/* "tier 2: 18 guarantees enforced, 1 in part, 1 not" */
void confinement_summary(struct text *text, const struct confinement *confinement);

/* One line per guarantee on standard output: name, level, how, or why not. */
void confinement_table(const json_t *report);

#endif /* CLI_CONFINEMENT_H */
