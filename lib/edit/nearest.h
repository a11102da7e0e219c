#ifndef OE__EDIT_NEAREST_H
#define OE__EDIT_NEAREST_H

/*
 * The place that a text without a place most likely meant, to tell the author of the edit. Never to
 * edit there. Pure; any thread.
 */

#include "openevolve/common.h"

struct oe__nearest {
	size_t line, count; /* lines, from 1; 0: there is nothing alike */
	double similarity;  /* from 0 to 1: everything but blanks is equal */
};

/* Compares `search` with as many lines everywhere in `text`, in time proportional to both. */
int oe__nearest_find(oe_bytes text, oe_bytes search, struct oe__nearest *out);

#endif /* OE__EDIT_NEAREST_H */
