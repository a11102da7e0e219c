#ifndef OE__PROGRAM_FORM_H
#define OE__PROGRAM_FORM_H

/*
 * The form of a program: what is left of its text without comments, and without white space that means
 * nothing. Programs of the same form do the same, unless they look at their own text, or at the numbers of
 * their lines. See program/token.h for what is certain enough to be left out. Any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "program/program.h"

/* A number of its form, equal for equal forms; 0: it has none, as its language is not known well enough,
   or its text leaves doubts. Kept with its text. */
uint64_t oe__form(const oe_program *program);

/* It, if somebody has asked before, else 0; and one that was told at another time, which costs nothing then.
   A wrong one hides equals, and makes none. */
uint64_t oe__form_known(const oe_program *program);
void oe__form_recall(const oe_program *program, uint64_t form);

/* Of those who tell forms: numbers told by others, of another version, mean nothing. */
uint64_t oe__form_teller(void);

/* Are they the same but for comments and white space? Looks at the tokens, not at their numbers. */
bool oe__form_same(const oe_program *a, const oe_program *b);

#endif /* OE__PROGRAM_FORM_H */
