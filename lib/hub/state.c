#include "hub/state.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "hub/state_internal.h"
#include "program/form.h"

#define STATE_VERSION 2

void oe__state_writer_done(struct oe__state_writer *writer)
{
	oe__buffer_done(&writer->body);
	oe__map_done(&writer->programs.numbers);
	oe__map_done(&writer->attempts.numbers);
	oe__free(writer->programs.items);
	oe__free(writer->attempts.items);
}

void oe__state_reader_done(struct oe__state_reader *reader)
{
	for (size_t i = 0; i < reader->program_count; i++)
		oe_program_unref(reader->programs[i]);
	for (size_t i = 0; i < reader->attempt_count; i++)
		oe__attempt_unref(reader->attempts[i]);
	oe__free(reader->programs);
	oe__free(reader->attempts);
	oe__free(reader->members);
}

int oe__state_damaged(struct oe__state_reader *reader, const char *what)
{
	return oe__error(reader->err, OE_ERR_FORMAT, "%s", what);
}

int oe__state_look(struct oe__state_reader *reader, const char *what)
{
	return reader->in.broken ? oe__state_damaged(reader, what) : 0;
}

/* ---- whose it is ---- */

static void put_settings(const struct oe__hub_settings *settings, struct oe__buffer *out)
{
	const struct oe__dimensions *dimensions = &settings->axes->dimensions;

	oe__pack_uint(out, STATE_VERSION);
	oe__pack_uint(out, oe__form_teller());
	oe__pack_int(out, settings->semantics);
	oe__pack_int(out, settings->on_failure);
	oe__pack_int(out, settings->semantics == OE__SEMANTICS_STEADY ? 0 : settings->window);
	oe__pack_uint(out, settings->seed);
	oe__pack_int(out, settings->island_count);
	oe__pack_uint(out, settings->population_size);
	oe__pack_uint(out, settings->archive_size);
	oe__pack_real(out, settings->exploration_ratio);
	oe__pack_real(out, settings->exploitation_ratio);
	oe__pack_int(out, settings->migration_interval);
	oe__pack_real(out, settings->migration_rate);
	oe__pack_uint(out, settings->diversity_reference_size);
	oe__pack_uint(out, settings->inspiration_count);
	oe__pack_uint(out, settings->top_count);
	oe__pack_uint(out, settings->attempt_count);
	for (size_t i = 0; i < dimensions->count; i++) {
		oe__pack_text(out, dimensions->names[i]);
		oe__pack_int(out, settings->bins[i]);
	}
}

static int get_settings(struct oe__state_reader *reader)
{
	OE__AUTO(buffer) struct oe__buffer ours = OE__BUFFER_INIT(0);

	put_settings(&reader->hub->settings, &ours);
	if (ours.status < 0)
		return ours.status;
	const void *theirs = oe__unpack_raw(&reader->in, ours.size);
	if (!theirs || memcmp(theirs, ours.data, ours.size) != 0)
		return oe__state_damaged(reader, "it is of another version, or of other settings");
	int32_t islands = (int32_t)oe__unpack_between(&reader->in, reader->hub->island_count,
	                                              OE__ISLANDS_MAX);
	return oe__hub_make_islands(reader->hub, islands);
}

/* ---- recent attempts ---- */

enum owner { OWNER_INITIAL, OWNER_ISLAND, OWNER_MEMBER };

static void put_owner(struct oe__state_writer *writer, struct oe__attempt_list *list)
{
	const oe_hub *hub = writer->hub;
	struct oe__buffer *out = &writer->body;
	uintptr_t offset = (uintptr_t)list - (uintptr_t)hub->islands;

	if (list == &hub->initial_attempts) {
		oe__pack_int(out, OWNER_INITIAL);
	} else if (offset / sizeof(*hub->islands) < (size_t)hub->island_count) {
		oe__pack_int(out, OWNER_ISLAND);
		oe__pack_int(out, (int64_t)(offset / sizeof(*hub->islands)));
	} else {
		oe__pack_int(out, OWNER_MEMBER);
		oe__pack_uint(out, OE__CONTAINER(list, struct oe__member, attempts)->position);
	}
}

static struct oe__attempt_list *get_owner(struct oe__state_reader *reader)
{
	oe_hub *hub = reader->hub;
	struct oe__unpack *in = &reader->in;

	switch (oe__unpack_int(in)) {
	case OWNER_INITIAL:
		return &hub->initial_attempts;
	case OWNER_ISLAND:
		return &hub->islands[oe__unpack_between(in, 0, hub->island_count - 1)].attempts;
	case OWNER_MEMBER:
		break;
	default:
		return NULL;
	}
	uint64_t number = oe__unpack_uint(in);
	return number < reader->member_count ? &reader->members[number]->attempts : NULL;
}

