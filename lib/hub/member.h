#ifndef OE__HUB_MEMBER_H
#define OE__HUB_MEMBER_H

/*
 * A live program and its places in the hub. Every structure that it is part of has its links here,
 * so joining and leaving allocate once. Owner thread.
 */

#include <stdbool.h>

#include "base/slab.h"
#include "hub/attempts.h"
#include "hub/forms.h"
#include "hub/rank_tree.h"
#include "program/program.h"

#define OE__NO_SLOT UINT32_MAX

/* What a walk through a ranking looks at lies on one cache line: in a large population most members
   are in no cache. */
struct oe__member {
	struct oe__rank_node island_rank;
	oe_program *program;
	int32_t island;
	uint32_t slot; /* on its island */
	struct oe__rank_node archive_rank;
	struct oe__member *same_content, *same_before; /* chain of equal texts */
	struct oe__member *older, *newer;              /* in order of joining  */
	uint64_t sequence;                /* order of joining, from 1                    */
	uint64_t mark;                    /* of the last draw that took it; see select.c */
	int64_t joined;                   /* number that ended then; see ordered.c       */
	struct oe__attempt_list attempts; /* made on this program                        */
	uint32_t archive_slot;            /* on its island, or OE__NO_SLOT               */
	int16_t guards;                   /* reasons why it must not be evicted          */
	bool elite;                       /* holds the cell at `bins`                    */
	struct oe__form_link form;        /* once somebody asked; see equivalent.c           */
	uint32_t position;                /* in the snapshot that is being made          */
	int32_t *bins;                    /* cell at the time of joining                 */
	double coordinates[];             /* raw feature values; NaN: unknown            */
};

/* All members of a hub have as many coordinates: for the slab that they come from. */
size_t oe__member_size(size_t dimensions);

/* `program` is referenced. */
int oe__member_new(struct oe__slab *slab, oe_program *program, size_t dimensions,
				   struct oe__member **out);
/* It is out of every structure by then. */
void oe__member_free(struct oe__slab *slab, struct oe__member *member);

/* Fitness for ranks: what is not known ranks last. */
double oe__member_key(const struct oe__member *member);

static inline struct oe__member *oe__member_of_island(struct oe__rank_node *node)
{
	return node ? OE__CONTAINER(node, struct oe__member, island_rank) : NULL;
}

#endif /* OE__HUB_MEMBER_H */
