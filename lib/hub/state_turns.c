/*
 * Numbers that have not ended: open ones with their samples, those that are to be given again, those that
 * wait for their turn; what was drawn ahead, and who left a short while ago; the generation.
 */

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/state_internal.h"

/* ---- turns ---- */

static void put_optional_sample(struct oe__state_writer *writer, const oe_iteration *iteration)
{
	oe__pack_int(&writer->body, iteration != NULL);
	if (iteration)
		oe__state_put_sample(writer, iteration);
}

static int get_optional_sample(struct oe__state_reader *reader, oe_iteration **out)
{
	return oe__unpack_bool(&reader->in) ? oe__state_get_sample(reader, out) : 0;
}

static void put_turn(struct oe__state_writer *writer, const struct oe__turn *turn)
{
	struct oe__buffer *out = &writer->body;

	put_optional_sample(writer, turn->iteration);
	oe__state_put_program(writer, turn->child);
	oe__pack_int(out, turn->outcome);
	oe__pack_text(out, turn->message);
	oe__pack_uint(out, turn->failed_count);
	for (size_t i = 0; i < turn->failed_count; i++)
		oe__state_put_attempt(writer, turn->failed[i]);
}

static int get_failed(struct oe__state_reader *reader, struct oe__turn *turn)
{
	size_t count = oe__unpack_count(&reader->in);
	void *failed = NULL;

	int status = oe__grow(&failed, &turn->failed_capacity, count, sizeof(*turn->failed));
	turn->failed = failed;
	for (size_t i = 0; status == 0 && i < count; i++) {
		struct oe__attempt *attempt = oe__state_get_attempt(reader);
		if (!attempt)
			break;
		turn->failed[turn->failed_count++] = oe__attempt_ref(attempt);
	}
	return status;
}

static int get_end(struct oe__state_reader *reader, struct oe__turn *turn)
{
	struct oe__unpack *in = &reader->in;

	int status = get_optional_sample(reader, &turn->iteration);
	if (status < 0)
		return status;
	oe_program *child = oe__state_get_program(reader);
	turn->child = child ? oe_program_ref(child) : NULL;
	turn->outcome = (int)oe__unpack_between(in, 0, OE_OUTCOME_COUNT - 1);
	const char *message = oe__unpack_text(in);
	turn->message = message ? oe__strdup(message) : NULL;
	if (message && !turn->message)
		return OE_ERR_NOMEM;
	return get_failed(reader, turn);
}

/* Is that how something can wait? */
static bool is_sound(const struct oe__turn *turn)
{
	if (turn->iteration && turn->iteration->number != turn->number)
		return false;
	if (!turn->staged)
		return true;
	return turn->iteration && (turn->outcome != OE_OUTCOME_COMMITTED ||
	                           (turn->child && turn->child->evaluation));
}

OE__AUTO_POINTER(turn, struct oe__turn *, oe__turn_free)

static int get_turn(struct oe__state_reader *reader, int64_t number, bool staged,
                    struct oe__turn **out)
{
	OE__AUTO(turn) struct oe__turn *turn = oe__calloc(1, sizeof(*turn));

	if (!turn)
		return OE_ERR_NOMEM;
	turn->number = number;
	turn->staged = staged;
	int status = get_end(reader, turn);
	if (status < 0)
		return status;
	if (reader->in.broken || !is_sound(turn))
		return oe__state_damaged(reader, "what waits for its turn cannot be read");
	*out = OE__STEAL(turn);
	return 0;
}

/* ---- the ledger ---- */

static void put_entry(struct oe__state_writer *writer, const struct oe__ledger_entry *entry)
{
	struct oe__buffer *out = &writer->body;

	oe__pack_int(out, entry->number);
	oe__pack_int(out, entry->attempt);
	oe__pack_int(out, entry->staged);
	put_optional_sample(writer, entry->iteration);
	if (oe__hub_has_turns(writer->hub))
		put_turn(writer, entry->turn);
}

