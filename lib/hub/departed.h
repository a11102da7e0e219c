#ifndef OE__HUB_DEPARTED_H
#define OE__HUB_DEPARTED_H

/*
 * Programs that left the population a short while ago, by content: what an iteration may see of an
 * earlier state that is no more. Times are numbers of iterations, and never go back. Owner thread.
 */

#include <stdint.h>

#include "base/hash.h"
#include "base/map.h"
#include "hub/forms.h"
#include "program/program.h"

struct oe__departure {
	oe_program *program;
	int64_t joined, left;
	struct oe__departure *next;            /* the one that left after it      */
	struct oe__departure *earlier, *later; /* those with the same content     */
	struct oe__form_link form;             /* once somebody asked             */
};

struct oe__departed {
	struct oe__map contents; /* SHA-256 of the code to the latest departure */
	struct oe__departure *oldest, *newest;
	struct oe__forms forms; /* of those up to `form_newest` */
	struct oe__departure *form_newest;
};

/* Was there from the end of iteration `joined` to just before that of `left`. Without memory it is
   forgotten at once. */
void oe__departed_add(struct oe__departed *departed, oe_program *program, int64_t joined,
					  int64_t left);

/* One with this content that was there when iteration `when` had ended; or NULL. */
oe_program *oe__departed_find(const struct oe__departed *departed,
							  const uint8_t hash[OE__SHA256_SIZE], int64_t when);

/* One that was there then and is the same as `program` but for comments and white space; or NULL. */
oe_program *oe__departed_find_equivalent(struct oe__departed *departed, const oe_program *program,
										 int64_t when);

/* Those that left at `when` or earlier: nobody will ask for a state before that. */
void oe__departed_forget(struct oe__departed *departed, int64_t when);
void oe__departed_done(struct oe__departed *departed);

#endif /* OE__HUB_DEPARTED_H */
