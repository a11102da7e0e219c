/*
 * A treap with sizes and parent links. See rank_tree.h.
 */

#include "hub/rank_tree.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

static bool before(const struct oe__rank_node *a, const struct oe__rank_node *b)
{
	if (a->key != b->key)
		return a->key > b->key;
	return a->tie < b->tie;
}

static uint32_t size_of(const struct oe__rank_node *node)
{
	return node ? node->size : 0;
}

static void update(struct oe__rank_node *node)
{
	node->size = 1 + size_of(node->left) + size_of(node->right);
}

/* Put `next` (may be NULL) where `node` hangs. */
static void replace(struct oe__rank_tree *tree, struct oe__rank_node *node,
					struct oe__rank_node *next)
{
	if (!node->up)
		tree->root = next;
	else if (node->up->left == node)
		node->up->left = next;
	else
		node->up->right = next;
	if (next)
		next->up = node->up;
}

/* Exchange a node with its parent, keeping the order. */
static void rotate_up(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	struct oe__rank_node *parent = node->up, *inner;

	replace(tree, parent, node);
	if (parent->left == node) {
		inner = node->right;
		parent->left = inner;
		node->right = parent;
	} else {
		inner = node->left;
		parent->right = inner;
		node->left = parent;
	}
	if (inner)
		inner->up = parent;
	parent->up = node;
	update(parent);
	update(node);
	tree->visits++;
}

void oe__rank_insert(struct oe__rank_tree *tree, struct oe__rank_node *node, double key,
					 uint64_t tie)
{
	struct oe__rank_node *parent = NULL, **link = &tree->root;

	assert(!isnan(key) && node->size == 0);
	*node = (struct oe__rank_node){ .key = key, .tie = tie, .size = 1 };
	node->priority = (uint32_t)oe__hash_mix(tie, 0);
	while (*link) {
		parent = *link;
		parent->size++;
		tree->visits++;
		link = before(node, parent) ? &parent->left : &parent->right;
	}
	*link = node;
	node->up = parent;
	while (node->up && node->priority > node->up->priority)
		rotate_up(tree, node);
}

void oe__rank_remove(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	assert(node->size > 0);
	while (node->left && node->right)
		rotate_up(tree, node->left->priority > node->right->priority ? node->left : node->right);
	replace(tree, node, node->left ? node->left : node->right);
	for (struct oe__rank_node *up = node->up; up; up = up->up) {
		up->size--;
		tree->visits++;
	}
	node->size = 0;
}

struct oe__rank_node *oe__rank_first(struct oe__rank_tree *tree)
{
	struct oe__rank_node *node = tree->root;

	for (; node && node->left; node = node->left)
		tree->visits++;
	return node;
}

struct oe__rank_node *oe__rank_last(struct oe__rank_tree *tree)
{
	struct oe__rank_node *node = tree->root;

	for (; node && node->right; node = node->right)
		tree->visits++;
	return node;
}

struct oe__rank_node *oe__rank_next(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	if (node->right) {
		for (node = node->right; node->left; node = node->left)
			tree->visits++;
		return node;
	}
	while (node->up && node->up->right == node) {
		node = node->up;
		tree->visits++;
	}
	return node->up;
}

struct oe__rank_node *oe__rank_at(struct oe__rank_tree *tree, uint32_t rank)
{
	struct oe__rank_node *node = tree->root;

	assert(rank < oe__rank_count(tree));
	for (;;) {
		uint32_t left = size_of(node->left);

		tree->visits++;
		if (rank == left)
			return node;
		if (rank < left) {
			node = node->left;
		} else {
			rank -= left + 1;
			node = node->right;
		}
	}
}
