/*
 * A treap with sizes and parent links. See rank_tree.h.
 */

#include "hub/rank_tree.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

bool oe__rank_before(const struct oe__rank_node *a, const struct oe__rank_node *b)
{
	if (a->key != b->key)
		return a->key > b->key;
	return a->tie < b->tie;
}

static uint32_t priority(const struct oe__rank_node *node)
{
	return (uint32_t)oe__hash_mix(node->tie, 0);
}

static uint32_t size_of(const struct oe__rank_node *node)
{
	return node ? node->size : 0;
}

static uint32_t marks_of(const struct oe__rank_node *node)
{
	return node ? node->marks : 0;
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

/* Exchange a node with its parent, keeping the order. Looks at the subtree that changes hands, and
   not at the two that stay where they are: they may be in no cache. */
static void rotate_up(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	struct oe__rank_node *parent = node->up, *inner;
	uint32_t size = parent->size, marks = parent->marks;

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
	parent->size = size - node->size + size_of(inner);
	parent->marks = (marks - node->marks + marks_of(inner)) & INT32_MAX;
	node->size = size;
	node->marks = marks & INT32_MAX;
	tree->visits++;
}

void oe__rank_insert(struct oe__rank_tree *tree, struct oe__rank_node *node, double key,
					 uint64_t tie)
{
	struct oe__rank_node *parent = NULL, **link = &tree->root;

	assert(!isnan(key) && node->size == 0);
	*node = (struct oe__rank_node){ .key = key, .tie = tie, .size = 1 };
	while (*link) {
		parent = *link;
		parent->size++;
		tree->visits++;
		link = oe__rank_before(node, parent) ? &parent->left : &parent->right;
	}
	*link = node;
	node->up = parent;
	while (node->up && priority(node) > priority(node->up))
		rotate_up(tree, node);
}

void oe__rank_remove(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	assert(node->size > 0);
	while (node->left && node->right)
		rotate_up(tree, priority(node->left) > priority(node->right) ? node->left : node->right);
	replace(tree, node, node->left ? node->left : node->right);
	for (struct oe__rank_node *up = node->up; up; up = up->up) {
		up->size--;
		up->marks -= node->marked;
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

struct oe__rank_node *oe__rank_previous(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	if (node->left) {
		for (node = node->left; node->right; node = node->right)
			tree->visits++;
		return node;
	}
	while (node->up && node->up->left == node) {
		node = node->up;
		tree->visits++;
	}
	return node->up;
}

struct oe__rank_node *oe__rank_find(struct oe__rank_tree *tree, double key)
{
	struct oe__rank_node *node = tree->root, *found = NULL;

	while (node) {
		tree->visits++;
		if (node->key <= key) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
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

/* ---- marks ---- */

void oe__rank_mark(struct oe__rank_tree *tree, struct oe__rank_node *node, bool marked)
{
	assert(node->size > 0);
	if (node->marked == marked)
		return;
	node->marked = marked;
	for (struct oe__rank_node *up = node; up; up = up->up) {
		up->marks = (marked ? up->marks + 1u : up->marks - 1u) & INT32_MAX;
		tree->visits++;
	}
}

static struct oe__rank_node *first_marked(struct oe__rank_tree *tree, struct oe__rank_node *node)
{
	for (;;) {
		tree->visits++;
		if (marks_of(node->left) > 0)
			node = node->left;
		else if (node->marked)
			return node;
		else
			node = node->right;
	}
}

struct oe__rank_node *oe__rank_next_marked(struct oe__rank_tree *tree,
										   const struct oe__rank_node *at)
{
	struct oe__rank_node *node = tree->root, *found = NULL;

	/* The last one on the way down that ranks behind and has something at or behind itself. */
	while (node && node->marks > 0) {
		tree->visits++;
		if (oe__rank_before(at, node)) {
			if (node->marks > marks_of(node->left))
				found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	if (!found)
		return NULL;
	return found->marked ? found : first_marked(tree, found->right);
}
