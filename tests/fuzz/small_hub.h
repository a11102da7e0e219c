#ifndef OE_TEST_FUZZ_SMALL_HUB_H
#define OE_TEST_FUZZ_SMALL_HUB_H

/* A hub in which everything happens soon: islands fill up, programs migrate and are evicted. */

#include "base/alloc.h"
#include "hub/hub.h"

#undef NDEBUG
#include <assert.h>

static inline struct oe__hub_settings small_hub_settings(void)
{
	static const char *const names[] = { "complexity", "diversity" };
	struct oe__hub_settings settings = {
		.iterations = -1,
		.seed = 42,
		.island_count = 2,
		.population_size = 8,
		.archive_size = 3,
		.exploration_ratio = 0.2,
		.exploitation_ratio = 0.7,
		.migration_interval = 2,
		.migration_rate = 0.5,
		.diversity_reference_size = 5,
		.inspiration_count = 3,
		.top_count = 3,
		.attempt_count = 3,
	};

	assert(oe__axes_new(names, OE__COUNT(names), &settings.axes) == 0);
	settings.bins = oe__memdup((int32_t[]){ 4, 4 }, 2 * sizeof(int32_t));
	assert(settings.bins);
	return settings;
}

/* Takes the settings over. It is checked after each call. */
static inline oe_hub *small_hub(struct oe__hub_settings settings)
{
	OE__AUTO(hub_settings) struct oe__hub_settings own = settings;
	oe_hub *hub = NULL;

	assert(oe__hub_new(&own, &hub, NULL) == 0);
	oe__hub_set_checked(hub, true);
	return hub;
}

#endif /* OE_TEST_FUZZ_SMALL_HUB_H */
