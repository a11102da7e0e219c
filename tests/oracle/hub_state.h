#ifndef OE_TEST_HUB_STATE_H
#define OE_TEST_HUB_STATE_H

/* Everything that a hub holds, as JSON: the answers of hub_driver.c. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "controller/rules.h"
#include "hub/hub_internal.h"

static inline void die(const char *what)
{
	fprintf(stderr, "hub_driver: %s\n", what);
	exit(EXIT_FAILURE);
}

static inline void put_int(struct oe__json_writer *out, const char *key, int64_t value)
{
	oe__json_key(out, key);
	oe__json_int(out, value);
}

static inline void put_real(struct oe__json_writer *out, const char *key, double value)
{
	oe__json_key(out, key);
	oe__json_real(out, value);
}

static inline void put_text(struct oe__json_writer *out, const char *key, const char *text)
{
	oe__json_key(out, key);
	oe__json_string(out, text);
}

static inline const char *id_of(oe_program *program)
{
	return program ? oe_program_id(program) : NULL;
}

static inline const char *member_id(const struct oe__member *one)
{
	return one ? one->program->id : NULL;
}

static inline void put_member(struct oe__json_writer *out, const struct oe__member *one,
                              size_t dimensions)
{
	oe__json_map(out);
	put_text(out, "id", one->program->id);
	put_text(out, "parent", one->program->parent_id);
	put_int(out, "island", one->island);
	put_int(out, "own_island", oe_program_island(one->program));
	put_int(out, "migrant", one->program->migrant);
	put_int(out, "generation", one->program->generation);
	put_int(out, "iteration", one->program->iteration);
	put_real(out, "fitness", one->program->fitness);
	oe__json_key(out, "bins");
	oe__json_list(out);
	for (size_t d = 0; d < dimensions; d++)
		oe__json_int(out, one->bins[d]);
	oe__json_list_end(out);
	oe__json_key(out, "coordinates");
	oe__json_list(out);
	for (size_t d = 0; d < dimensions; d++)
		oe__json_real(out, one->coordinates[d]);
	oe__json_list_end(out);
	oe__json_map_end(out);
}

/* Feature map as a list of [bins, id]. */
static inline void put_cells(struct oe__json_writer *out, const struct oe__island *island,
                             size_t dimensions)
{
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	oe__json_list(out);
	while ((entry = oe__map_next(&island->cells, &cursor)) != NULL) {
		const struct oe__member *elite = entry->value;
		int32_t bins[OE__DIMENSIONS_MAX];

		if (entry->key_size != sizeof(*bins) * dimensions)
			die("a key of another size in a feature map");
		memcpy(bins, entry->key, entry->key_size);
		oe__json_list(out);
		oe__json_list(out);
		for (size_t d = 0; d < dimensions; d++)
			oe__json_int(out, bins[d]);
		oe__json_list_end(out);
		oe__json_string(out, elite->program->id);
		oe__json_list_end(out);
	}
	oe__json_list_end(out);
}

static inline void put_features(struct oe__json_writer *out, const oe_hub *hub)
{
	oe__json_key(out, "bounds");
	oe__json_list(out);
	for (size_t d = 0; d < oe__hub_dimensions(hub); d++) {
		const struct oe__feature_stats *stats = &hub->features.stats[d];

		if (!stats->known) {
			oe__json_null(out);
			continue;
		}
		oe__json_list(out);
		oe__json_real(out, stats->min);
		oe__json_real(out, stats->max);
		oe__json_int(out, (int64_t)stats->value_count);
		oe__json_list_end(out);
	}
	oe__json_list_end(out);
	oe__json_key(out, "references");
	oe__json_list(out);
	for (size_t i = 0; i < hub->diversity.reference_count; i++)
		oe__json_string_sized(out, hub->diversity.references[i]->text,
		                      hub->diversity.references[i]->size);
	oe__json_list_end(out);
}

static inline void put_islands(struct oe__json_writer *out, const oe_hub *hub)
{
	oe__json_key(out, "islands");
	oe__json_list(out);
	for (int32_t i = 0; i < hub->island_count; i++) {
		const struct oe__island *island = &hub->islands[i];

		oe__json_map(out);
		put_text(out, "best", member_id(island->best));
		put_int(out, "generation", island->generation);
		oe__json_key(out, "members");
		oe__json_list(out);
		for (size_t k = 0; k < island->count; k++)
			oe__json_string(out, island->members[k]->program->id);
		oe__json_list_end(out);
		oe__json_key(out, "cells");
		put_cells(out, island, oe__hub_dimensions(hub));
		oe__json_map_end(out);
	}
	oe__json_list_end(out);
}

static inline void put_state(struct oe__json_writer *out, const oe_hub *hub,
                             const struct oe__rules *rules)
{
	oe__json_key(out, "state");
	oe__json_map(out);
	oe__json_key(out, "programs"); /* in order of joining */
	oe__json_list(out);
	for (const struct oe__member *one = hub->oldest; one; one = one->newer)
		put_member(out, one, oe__hub_dimensions(hub));
	oe__json_list_end(out);
	oe__json_key(out, "archive");
	oe__json_list(out);
	for (const struct oe__member *one = hub->oldest; one; one = one->newer)
		if (oe__archive_has(one))
			oe__json_string(out, one->program->id);
	oe__json_list_end(out);
	put_islands(out, hub);
	put_features(out, hub);
	put_text(out, "best", id_of(oe_hub_best(hub)));
	put_int(out, "last_migration", hub->last_migration);
	put_int(out, "last_iteration", hub->last_iteration);
	put_int(out, "issued", oe_hub_issued(hub));
	put_int(out, "ended", oe_hub_ended(hub));
	put_int(out, "open", (int64_t)oe__hub_open_count(hub));
	put_int(out, "staged", (int64_t)hub->ledger.staged_count);
	put_int(out, "position", hub->ordered.position);
	put_int(out, "drawn", oe__ordered_drawn(hub));
	put_int(out, "since_best", rules->since_best);
	put_int(out, "stop", oe__rules_check(rules, 0));
	oe__json_key(out, "outcomes");
	oe__json_list(out);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		oe__json_int(out, oe_hub_outcome_count(hub, i));
	oe__json_list_end(out);
	put_text(out, "broken", oe__hub_check(hub));
	oe__json_map_end(out);
}

#endif /* OE_TEST_HUB_STATE_H */
