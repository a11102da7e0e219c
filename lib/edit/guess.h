#ifndef OE__EDIT_GUESS_H
#define OE__EDIT_GUESS_H

/*
 * The language of a text, by its looks. Pure; any thread.
 */

#include "openevolve/common.h"

/* Language that a text begins its lines like, by OpenEvolve's rules; "unknown" if none. */
const char *oe__language_of_code(oe_bytes code);

#endif /* OE__EDIT_GUESS_H */
