#ifndef OE__HUB_STATE_H
#define OE__HUB_STATE_H

/*
 * The state of a hub as bytes, and back: all that its answers depend on, to the bit. What was played to
 * a hub need not be played again to one that is made from them.
 *
 * Programs are named, not held: whoever reads a state finds them. Nor is held what the settings say;
 * a state belongs to a hub with the same ones. Owner thread.
 */

#include "base/buffer.h"
#include "hub/hub.h"
#include "program/program.h"

/* The same hub gives the same bytes, but for what is known of the forms of its members (program/form.h).
   OE_ERR_STATE: the hub is in the middle of something, and goes on with its next call. */
int oe__hub_state_write(const oe_hub *hub, struct oe__buffer *out);

/* A program by its name. */
struct oe__wanted_program {
	const char *id;
	int64_t iteration;
	bool migrant;      /* a copy, which need not be found: it is made again from its original */
	oe_program *found; /* a reference; NULL: there is none of that name */
};

/* Where programs are: all at once, as there may be a hundred thousand of them. What is found belongs to the
   caller, after a failure as well. */
struct oe__program_finder {
	int (*find)(void *owner, struct oe__wanted_program *wanted, size_t count, oe_error *err);
	void *owner;
};

/* To a new hub. Whatever the bytes are, it does no harm, and what can be read is sound: otherwise
   OE_ERR_FORMAT, and the hub is fit only to be freed. */
int oe__hub_state_read(oe_hub *hub, const void *data, size_t size,
                       const struct oe__program_finder *finder, oe_error *err);

#endif /* OE__HUB_STATE_H */
