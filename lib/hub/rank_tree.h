#ifndef OE__HUB_RANK_TREE_H
#define OE__HUB_RANK_TREE_H

/*
 * Order statistics: what is the k-th best, the best, the worst, in O(log n). Nodes are part of what
 * they rank, so nothing is allocated and nothing can fail. Owner thread.
 *
 * A treap (Seidel, Aragon: Randomized search trees, 1996) whose priorities are hashes of the tie
 * breakers, so that the same history gives the same tree.
 */

#include <stdint.h>

struct oe__rank_node {
	struct oe__rank_node *up, *left, *right;
	double key;   /* larger ranks first; never NaN    */
	uint64_t tie; /* smaller ranks first; distinct    */
	uint32_t priority;
	uint32_t size; /* of the subtree; 0: in no tree   */
};

struct oe__rank_tree {
	struct oe__rank_node *root;
	uint64_t visits; /* nodes looked at so far, for tests of the cost */
};

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

/* The node with `rank` others before it; rank < count. */
struct oe__rank_node *oe__rank_at(struct oe__rank_tree *tree, uint32_t rank);

#endif /* OE__HUB_RANK_TREE_H */