static void put_note(void *owner, struct oe__attempt_list *list, struct oe__attempt *attempt)
{
	struct oe__state_writer *writer = owner;

	put_owner(writer, list);
	oe__state_put_attempt(writer, attempt);
}

static void put_attempts(struct oe__state_writer *writer)
{
	oe__pack_uint(&writer->body, writer->hub->attempts.count);
	oe__attempts_walk(&writer->hub->attempts, put_note, writer);
}

static int get_attempts(struct oe__state_reader *reader)
{
	size_t count = oe__unpack_count(&reader->in);

	for (size_t i = 0; i < count; i++) {
		struct oe__attempt_list *list = get_owner(reader);
		struct oe__attempt *attempt = oe__state_get_attempt(reader);

		if (!list || !attempt)
			return oe__state_damaged(reader, "recent attempts cannot be read");
		int status = oe__attempts_add(&reader->hub->attempts, list, attempt);
		if (status < 0)
			return status;
	}
	return 0;
}

/* ---- features ---- */

static int put_features(struct oe__state_writer *writer)
{
	struct oe__buffer *out = &writer->body;

	for (size_t d = 0; d < oe__hub_dimensions(writer->hub); d++) {
		struct oe__feature_stats stats;
		int status = oe__features_save(&writer->hub->features, d, &stats);

		if (status < 0)
			return status;
		oe__pack_int(out, stats.known);
		oe__pack_real(out, stats.min);
		oe__pack_real(out, stats.max);
		oe__pack_uint(out, stats.value_count);
		for (size_t i = 0; i < stats.value_count; i++)
			oe__pack_real(out, stats.values[i]);
		oe__free(stats.values);
	}
	return 0;
}

static int get_features(struct oe__state_reader *reader)
{
	struct oe__unpack *in = &reader->in;

	for (size_t d = 0; d < oe__hub_dimensions(reader->hub); d++) {
		struct oe__feature_stats stats = { .known = oe__unpack_bool(in) };

		stats.min = oe__unpack_real(in);
		stats.max = oe__unpack_real(in);
		stats.value_count = oe__unpack_count(in);
		OE__AUTO(memory) void *memory = oe__calloc(stats.value_count + 1, sizeof(double));
		if (!memory)
			return OE_ERR_NOMEM;
		stats.values = memory;
		for (size_t i = 0; i < stats.value_count; i++)
			stats.values[i] = oe__unpack_real(in);
		if (in->broken || (stats.known && !(stats.min <= stats.max)))
			return oe__state_damaged(reader, "bounds of its feature map cannot be read");
		oe__features_load(&reader->hub->features, d, &stats);
	}
	return 0;
}

/* ---- diversity ---- */

/* Few, and of programs that may be gone long since: with their texts. */
static void put_sources(struct oe__buffer *out, struct oe__source *const *sources, size_t count)
{
	oe__pack_uint(out, count);
	for (size_t i = 0; i < count; i++)
		oe__pack_sized(out, sources[i]->text, sources[i]->size);
}

static void put_diversity(struct oe__state_writer *writer)
{
	const struct oe__diversity *diversity = &writer->hub->diversity;
	struct oe__buffer *out = &writer->body;
	const struct oe__map_entry *entry;
	size_t cursor = 0;

	put_sources(out, diversity->references, diversity->reference_count);
	put_sources(out, diversity->candidates, diversity->candidate_count);
	oe__pack_uint(out, diversity->measured.count);
	while ((entry = oe__map_next(&diversity->measured, &cursor)) != NULL) {
		oe__buffer_append(out, entry->key, OE__SHA256_SIZE);
		oe__pack_real(out, *(const double *)entry->value);
	}
}

static int get_source(struct oe__state_reader *reader, struct oe__source **out)
{
	size_t size;
	const char *text = oe__unpack_sized(&reader->in, &size);

	int status = text ? oe__source_new(text, size, out) : OE_ERR_FORMAT;
	return status == 0 || status == OE_ERR_NOMEM
	           ? status
	           : oe__state_damaged(reader, "a program that others are compared with cannot be read");
}

/* The caller's, with those that were read. */
static int get_sources(struct oe__state_reader *reader, struct oe__source ***out, size_t *count,
                       size_t *capacity)
{
	size_t wanted = oe__unpack_count(&reader->in);

	*out = oe__calloc(wanted + 1, sizeof(**out));
	if (!*out)
		return OE_ERR_NOMEM;
	*capacity = wanted + 1;
	while (*count < wanted) {
		int status = get_source(reader, &(*out)[*count]);
		if (status < 0)
			return status;
		++*count;
	}
	return 0;
}

