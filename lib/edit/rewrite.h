#ifndef OE__EDIT_REWRITE_H
#define OE__EDIT_REWRITE_H

/*
 * Full rewrites: the program that an answer holds, usually in a Markdown fence. Any thread.
 */

#include <stdbool.h>

#include "base/buffer.h"
#include "edit/answer.h"

enum oe__rewrite {
	OE__REWRITE_WHOLE, /* a program                              */
	OE__REWRITE_OPEN,  /* a program, whose fence is not closed   */
	OE__REWRITE_CUT,   /* the answer breaks off before its end   */
	OE__REWRITE_NONE   /* nothing that could be a program        */
};

/*
 * Find the program. The first fence that names the language (or an alias) wins, else the first one;
 * without a fence, a span between three ticks on one line, else the whole answer.
 *
 * @param language of the parent; NULL or "" if unknown.
 * @param finish   enum oe_finish: only a model that stopped by itself may leave a fence open.
 * @param code     receives a part of the answer, or of `buffer`.
 * @return enum oe__rewrite, or OE_ERR_NOMEM.
 */
int oe__rewrite_read(const struct oe__edit_answer *answer, const char *language, int finish,
					 struct oe__buffer *buffer, oe_bytes *code);

#endif /* OE__EDIT_REWRITE_H */
