/*
 * Lists of recent attempts. A node is in two doubly linked lists: that of its owner, and that of
 * all nodes by age.
 */

#include "hub/attempts.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/limits.h"

struct oe__attempt_node {
	struct oe__attempt *attempt;
	struct oe__attempt_list *owner;
	struct oe__attempt_node *newer, *older; /* in the owner's list */
	struct oe__attempt_node *pool_newer, *pool_older;
};

static void forget(struct oe__attempt_pool *pool, struct oe__attempt_node *node)
{
	struct oe__attempt_list *list = node->owner;

	*(node->newer ? &node->newer->older : &list->newest) = node->older;
	*(node->older ? &node->older->newer : &list->oldest) = node->newer;
	list->count--;
	*(node->pool_newer ? &node->pool_newer->pool_older : &pool->newest) = node->pool_older;
	*(node->pool_older ? &node->pool_older->pool_newer : &pool->oldest) = node->pool_newer;
	pool->count--;
	oe__attempt_unref(node->attempt);
	oe__free(node);
}

int oe__attempts_add(struct oe__attempt_pool *pool, struct oe__attempt_list *list,
					 struct oe__attempt *attempt)
{
	if (pool->per_list == 0)
		return 0;
	struct oe__attempt_node *node = oe__calloc(1, sizeof(*node));
	if (!node)
		return OE_ERR_NOMEM;
	node->attempt = oe__attempt_ref(attempt);
	node->owner = list;
	node->older = list->newest;
	node->pool_older = pool->newest;
	*(list->newest ? &list->newest->newer : &list->oldest) = node;
	*(pool->newest ? &pool->newest->pool_newer : &pool->oldest) = node;
	list->newest = node;
	pool->newest = node;
	list->count++;
	pool->count++;
	if (list->count > pool->per_list)
		forget(pool, list->oldest);
	if (pool->count > OE__ATTEMPTS_MAX)
		forget(pool, pool->oldest);
	return 0;
}

size_t oe__attempts_get(const struct oe__attempt_list *list, struct oe__attempt **out, size_t max)
{
	size_t count = 0;

	for (struct oe__attempt_node *node = list->newest; node && count < max; node = node->older)
		out[count++] = node->attempt;
	return count;
}

void oe__attempts_walk(const struct oe__attempt_pool *pool,
					   void (*see)(void *owner, struct oe__attempt_list *list,
								   struct oe__attempt *attempt),
					   void *owner)
{
	for (struct oe__attempt_node *node = pool->oldest; node; node = node->pool_newer)
		see(owner, node->owner, node->attempt);
}

void oe__attempts_clear(struct oe__attempt_pool *pool, struct oe__attempt_list *list)
{
	while (list->oldest)
		forget(pool, list->oldest);
	assert(list->count == 0 && !list->newest);
}