static int get_diversity(struct oe__state_reader *reader)
{
	struct oe__diversity *diversity = &reader->hub->diversity;
	size_t capacity;

	oe__diversity_done(diversity); /* nothing, but for room */
	*diversity = (struct oe__diversity){ .size = diversity->size, .seed = diversity->seed };
	int status = get_sources(reader, &diversity->references, &diversity->reference_count, &capacity);
	if (status == 0)
		status = get_sources(reader, &diversity->candidates, &diversity->candidate_count,
		                     &diversity->candidate_capacity);
	if (status < 0)
		return status;
	if (diversity->reference_count > diversity->size)
		return oe__state_damaged(reader, "programs are compared with too many others");
	size_t count = oe__unpack_count(&reader->in);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *hash = oe__unpack_raw(&reader->in, OE__SHA256_SIZE);
		double value = oe__unpack_real(&reader->in);
		if (reader->in.broken)
			break;
		if (oe__map_get(&diversity->measured, hash, OE__SHA256_SIZE))
			return oe__state_damaged(reader, "a program was measured twice");
		status = oe__diversity_recall(diversity, hash, value);
		if (status < 0)
			return status;
	}
	return oe__state_look(reader, "its diversity cannot be read");
}

/* ---- counters ---- */

static void put_counters(struct oe__state_writer *writer)
{
	const oe_hub *hub = writer->hub;
	struct oe__buffer *out = &writer->body;

	oe__state_put_program(writer, hub->initial);
	oe__pack_int(out, hub->generation_max);
	oe__pack_int(out, hub->last_migration);
	oe__pack_int(out, hub->last_iteration);
	oe__pack_int(out, hub->seeded);
	oe__pack_uint(out, hub->sequence);
	oe__pack_uint(out, hub->draw);
	oe__pack_int(out, hub->version);
}

static int get_counters(struct oe__state_reader *reader)
{
	oe_hub *hub = reader->hub;
	oe_program *initial = oe__state_get_program(reader);

	hub->initial = initial ? oe_program_ref(initial) : NULL;
	hub->generation_max = oe__state_get_number(reader);
	hub->last_migration = oe__state_get_number(reader);
	hub->last_iteration = oe__state_get_number(reader);
	hub->seeded = oe__state_get_number(reader);
	uint64_t sequence = oe__unpack_uint(&reader->in);
	if (sequence < hub->sequence)
		return oe__state_damaged(reader, "it has more members than there ever were");
	hub->sequence = sequence;
	hub->draw = oe__unpack_uint(&reader->in);
	hub->version = oe__state_get_number(reader);
	return oe__state_look(reader, "its counters cannot be read");
}

/* ---- the whole ---- */

static void number_members(const oe_hub *hub)
{
	uint32_t position = 0;

	for (struct oe__member *member = hub->oldest; member; member = member->newer)
		member->position = position++;
}

int oe__hub_state_write(const oe_hub *hub, struct oe__buffer *out)
{
	OE__AUTO(state_writer)
	struct oe__state_writer writer = { .hub = hub, .body = OE__BUFFER_INIT(out->size_max) };

	if (hub->turns.stalled || hub->generation.closing || hub->crossing)
		return OE_ERR_STATE;
	number_members(hub);
	oe__state_put_members(&writer);
	put_attempts(&writer);
	int status = put_features(&writer);
	if (status < 0)
		return status;
	put_diversity(&writer);
	put_counters(&writer);
	oe__state_put_turns(&writer);
	put_settings(&hub->settings, out);
	oe__pack_int(out, hub->island_count);
	oe__state_put_tables(&writer, out);
	oe__buffer_append(out, writer.body.data, writer.body.size);
	return writer.status < 0 ? writer.status : writer.body.status < 0 ? writer.body.status
	                                                                  : out->status;
}

static int read_all(struct oe__state_reader *reader)
{
	int status = get_settings(reader);

	if (status == 0)
		status = oe__state_get_tables(reader);
	if (status == 0)
		status = oe__state_get_members(reader);
	if (status == 0)
		status = get_attempts(reader);
	if (status == 0)
		status = get_features(reader);
	if (status == 0)
		status = get_diversity(reader);
	if (status == 0)
		status = get_counters(reader);
	if (status == 0)
		status = oe__state_get_turns(reader);
	if (status == 0 && oe__unpack_left(&reader->in) > 0)
		status = oe__state_damaged(reader, "something is left over");
	return status;
}

int oe__hub_state_read(oe_hub *hub, const void *data, size_t size,
                       const struct oe__program_finder *finder, oe_error *err)
{
	oe_error own;
	OE__AUTO(state_reader)
	struct oe__state_reader reader = { .hub = hub,
		                               .finder = finder,
		                               .in = oe__unpack_begin(data, size),
		                               .err = err ? err : &own };

	int status = read_all(&reader);
	if (status == OE_ERR_NOMEM)
		return oe__error_nomem(err);
	const char *broken = status == 0 ? oe__hub_check(hub) : NULL;
	return broken ? oe__state_damaged(&reader, broken) : status;
}
