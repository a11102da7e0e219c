#ifndef OE__BASE_SLAB_H
#define OE__BASE_SLAB_H

/*
 * Many items of one size that live long and point at each other. They are packed into large blocks,
 * apart from all else, so that following a pointer from one to the next costs a cache line and not
 * a page of its own. What is given back is used again; memory returns with the slab. One thread at
 * a time.
 */

#include <stddef.h>

#include "base/auto.h"

#define OE__SLAB_ALIGNMENT 64 /* of every item: a cache line */

struct oe__slab {
	size_t item_size;
	struct oe__slab_item *given_back;
	struct oe__slab_block *blocks; /* the newest first                    */
	char *rest;                    /* what of the newest was never in use */
	size_t rest_size;
};

void oe__slab_init(struct oe__slab *slab, size_t item_size);
void *oe__slab_take(struct oe__slab *slab); /* zeroed; NULL without memory */
void oe__slab_give(struct oe__slab *slab, void *item);
void oe__slab_done(struct oe__slab *slab); /* with all items */

OE__AUTO_VALUE(slab, struct oe__slab, oe__slab_done)

#endif /* OE__BASE_SLAB_H */
