#ifndef OE__PROMPT_FILTER_H
#define OE__PROMPT_FILTER_H

/*
 * Text that programs and evaluators print, made fit for a prompt: OpenEvolve's removal of terminal
 * escapes and redaction of what looks like a secret, and our removal of control characters. Each
 * step is linear in the text, whatever it holds. Pure functions; any thread.
 */

#include "base/buffer.h"

enum oe__filter_step {
	OE__FILTER_ESCAPES = 1,  /* ESC [ ... and ESC with one letter                       */
	OE__FILTER_CONTROLS = 2, /* all of C0, C1 and DEL but tab, line feed, carriage return */
	OE__FILTER_SECRETS = 4,  /* runs of 32 letters and digits, password=..., token=...  */
	OE__FILTER_KEYS = 8      /* keys of well-known services: ours, not OpenEvolve's     */
};

/* Append `text`, which is valid UTF-8, filtered. */
int oe__filter_append(struct oe__buffer *out, const char *text, size_t size, unsigned steps);

#endif /* OE__PROMPT_FILTER_H */
