#ifndef OE_TESTS_NOMEM_H
#define OE_TESTS_NOMEM_H

/*
 * Memory that runs out on purpose: an allocator that counts, and refuses the n-th allocation, or all
 * from the n-th on. Any thread.
 *
 *     NOMEM_MAIN("json", test_...)      installs it, then runs the tests
 *     nomem_each("read", read_all)      each allocation of a scenario fails once, then for ever
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "openevolve/common.h"
#include "test.h"

static atomic_long nomem_live, nomem_count, nomem_fails_at;
static atomic_bool nomem_for_ever, nomem_over;

static inline bool nomem_refuses(void)
{
	if (atomic_load(&nomem_over))
		return false;
	long number = atomic_fetch_add(&nomem_count, 1) + 1, at = atomic_load(&nomem_fails_at);
	return at > 0 && (number == at || (number > at && atomic_load(&nomem_for_ever)));
}

static inline void *nomem_take(size_t size, void *userdata)
{
	(void)userdata;
	void *block = nomem_refuses() ? NULL : malloc(size);
	if (block)
		atomic_fetch_add(&nomem_live, 1);
	return block;
}

static inline void *nomem_change(void *block, size_t size, void *userdata)
{
	(void)userdata;
	if (nomem_refuses())
		return NULL;
	void *moved = realloc(block, size);
	if (moved && !block)
		atomic_fetch_add(&nomem_live, 1);
	return moved;
}

static inline void nomem_give(void *block, void *userdata)
{
	(void)userdata;
	if (block)
		atomic_fetch_sub(&nomem_live, 1);
	free(block);
}

/* Allocation number `at` from now on fails, and with `for_ever` all that follow; 0: none. */
static inline void nomem_arm(long at, bool for_ever)
{
	atomic_store(&nomem_count, 0);
	atomic_store(&nomem_for_ever, for_ever);
	atomic_store(&nomem_fails_at, at);
	atomic_store(&nomem_over, false);
}

/* From here on there is memory, and nothing is counted: for looking at what a scenario has left. */
static inline void nomem_relent(void)
{
	atomic_store(&nomem_over, true);
}

static inline void nomem_try(const char *name, int (*scenario)(void), bool can_do_without)
{
	nomem_arm(0, false);
	long before = atomic_load(&nomem_live);
	ck_assert_msg(scenario() == 0, "%s: fails with all the memory there is", name);
	long all = atomic_load(&nomem_count), step = all / 400 + 1;
	ck_assert_msg(all > 0, "%s: allocates nothing", name);
	ck_assert_msg(atomic_load(&nomem_live) == before, "%s: leaks", name);
	for (int ever = 0; ever < 2; ever++)
		for (long at = 1; at <= all; at += step) {
			nomem_arm(at, ever == 1);
			int status = scenario();
			nomem_arm(0, false);
			ck_assert_msg(status == OE_ERR_NOMEM || (can_do_without && status == 0),
						  "%s: allocation %ld of %ld: status %d", name, at, all, status);
			ck_assert_msg(atomic_load(&nomem_live) == before, "%s: allocation %ld of %ld: %ld left",
						  name, at, all, atomic_load(&nomem_live) - before);
		}
	ck_assert_msg(scenario() == 0, "%s: fails after it had failed", name);
}

/*
 * A scenario cleans up behind itself, succeeds when there is memory, and says OE_ERR_NOMEM when
 * there is not: neither something else nor success. More allocations than some hundreds are spread.
 */
static inline void nomem_each(const char *name, int (*scenario)(void))
{
	nomem_try(name, scenario, false);
}

/* The same for one that can do without some of it, and looks whether its result is right then. */
static inline void nomem_each_but(const char *name, int (*scenario)(void))
{
	nomem_try(name, scenario, true);
}

static inline int nomem_run(const char *name, const TTest *const *tests, size_t count)
{
	const oe_allocator allocator = { nomem_take, nomem_change, nomem_give, NULL };

	return oe_set_allocator(&allocator) < 0 ? EXIT_FAILURE : test_run(name, tests, count);
}

#define NOMEM_MAIN(name, ...)                                                                      \
	int main(void)                                                                                 \
	{                                                                                              \
		const TTest *const tests[] = { __VA_ARGS__ };                                              \
		return nomem_run(name, tests, sizeof(tests) / sizeof(tests[0]));                           \
	}

#endif /* OE_TESTS_NOMEM_H */
