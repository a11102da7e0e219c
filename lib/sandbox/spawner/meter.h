#ifndef OE__SPAWNER_METER_H
#define OE__SPAWNER_METER_H

/* Totals of a tree by looking at its processes now and then: where no control group counts them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct meter {
	uint64_t memory_bytes, cpu_ms;
	size_t processes;
};

/*
 * @param skip  processes at the top of the tree that do not count: the keeper, the first process of a
 *              namespace, a fork server.
 * @param exact memory that several processes share is counted once: ten times slower.
 */
struct meter meter_read(pid_t keeper, size_t skip, bool exact);

#endif /* OE__SPAWNER_METER_H */
