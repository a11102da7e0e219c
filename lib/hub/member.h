#ifndef OE__HUB_MEMBER_H
#define OE__HUB_MEMBER_H

/*
 * A live program and its places in the hub. Every structure that it is part of has its links here,
 * so joining and leaving allocate once. Owner thread.
 */

#include <stdbool.h>

#include "hub/attempts.h"
#include "hub/rank_tree.h"
#include "program/program.h"

#define OE__NO_SLOT UINT32_MAX

struct oe__member {
	oe_program *program;
	uint64_t sequence;     /* order of joining, from 1                        */
	uint64_t mark;         /* of the last draw that took it; see select.c     */
	uint32_t slot;         /* on its island                                   */
	uint32_t position;     /* in the snapshot that is being made              */
	uint32_t archive_slot; /* among the archived ones of its island, or OE__NO_SLOT */
	int32_t island;
	int32_t guards; /* reasons why it must not be evicted: bests       */
	bool elite;     /* holds the cell at `bins`                        */
	struct oe__rank_node island_rank, archive_rank, eviction_rank;
	struct oe__member *older, *newer;              /* in order of joining  */
	struct oe__member *same_content, *same_before; /* chain of equal texts */
	struct oe__attempt_list attempts;              /* made on this program */
	int32_t *bins;        /* cell at the time of joining                  */
	double coordinates[]; /* raw feature values; NaN: unknown             */
};

/* `program` is referenced. */
int oe__member_new(oe_program *program, size_t dimensions, struct oe__member **out);
void oe__member_free(struct oe__member *member); /* out of every structure by then */

/* Fitness for ranks: what is not known ranks last. */
double oe__member_key(const struct oe__member *member);

static inline struct oe__member *oe__member_of_island(struct oe__rank_node *node)
{
	return node ? OE__CONTAINER(node, struct oe__member, island_rank) : NULL;
}

OE__AUTO_POINTER(member, struct oe__member *, oe__member_free)

#endif /* OE__HUB_MEMBER_H */
