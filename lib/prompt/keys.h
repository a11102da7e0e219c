#ifndef OE__PROMPT_KEYS_H
#define OE__PROMPT_KEYS_H

/*
 * Keys of well-known services, told by how they begin: those that OpenEvolve's filter leaves alone,
 * or leaves a part of, because they hold dashes and the like or are short. Pure; any thread.
 */

#include "base/buffer.h"

/* Put a placeholder in the place of each key in what `out` holds from `from` on. Linear. */
void oe__redact_keys(struct oe__buffer *out, size_t from);

#endif /* OE__PROMPT_KEYS_H */
