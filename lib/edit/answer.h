#ifndef OE__EDIT_ANSWER_H
#define OE__EDIT_ANSWER_H

/*
 * A model's answer, made ready for reading: the reasoning at its start is left out and its lines
 * end in LF. Both readers, of blocks and of rewrites, begin here. Any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "openevolve/common.h"

struct oe__edit_answer {
	oe_bytes text;       /* what is to be read: of the raw answer, or of `normalised`      */
	size_t line;         /* line of the raw answer on which it begins, from 1              */
	bool crlf;           /* lines ended in CRLF somewhere                                  */
	bool reasoned;       /* reasoning was left out                                         */
	bool reasoning_open; /* it never ends: there is nothing to read                        */
	struct oe__buffer normalised;
};

/* `raw` is borrowed and must outlive `out`, which is written to in any case: release it always. */
int oe__edit_answer_read(oe_bytes raw, struct oe__edit_answer *out);

/* The answer as it is, for readers that must not forgive anything. */
void oe__edit_answer_raw(oe_bytes raw, struct oe__edit_answer *out);

void oe__edit_answer_done(struct oe__edit_answer *answer);

OE__AUTO_VALUE(edit_answer, struct oe__edit_answer, oe__edit_answer_done)

#endif /* OE__EDIT_ANSWER_H */
