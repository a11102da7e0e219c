#ifndef OE__HUB_SUM_TREE_H
#define OE__HUB_SUM_TREE_H

/*
 * Weighted choice: pick a slot with a chance proportional to its weight, in O(log n).
 *
 * An array-shaped binary tree of sums. Every change recomputes the sums above it, so they never
 * drift, and an empty slot has a weight of exactly zero. Owner thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

struct oe__sum_tree {
	double *sums;    /* node 1 is the root, the leaves are [capacity, 2 * capacity) */
	size_t capacity; /* a power of two, or 0                                       */
	uint64_t visits; /* nodes looked at so far, for tests of the cost              */
};

int oe__sum_tree_reserve(struct oe__sum_tree *tree, size_t slots);
void oe__sum_tree_set(struct oe__sum_tree *tree, size_t slot, double weight); /* finite, >= 0 */
double oe__sum_tree_weight(const struct oe__sum_tree *tree, size_t slot);
double oe__sum_tree_total(const struct oe__sum_tree *tree);

/* The slot into whose share of [0, total) `at` falls. Rounding can lead past the last share: the
   result is cut to the `used` first slots. */
size_t oe__sum_tree_find(struct oe__sum_tree *tree, double at, size_t used);
void oe__sum_tree_done(struct oe__sum_tree *tree);

OE__AUTO_VALUE(sum_tree, struct oe__sum_tree, oe__sum_tree_done)

#endif /* OE__HUB_SUM_TREE_H */
