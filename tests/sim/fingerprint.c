#include "fingerprint.h"

#include <string.h>

#include "base/hash.h"
#include "hub/hub_internal.h"

static void add(uint64_t *sum, const void *data, size_t size)
{
	*sum = oe__hash64(data, size, *sum);
}

static void add_int(uint64_t *sum, int64_t value)
{
	*sum = oe__hash_mix(*sum, (uint64_t)value);
}

static void add_real(uint64_t *sum, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	*sum = oe__hash_mix(*sum, bits);
}

static void add_program(uint64_t *sum, const oe_program *program)
{
	if (!program) {
		add_int(sum, -1);
		return;
	}
	add(sum, program->id, strlen(program->id));
	add(sum, program->source->hash, OE__SHA256_SIZE);
	add_real(sum, program->fitness);
	add_int(sum, program->island);
	add_int(sum, program->migrant);
}

static void add_attempts(uint64_t *sum, const struct oe__attempt_list *list)
{
	struct oe__attempt *attempts[64];
	size_t count = oe__attempts_get(list, attempts, 64);

	add_int(sum, (int64_t)list->count);
	for (size_t i = 0; i < count; i++) {
		add_int(sum, attempts[i]->number);
		add_int(sum, attempts[i]->outcome);
		add(sum, attempts[i]->message, strlen(attempts[i]->message));
		add_program(sum, attempts[i]->program);
	}
}

static void add_member(uint64_t *sum, const oe_hub *hub, const struct oe__member *member)
{
	size_t dimensions = oe__hub_dimensions(hub);

	add_program(sum, member->program);
	add_int(sum, (int64_t)member->slot << 32 | member->archive_slot);
	add_int(sum, member->guards << 1 | member->elite);
	add_int(sum, (int64_t)member->sequence);
	add(sum, member->bins, dimensions * sizeof(*member->bins));
	for (size_t i = 0; i < dimensions; i++)
		add_real(sum, member->coordinates[i]);
	add_attempts(sum, &member->attempts);
}

static void add_island(uint64_t *sum, const struct oe__island *island)
{
	add_int(sum, (int64_t)island->count);
	add_int(sum, (int64_t)island->archived_count);
	add_int(sum, (int64_t)island->negative_count);
	add_int(sum, island->generation);
	add_program(sum, island->best ? island->best->program : NULL);
	add_attempts(sum, &island->attempts);
}

static void add_features(uint64_t *sum, const oe_hub *hub)
{
	for (size_t i = 0; i < oe__hub_dimensions(hub); i++) {
		const struct oe__feature_stats *stats = &hub->features.stats[i];

		add_int(sum, stats->known);
		add_real(sum, stats->min);
		add_real(sum, stats->max);
		add_int(sum, (int64_t)stats->value_count);
	}
	for (size_t i = 0; i < hub->diversity.reference_count; i++)
		add(sum, hub->diversity.references[i]->hash, OE__SHA256_SIZE);
}

/* What waits for its turn, and what was drawn ahead of time. */
static void add_turns(uint64_t *sum, const oe_hub *hub)
{
	struct oe__rank_tree *order = (struct oe__rank_tree *)(uintptr_t)&hub->turns.order;

	for (struct oe__rank_node *at = oe__rank_first(order); at; at = oe__rank_next(order, at)) {
		const struct oe__turn *turn = oe__turn_of_rank(at);

		add_int(sum, turn->number << 1 | turn->staged);
		add_int(sum, (int64_t)turn->failed_count);
		if (!turn->staged)
			continue;
		add_int(sum, turn->outcome);
		add_program(sum, turn->child);
	}
	for (size_t i = 0; i < hub->ordered.count; i++) {
		size_t place = (hub->ordered.head + i) % (size_t)hub->settings.window;

		add_int(sum, hub->ordered.ahead[place]->number);
		add_program(sum, hub->ordered.ahead[place]->parent);
	}
	add_int(sum, hub->ordered.position);
	add_int(sum, hub->generation.closed);
	add_int(sum, hub->generation.first);
	add_int(sum, hub->generation.awaited);
}

uint64_t fingerprint(const oe_hub *hub)
{
	const struct oe__ledger *ledger = &hub->ledger;
	uint64_t sum = 0;

	for (const struct oe__member *member = hub->oldest; member; member = member->newer)
		add_member(&sum, hub, member);
	for (int32_t i = 0; i < hub->island_count; i++)
		add_island(&sum, &hub->islands[i]);
	add_features(&sum, hub);
	add_turns(&sum, hub);
	add_program(&sum, hub->best ? hub->best->program : NULL);
	add_program(&sum, hub->initial);
	add_attempts(&sum, &hub->initial_attempts);
	add_int(&sum, hub->generation_max);
	add_int(&sum, hub->last_migration);
	add_int(&sum, hub->last_iteration);
	add_int(&sum, hub->seeded);
	add_int(&sum, (int64_t)hub->sequence);
	add_int(&sum, hub->version);
	add_int(&sum, ledger->issued);
	add_int(&sum, ledger->ended);
	add_int(&sum, (int64_t)ledger->open.count);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		add_int(&sum, ledger->outcomes[i]);
	for (const struct oe__ledger_entry *at = ledger->repeats; at; at = at->next)
		add_int(&sum, at->number << 8 | at->attempt);
	return sum;
}
