#ifndef OE__SPAWNER_SELFTEST_H
#define OE__SPAWNER_SELFTEST_H

/*
 * The self-test: a confined child tries what it must not be able to do, against targets that are here for
 * that only. What succeeds is found, whatever the mechanisms promise.
 */

#include <stdbool.h>
#include <stdint.h>

#include "keeper.h"

struct selftest {
	uint64_t tried, done; /* bits of enum oe__act */
	struct failure failure; /* why the child could not even be confined; code 0: it was */
};

/* Try the tier of `plan`. `scratch` is a directory of the host that the plan does not show. */
struct selftest selftest_run(const struct oe__plan *plan, const char *scratch, const char *staging);

#endif /* OE__SPAWNER_SELFTEST_H */
