#ifndef OE__HUB_ATTEMPTS_H
#define OE__HUB_ATTEMPTS_H

/*
 * Recent attempts: what was tried on a program and on an island, failures included, for the next
 * prompts. Each list keeps the last few; all lists together keep the last few thousand, so children
 * that died long ago do not stay in memory with their parents. Owner thread.
 */

#include <stddef.h>

#include "program/sample.h"

struct oe__attempt_node;

/* Newest first. Zeroed: empty. */
struct oe__attempt_list {
	struct oe__attempt_node *newest, *oldest;
	size_t count;
};

struct oe__attempt_pool {
	struct oe__attempt_node *newest, *oldest; /* over all lists                */
	size_t count;
	size_t per_list; /* the longest that a list may be; 0: nothing is remembered */
};

/* Remember at the front of `list`; the attempt is referenced. Forgets what is too old. */
int oe__attempts_add(struct oe__attempt_pool *pool, struct oe__attempt_list *list,
					 struct oe__attempt *attempt);

/* The newest ones; gives how many. Borrowed. */
size_t oe__attempts_get(const struct oe__attempt_list *list, struct oe__attempt **out, size_t max);

/* All of them, oldest first, each with the list that it is in. */
void oe__attempts_walk(const struct oe__attempt_pool *pool,
					   void (*see)(void *owner, struct oe__attempt_list *list,
								   struct oe__attempt *attempt),
					   void *owner);
void oe__attempts_clear(struct oe__attempt_pool *pool, struct oe__attempt_list *list);

#endif /* OE__HUB_ATTEMPTS_H */
