/*
 * A sum tree. See sum_tree.h.
 */

#include "hub/sum_tree.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "openevolve/common.h"

#define SLOTS_MIN 16

static void sum_up(struct oe__sum_tree *tree, size_t node)
{
	tree->sums[node] = tree->sums[2 * node] + tree->sums[2 * node + 1];
	tree->visits++;
}

int oe__sum_tree_reserve(struct oe__sum_tree *tree, size_t slots)
{
	size_t capacity = tree->capacity > 0 ? tree->capacity : SLOTS_MIN;

	while (capacity < slots)
		capacity *= 2;
	if (capacity == tree->capacity)
		return 0;

	double *sums = oe__calloc(2 * capacity, sizeof(*sums));
	if (!sums)
		return OE_ERR_NOMEM;
	if (tree->capacity > 0)
		memcpy(sums + capacity, tree->sums + tree->capacity, tree->capacity * sizeof(*sums));
	oe__free(tree->sums);
	tree->sums = sums;
	tree->capacity = capacity;
	for (size_t node = capacity - 1; node > 0; node--)
		sum_up(tree, node);
	return 0;
}

void oe__sum_tree_set(struct oe__sum_tree *tree, size_t slot, double weight)
{
	assert(slot < tree->capacity && weight >= 0 && isfinite(weight));
	size_t node = tree->capacity + slot;

	tree->sums[node] = weight;
	for (node /= 2; node > 0; node /= 2)
		sum_up(tree, node);
}

double oe__sum_tree_weight(const struct oe__sum_tree *tree, size_t slot)
{
	assert(slot < tree->capacity);
	return tree->sums[tree->capacity + slot];
}

double oe__sum_tree_total(const struct oe__sum_tree *tree)
{
	return tree->capacity > 0 ? tree->sums[1] : 0;
}

size_t oe__sum_tree_find(struct oe__sum_tree *tree, double at, size_t used)
{
	size_t node = 1;

	assert(used > 0 && used <= tree->capacity);
	while (node < tree->capacity) {
		double left = tree->sums[2 * node];

		tree->visits++;
		node *= 2;
		if (at >= left) {
			at -= left;
			node++;
		}
	}
	size_t slot = node - tree->capacity;
	return slot < used ? slot : used - 1;
}

void oe__sum_tree_done(struct oe__sum_tree *tree)
{
	oe__free(tree->sums);
	*tree = (struct oe__sum_tree){ NULL, 0, 0 };
}
