#ifndef OE__CONFINE_SERVE_H
#define OE__CONFINE_SERVE_H

/*
 * The fork server's part of oe-confine.so. It is in C so that the server touches next to nothing of its own
 * memory: whatever it wrote while a child lives would be copied, page by page.
 *
 *     oe_serve(control, preload, hidden, &child)   returns in children only, and when the host has gone
 *     oe_take(&child)                              in a child: waits for its job
 */

#include <stddef.h>
#include <stdint.h>

#include "warm.h"

/* What a child finds when it is back in the interpreter; forkserver.py has these members too. */
struct child {
	int32_t is_candidate; /* else it is an evaluation            */
	int32_t orders;       /* of an evaluation: where its job comes from */
	int32_t result;       /* ... and where its frame goes, once it has that */
	int32_t output;       /* ... and what its candidate prints, if that is apart; -1 */
	int32_t channel;      /* between the two of them; -1: shared */
	int32_t candidate, init, hold; /* of an evaluation: its candidate's processes, and their end; -1 */
	const char *job;
	size_t job_size;
};

/* @return 1 in a child, -1 at the end. */
EXPORTED int oe_serve(int control, int preload, const char *hidden, struct child *out);
EXPORTED void oe_take(struct child *child);

#endif /* OE__CONFINE_SERVE_H */
