#ifndef OE__HUB_SETTINGS_H
#define OE__HUB_SETTINGS_H

/*
 * What a hub takes from its configuration, checked and resolved once. Immutable afterwards.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "openevolve/config.h"
#include "program/sample.h"

enum oe__semantics { OE__SEMANTICS_STEADY, OE__SEMANTICS_GENERATION, OE__SEMANTICS_ORDERED };
/* "hub.window: 0" where the window decides about samples. Part of what such a run means: a log that was
   written with one value cannot be played with another. */
#define OE__WINDOW_DEFAULT 64

enum oe__on_failure { OE__ON_FAILURE_COUNT, OE__ON_FAILURE_REPLACE };

struct oe__hub_settings {
	enum oe__semantics semantics;
	enum oe__on_failure on_failure;
	int64_t window;     /* iterations open at once, 0: the caller sees to it; in the other
	                       semantics the distance W, or the size of a generation      */
	int64_t iterations; /* numbers to give after those that were given before; -1: any */
	uint64_t seed;
	int32_t island_count;
	size_t population_size, archive_size; /* both at least 1 */
	double exploration_ratio, exploitation_ratio;
	int64_t migration_interval;
	double migration_rate;
	size_t diversity_reference_size;
	size_t inspiration_count; /* per sample    */
	size_t top_count;         /* per sample    */
	size_t attempt_count;     /* remembered per parent, and per sample */
	struct oe__axes *axes;    /* feature dimensions */
	int32_t *bins;            /* of each of them    */
};

int oe__hub_settings_read(const oe_config *config, struct oe__hub_settings *out, oe_error *err);
int oe__hub_settings_copy(const struct oe__hub_settings *from, struct oe__hub_settings *out);
void oe__hub_settings_done(struct oe__hub_settings *settings);

/* How far the window reaches where it decides about samples. */
int64_t oe__effective_window(const struct oe__hub_settings *settings);

/* Bins of an axis for which `wanted` are configured: at least as many as it takes for the whole
   grid of `dimensions` axes to have room for the archive. */
int32_t oe__effective_bins(int64_t wanted, size_t archive_size, size_t dimensions);

OE__AUTO_VALUE(hub_settings, struct oe__hub_settings, oe__hub_settings_done)

#endif /* OE__HUB_SETTINGS_H */
