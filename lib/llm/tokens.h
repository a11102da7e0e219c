#ifndef OE__LLM_TOKENS_H
#define OE__LLM_TOKENS_H

/*
 * What the mutation operator sees of a program: the lines it may change, and the numbers and
 * operators in them. A light scanner for any language: it passes over strings and comments of the
 * usual kinds, and when in doubt over too much.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"

struct oe__literal {
	size_t start, size; /* in the text, with a sign that belongs to it */
	double value;
	bool integer;
	int decimals; /* digits behind the point */
};

struct oe__operator {
	size_t start, size;
};

struct oe__span {
	size_t start, size; /* of a line, without its end */
	int indent;         /* width of its leading blanks */
	bool blank;         /* or nothing but a comment    */
};

struct oe__tokens {
	struct oe__literal *literals;
	size_t literal_count, literal_capacity;
	struct oe__operator *operators;
	size_t operator_count, operator_capacity;
	struct oe__span *lines; /* that may be changed */
	size_t line_count, line_capacity;
};

/* Lines inside EVOLVE-BLOCKs; the whole text if there is none. */
int oe__tokens_scan(const char *text, size_t size, struct oe__tokens *out);
void oe__tokens_done(struct oe__tokens *tokens);

OE__AUTO_VALUE(tokens, struct oe__tokens, oe__tokens_done)

#endif /* OE__LLM_TOKENS_H */