static void put_ledger(struct oe__state_writer *writer)
{
	const struct oe__ledger *ledger = &writer->hub->ledger;
	struct oe__buffer *out = &writer->body;
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	oe__pack_int(out, ledger->before);
	oe__pack_int(out, ledger->issued);
	oe__pack_int(out, ledger->ended);
	oe__pack_int(out, ledger->foreign);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		oe__pack_int(out, ledger->outcomes[i]);
	oe__pack_uint(out, ledger->open.count);
	while ((entry = oe__map_next(&ledger->open, &cursor)) != NULL)
		put_entry(writer, entry->value);
	oe__pack_uint(out, ledger->repeat_count);
	for (const struct oe__ledger_entry *at = ledger->repeats; at; at = at->next)
		put_entry(writer, at);
}

/* An entry that is being read: its turn is its own until the ledger has it. */
struct entry {
	struct oe__ledger_entry is;
};

static void entry_done(struct entry *entry)
{
	oe_iteration_unref(entry->is.iteration);
	oe__turn_free(entry->is.turn);
}

OE__AUTO_VALUE(entry, struct entry, entry_done)

/* An open one has a sample, and nothing else has. */
static bool is_entry(const struct oe__ledger_entry *entry, bool repeated, bool has_turns)
{
	const oe_iteration *iteration = entry->iteration;

	if (repeated || entry->staged)
		return !iteration && !(repeated && entry->staged) && (repeated || has_turns);
	return iteration && iteration->number == entry->number &&
	       iteration->attempt == entry->attempt;
}

static int get_entry(struct oe__state_reader *reader, bool repeated)
{
	oe_hub *hub = reader->hub;
	struct oe__unpack *in = &reader->in;
	OE__AUTO(entry) struct entry entry = { 0 };
	struct oe__ledger_entry *is = &entry.is;
	bool has_turns = oe__hub_has_turns(hub);

	is->number = oe__unpack_between(in, 1, hub->ledger.issued > 1 ? hub->ledger.issued : 1);
	is->attempt = (int32_t)oe__unpack_between(in, 0, OE__RETRIES_MAX - 1);
	is->staged = oe__unpack_bool(in);
	int status = get_optional_sample(reader, &is->iteration);
	if (status == 0 && has_turns)
		status = get_turn(reader, is->number, is->staged, &is->turn);
	if (status < 0)
		return status;
	if (in->broken || oe__ledger_has(&hub->ledger, is->number) ||
	    !is_entry(is, repeated, has_turns) || (repeated && is->turn && !is->turn->iteration))
		return oe__state_damaged(reader, "its numbers cannot be read");
	status = oe__ledger_recall(&hub->ledger, is, repeated);
	if (status < 0)
		return status;
	struct oe__turn *turn = OE__STEAL(is->turn);
	is->iteration = NULL;
	if (turn)
		oe__rank_insert(&hub->turns.order, &turn->rank, 0, (uint64_t)turn->number);
	return 0;
}

static int get_entries(struct oe__state_reader *reader, bool repeated)
{
	size_t count = oe__unpack_count(&reader->in);
	int status = 0;

	for (size_t i = 0; status == 0 && i < count; i++)
		status = get_entry(reader, repeated);
	return status;
}

static int get_ledger(struct oe__state_reader *reader)
{
	struct oe__ledger *ledger = &reader->hub->ledger;
	struct oe__unpack *in = &reader->in;

	ledger->before = oe__state_get_number(reader);
	ledger->issued = oe__state_get_number(reader);
	ledger->ended = oe__unpack_between(in, 0, ledger->issued);
	ledger->foreign = oe__unpack_between(in, 0, ledger->ended);
	for (int i = 0; i < OE_OUTCOME_COUNT; i++)
		ledger->outcomes[i] = oe__unpack_between(in, 0, ledger->ended);
	if (ledger->last < INT64_MAX - ledger->before)
		ledger->last += ledger->before;
	int status = get_entries(reader, false);
	return status < 0 ? status : get_entries(reader, true);
}

/* ---- ordered ---- */

