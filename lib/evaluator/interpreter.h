#ifndef OE__EVALUATOR_INTERPRETER_H
#define OE__EVALUATOR_INTERPRETER_H

/* What a Python interpreter is made of: asked of itself, once. */

#include "evaluator/policy.h"

/*
 * Run `interpreter` (looked up in the PATH of `variables`) and show what it needs: its prefixes and the
 * directories that it imports from. Waits for it, some ten milliseconds.
 *
 * @param executable receives its path without wrappers; free with oe__free().
 * @param user_base  receives the place of the user's own packages, or NULL; likewise.
 */
int oe__interpreter_show(const char *interpreter, const char *const *variables,
                         struct oe__policy *policy, char **executable, char **user_base, oe_error *err);

#endif /* OE__EVALUATOR_INTERPRETER_H */
