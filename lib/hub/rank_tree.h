#ifndef OE__HUB_RANK_TREE_H
#define OE__HUB_RANK_TREE_H

/*
 * Order statistics: what is the k-th best, the best, the worst, the next one that bears a mark, in
 * O(log n). Nodes are part of what they rank, so nothing is allocated and nothing can fail. Owner
 * thread.
 *
 * A treap (Seidel, Aragon: Randomized search trees, 1996) whose priorities are hashes of the tie
 * breakers, so that the same history gives the same tree.
 */

#include <stdbool.h>
#include <stdint.h>

struct oe__rank_node {
	struct oe__rank_node *up, *left, *right;
	double key;          /* larger ranks first; never NaN */
	uint64_t tie;        /* smaller ranks first; distinct */
	uint32_t size;       /* of the subtree; 0: in no tree */
	uint32_t marked : 1; /* this one                      */
	uint32_t marks : 31; /* how many of the subtree are   */
};

struct oe__rank_tree {
	struct oe__rank_node *root;
	uint64_t visits; /* nodes looked at so far, for tests of the cost */
};

/* Does `a` rank before `b`? */
bool oe__rank_before(const struct oe__rank_node *a, const struct oe__rank_node *b);

void oe__rank_insert(struct oe__rank_tree *tree, struct oe__rank_node *node, double key,
					 uint64_t tie);
void oe__rank_remove(struct oe__rank_tree *tree, struct oe__rank_node *node);

static inline uint32_t oe__rank_count(const struct oe__rank_tree *tree)
{
	return tree->root ? tree->root->size : 0;
}

struct oe__rank_node *oe__rank_first(struct oe__rank_tree *tree); /* NULL when empty */
struct oe__rank_node *oe__rank_last(struct oe__rank_tree *tree);
struct oe__rank_node *oe__rank_next(struct oe__rank_tree *tree, struct oe__rank_node *node);
struct oe__rank_node *oe__rank_previous(struct oe__rank_tree *tree, struct oe__rank_node *node);

/* The first of those whose key is `key` or smaller; NULL: there is none. */
struct oe__rank_node *oe__rank_find(struct oe__rank_tree *tree, double key);

/* The node with `rank` others before it; rank < count. */
struct oe__rank_node *oe__rank_at(struct oe__rank_tree *tree, uint32_t rank);

/* Marks say nothing about the order; a node comes without. */
void oe__rank_mark(struct oe__rank_tree *tree, struct oe__rank_node *node, bool marked);

/* The first marked one that ranks behind `at`, which need not be in the tree; or NULL. */
struct oe__rank_node *oe__rank_next_marked(struct oe__rank_tree *tree,
										   const struct oe__rank_node *at);

#endif /* OE__HUB_RANK_TREE_H */
