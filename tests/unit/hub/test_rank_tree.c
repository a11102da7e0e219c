/* lib/hub/rank_tree.c and sum_tree.c, against plain arrays */

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"
#include "hub/rank_tree.h"
#include "hub/sum_tree.h"
#include "test.h"

#define NODES 300

static struct oe__rank_node nodes[NODES];
static bool linked[NODES];

static int by_rank(const void *a, const void *b)
{
	const struct oe__rank_node *first = *(struct oe__rank_node *const *)a;
	const struct oe__rank_node *second = *(struct oe__rank_node *const *)b;

	if (first->key != second->key)
		return first->key > second->key ? -1 : 1;
	return first->tie < second->tie ? -1 : 1;
}

/* The first of those at and behind `from` that is marked. */
static struct oe__rank_node *marked_from(struct oe__rank_node *const *sorted, uint32_t from,
										 uint32_t count)
{
	while (from < count && !sorted[from]->marked)
		from++;
	return from < count ? sorted[from] : NULL;
}

static void check_against_array(struct oe__rank_tree *tree)
{
	struct oe__rank_node *sorted[NODES], *node = oe__rank_first(tree), *before = NULL;
	struct oe__rank_node front = { .key = INFINITY };
	uint32_t count = 0, first = 0;

	for (size_t i = 0; i < NODES; i++)
		if (linked[i])
			sorted[count++] = &nodes[i];
	qsort(sorted, count, sizeof(*sorted), by_rank);
	ck_assert_uint_eq(oe__rank_count(tree), count);
	for (uint32_t i = 0; i < count; i++, before = node, node = oe__rank_next(tree, node)) {
		ck_assert_ptr_eq(node, sorted[i]);
		ck_assert_ptr_eq(oe__rank_at(tree, i), sorted[i]);
		ck_assert_ptr_eq(oe__rank_previous(tree, node), before);
		ck_assert_ptr_eq(oe__rank_next_marked(tree, node), marked_from(sorted, i + 1, count));
		if (before && before->key != node->key)
			first = i;
		ck_assert_ptr_eq(oe__rank_find(tree, node->key), sorted[first]);
	}
	ck_assert_ptr_null(node);
	ck_assert_ptr_eq(oe__rank_last(tree), count > 0 ? sorted[count - 1] : NULL);
	ck_assert_ptr_eq(oe__rank_next_marked(tree, &front), marked_from(sorted, 0, count));
	ck_assert_ptr_eq(oe__rank_find(tree, 0.3), oe__rank_find(tree, 0.25));
}

START_TEST(test_random_changes)
{
	static const double keys[] = { 0, 0.5, 0.5, -1, INFINITY, -INFINITY, 1e300, 0.25 };
	struct oe__rank_tree tree = { NULL, 0 };
	struct oe__rng rng;

	memset(nodes, 0, sizeof(nodes));
	memset(linked, 0, sizeof(linked));
	oe__rng_init(&rng, 1, "test", 0, 0);
	for (int step = 0; step < 10000; step++) {
		size_t i = oe__rng_below(&rng, NODES);

		if (linked[i] && oe__rng_below(&rng, 2) == 0) {
			oe__rank_mark(&tree, &nodes[i], oe__rng_below(&rng, 4) == 0);
		} else {
			if (linked[i])
				oe__rank_remove(&tree, &nodes[i]);
			else
				oe__rank_insert(&tree, &nodes[i], keys[oe__rng_below(&rng, 8)], i + 1);
			linked[i] = !linked[i];
		}
		if (step % 50 == 0)
			check_against_array(&tree);
	}
	for (size_t i = 0; i < NODES; i++)
		if (linked[i])
			oe__rank_remove(&tree, &nodes[i]);
	ck_assert_ptr_null(tree.root);
}
END_TEST

START_TEST(test_sorted_input_stays_flat)
{
	enum { COUNT = 1 << 14 };
	static struct oe__rank_node many[COUNT];
	struct oe__rank_tree tree = { NULL, 0 };

	memset(many, 0, sizeof(many));
	for (uint64_t i = 0; i < COUNT; i++)
		oe__rank_insert(&tree, &many[i], (double)i, i);
	tree.visits = 0;
	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert_ptr_eq(oe__rank_at(&tree, i), &many[COUNT - 1 - i]);
	/* the mean depth of a treap is 2 ln n: about 19 here, where a list would have 8192 */
	ck_assert_uint_lt(tree.visits / COUNT, 25);
}
END_TEST

START_TEST(test_weights)
{
	OE__AUTO(sum_tree) struct oe__sum_tree tree = { NULL, 0, 0 };
	double weights[100] = { 0 }, total = 0;
	struct oe__rng rng;

	oe__rng_init(&rng, 2, "test", 0, 0);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_int_eq(oe__sum_tree_reserve(&tree, i + 1), 0);
		weights[i] = (double)oe__rng_below(&rng, 1000);
		oe__sum_tree_set(&tree, i, weights[i]);
		total += weights[i];
	}
	ck_assert_double_eq(oe__sum_tree_total(&tree), total); /* whole numbers: exact */
	for (int step = 0; step < 2000; step++) {
		double at = floor(oe__rng_real(&rng) * total), before = 0;
		size_t slot = oe__sum_tree_find(&tree, at, 100);

		for (size_t i = 0; i < slot; i++)
			before += weights[i];
		ck_assert(before <= at && at < before + weights[slot]);
	}
	/* rounding may ask for what is past the end */
	ck_assert_uint_eq(oe__sum_tree_find(&tree, total * 2, 100), 99);
	for (size_t i = 0; i < 100; i++)
		oe__sum_tree_set(&tree, i, 0);
	ck_assert_double_eq(oe__sum_tree_total(&tree), 0);
}
END_TEST

TEST_MAIN("rank_tree", test_random_changes, test_sorted_input_stays_flat, test_weights)
