#ifndef OE__PROGRAM_LANGUAGE_H
#define OE__PROGRAM_LANGUAGE_H

/*
 * Names of languages: what fences call them, what files of theirs are called. Pure; any thread.
 */

#include <stdbool.h>

#include "openevolve/common.h"

/* The one name of a language that has others too ("python" of "py"); NULL: it is not known. */
const char *oe__language_name(const char *language);

/* Does `word` name `language`, as such or by an alias? NULL and "" are named by nothing. */
bool oe__language_named(const char *language, oe_bytes word);

/* Language of a file name's extension, or NULL. */
const char *oe__language_of_path(const char *path);

#endif /* OE__PROGRAM_LANGUAGE_H */