static void put_ordered(struct oe__state_writer *writer)
{
	const struct oe__ordered *ordered = &writer->hub->ordered;
	struct oe__buffer *out = &writer->body;
	size_t window = (size_t)writer->hub->settings.window, departed = 0;

	oe__pack_int(out, ordered->position);
	oe__pack_int(out, ordered->limit);
	oe__pack_uint(out, ordered->count);
	for (size_t i = 0; i < ordered->count; i++)
		oe__state_put_sample(writer, ordered->ahead[(ordered->head + i) % window]);
	for (const struct oe__departure *one = ordered->departed.oldest; one; one = one->next)
		departed++;
	oe__pack_uint(out, departed);
	for (const struct oe__departure *one = ordered->departed.oldest; one; one = one->next) {
		oe__state_put_program(writer, one->program);
		oe__pack_int(out, one->joined);
		oe__pack_int(out, one->left);
	}
}

static int get_ahead(struct oe__state_reader *reader)
{
	struct oe__ordered *ordered = &reader->hub->ordered;
	size_t count = oe__unpack_count(&reader->in);

	if (count > 0 && (!ordered->ahead || count > (size_t)reader->hub->settings.window))
		return oe__state_damaged(reader, "more was drawn ahead than may be");
	for (size_t i = 0; i < count; i++) {
		int status = oe__state_get_sample(reader, &ordered->ahead[i]);
		if (status < 0)
			return status;
		ordered->count++;
	}
	return 0;
}

static int get_departed(struct oe__state_reader *reader)
{
	struct oe__departed *departed = &reader->hub->ordered.departed;
	size_t count = oe__unpack_count(&reader->in);

	for (size_t i = 0; i < count; i++) {
		const struct oe__departure *before = departed->newest;
		oe_program *program = oe__state_get_program(reader);
		int64_t joined = oe__state_get_number(reader), left = oe__state_get_number(reader);

		if (!program || joined >= left || (before && left < before->left))
			return oe__state_damaged(reader, "who left cannot be read");
		oe__departed_add(departed, program, joined, left);
		if (departed->newest == before)
			return OE_ERR_NOMEM;
	}
	return 0;
}

static int get_ordered(struct oe__state_reader *reader)
{
	struct oe__ordered *ordered = &reader->hub->ordered;

	ordered->position = oe__state_get_number(reader);
	ordered->limit = oe__unpack_between(&reader->in, 0, INT64_MAX);
	int status = get_ahead(reader);
	return status < 0 ? status : get_departed(reader);
}

/* ---- generation ---- */

static void put_generation(struct oe__state_writer *writer)
{
	const struct oe__generation *generation = &writer->hub->generation;
	struct oe__buffer *out = &writer->body;

	oe__pack_int(out, generation->closed);
	oe__pack_int(out, generation->first);
	oe__pack_int(out, generation->awaited);
	oe__pack_uint(out, generation->seed_count);
	for (size_t i = 0; i < generation->seed_count; i++)
		oe__state_put_program(writer, generation->seeds[i]);
}

static int get_generation(struct oe__state_reader *reader)
{
	struct oe__generation *generation = &reader->hub->generation;

	generation->closed = oe__state_get_number(reader);
	generation->first = oe__state_get_number(reader);
	generation->awaited = oe__state_get_number(reader);
	size_t count = oe__unpack_count(&reader->in);
	for (size_t i = 0; i < count; i++) {
		oe_program *seed = oe__state_get_program(reader);

		if (!seed || !seed->evaluation ||
		    reader->hub->settings.semantics != OE__SEMANTICS_GENERATION)
			return oe__state_damaged(reader, "an initial program cannot be read");
		int status = oe__generation_keep_seed(reader->hub, seed);
		if (status < 0)
			return status;
	}
	return 0;
}

/* ---- all of it ---- */

void oe__state_put_turns(struct oe__state_writer *writer)
{
	oe__pack_int(&writer->body, writer->hub->turns.begun);
	put_ledger(writer);
	put_ordered(writer);
	put_generation(writer);
}

int oe__state_get_turns(struct oe__state_reader *reader)
{
	reader->hub->turns.begun = oe__unpack_bool(&reader->in);
	int status = get_ledger(reader);
	if (status == 0)
		status = get_ordered(reader);
	if (status == 0)
		status = get_generation(reader);
	return status < 0 ? status : oe__state_look(reader, "its numbers cannot be read");
}
