#ifndef OE__EDIT_LANGUAGE_H
#define OE__EDIT_LANGUAGE_H

/*
 * Names of languages: what fences call them, what files of theirs are called. Pure; any thread.
 */

#include <stdbool.h>

#include "openevolve/common.h"

/* Does `word` name `language`, as such or by an alias? NULL and "" are named by nothing. */
bool oe__language_named(const char *language, oe_bytes word);

/* Language of a file name's extension, or NULL. */
const char *oe__language_of_path(const char *path);

/* Language that a text begins its lines like, by OpenEvolve's rules; "unknown" if none. */
const char *oe__language_of_code(oe_bytes code);

#endif /* OE__EDIT_LANGUAGE_H */
