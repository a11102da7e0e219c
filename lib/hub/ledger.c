/*
 * The ledger: which numbers were given, which of them are open, how the others ended. It knows
 * nothing of programs.
 *
 * A number is open with one attempt, or waits for its next attempt, or is staged (it came to an end
 * which waits for its turn), or has ended; what is none of the first three has ended (or was never
 * given), so ended numbers need no memory.
 */

#include <assert.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/hub_internal.h"

void oe__ledger_init(struct oe__ledger *ledger, int64_t iterations)
{
	*ledger = (struct oe__ledger){ .last = iterations < 0 ? INT64_MAX : iterations };
	ledger->repeats_end = &ledger->repeats;
}

static void forget_iteration(struct oe__ledger_entry *entry)
{
	oe_iteration_unref(entry->iteration);
	entry->iteration = NULL;
}

static void free_entry(struct oe__ledger_entry *entry)
{
	forget_iteration(entry);
	oe__turn_free(entry->turn);
	oe__free(entry);
}

void oe__ledger_done(struct oe__ledger *ledger)
{
	struct oe__map_entry *entry;
	size_t cursor = 0;

	while ((entry = oe__map_next(&ledger->open, &cursor)) != NULL)
		free_entry(entry->value);
	oe__map_done(&ledger->open);
	while (ledger->repeats) {
		struct oe__ledger_entry *next = ledger->repeats->next;

		free_entry(ledger->repeats);
		ledger->repeats = next;
	}
}

static struct oe__ledger_entry *find(const struct oe__ledger *ledger, int64_t number)
{
	return oe__map_get(&ledger->open, &number, sizeof(number));
}

bool oe__ledger_is_open(const struct oe__ledger *ledger, int64_t number, int32_t attempt)
{
	const struct oe__ledger_entry *entry = find(ledger, number);

	return entry && entry->attempt == attempt && !entry->staged;
}

bool oe__ledger_has(const struct oe__ledger *ledger, int64_t number)
{
	if (find(ledger, number))
		return true;
	for (const struct oe__ledger_entry *entry = ledger->repeats; entry; entry = entry->next)
		if (entry->number == number)
			return true;
	return false;
}

int oe__hub_walk_open(const oe_hub *hub,
					  int (*see)(void *owner, int64_t number, int32_t attempt,
								 oe_iteration *iteration),
					  void *owner)
{
	struct oe__map_entry *found;
	size_t cursor = 0;
	int status = 0;

	while (status == 0 && (found = oe__map_next(&hub->ledger.open, &cursor)) != NULL) {
		const struct oe__ledger_entry *entry = found->value;

		status = see(owner, entry->number, entry->attempt, entry->iteration);
	}
	return status;
}

size_t oe__ledger_open_count(const struct oe__ledger *ledger)
{
	return ledger->open.count - ledger->staged_count;
}

int64_t oe__ledger_accounted(const struct oe__ledger *ledger)
{
	return ledger->ended + (int64_t)(ledger->open.count + ledger->repeat_count);
}

struct oe__turn *oe__ledger_turn(const struct oe__ledger *ledger, int64_t number)
{
	const struct oe__ledger_entry *entry = find(ledger, number);

	return entry ? entry->turn : NULL;
}

int oe__ledger_next(const struct oe__ledger *ledger, int64_t *number, int32_t *attempt)
{
	if (ledger->repeats) {
		*number = ledger->repeats->number;
		*attempt = ledger->repeats->attempt;
		return 1;
	}
	if (ledger->issued >= ledger->last)
		return 0;
	*number = ledger->issued + 1;
	*attempt = 0;
	return 1;
}

int oe__ledger_open(struct oe__ledger *ledger, oe_iteration *iteration, struct oe__turn *turn)
{
	int64_t number = iteration->number;
	bool repeated = ledger->repeats && ledger->repeats->number == number;

	assert(!find(ledger, number) && number <= ledger->issued + 1);
	struct oe__ledger_entry *entry = repeated ? ledger->repeats : oe__calloc(1, sizeof(*entry));
	if (!entry)
		return OE_ERR_NOMEM;
	int status = oe__map_put(&ledger->open, &number, sizeof(number), entry);
	if (status < 0) {
		if (!repeated)
			oe__free(entry);
		return status;
	}
	if (repeated) {
		ledger->repeats = entry->next;
		if (!ledger->repeats)
			ledger->repeats_end = &ledger->repeats;
		ledger->repeat_count--;
	}
	*entry = (struct oe__ledger_entry){ .number = number,
										.attempt = iteration->attempt,
										.iteration = oe_iteration_ref(iteration),
										.turn = entry->turn ? entry->turn : turn };
	if (number > ledger->issued)
		ledger->issued = number;
	return 0;
}

void oe__ledger_stage(struct oe__ledger *ledger, int64_t number)
{
	struct oe__ledger_entry *entry = find(ledger, number);

	assert(entry && !entry->staged && entry->turn);
	forget_iteration(entry);
	entry->staged = true;
	ledger->staged_count++;
}

void oe__ledger_end(struct oe__ledger *ledger, int64_t number, int outcome)
{
	struct oe__ledger_entry *entry = oe__map_remove(&ledger->open, &number, sizeof(number));

	assert(entry && outcome >= 0 && outcome < OE_OUTCOME_COUNT);
	ledger->staged_count -= entry->staged;
	forget_iteration(entry);
	oe__free(entry); /* not its turn, which is coming to an end */
	ledger->ended++;
	ledger->outcomes[outcome]++;
}

bool oe__ledger_may_repeat(const struct oe__ledger *ledger, int64_t number)
{
	const struct oe__ledger_entry *entry = find(ledger, number);

	return entry->attempt + 1 < OE__RETRIES_MAX;
}

void oe__ledger_repeat(struct oe__ledger *ledger, int64_t number)
{
	struct oe__ledger_entry *entry = find(ledger, number);

	assert(entry && !entry->staged);
	oe__map_remove(&ledger->open, &number, sizeof(number));
	forget_iteration(entry);
	entry->attempt++;
	entry->next = NULL;
	*ledger->repeats_end = entry;
	ledger->repeats_end = &entry->next;
	ledger->repeat_count++;
}

int oe__ledger_recall(struct oe__ledger *ledger, const struct oe__ledger_entry *as, bool repeated)
{
	struct oe__ledger_entry *entry = oe__memdup(as, sizeof(*as));

	assert(!oe__ledger_has(ledger, as->number) && !as->next);
	if (!entry)
		return OE_ERR_NOMEM;
	if (repeated) {
		*ledger->repeats_end = entry;
		ledger->repeats_end = &entry->next;
		ledger->repeat_count++;
		return 0;
	}
	int status = oe__map_put(&ledger->open, &as->number, sizeof(as->number), entry);
	if (status < 0)
		oe__free(entry);
	else
		ledger->staged_count += as->staged;
	return status;
}
